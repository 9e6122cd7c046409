"""Contrasts, effects and leads against data whose answers are known."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reformsim.experiment import analysis
from reformsim.experiment.store import FORM, Results

# A share of 2,000 intervals that truly covers 95 % leaves 0.95 ± Z·0.0049 once in a million.
REPEATS = 2_000
Z = 4.9
SLACK = Z * math.sqrt(0.05 * 0.95 / REPEATS)


def results(
    values: dict[str, np.ndarray],
    better: str = "higher",
    levels: dict[str, dict[str, str]] | None = None,
) -> Results:
    """Results of scenarios: an array (replications, outcomes) for each; NaN: not reported."""
    runs, rows = [], []
    for run, (scenario, replication) in enumerate(
        itertools.product(values, range(len(next(iter(values.values())))))
    ):
        labels = {f"factor:{k}": v for k, v in (levels or {}).get(scenario, {}).items()}
        runs.append({"run": run, "scenario": scenario, "replication": replication, **labels})
        for i, value in enumerate(values[scenario][replication]):
            rows.append((run, scenario, replication, "outcome", f"outcome {i}", value, better))
    columns = ["run", "scenario", "replication", "kind", "outcome", "value", "better"]
    frame = pd.DataFrame(rows, columns=columns)
    frame = frame.assign(unit="days", level="city", place="x", period="after")
    frame = frame.reindex(columns=["run", "scenario", "replication", *FORM.names])
    words = ["kind", "outcome", "unit", "better", "level", "place", "period"]
    return Results(
        pd.DataFrame(runs).assign(status="done"), frame.astype(dict.fromkeys(words, "category"))
    )


def covered(estimates: list, truth: float) -> float:
    return float(np.mean([e.low <= truth <= e.high for e in estimates]))


def test_interval_is_students():
    values = np.random.default_rng(1).normal(size=(7, 3))
    n, mean, low, high = analysis.interval(values)
    known = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert list(n) == [7, 7, 7]
    np.testing.assert_allclose(mean, values.mean(axis=0))
    np.testing.assert_allclose(low, known.low)
    np.testing.assert_allclose(high, known.high)


def test_interval_leaves_out_what_is_missing_and_has_none_for_one_run():
    n, mean, low, _ = analysis.interval(np.array([[1.0, 5.0], [np.nan, 7.0]]))
    assert list(n) == [1, 2]
    assert list(mean) == [1.0, 6.0]
    assert math.isnan(low[0]) and not math.isnan(low[1])


def test_paired_intervals_cover_the_true_difference_in_95_percent():
    rng = np.random.default_rng(2)
    shared = rng.normal(0, 5, (6, REPEATS))
    a = 3.0 + shared + rng.normal(size=(6, REPEATS))
    b = 1.0 + shared + rng.normal(size=(6, REPEATS))
    found = analysis.contrasts(results({"a": a, "b": b}), {"a": "b"})
    assert covered(found, 2.0) == pytest.approx(0.95, abs=SLACK)


def test_verdict_finds_a_difference_where_there_is_none_in_5_percent():
    rng = np.random.default_rng(3)
    data = results({name: rng.normal(size=(5, REPEATS)) for name in "ab"})
    found = analysis.contrasts(data, {"a": "b"})
    wrong = np.mean([c.verdict != "unclear" for c in found])
    assert wrong == pytest.approx(0.05, abs=SLACK)


def test_contrast_of_known_numbers():
    b = np.array([[10.0], [20.0], [30.0]])
    (c,) = analysis.contrasts(
        results({"b": b, "a": b + np.array([[1.0], [2.0], [3.0]])}, "lower"), {"a": "b"}
    )
    assert (c.n, c.base, c.mean, c.value) == (3, 20, 22, 2)
    half = stats.t.ppf(0.975, 2) / math.sqrt(3)
    assert (c.low, c.high) == (pytest.approx(2 - half), pytest.approx(2 + half))
    assert c.percent() == pytest.approx((10, 5 * (2 - half), 5 * (2 + half)))
    # var b = 100, var a = 121, var (a − b) = 1
    assert c.variance_reduction == pytest.approx(221)
    assert c.verdict == ("unclear" if half > 2 else "worse")


@pytest.mark.parametrize(
    ("better", "n", "low", "high", "word"),
    [
        ("higher", 4, 0.1, 0.3, "better"),
        ("higher", 4, -0.3, -0.1, "worse"),
        ("lower", 4, 0.1, 0.3, "worse"),
        ("lower", 4, -0.3, -0.1, "better"),
        ("neither", 4, 0.1, 0.3, "higher"),
        ("neither", 4, -0.3, -0.1, "lower"),
        ("higher", 4, -0.1, 0.3, "unclear"),
        ("higher", 4, 0.0, 0.0, "same"),
        ("higher", 4, 1e-14, 2e-14, "same"),
        ("higher", 4, -2e-14, -1e-14, "same"),
        ("higher", 1, math.nan, math.nan, "one run"),
        ("higher", 0, math.nan, math.nan, "one run"),
    ],
)
def test_verdict(better, n, low, high, word):
    assert analysis.verdict(better, n, low, high, base=2.0) == word


def test_pairs_with_a_missing_side_are_left_out():
    a = np.array([[1.0], [np.nan], [3.0]])
    b = np.array([[0.0], [9.0], [1.0]])
    (c,) = analysis.contrasts(results({"a": a, "b": b}), {"a": "b"})
    assert (c.n, c.base, c.mean, c.value) == (2, 0.5, 2.0, 1.5)


FACTORS = {"A": ("off", "on"), "B": ("off", "on"), "C": ("low", "high")}
LEVELS = {
    " ".join(labels): dict(zip(FACTORS, labels, strict=True))
    for labels in itertools.product(*FACTORS.values())
}


def cell_mean(levels: dict[str, str]) -> float:
    """y = 10 + 2A − 3B + 4AB + 0·C, with A and B in {0, 1}."""
    a, b = levels["A"] == "on", levels["B"] == "on"
    return 10 + 2 * a - 3 * b + 4 * a * b


KNOWN = {
    ("A",): 2 + 4 / 2,
    ("B",): -3 + 4 / 2,
    ("C",): 0.0,
    ("A", "B"): 4.0,
    ("A", "C"): 0.0,
    ("B", "C"): 0.0,
}


def test_effects_are_recovered_exactly_without_noise():
    level = np.array([[100.0], [-7.0], [0.5]])  # what a replication adds to all cells
    data = results({name: level + cell_mean(x) for name, x in LEVELS.items()}, levels=LEVELS)
    found = {e.factors: e for e in analysis.effects(data, FACTORS)}
    assert set(found) == set(KNOWN)
    for term, known in KNOWN.items():
        assert found[term].value == pytest.approx(known, abs=1e-12)
        assert found[term].n == 3
    assert found["A",].base == pytest.approx(10 + level.mean())


def test_intervals_of_effects_cover_the_truth_in_95_percent():
    rng = np.random.default_rng(4)
    data = results(
        {name: cell_mean(x) + rng.normal(size=(4, REPEATS)) for name, x in LEVELS.items()},
        levels=LEVELS,
    )
    found = analysis.effects(data, FACTORS)
    for term in (("A",), ("A", "B")):
        share = covered([e for e in found if e.factors == term], KNOWN[term])
        assert share == pytest.approx(0.95, abs=SLACK)


def test_a_replication_without_one_cell_is_left_out_of_the_effects():
    values = {name: np.full((3, 1), float(cell_mean(x))) for name, x in LEVELS.items()}
    values["on on high"][1] = np.nan
    found = analysis.effects(results(values, levels=LEVELS), FACTORS)
    assert {e.n for e in found} == {2}


def test_lead_names_the_best_and_counts_positive():
    noise = np.array([[0.0], [0.1], [-0.1]])
    data = {"one": 5 + noise, "two": 3 - noise, "three": 9 + noise}
    (lower,) = analysis.leads(results(data, "lower"), {"all": list(data)})
    assert (lower.first, lower.runner_up, lower.verdict) == ("two", "one", "clear")
    assert (lower.base, lower.value) == (pytest.approx(3), pytest.approx(2))
    (higher,) = analysis.leads(results(data, "higher"), {"all": list(data)})
    assert (higher.first, higher.runner_up) == ("three", "one")
    (neither,) = analysis.leads(results(data, "neither"), {"all": list(data)})
    assert neither.first == "three"


def test_lead_among_equals_is_seldom_clear():
    """In at most 5 %, whichever two come first; false alarm once in a million."""
    rng = np.random.default_rng(5)
    names = ["a", "b", "c", "d", "e"]
    data = results({name: rng.normal(size=(5, REPEATS)) for name in names})
    found = analysis.leads(data, {"all": names})
    assert np.mean([lead.verdict == "clear" for lead in found]) < 0.05 + SLACK


def test_bands_over_time():
    rows = pd.DataFrame(
        {
            "replication": [0, 1, 0, 1],
            "outcome": pd.Categorical(["x"] * 4),
            "day": [1.0, 1.0, 2.0, 2.0],
            "value": [1.0, 3.0, 5.0, 5.0],
        }
    )
    found = analysis.bands(rows, ["outcome", "day"]).set_index("day")
    assert list(found["mean"]) == [2.0, 5.0]
    assert found.loc[2.0, "low"] == found.loc[2.0, "high"] == 5.0
    assert found.loc[1.0, "high"] - 2 == pytest.approx(stats.t.ppf(0.975, 1))
