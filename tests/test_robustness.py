"""Latin hypercubes, shares of the space of uncertainties, and what explains them."""

import io
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from rich.console import Console
from scipy import stats

from reformsim.experiment import analysis, design, responses, robustness, run
from reformsim.experiment.analysis import Trait
from reformsim.experiment.responses import Response
from reformsim.experiment.sampling import STREAM, Sample, latin_hypercube
from reformsim.experiment.schema import Experiment
from reformsim.report import data, tables
from reformsim.report.study import Study
from toys import INPUTS, LESS, OUTCOME, experiment, simulate, unit

ROOT = Path(__file__).parents[1]
TWO = {"old": {}, "new": {"reform": [{"measure": "governance_committee"}]}}


def sweep(points=200, inputs=3, **changes) -> Experiment:
    shape = {"kind": "latin_hypercube", "points": points, "uncertainties": INPUTS[:inputs]}
    shape |= changes.pop("design", {})
    two = {"scenarios": TWO, "baseline": "old"}
    return experiment(**two | {"design": shape} | changes)


def noise(seed: int, scenario, sd: float) -> float:
    own = len(scenario.reform)
    return sd * (np.random.default_rng(seed).normal() + np.random.default_rng([seed, own]).normal())


def response(values: np.ndarray, better: str = "higher") -> Response:
    return Response(Trait("x", "days", better), "new", "old", np.asarray(values, float))


# ----------------------------------------------------------------------------------------- points


@pytest.mark.parametrize("points", [500, 96, 7])
def test_each_slice_of_each_axis_holds_one_point(points):
    for column in latin_hypercube(points, 5, 1).T:
        assert list(np.sort((column * points).astype(int))) == list(range(points))


def test_a_doubled_hypercube_begins_with_the_smaller():
    small, large = latin_hypercube(50, 4, 3), latin_hypercube(200, 4, 3)
    np.testing.assert_array_equal(small, large[:50])


def test_columns_of_a_hypercube_are_unrelated():
    """Correlations of 780 pairs, standard error 1/√512: five of them once in 2,000 seeds."""
    r = np.corrcoef(latin_hypercube(512, 40, 4), rowvar=False)
    assert np.abs(r[np.triu_indices(40, 1)]).max() < 5 / np.sqrt(512)


def test_scenarios_share_the_seed_of_a_point_and_points_do_not():
    made = design.runs(sweep(points=4, seed=7, design={"repeat": {"points": 2, "times": 3}}))
    assert [run.id for run in made] == list(range(16))
    assert [(r.index, r.replication) for r in made[::2]] == [
        (0, 0), (1, 0), (2, 0), (3, 0), (0, 1), (1, 1), (0, 2), (1, 2),
    ]  # fmt: skip
    for old, new in zip(made[::2], made[1::2], strict=True):
        assert (old.cell, new.cell) == ("old", "new")
        assert (old.scenario, new.scenario) == (f"old @{old.index}", f"new @{old.index}")
        assert old.seed == new.seed == 7 + old.index * STREAM + old.replication
        assert old.point is new.point
    assert len({run.seed for run in made}) == 8
    assert len({(run.scenario, run.replication) for run in made}) == len(made)


def test_the_scenario_of_a_run_is_its_cell_in_the_world_of_its_point():
    study = sweep(points=4, uncertainties={"p_mis": 0.1})
    for made in design.runs(study):
        found = design.scenario_of(study, made)
        assert found.uncertainties == {"p_mis": 0.1, **made.point}
        assert set(made.point) == set(INPUTS[:3])
        assert len(found.reform) == (made.cell == "new")


def test_more_replications_or_points_leave_runs_in_place():
    for more in (sweep(points=8), sweep(points=4, replications=3)):
        for a, b in zip(design.runs(sweep(points=4)), design.runs(more), strict=False):
            assert a == b


