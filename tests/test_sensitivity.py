"""Sensitivity designs through the whole path, against exact indices and SALib called directly.

Formulas on the unit cube stand in for the model; chance is added where the test is about it.
"""

import io
import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from rich.console import Console
from SALib.analyze import fast, morris, pawn, sobol

from reformsim.experiment import design, responses, sensitivity
from reformsim.experiment.analysis import Trait
from reformsim.experiment.plugin import values
from reformsim.experiment.responses import Response
from reformsim.experiment.sampled import Sobol
from reformsim.experiment.sampling import CHANCE, HARMONICS, Sample, problem
from reformsim.experiment.sampling import sample as draw
from reformsim.experiment.schema import Experiment
from reformsim.experiment.sensitivity import Index
from reformsim.report import data, tables
from reformsim.report.study import Study
from reformsim.uncertainties import UNCERTAINTIES
from toys import INPUTS, Formula, execute, experiment, ishigami, simulate, sobol_g, unit

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"

SAMPLES = {
    "sobol": {"points": 64},
    "morris": {"trajectories": 20},
    "pawn": {"points": 200},
    "fast": {"points": 129, "curves": 2},
    "one_at_a_time": {},
}

#: Ishigami & Homma (1990): first order, total order, and the only interaction, of x1 and x3.
ISHIGAMI = {"S1": (0.3139, 0.4424, 0.0), "ST": (0.5576, 0.4424, 0.2437)}
ISHIGAMI_S2 = 0.2437


def study(kind: str, inputs: int = 3, **changes) -> Experiment:
    shape = {"kind": kind, "uncertainties": INPUTS[:inputs]} | SAMPLES[kind]
    return experiment(design=shape | changes.pop("design", {}), **changes)


def curve(scenario, seed) -> float:
    return ishigami(unit(scenario, 3))


def noisy(sd: float) -> Formula:
    return lambda scenario, seed: curve(scenario, seed) + sd * np.random.default_rng(seed).normal()


def answer(asked: Experiment, formula: Formula) -> tuple[list[Index], Sample, Response]:
    (response,) = responses.responses(asked, simulate(asked, formula))
    sample = design.sample(asked)
    return sensitivity.indices(asked.design, sample, response), sample, response


def table(found: list[Index], index: str) -> dict[str, Index]:
    return {i.uncertainty: i for i in found if i.index == index and not i.other}


# ---------------------------------------------------------------------------------- known answers


def test_sobol_reaches_the_exact_indices_of_ishigami():
    """With 1,024 rows of a scrambled Sobol sequence the error is below 0.01; 0.02 is allowed."""
    found, _, _ = answer(study("sobol", design={"points": 1024, "second_order": True}), curve)
    for kind, exact in ISHIGAMI.items():
        rows = table(found, kind)
        assert [rows[name].value for name in INPUTS[:3]] == pytest.approx(exact, abs=0.02)
        assert all(rows[n].low <= x <= rows[n].high for n, x in zip(INPUTS, exact, strict=False))
    second = {(i.uncertainty, i.other): i.value for i in found if i.index == "S2"}
    assert second[INPUTS[0], INPUTS[2]] == pytest.approx(ISHIGAMI_S2, abs=0.03)
    assert second[INPUTS[0], INPUTS[1]] == pytest.approx(0, abs=0.03)
    assert table(found, "ST")[CHANCE].value == 0


def test_the_whole_path_through_the_store_gives_the_same_indices(tmp_path):
    asked = study("sobol", design={"points": 16})
    (response,) = responses.responses(asked, execute(asked, curve, tmp_path))
    found = sensitivity.indices(asked.design, design.sample(asked), response)
    assert found == answer(asked, curve)[0]
    assert table(found, "ST")[INPUTS[1]].value == pytest.approx(0.44, abs=0.2)


