"""Fractional factorial designs: which runs, which resolution, what cannot be told apart."""

import io
import itertools

import numpy as np
import pytest
from pydantic import ValidationError
from rich.console import Console

from reformsim.experiment import design, fractions
from reformsim.report import tables
from reformsim.report.study import Study
from toys import experiment, intensities, simulate

MEASURES = (
    "governance_committee",
    "joint_conference",
    "burden_reduction_ten",
    "service_stations",
    "satisfaction_assessment",
)
NAMES = "ABCDE"
FACTORS = {
    name: {"off": {}, "on": {"reform": [{"measure": m}]}}
    for name, m in zip(NAMES, MEASURES, strict=True)
}
ADDS = dict(zip(MEASURES, (1.0, -2.0, 0.0, 4.0, 0.5), strict=True))


def factorial(**design):
    shape = {"kind": "factorial", "factors": FACTORS} | design
    return experiment(design=shape, replications=2)


def formula(scenario, seed) -> float:
    """A to E with an interaction of A and B of 3, and what a replication adds to all."""
    there = intensities(scenario).keys()
    both = 3 * (there >= set(MEASURES[:2]))
    return sum(ADDS[m] for m in there) + both + np.random.default_rng(seed).normal()


@pytest.mark.parametrize(
    ("factors", "wanted", "runs"),
    [(3, 3, 4), (4, 4, 8), (5, 5, 16), (5, 3, 8), (6, 4, 16), (7, 3, 8), (8, 4, 16), (7, 7, 64),
     (8, 5, 64), (5, 6, 32)],
)  # fmt: skip
def test_fractions_are_as_small_as_the_tables_say(factors, wanted, runs):
    """Box, Hunter & Hunter (2005), table 6.22; no fraction has a resolution above k."""
    names = "ABCDEFGHIJ"[:factors]
    generators = fractions.of_resolution(names, wanted)
    found = np.array(fractions.rows(names, generators))
    assert len(found) == len({tuple(row) for row in found}) == runs
    assert not found[0].any()
    if generators:
        assert fractions.resolution(generators) >= wanted
    signs = 2.0 * found - 1
    np.testing.assert_array_equal(signs.T @ signs, runs * np.eye(factors))


def test_aliases_are_the_terms_of_one_column():
    """Two terms have aliases where their columns of signs are equal or opposite."""
    generators = {"D": ("A", "B"), "E": ("A", "C")}
    signs = 2 * np.array(fractions.rows(NAMES, generators)) - 1
    terms = [*itertools.combinations(NAMES, 1), *itertools.combinations(NAMES, 2)]
    columns = {t: np.prod([signs[:, NAMES.index(f)] for f in t], axis=0) for t in terms}
    for term in terms:
        same = {
            other
            for other in terms
            if other != term and abs(columns[term] @ columns[other]) == len(signs)
        }
        assert set(fractions.aliases(term, NAMES, generators)) == same
    assert fractions.resolution(generators) == 3


def test_half_the_runs_give_the_same_effects_as_all():
    """At resolution V of five factors, main effects and pairs are free of one another."""
    whole, half = factorial(), factorial(resolution=5)
    assert (len(design.cells(whole)), len(design.cells(half))) == (32, 16)
    assert {c.name for c in design.cells(half)} < {c.name for c in design.cells(whole)}
    effects = [Study(asked, simulate(asked, formula), "0").effects for asked in (whole, half)]
    for a, b in zip(*effects, strict=True):
        assert a.factors == b.factors
        assert b.value == pytest.approx(a.value, abs=1e-12)
        assert b.aliases == ()
    known = {e.factors: e.value for e in effects[1]}
    assert known["D",] == pytest.approx(4)
    assert known["A", "B"] == pytest.approx(3)


def test_what_is_estimated_is_the_sum_of_the_aliases():
    """With D the parity of A and B, D's effect has that of A × B mixed in, and says so."""
    asked = factorial(generators={"D": ["A", "B"]})
    study = Study(asked, simulate(asked, formula), "0")
    found = {e.factors: e for e in study.effects}
    assert found["D",].aliases == ("A × B",)
    assert found["D",].value == pytest.approx(4 - 3 / 2)
    assert found["C",].value == pytest.approx(0, abs=1e-12)
    console = Console(file=io.StringIO(), width=80)
    tables.write(study, console)
    assert "D: not told from A × B" in console.file.getvalue()


def test_every_cell_of_a_fraction_is_compared_with_all_first_labels():
    asked = factorial(resolution=3)
    first = "A=off B=off C=off D=off E=off"
    assert set(design.references(asked).values()) == {first}
    assert len(design.references(asked)) == 7


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"generators": {"D": ["A", "X"]}}, "generators.D: must name two or more"),
        ({"generators": {"D": ["A", "B"], "E": ["D", "A"]}}, "generators.E"),
        ({"generators": {"D": ["A", "B"], "E": ["A", "B"]}}, "could not be told apart"),
        ({"generators": {"D": ["A", "B"]}, "resolution": 3}, "not both"),
        ({"within": ["A"], "resolution": 3}, "two labels in every factor"),
    ],
)
def test_impossible_fractions_are_refused(changes, words):
    with pytest.raises(ValidationError, match=words):
        factorial(**changes)