def test_all_varies_what_the_file_does_not_fix():
    two = {"old": {}, "new": {"uncertainties": {"implementation": 1.0}}}
    found = sweep(
        uncertainties={"needs": 2},
        scenarios=two,
        design={"uncertainties": "all", "ranges": {"p_mis": (0.1, 0.2)}},
    ).bounds()
    assert not {"needs", "implementation"} & found.keys()
    assert found["p_mis"] == (0.1, 0.2)
    assert found["cross_share"] == (0.05, 0.42)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"design": {"uncertainties": ["need"]}}, "did you mean needs"),
        ({"design": {"ranges": {"needs": (1, 20)}}}, r"ranges.needs: must be .* \[0.5, 12\]"),
        ({"design": {"ranges": {"p_mis": (0.1, 0.2)}}}, "is not among the uncertainties"),
        ({"uncertainties": {"needs": 2}}, "needs is fixed elsewhere"),
        ({"baseline": None}, "baseline: must be one of old, new"),
        ({"figures": ["curves"]}, "latin_hypercube, which has robustness"),
        ({"design": {"repeat": {"points": 900, "times": 2}}}, "repeat.points"),
    ],
)
def test_impossible_sweeps_are_refused(changes, words):
    with pytest.raises(ValidationError, match=words):
        sweep(**changes)


@pytest.mark.parametrize("name", ["uncertainty_sweep", "uncertainty_sweep_quick"])
def test_shipped_sweeps_are_valid(name):
    study = Experiment.load(ROOT / "experiments" / f"{name}.yaml")
    assert study.name == name
    points, repeat = study.design.points, study.design.repeat
    assert len(design.runs(study)) == 2 * (points + repeat.points * (repeat.times - 1))


# ----------------------------------------------------------------------------------------- shares


def test_the_share_is_that_of_the_points_on_the_better_side():
    """The new way wins where x1 < 0.3: of a Latin hypercube of 200 points exactly 60."""

    def formula(scenario, seed):
        return (0.3 - unit(scenario, 1)[0]) * bool(scenario.reform)

    for outcome, share in ((OUTCOME, 0.3), (LESS, 0.7)):
        study = sweep(outcomes=[outcome])
        (found,) = responses.responses(study, simulate(study, formula, outcome))
        row = robustness.robustness(found)
        assert (row.n, row.missing, row.share) == (200, 0, pytest.approx(share))
        assert row.mean == pytest.approx(-0.2, abs=0.002)
        assert row.q50 == pytest.approx(-0.2, abs=0.005)


def test_wilson_is_scipys():
    for wins, n in ((0, 8), (3, 10), (499, 500)):
        known = stats.binomtest(wins, n).proportion_ci(0.95, "wilson")
        assert robustness.wilson(wins, n) == pytest.approx((known.low, known.high))


def test_noise_share_is_recovered():
    """Chance has sd √2·0.1 in a contrast, the world uniform values of sd 1/√12.

    450 degrees of freedom within and 499 between points: the share of 0.19 has a standard error
    of 0.016, and the bound is five of them.
    """

    def formula(scenario, seed):
        return unit(scenario, 1)[0] * bool(scenario.reform) + noise(seed, scenario, 0.1)

    study = sweep(points=500, design={"repeat": {"points": 50, "times": 10}})
    (found,) = responses.responses(study, simulate(study, formula))
    share, low, high = robustness.noise_share(found.values)
    truth = 0.02 / (0.02 + 1 / 12)
    assert share == pytest.approx(truth, abs=0.08)
    assert low < share < high and high - low < 0.12


def test_without_repeats_the_noise_is_not_known():
    values = np.random.default_rng(1).normal(size=(50, 1))
    row = robustness.robustness(response(values))
    assert np.isnan([row.noise, row.noise_low, row.agree]).all()


def test_failed_points_are_left_out_counted_and_named():
    def formula(scenario, seed):
        if scenario.reform and unit(scenario, 1)[0] > 0.9:
            raise ValueError("cannot be paid")
        return 1.0 * bool(scenario.reform)

    study = sweep(points=40, design={"repeat": {"points": 40, "times": 2}})
    results = simulate(study, formula)
    (found,) = responses.responses(study, results)
    row = robustness.robustness(found)
    assert (row.n, row.missing, row.share) == (36, 4, 1.0)
    failed = responses.failures(study, results)
    made = {run.id: run for run in design.runs(study)}
    assert len(failed) == 8 and len({f.index for f in failed}) == 4
    assert all(f.index == made[f.run].index and f.scenario == "new" for f in failed)

    written = Console(file=io.StringIO(), width=80)
    tables.write(Study(study, results, "0"), written)
    text = " ".join(written.file.getvalue().split())
    assert "8 of 160 runs failed, at 4 points" in text
    assert f"8 × new, run: cannot be paid: run {failed[0].run} (point {failed[0].index})" in text


