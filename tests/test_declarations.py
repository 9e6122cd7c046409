"""What is declared: once, in both languages, with a source, and fitting together."""

import csv
import re
from itertools import pairwise
from pathlib import Path

import pytest

from reformsim.categories import CATEGORIES
from reformsim.declared import plain
from reformsim.measures import MEASURES
from reformsim.outcomes import OUTCOMES
from reformsim.rules import BY_NAME, LEVERS
from reformsim.uncertainties import BY_NAME as FACTS
from reformsim.uncertainties import UNCERTAINTIES

#: Levers that no measure of this stage sets; empty, since neutral levers would be dead code.
NEUTRAL: set[str] = set()

MEASURE_TABLE = Path(__file__).parents[2] / "shared" / "design" / "measures.csv"


def is_chinese(text: str) -> bool:
    return any("\u4e00" <= c <= "\u9fff" for c in text)


def is_identifier(name: str) -> bool:
    return name.isascii() and name.isidentifier()


def test_names_are_unique():
    for several in (LEVERS, UNCERTAINTIES, MEASURES, CATEGORIES):
        names = [item.name for item in several]
        assert len(names) == len(set(names))
        assert all(map(is_identifier, names))
    assert not {lever.name for lever in LEVERS} & FACTS.keys()
    assert len({measure.zh for measure in MEASURES}) == len(MEASURES)
    assert all(one.id < other.id for one, other in pairwise(MEASURES))


@pytest.mark.parametrize("item", [*LEVERS, *UNCERTAINTIES], ids=lambda item: item.name)
def test_quantities_say_what_they_are(item):
    assert item.low < item.high
    assert item.unit and item.meaning and item.source
    assert is_chinese(item.meaning_zh) and not is_chinese(item.meaning)


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.name)
def test_measures_say_what_they_do_and_when_they_backfire(measure):
    assert is_chinese(measure.zh)
    assert measure.helps and measure.costs and measure.backfires and measure.source
    assert measure.sets
    assert measure.cost is None or measure.cost.amount > 0


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.name)
def test_measures_move_levers_within_their_bounds(measure):
    for name, full in measure.sets.items():
        lever = BY_NAME[name]
        if isinstance(full, str):
            assert lever.low <= FACTS[full].low and FACTS[full].high <= lever.high
            assert FACTS[full].default != lever.default
        else:
            assert lever.low <= full <= lever.high
            assert full != lever.default


def test_every_lever_is_set_by_a_measure_or_listed_as_neutral():
    assert {name for measure in MEASURES for name in measure.sets} == BY_NAME.keys() - NEUTRAL


def test_categories_sum_to_all_needs():
    assert sum(category.share for category in CATEGORIES) == pytest.approx(1)
    assert all(is_chinese(category.name_zh) for category in CATEGORIES)


@pytest.mark.parametrize("several", [OUTCOMES, UNCERTAINTIES, MEASURES], ids=type)
def test_people_read_words_and_not_identifiers(several):
    """A label fits on an axis, is told from its neighbours, and has no shorthand of the code."""
    labels = [item.label for item in several]
    assert len(set(labels)) == len(labels)
    for item in several:
        assert len(item.label) <= 50 and not is_chinese(item.label)
        assert not re.search(r"_|[a-z]\d|\d[a-z]|\b[a-z]{1,2}[A-Z]", item.label), item.name
        assert not re.search(r"\d", item.name.split("_")[0]) or item.label != plain(item.name)


def test_a_label_is_the_name_in_words_unless_one_is_declared():
    assert BY_NAME["investment_duty"].label == "investment duty"
    assert FACTS["p_mis"].label == "chance of a wrong dispatch"


def test_measures_are_those_of_the_source():
    if not MEASURE_TABLE.exists():
        pytest.skip(f"the table of measures is not at {MEASURE_TABLE}")
    with MEASURE_TABLE.open(encoding="utf-8", newline="") as file:
        table = {int(row["id"]): row for row in csv.DictReader(file)}
    for measure in MEASURES:
        row = table[measure.id]
        assert (measure.name, measure.section) == (row["measure"], row["section"])


def test_outcomes_say_what_they_are():
    outcomes = pytest.importorskip("reformsim.outcomes").OUTCOMES
    assert len({outcome.name for outcome in outcomes}) == len(outcomes)
    for outcome in outcomes:
        assert is_identifier(outcome.name)
        assert outcome.unit and outcome.meaning and is_chinese(outcome.meaning_zh)
        assert outcome.better in ("higher", "lower", "neither")
