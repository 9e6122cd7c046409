"""History matching: what is ruled out, what is not pinned down, and how often it is wrong."""

import io
import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import binom, chi2

from reformsim.config import ConfigError
from reformsim.experiment import calibration, matching
from reformsim.experiment.calibration import calibrate, of_problem
from reformsim.experiment.emulator import Emulator, fit
from reformsim.experiment.matching import Goal, Matched
from reformsim.experiment.own_export import exported
from reformsim.experiment.plugin import Problem, output
from reformsim.experiment.run import Interrupted
from reformsim.experiment.sampled import HistoryMatching
from reformsim.experiment.schema import Experiment
from reformsim.experiment.store import StoreError
from reformsim.experiment.targets import Target, of_facts
from reformsim.known import KNOWN, Listed
from reformsim.report import profiles, provenance, style
from reformsim.report.calibration import Calibrated, said, tables
from test_figures import whole
from toys import experiment

NOISE, DISCREPANCY = 0.03, 0.05
UNIT = {"a": (0.0, 1.0), "b": (-1.0, 1.0), "idle": (0.0, 10.0)}


def expected(x: dict[str, float]) -> dict[str, float]:
    """Return the mean figures: a and b each tell on their own, idle tells nothing."""
    return {"y": math.sin(2 * x["a"]), "z": x["b"] + 0.5 * x["a"] ** 2, "held": x["a"] * x["b"]}


def noisy(x: dict[str, float], seed: int) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    return {name: value + NOISE * rng.normal() for name, value in expected(x).items()}


TOY = Problem("toy", UNIT, tuple(map(output, ("y", "z", "held"))), noisy)
TRUTH = {"a": 0.4, "b": 0.2, "idle": 5.0}


def design(**changes) -> HistoryMatching:
    base = {"kind": "history_matching", "points": 30, "waves": 2, "discrepancy": 0.02}
    return HistoryMatching.model_validate(base | changes)


def aims(half: float = 0.06, **moved: float) -> tuple[Target, ...]:
    middle = expected(TRUTH) | moved
    uses = {"held": "held out"}
    return tuple(
        Target(name=name, low=z - half, high=z + half, use=uses.get(name, "calibrated"))
        for name, z in middle.items()
    )


def run(directory, targets, **changes) -> calibration.Calibration:
    return calibrate(of_problem(TOY, targets, design(**changes)), directory, stream=io.StringIO())


def told(found: calibration.Calibration) -> Calibrated:
    asked = experiment(design=found.task.design.model_dump())
    return Calibrated(asked, found, "0" * 64)