# ---------------------------------------------------------------------------------------- drivers


def test_drivers_find_what_matters_and_its_sign():
    def formula(scenario, seed):
        x = unit(scenario, 3)
        return bool(scenario.reform) * (x[0] - 0.5 * np.exp(x[1]) + 0.05 * noise(seed, scenario, 1))

    study = sweep()
    (found,) = responses.responses(study, simulate(study, formula))
    rows = {d.uncertainty: d for d in robustness.drivers(found, design.sample(study))}
    first, second, none = (rows[name] for name in INPUTS[:3])
    assert first.correlation > 0.8 and second.correlation < -0.8
    assert max(first.holm, second.holm) < 1e-6
    assert none.low < 0 < none.high


def test_intervals_of_drivers_cover_nothing_in_95_percent_and_holm_keeps_false_alarms_rare():
    """400 responses of pure chance, 20 uncertainties: 8,000 intervals, 400 families.

    Standard error of the coverage 0.3 %, of the false alarms of families 1.1 %; five of them.
    """
    rng = np.random.default_rng(5)
    bounds = {f"x{i}": (0.0, 1.0) for i in range(20)}
    values = latin_hypercube(120, 20, 6)
    sample = Sample(bounds, values, np.arange(120), np.ones(120, int))
    rows = [robustness.drivers(response(rng.lognormal(size=(120, 1))), sample) for _ in range(400)]
    covered = np.mean([d.low <= 0 <= d.high for row in rows for d in row])
    alarms = np.mean([min(d.holm for d in row) < 0.05 for row in rows])
    assert covered == pytest.approx(0.95, abs=0.015)
    assert alarms < 0.05 + 0.055


def test_holm_adjusts_step_by_step():
    found = analysis.holm(np.array([0.01, 0.04, 0.03, 0.5]))
    assert found == pytest.approx([0.04, 0.09, 0.09, 0.5])
    assert all(b >= a for a, b in pairwise(np.sort(found)))


def test_too_few_points_explain_nothing():
    sample = design.sample(sweep(points=12))
    assert robustness.drivers(response(np.arange(12.0)[:, None]), sample) == []
    sample = design.sample(sweep(points=20))
    assert robustness.drivers(response(np.ones((20, 1))), sample) == []


def test_tables_of_a_sweep_are_written(tmp_path):
    def formula(scenario, seed):
        return unit(scenario, 1)[0] * bool(scenario.reform) + noise(seed, scenario, 0.1)

    study = sweep(design={"repeat": {"points": 5, "times": 2}})
    shown = Study(study, simulate(study, formula), "0")
    for zh, name in ((False, "needs per resident"), (True, "居民每年产生的需求数")):
        console = Console(file=io.StringIO(), width=80)
        tables.write(shown, console, zh)
        assert f"{name} +0." in console.file.getvalue()
    found = data.summary(shown, [])
    assert {"robustness", "drivers", "points", "runs"} <= found.keys()
    assert len(found["points"]) == 200


def test_the_quick_sweep_runs_on_the_city(tmp_path):
    """The whole path on the real model: every run is there or has a reason."""
    study = Experiment.load(ROOT / "experiments" / "uncertainty_sweep_quick.yaml")
    results = run.execute(study, tmp_path, 1, stream=io.StringIO())
    assert len(results.runs) == len(design.runs(study))
    assert set(results.failed()["scenario"].str.split(" ").str[0]) <= {"systemic"}
    shown = Study(study, results, "0")
    assert len(shown.worlds.robustness) >= len(study.outcomes)
    assert all(row.n >= 4 for row in shown.worlds.robustness)
    tables.write(shown, Console(file=io.StringIO(), width=80))
