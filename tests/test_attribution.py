"""Who did it: Shapley shares and pair interactions of toys whose answers are exact; waves."""

import io
import itertools
import math

import numpy as np
import pytest
from pydantic import ValidationError
from rich.console import Console

from reformsim.experiment import attribution, design
from reformsim.experiment.attribution import TOTAL
from reformsim.report import data, tables
from reformsim.report.study import Study
from toys import OUTCOME, experiment, intensities, simulate

MEASURES = (
    "governance_committee",
    "joint_conference",
    "burden_reduction_ten",
    "service_stations",
    "satisfaction_assessment",
)
ADDS = dict(zip(MEASURES, (1.0, -0.5, 0.25, 0.0, 2.0), strict=True))
REFORM = {"old": {}, "new": {"reform": [{"measure": m} for m in MEASURES]}}


def apart(kind: str, **changes):
    shape = {"kind": kind, "of": "new"} | changes.pop("design", {})
    return experiment(**{"scenarios": REFORM, "baseline": "old", "design": shape} | changes)


def additive(scenario, seed) -> float:
    return 10 + sum(ADDS[m] for m in intensities(scenario))


def interacting(scenario, seed) -> float:
    """The committee and the conference do 3 together, all of three do 6 more, in any order."""
    there = intensities(scenario).keys()
    return (
        additive(scenario, seed)
        + 3 * (there >= set(MEASURES[:2]))
        + 6 * (there >= set(MEASURES[2:]))
    )


def noisy(scenario, seed) -> float:
    own = [seed, *sorted(MEASURES.index(m) for m in intensities(scenario))]
    shared, mine = np.random.default_rng(seed).normal(), np.random.default_rng(own).normal()
    return interacting(scenario, seed) + 5 * shared + 0.3 * mine


def exact(formula) -> dict[str, float]:
    """Shapley values by the sum over all coalitions."""
    value = {
        held: formula(coalition_scenario(held), 1)
        for n in range(6)
        for held in itertools.combinations(MEASURES, n)
    }
    found = dict.fromkeys(MEASURES, 0.0)
    for held, part in itertools.product(value, MEASURES):
        if part not in held:
            more = tuple(m for m in MEASURES if m in held or m == part)
            weight = math.factorial(len(held)) * math.factorial(4 - len(held)) / math.factorial(5)
            found[part] += weight * (value[more] - value[held])
    return found


def coalition_scenario(held):
    asked = apart("shapley")
    cell = design.coalition(MEASURES, held)
    return asked.scenario("x", design.changes(asked, cell.name, cell.levels))


def shares(asked, formula) -> dict[str, attribution.Share]:
    return {s.part: s for s in attribution.shapley(asked, simulate(asked, formula))}


# ---------------------------------------------------------------------------------------- Shapley


def test_shares_of_an_additive_reform_are_exact_in_every_replication():
    found = shares(apart("shapley", replications=2), additive)
    for part, value in ADDS.items():
        assert (found[part].value, found[part].low) == (pytest.approx(value),) * 2
    assert found[TOTAL].value == pytest.approx(sum(ADDS.values()))
    assert found[TOTAL].base == 10


def test_shares_of_an_interacting_reform_are_shapleys():
    """An order and its reverse split a pair's surplus evenly, so that only the triple varies.

    Its 6 have an sd of at most 3 in a replication; 200 of them: five standard errors are 1.1.
    """
    known = exact(interacting)
    assert known[MEASURES[0]] == pytest.approx(1 + 1.5)
    assert known[MEASURES[2]] == pytest.approx(0.25 + 2)
    found = shares(apart("shapley", replications=200), interacting)
    for part, value in known.items():
        assert found[part].value == pytest.approx(value, abs=1.1)
    assert found[MEASURES[0]].value == pytest.approx(2.5)  # exactly, by the reverse orders


def test_shares_add_up_to_the_total_to_the_last_digits_with_noise_and_gaps():
    def failing(scenario, seed):
        if seed == 3 and len(scenario.reform) == 3:
            raise ValueError("no")
        return noisy(scenario, seed)

    asked = apart("shapley", replications=6)
    results = simulate(asked, failing)
    found = {s.part: s for s in attribution.shapley(asked, results)}
    assert {s.n for s in found.values()} == {5}
    parts = sum(found[m].value for m in MEASURES)
    assert parts == pytest.approx(found[TOTAL].value, rel=1e-12)
    rows = results.headlines().set_index(["scenario", "replication"])["value"]
    total = (rows["all"] - rows["none"]).drop(2)
    assert found[TOTAL].value == pytest.approx(total.mean(), rel=1e-12)


def test_intervals_of_shares_cover_the_exact_values_in_95_percent():
    """120 experiments × 5 shares, correlated within one: at worst a standard error of 2 %."""
    known = exact(interacting)
    covered = [
        row.low <= known[part] <= row.high
        for i in range(120)
        for part, row in shares(apart("shapley", replications=8, seed=1000 * i), noisy).items()
        if part != TOTAL
    ]
    assert np.mean(covered) == pytest.approx(0.95, abs=4 * 0.02)