@pytest.fixture(scope="module", autouse=True)
def coarse():
    """Look at fewer points: there are hundreds of calibrations."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching, "LOOK", 2048)
        patch.setattr(matching, "KEPT", 100)
        yield


@pytest.fixture(scope="module")
def matched(coarse, tmp_path_factory) -> calibration.Calibration:
    return run(tmp_path_factory.mktemp("toy"), aims())


# ------------------------------------------------------------------------ what is left


def test_implausibility_is_distance_over_all_four_variances():
    process = SimpleNamespace(predict=lambda x: (x[:, 0], np.full(len(x), 0.09)), noise=0.16)
    goal = Goal(Target(name="y", value=2.0, low=1.02, high=2.98), process, discrepancy=0.5)
    standard, total = goal.standardised(np.array([[0.0], [2.0]]))
    assert total == pytest.approx(0.09 + 0.16 + 0.25 + 0.25)
    assert standard == pytest.approx([2 / math.sqrt(0.75), 0.0])


def test_the_region_shrinks_around_the_truth_and_names_what_is_not_pinned_down(matched):
    first, last = calibration.left(matched)
    assert first.left > last.left * 0.99 and last.left < 0.1
    low, high = np.array(list(UNIT.values())).T
    truth = (np.array(list(TRUTH.values())) - low) / (high - low)
    assert matched.matched.implausibility(truth[None, :]).max() <= 3
    found = {p.uncertainty: p for p in matching.parameters(matched.matched)}
    assert found["a"].verdict == found["b"].verdict == matching.PINNED
    assert found["idle"].verdict == matching.OPEN and found["idle"].width > 0.95
    for name in ("a", "b"):
        assert found[name].left_low < TRUTH[name] < found[name].left_high
        assert found[name].q05 < TRUTH[name] < found[name].q95
    text = "\n".join(said(told(matched), zh=False))
    assert "The data do not pin down: idle." in text
    assert "数据无法确定：idle。" in "\n".join(said(told(matched), zh=True))


def test_two_parameters_that_tell_only_together_are_said_to(tmp_path):
    targets = tuple(t for t in aims() if t.name == "z")
    found = run(tmp_path, targets, waves=1)
    pair = matching.pairs(found.matched)[0]
    assert {pair.first, pair.second} == {"a", "b"} and pair.correlation < -0.5
    assert "a ~ b" in "\n".join(said(told(found), zh=False))


def test_profiles_touch_their_least_at_the_truth_and_lie_flat_where_nothing_is_known(matched):
    along = {name: [p for p in matching.profiles(matched.matched) if p.uncertainty == name]
             for name in UNIT}  # fmt: skip
    best = min(along["a"], key=lambda p: p.least)
    assert abs(best.value - TRUTH["a"]) < 0.15 and along["a"][-1].least > 3
    assert max(p.least for p in along["idle"]) < 3


def half_told(x: dict[str, float], seed: int) -> dict[str, float]:
    """Fail where b is large, as a run would whose queue never reaches a median."""
    return noisy(x, seed) | ({"z": math.nan} if x["b"] > 0.4 else {})


def test_runs_that_do_not_tell_a_target_are_counted_and_warned_of(matched, tmp_path):
    """Three tenths of the worlds: a warning. None: none."""
    problem = Problem("toy", UNIT, TOY.outputs, half_told)
    task = of_problem(problem, aims(), design(waves=1, checks=5))
    found = told(calibrate(task, tmp_path, stream=io.StringIO()))
    assert {(c.used, c.left_out) for c in found.checked} == {(21, 9)}
    assert {(p.used + p.left_out) for p in found.predictions} == {5}
    text = "\n".join(said(found, zh=False))
    assert "Many runs do not tell these" in text and "y (9/30); z (9/30)" in text
    assert "许多运行给不出下列目标" in "\n".join(said(found, zh=True))
    assert "Many runs" not in "\n".join(said(told(matched), zh=False))
    first = matched.waves[-1].told
    assert all(n > 30 and out == 0 for n, out in first.values())


def test_an_impossible_target_is_reported_and_named(tmp_path):
    found = run(tmp_path / "alone", aims(y=2.5))
    assert not len(found.matched.region)
    (culprit,) = matching.culprits(found.matched)
    assert culprit.target == "y" and culprit.least > 3 and culprit.without > 0
    text = "\n".join(said(told(found), zh=False))
    assert "Nothing is left" in text and "y alone rules everything out" in text
    assert "没有剩余" in "\n".join(said(told(found), zh=True))
    assert not {"region", "posterior"} & tables(told(found)).keys()


def test_targets_that_contradict_each_other_are_named_together(tmp_path):
    held = (Target(name="held", low=0.55, high=0.6), Target(name="z", low=-0.5, high=-0.4))
    found = run(tmp_path, held, waves=1)
    assert {c.target for c in matching.culprits(found.matched)} <= {"held", "z"}
    assert all(c.least <= 3 and c.without > 0 for c in matching.culprits(found.matched))


# ------------------------------------------------------------------------ how often it is wrong


@pytest.fixture(scope="module")
def emulators() -> dict[str, Emulator]:
    """Fit the toy once; observations of it vary, emulators need not."""
    rng = np.random.default_rng(3)
    x = rng.random((60, 3))
    rows = [noisy(world(row), seed) for seed, row in enumerate(x)]
    return {name: fit(x, np.array([[row[name]] for row in rows])) for name in ("y", "z")}


def world(unit: np.ndarray) -> dict[str, float]:
    """Return a point of the unit cube by name, in the units of the inputs."""
    low, high = np.array(list(UNIT.values())).T
    return dict(zip(UNIT, (low + unit * (high - low)).tolist(), strict=True))


def seen(name: str, truth: np.ndarray, rng: np.random.Generator) -> float:
    """Observe one world: chance, discrepancy and error of observation as they are declared."""
    sd = math.sqrt(NOISE**2 + DISCREPANCY**2 + Target(name=name, low=-0.06, high=0.06).sd ** 2)
    return expected(world(truth))[name] + sd * rng.normal()


def goal(name: str, emulator: Emulator, z: float, discrepancy: float = DISCREPANCY) -> Goal:
    return Goal(Target(name=name, low=z - 0.06, high=z + 0.06), emulator, discrepancy)


def test_the_true_point_is_ruled_out_no_more_often_than_stated(emulators):
    """2,000 worlds, two targets: at most 0.0027 × 2; false alarm 1 in 1,000. Cut at 2: many."""
    rng = np.random.default_rng(1)
    truths, worst = rng.random((2000, 3)), np.zeros(2000)
    for name, emulator in emulators.items():
        standard, total = goal(name, emulator, 0.0).standardised(truths)
        z = np.array([seen(name, truth, rng) for truth in truths])
        worst = np.maximum(worst, np.abs(standard + z / np.sqrt(total)))
    assert (worst > 3).sum() <= binom.isf(1e-3, 2000, 0.0054)
    assert (worst > 2).sum() > 5 * 2000 * 0.0054  # the cut-off matters


def ranks(emulators, worlds: int, draws: int, blow: float = 1.0) -> np.ndarray:
    """Return the rank of the truth among posterior draws, (worlds, uncertainties)."""
    rng = np.random.default_rng(2)
    found = []
    for i in range(worlds):
        truth = rng.random(3)
        goals = [goal(n, e, seen(n, truth, rng), blow * DISCREPANCY) for n, e in emulators.items()]
        state = Matched(UNIT, (tuple(goals),), 3.0, i)
        if len(state.region):
            found.append((state.posterior(draws) < truth).sum(axis=0))
    return np.array(found)


def uniform(found: np.ndarray, draws: int, bins: int = 10) -> float:
    """Return the chi-square statistic of ranks against the uniform, in equal bins."""
    counts = np.bincount(found * bins // (draws + 1), minlength=bins)
    return float(((counts - len(found) / bins) ** 2 / (len(found) / bins)).sum())


def test_simulation_based_calibration_gives_uniform_ranks(emulators):
    """Talts et al. (2018): 200 worlds, ranks in 10 bins; false alarm 1 in 1,000 for each input."""
    found = ranks(emulators, 200, 99)
    assert len(found) >= 195
    for i in range(3):
        assert uniform(found[:, i], 99) < chi2.isf(1e-3, 9)
    # A posterior that takes the model for better than it is fails the same test.
    proud = ranks(emulators, 100, 99, blow=0.0)
    assert max(uniform(proud[:, i], 99) for i in range(2)) > chi2.isf(1e-3, 9)


# ------------------------------------------------------------------------ emulators


def test_leaving_one_out_in_closed_form_is_leaving_one_out():
    rng = np.random.default_rng(5)
    x = rng.random((14, 2))
    found = fit(x, (np.sin(3 * x[:, 0]) + x[:, 1])[:, None] + 0.1 * rng.normal(size=(14, 1)))
    error, sd = found.left_out
    kernel = found.process.kernel_
    for i in range(14):
        rest = np.delete(np.arange(14), i)
        inverse = np.linalg.inv(kernel(x[rest]) + 1e-10 * np.eye(13))
        across = kernel(x[[i]], x[rest])[0]
        variance = kernel(x[[i]])[0, 0] - across @ inverse @ across
        assert error[i] == pytest.approx(found.y[i] - across @ inverse @ found.y[rest], abs=1e-6)
        assert sd[i] == pytest.approx(math.sqrt(variance), rel=1e-4)


def test_an_emulator_that_cannot_be_trusted_says_so_and_rules_nothing_out():
    rng = np.random.default_rng(7)
    x = rng.random((60, 2))
    wild = 0.1 * rng.normal(size=60)
    wild[:5] += [50, -50, 50, -50, 50]  # one run in twelve far off: 8 % beyond three deviations
    found = fit(x, wild[:, None])
    assert not found.good
    smooth = fit(x, (x[:, 0] ** 2)[:, None])
    assert smooth.good and smooth.explained > 0.99
    mean, variance = smooth.predict(np.array([[0.5, 0.5]]))
    assert abs(mean[0] - 0.25) < 4 * math.sqrt(variance[0]) + 1e-3


def test_replications_give_the_noise_and_few_runs_give_nothing():
    rng = np.random.default_rng(8)
    x = rng.random((80, 1))
    values = x + 0.2 * rng.normal(size=(80, 5))
    assert math.sqrt(fit(x, values).noise) == pytest.approx(0.2, rel=0.15)  # 320 degrees: 4 sd
    assert math.sqrt(fit(x, values[:, :1]).noise) == pytest.approx(0.2, rel=0.35)
    assert fit(x[:7], values[:7]) is None
    assert fit(x, np.ones((80, 2))).predict(x)[1].max() == 0


# ------------------------------------------------------------------------ the pipeline

STOP = {"after": 10**9}


def stopping(x: dict[str, float], seed: int) -> dict[str, float]:
    STOP["after"] -= 1
    if STOP["after"] < 0:
        raise KeyboardInterrupt
    return noisy(x, seed)


def test_a_stopped_calibration_goes_on_to_the_same_result(tmp_path):
    problem = Problem("toy", UNIT, TOY.outputs, stopping)
    task = of_problem(problem, aims(), design(points=20, checks=5))
    STOP["after"] = 27  # in the second wave
    with pytest.raises(Interrupted, match="7 of 20 runs"):
        calibrate(task, tmp_path / "a", stream=io.StringIO())
    STOP["after"] = 18  # 13 of the second wave, 5 checks, no more
    again = calibrate(task, tmp_path / "a", stream=io.StringIO())
    whole = run(tmp_path / "b", aims(), points=20, checks=5)
    assert STOP["after"] == 0
    assert np.array_equal(again.matched.region, whole.matched.region)
    assert str(calibration.predictions(again)) == str(calibration.predictions(whole))


def test_other_settings_are_refused_and_more_waves_are_not(tmp_path):
    changes = {"points": 20, "checks": 4}
    run(tmp_path, aims(), waves=1, **changes)
    with pytest.raises(StoreError, match=r"design\.discrepancy: 0\.02 -> 0\.1"):
        run(tmp_path, aims(), waves=1, discrepancy=0.1, **changes)
    with pytest.raises(StoreError, match=r"targets\.0\.low"):
        run(tmp_path, aims(half=0.1), waves=1, **changes)


def test_held_out_rows_are_never_used(tmp_path):
    """Whatever a held-out row says, points, emulators and region are the same to the bit."""
    one = run(tmp_path / "one", aims(), points=20, checks=4)
    two = run(tmp_path / "two", aims(held=9.0), points=20, checks=4)
    assert np.array_equal(one.matched.region, two.matched.region)
    held = [next(p for p in calibration.predictions(c) if p.use == "held out") for c in (one, two)]
    assert held[0].mean == held[1].mean and abs(held[1].error_sd) > 10 > abs(held[0].error_sd)
    assert all("held" not in wave.emulators for wave in two.waves)


# ------------------------------------------------------------------------ files


@pytest.mark.parametrize("zh", [False, True], ids=["en", "zh"])
def test_figures_are_whole_and_carry_their_experiment(tmp_path, zh):
    calibrated = told(run(tmp_path, aims()))
    edition = profiles.Edition(calibrated, zh)
    with style.look():
        for figure in (profiles.profiles, profiles.pairs, profiles.predictions):
            whole(edition, figure(edition))
    names = [f"{name}{'.zh' * zh}" for name in ("profiles", "predictions", "pairs")]
    paths = profiles.draw(calibrated, tmp_path, zh)
    assert [path.name for path in paths] == [f"{n}.{end}" for n in names for end in ("png", "svg")]
    assert provenance.read(paths[-1]) == provenance.record(calibrated, "pairs", zh)


FILE = """
name: t
title: T
title_zh: 题
question: Q?
city: {name: x}
design: {kind: history_matching, points: 20, discrepancy: 0.1, uncertainties: [p_mis], %s}
outcomes: [walk]
"""
HEAD = "name,value,low,high,unit,source,use\n"


def load(tmp_path, more: str, table: str = "") -> Experiment:
    (tmp_path / "own.csv").write_text(table, encoding="utf-8")
    path = tmp_path / "e.yaml"
    path.write_text(FILE % more, encoding="utf-8")
    return Experiment.load(path)


def test_targets_come_from_facts_and_from_a_table(tmp_path):
    table = (
        HEAD
        + '"median days, dispatched",8,6,12,days,own,calibrated\nwalk,,0.2,0.8,km,own,held out\n'
    )
    found = load(tmp_path, "targets: own.csv", table).design.aims()
    assert [(t.name, t.z, t.use) for t in found] == [
        ("median days, dispatched", 8.0, "calibrated"), ("walk", 0.5, "held out"),
    ]  # fmt: skip
    both = load(tmp_path, "facts: all, targets: own.csv", table).design.aims()
    assert len(both) == sum(k.mark != "input" for k in KNOWN) + 1
    assert [t.z for t in both if t.name == "median days, dispatched"] == [8.0]
    assert all(t.zh != t.name for t in both)


def test_what_an_export_tells_is_told_by_the_export_of_every_run(tmp_path, town):
    """A run has such a headline only where it is asked for; other names are refused."""
    name = "export: answered at intake"
    table = HEAD + f'"{name}",,0.5,0.7,share,own,calibrated\n'
    asked = load(tmp_path, "targets: own.csv, facts: []", table)
    (target,) = asked.design.aims()
    assert target.zh == "导出：首接即办比例"
    task = calibration.of(asked)
    model = task.factory(town(warm_up=10, days=60), 1, 1)
    model.run_until(60)
    told = {outcome.name: value for outcome, value in model.headlines()}
    assert told[name] == exported(model, Listed())["answered at intake"]
    assert told[name] != pytest.approx(told["answered at intake"], abs=0.01)
    plain = load(tmp_path, "facts: [answered at intake]")
    model = calibration.of(plain).factory(town(warm_up=10, days=60), 1, 1)
    model.run_until(60)
    assert name not in {outcome.name for outcome, _ in model.headlines()}
    with pytest.raises(ConfigError, match="no run tells 'export: walk'"):
        load(tmp_path, "targets: own.csv", HEAD + '"export: walk",,1,2,km,own,calibrated\n')


def test_what_sets_a_number_of_the_model_is_no_target():
    """Utilisations are a rule that sizes staff, shares with burnout place its thresholds."""
    used = [target.name for target in of_facts("all") if target.use == "calibrated"]
    assert used == [
        "hotline contacts per resident-year", "grid events per resident-year",
        "answered at intake", "median days, dispatched", "log sd of days, dispatched",
        "days for 2 departments against 1",
    ]  # fmt: skip


def test_a_line_with_a_hash_is_a_note_and_keeps_the_count_of_lines(tmp_path):
    note = '# mine, "in words"\n'
    row = "walk,,0.2,0.8,km,own,{}\n"
    table = note + HEAD + row.format("calibrated") + note
    assert [t.name for t in load(tmp_path, "targets: own.csv", table).design.aims()] == ["walk"]
    with pytest.raises(ConfigError, match=r"own\.csv:5:1: use"):
        load(tmp_path, "targets: own.csv", table + row.format("maybe"))


@pytest.mark.parametrize(
    ("more", "table", "words"),
    [
        ("targets: own.csv", HEAD + "walk,1,2,3,km,,\n", r"own.csv:2:1: value: must lie in \[2"),
        ("targets: own.csv", HEAD + "walk,,3,2,km,,\n", "own.csv:2:1: high: must be above low, 3"),
        ("targets: own.csv", HEAD + "wlak,,1,2,km,,\n", "own.csv:2:1: .*did you mean walk"),
        ("targets: own.csv", "name,low\nwalk,1\n", "own.csv:2:1: high: missing, but required"),
        ("targets: own.csv", HEAD + "walk,,a,2,,,\n", "own.csv:2:1: low: expected a number"),
        ("targets: own.csv", "", "own.csv:1:1: the file is empty"),
        ("targets: own.csv", "name,name\n", "own.csv:1:1: every column needs a name of its own"),
        ("targets: none.csv", "", "no such file"),
        ("facts: [nope]", "", "unknown fact 'nope'"),
        ("facts: ['median days, all contacts']", "", "none is to be calibrated to"),
        ("discrepancies: {nope: 0.1}", "", "no such target"),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_their_place(tmp_path, more, table, words):
    with pytest.raises(ConfigError, match=words):
        load(tmp_path, more, table)


def test_the_manifest_of_a_wave_says_what_it_was_aimed_at(tmp_path):
    run(tmp_path, aims(), points=20, waves=1, checks=4)
    about = json.loads((tmp_path / "wave1" / "manifest.json").read_text())["experiment"]
    assert [t["name"] for t in about["targets"]] == ["y", "z", "held"]