def test_the_documented_example_reaches_its_exact_indices_as_a_plugged_in_function(tmp_path):
    """docs/examples/ishigami.py through ``plugin.Problem`` and the store; 256 rows, 0.05."""
    example = runpy.run_path(str(EXAMPLES / "ishigami.py"))
    problem = replace(example["PROBLEM"], function=ishigami_of)
    chosen = Sobol(kind="sobol", points=256)
    sample = draw(chosen, problem.inputs, seed=1, replications=1)
    results = problem.run(sample.values, tmp_path, stream=io.StringIO())
    response = Response(Trait("y", "1", "neither"), "ishigami", "", values(results, "y"))
    found = sensitivity.indices(chosen, sample, response)
    for kind, exact in (("S1", example["FIRST"]), ("ST", example["TOTAL"])):
        rows = table(found, kind)
        assert {name: rows[name].value for name in exact} == pytest.approx(exact, abs=0.05)


def ishigami_of(x: dict[str, float], seed: int) -> dict[str, float]:
    unit_cube = (np.array([x["x1"], x["x2"], x["x3"]]) / np.pi + 1) / 2
    return {"y": ishigami(unit_cube)}


def test_sobol_reaches_the_exact_indices_of_g():
    """Vi = 1/(3(1 + ai)²): Saltelli & Sobol (1995). 1,024 rows; 0.03 is allowed."""
    found, _, _ = answer(
        study("sobol", 8, design={"points": 1024}),
        lambda scenario, seed: sobol_g(unit(scenario, 8)),
    )
    part = 1 / (3 * (1 + np.array([0, 1, 4.5, 9, 99, 99, 99, 99])) ** 2)
    whole = np.prod(1 + part) - 1
    first, total = part / whole, part * np.prod(1 + part) / (1 + part) / whole
    for kind, exact in (("S1", first), ("ST", total)):
        rows = table(found, kind)
        assert [rows[name].value for name in INPUTS] == pytest.approx(list(exact), abs=0.03)


def test_fast_reaches_the_exact_indices_of_ishigami():
    """Four curves of 513 points: first orders within 0.03, totals within 0.06 (FAST is biased)."""
    found, _, _ = answer(study("fast", design={"points": 513, "curves": 4}), curve)
    for kind, error in (("S1", 0.03), ("ST", 0.06)):
        rows = table(found, kind)
        values = [rows[name].value for name in INPUTS[:3]]
        assert values == pytest.approx(ISHIGAMI[kind], abs=error)


def test_one_at_a_time_gives_the_change_from_the_defaults():
    def formula(scenario, seed):
        x = unit(scenario, 2)
        return 3 * x[0] + x[1] ** 2 + np.random.default_rng(seed).normal()

    found, _, _ = answer(study("one_at_a_time", 2), formula)
    x = unit(design.scenario_of(study("one_at_a_time", 2), first_run()), 2)
    for i in found:
        end = float(i.index == "high")
        exact = 3 * (end - x[0]) if i.uncertainty == INPUTS[0] else end**2 - x[1] ** 2
        # one stream for all points: chance cancels
        assert (i.value, i.low, i.high) == pytest.approx((exact,) * 3, abs=1e-12)
        assert i.n == 4


def first_run():
    return design.runs(study("one_at_a_time", 2))[0]


# --------------------------------------------------------------------------------- SALib directly


def test_sobol_is_salibs():
    found, sample, response = answer(study("sobol"), noisy(1))
    y = response.values[:, 0]
    known = sobol.analyze(sample.problem(), y, calc_second_order=False)
    for kind in ("S1", "ST"):
        assert [i.value for i in found if i.index == kind] == pytest.approx(list(known[kind]))


def test_morris_is_salibs():
    found, sample, response = answer(study("morris"), noisy(1))
    known = morris.analyze(sample.problem(), sample.inputs(), response.values[:, 0])
    for kind in ("mu_star", "mu", "sigma"):
        assert [i.value for i in found if i.index == kind] == pytest.approx(list(known[kind]))


def test_pawn_is_salibs_and_so_is_the_quick_one_of_the_bootstrap():
    found, sample, response = answer(study("pawn"), noisy(1))
    known = pawn.analyze(problem(sample.bounds, False), sample.values, response.values[:, 0], S=10)
    assert [i.value for i in found] == pytest.approx(list(known["median"]))
    for y in (response.values[:, 0], np.round(response.values[:, 0])):  # with ties too
        known = pawn.analyze(problem(sample.bounds, False), sample.values, y, S=10)
        quick = sensitivity.pawn(sample.values, y, 10)
        assert quick == pytest.approx(known["median"])