def test_more_replications_leave_the_runs_there_are_in_place():
    few, many = (design.runs(apart("shapley", replications=n)) for n in (2, 5))
    assert many[: len(few)] == few
    assert len(few) == 2 * 10  # none, all, and four on either way
    assert [run.id for run in many] == list(range(50))
    for run in few:
        held = [m for m, level in run.levels.items() if level == design.IN]
        scenario = design.scenario_of(apart("shapley"), run)
        assert [step.measure for step in scenario.reform] == held


def test_groups_are_parts():
    groups = {"joint": MEASURES[:2], "rest": MEASURES[2:]}
    asked = apart("shapley", design={"groups": groups}, replications=2)
    assert {cell.name for cell in design.cells(asked)} == {"none", "joint", "rest", "all"}
    found = shares(asked, interacting)
    assert found["joint"].value == pytest.approx(0.5 + 3)
    assert found["rest"].value == pytest.approx(2.25 + 6)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"design": {"of": "old"}}, "other than the baseline"),
        ({"design": {"groups": {"a": MEASURES[:2]}}}, "must name each measure of new once"),
        ({"design": {"groups": {"all": MEASURES}}}, "groups.all"),
        ({"scenarios": REFORM | {"third": {}}}, "no more"),
        ({"scenarios": REFORM | {"new": {"uncertainties": {"needs": 2}}}}, "by its reform alone"),
        ({"scenarios": REFORM | {"new": {"reform": [{"measure": MEASURES[0]}]}}}, "two or more"),
        ({"figures": ["curves"]}, "shapley, which has waterfall"),
    ],
)
def test_what_cannot_be_taken_apart_is_refused(changes, words):
    with pytest.raises(ValidationError, match=words):
        apart("shapley", **changes)


# ----------------------------------------------------------------------------------- interactions


def test_interactions_of_pairs_are_what_they_do_beyond_their_parts():
    asked = apart("interactions", replications=2)
    assert len(design.runs(asked)) == 2 * (1 + 5 + 10)
    found = {e.factors: e for e in attribution.interactions(asked, simulate(asked, interacting))}
    assert len(found) == 5 + 10
    for term, effect in found.items():
        known = ADDS[term[0]] if len(term) == 1 else 3.0 * (term == MEASURES[:2])
        assert effect.value == pytest.approx(known, abs=1e-12)
        assert (effect.n, effect.base) == (2, 10)


def test_two_parts_have_their_pair():
    two = {"old": {}, "new": {"reform": [{"measure": m} for m in MEASURES[:2]]}}
    asked = apart("interactions", scenarios=two, replications=2)
    found = {e.factors: e for e in attribution.interactions(asked, simulate(asked, interacting))}
    assert found[MEASURES[:2]].value == pytest.approx(3)


# ------------------------------------------------------------------------------------------ waves


WAVES = {"kind": "staged", "of": "new", "waves": [["Inner"], ["Outer"]], "every": 90}
TWO_PLACES = {
    "name": "x",
    "units": [
        {"name": "Inner", "name_zh": "内", "population": 9000, "area_km2": 9},
        {"name": "Outer", "name_zh": "外", "population": 9000, "area_km2": 9},
    ],
}


def staged(**changes):
    return apart("staged", **{"design": WAVES, "city": TWO_PLACES, "years": 2} | changes)


def test_waves_begin_one_after_the_other_and_nowhere_twice():
    asked = staged()
    found = design.scenarios(asked)
    assert list(found) == ["old", "new", "new staged"]
    steps = found["new staged"].reform
    assert [(s.measure, s.from_day, s.where) for s in steps] == [
        *((m, 365, ("Inner",)) for m in MEASURES),
        *((m, 455, ("Outer",)) for m in MEASURES),
    ]
    assert design.references(asked) == {"new": "old", "new staged": "new"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"design": WAVES | {"waves": [["Inner"], ["Inner"]]}}, "no place may come twice"),
        ({"design": WAVES | {"waves": [["Inner"], ["Nowhere"]]}}, "Nowhere"),
        ({"design": WAVES | {"every": 900}}, "after the last day"),
    ],
)
def test_impossible_waves_are_refused(changes, words):
    with pytest.raises(ValidationError, match=words):
        staged(**changes)


@pytest.mark.parametrize("asked", [apart("shapley"), apart("interactions"), staged()])
def test_tables(asked):
    study = Study(asked, simulate(asked, noisy), "0")
    for zh in (False, True):
        console = Console(file=io.StringIO(), width=80)
        tables.write(study, console, zh)
        assert OUTCOME in console.file.getvalue() or zh
    assert data.summary(study, [])["contrasts"]