@pytest.mark.filterwarnings("ignore:FAST confidence intervals")
def test_fast_is_salibs():
    found, sample, response = answer(study("fast"), noisy(1))
    curves = response.values[:, 0].reshape(2, -1)
    known = [
        fast.analyze(problem(sample.bounds, False), y, M=HARMONICS, num_resamples=2) for y in curves
    ]
    for kind in ("S1", "ST"):
        values = [i.value for i in found if i.index == kind]
        assert values == pytest.approx(list(np.mean([k[kind] for k in known], axis=0)))


# ----------------------------------------------------------------------------------------- chance


def test_chance_is_an_input_whose_index_is_its_share_of_the_variance():
    """Ishigami has the variance 13.84; noise of sd 2 adds 4, a share of 0.224."""
    found, _, _ = answer(study("sobol", design={"points": 512}), noisy(2))
    total = table(found, "ST")
    assert total[CHANCE].value == pytest.approx(4 / 17.84, abs=0.05)
    assert total[INPUTS[1]].value == pytest.approx(0.4424 * 13.84 / 17.84, abs=0.05)
    assert {i.floor for i in found} == {total[CHANCE].value}
    assert total[INPUTS[2]].below == (total[INPUTS[2]].value <= total[CHANCE].value)
    assert table(found, "S1")[INPUTS[2]].below and not table(found, "S1")[INPUTS[1]].below


def test_replications_lower_the_floor():
    """Means of 8 have an eighth of the variance of chance: 0.5 against 3.5 of 14 + …"""
    one = table(answer(study("sobol", design={"points": 256}), noisy(2))[0], "ST")
    asked = study("sobol", design={"points": 256}, replications=8)
    eight = table(answer(asked, noisy(2))[0], "ST")
    assert one[CHANCE].value > 0.15 > 0.06 > eight[CHANCE].value > 0


def test_morris_steps_that_change_chance_alone():
    """E|z1 − z2|/Δ of normal z with sd 1 is 2/√π · 3/2 = 1.69; 200 of them, standard error 0.09."""
    found, _, _ = answer(study("morris", design={"trajectories": 200}), noisy(1))
    chance = table(found, "mu_star")[CHANCE]
    assert chance.value == pytest.approx(3 / np.sqrt(np.pi), abs=0.45)
    flat, _, _ = answer(
        study("morris"), lambda scenario, seed: np.random.default_rng(seed).normal()
    )
    rows = table(flat, "mu_star")
    assert all(rows[name].value == 0 and rows[name].below for name in INPUTS[:3])


def test_what_does_nothing_stays_below_the_floor_of_pawn_in_95_percent():
    """40 inputs of noise alone; at most 8 above it: a binomial of 5 % gives more once in 1,000."""
    names = [x.name for x in UNCERTAINTIES[:40]]
    asked = study("pawn", design={"uncertainties": names, "points": 300})
    sample = design.sample(asked)
    (response,) = responses.responses(study("pawn"), simulate(study("pawn"), curve))
    noise = np.random.default_rng(3).normal(size=(300, 1))
    found = sensitivity.indices(asked.design, sample, Response(response.trait, "base", "", noise))[
        :40
    ]
    assert sum(not i.below for i in found) <= 8


def test_noise_of_fast_curves_is_seen_with_replications_only():
    def formula(scenario, seed):
        x = unit(scenario, 3)  # chance that does not cancel along a curve
        return x[0] + 0.2 * np.random.default_rng([seed, int(x[0] * 1e6)]).normal()

    one, _, _ = answer(study("fast"), formula)
    two, _, _ = answer(study("fast", replications=4), formula)
    assert np.isnan(one[0].floor)
    assert two[0].floor == pytest.approx(0.01 / (0.01 + 1 / 12), abs=0.03)
    shared, _, _ = answer(study("fast", replications=2), noisy(3))
    assert shared[0].floor == pytest.approx(0, abs=1e-12)


# ---------------------------------------------------------------------------- failures, and more


@pytest.mark.parametrize(("kind", "lost"), [("sobol", "row"), ("morris", "trajectory"),
                                            ("pawn", "point"), ("fast", "curve")])  # fmt: skip
def test_a_failed_run_costs_its_block_and_says_so(kind, lost):
    """SALib's Sobol would return 0.0 for every index without a word."""
    asked = study(kind)
    victim = design.runs(asked)[70].point

    def formula(scenario, seed):
        if all(scenario.uncertainties[k] == v for k, v in victim.items()):
            raise ValueError("cannot be paid")
        return curve(scenario, seed)

    found, sample, response = answer(asked, formula)
    whole, _, _ = answer(asked, curve)
    assert len(found) == len(whole) and all(np.isfinite(i.value) for i in found)
    assert any(i.value != 0 for i in found)
    loss = sensitivity.losses(asked.design, sample, response)
    assert f"{loss.lost} of {loss.blocks} {lost}s left out" in loss.consequence
    assert f"{loss.blocks} " in loss.consequence_zh and f"有 {loss.lost} " in loss.consequence_zh
    assert 70 in loss.points
    assert 1 <= loss.lost <= 2
    assert sensitivity.losses(asked.design, sample, answer(asked, curve)[2]) is None


def test_where_nothing_varies_or_too_little_is_left_there_are_no_indices():
    for kind in ("sobol", "morris", "pawn", "fast"):
        assert answer(study(kind), lambda scenario, seed: 1.0)[0] == []

    def formula(scenario, seed):
        if unit(scenario, 1)[0] > 0.1:
            raise ValueError
        return curve(scenario, seed)

    for kind in ("sobol", "morris", "pawn", "fast"):
        assert answer(study(kind), formula)[0] == []


def test_indices_converge_and_intervals_shrink():
    asked = study("sobol", design={"points": 512})
    _, sample, response = answer(asked, curve)
    found = sensitivity.convergence(asked.design, sample, response)
    total = {i.n: i for i in found if (i.index, i.uncertainty) == ("ST", INPUTS[0])}
    assert list(total) == [64, 128, 256, 512]
    assert total[512].high - total[512].low < 0.5 * (total[64].high - total[64].low)
    small = answer(study("sobol", design={"points": 64}), curve)[0]
    assert total[64] in small


@pytest.mark.parametrize(
    ("kind", "less", "more"),
    [
        ("sobol", {"points": 8}, {"points": 32}),
        ("morris", {"trajectories": 3}, {"trajectories": 7}),
    ],
)
def test_larger_samples_begin_with_smaller(kind, less, more):
    a, b = design.runs(study(kind, design=less)), design.runs(study(kind, design=more))
    assert len(b) > len(a) and b[: len(a)] == a


@pytest.mark.parametrize(
    ("kind", "changes", "words"),
    [
        ("sobol", {"points": 100}, "power of 2"),
        ("fast", {"points": 20}, "greater than or equal to 65"),
        ("fast", {"uncertainties": ["needs"]}, "two or more"),
        ("morris", {"levels": 5}, "multiple of 2"),
        ("pawn", {"points": 20}, "at least 50"),
    ],
)
def test_impossible_samples_are_refused(kind, changes, words):
    with pytest.raises(ValidationError, match=words):
        study(kind, design=changes)


@pytest.mark.parametrize("kind", SAMPLES)
def test_tables_of_every_method_fit_80_columns(kind):
    asked = study(kind)
    shown = Study(asked, simulate(asked, noisy(1)), "0")
    for zh, name in ((False, "needs that"), (True, "编制所依据")):
        console = Console(file=io.StringIO(), width=80)
        tables.write(shown, console, zh)
        assert name in console.file.getvalue()
    assert len(data.summary(shown, [])["indices"]) == len(shown.worlds.indices) > 0


def test_one_scenario_is_explained_by_its_own_values():
    """Without a baseline nothing is compared: the scenario itself is what varies."""
    asked = experiment(
        scenarios={"only": {}},
        baseline=None,
        design={"kind": "fast", "points": 65, "curves": 2, "uncertainties": INPUTS[:2]},
    )
    assert design.references(asked) == {}
    shown = Study(asked, simulate(asked, lambda scenario, seed: unit(scenario, 2)[0]), "0")
    assert {i.uncertainty for i in shown.worlds.indices} >= {INPUTS[0]}
