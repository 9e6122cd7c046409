"""Each of the 47 measures does first what was written down before any run, or says why not.

A measure is tried at full intensity in its main condition: the world in which its file in
`experiments/backfires` says that it helps, where that is seen by its first-order outcome, else
the defaults on the town. With and without it are paired by seed; seeds are fixed, so that a
result changes with the code only.
"""

import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import reformsim
from conftest import CITIES, city_config
from reformsim import measures, rules
from reformsim.experiment.analysis import interval
from reformsim.experiment.backfires import Backfire
from reformsim.measures import BY_NAME, MEASURES, Measure
from reformsim.model import CityModel, posts
from reformsim.report.readers import readers
from reformsim.scenario import YEAR, Scenario, Step

BACKFIRES = CITIES.parents[1] / "experiments" / "backfires"

#: Chance that, were there no effect of any measure, any would be taken for shown.
FAMILY = 0.05
SEEDS = range(1, 9)
QUICK = range(1, 3)

#: Measures that move their first-order outcome the other way than expected, each with the reason.
#: One that no longer does fails too.
REVERSALS: dict[str, str] = {}


def condition(measure: Measure) -> tuple[Scenario, Scenario]:
    """Return the measure's main condition, without it and with it."""
    path = BACKFIRES / f"{measure.name}.yaml"
    if path.exists():
        told = Backfire.load(path)
        return told.scenario("helps", False), told.scenario("helps", True)
    usual = Scenario(name="usual", city=city_config("town"), days=3 * YEAR)
    return usual, usual.model_copy(update={"reform": (Step(measure=measure.name),)})


#: One for each city, set back between runs.
models: dict[str, CityModel] = {}


@cache
def outcomes(scenario: str, seed: int) -> dict[str, float]:
    """Run a scenario, given as JSON; return the whole city's outcomes after the transition."""
    declared = Scenario.model_validate_json(scenario)
    city = f"{declared.city_seed} {declared.city.model_dump_json()}"
    if city in models:
        models[city].reset(declared, seed)
    else:
        models[city] = CityModel(declared, rng=seed)
    model = models[city]
    model.run_until(declared.days)
    table = model.outcomes()
    rows = table[(table["level"] == "city") & (table["period"] == "after")]
    return dict(zip(rows["outcome"], rows["value"], strict=True))


def differences(measure: Measure, pair: tuple[Scenario, Scenario], seeds: range) -> np.ndarray:
    """Return the first-order outcome with the measure minus without it, (seeds,)."""
    without, with_it = (
        [outcomes(scenario.model_dump_json(), seed)[measure.outcome] for seed in seeds]
        for scenario in pair
    )
    return np.subtract(with_it, without)


def p_value(values: np.ndarray) -> float:
    """Two-sided p-value of Student's t for a mean of zero; 1 where nothing differs."""
    error = values.std(ddof=1) / np.sqrt(len(values))
    if error == 0:
        return float(values.mean() == 0)
    return float(2 * stats.t.sf(abs(values.mean()) / error, len(values) - 1))


def holm(p: np.ndarray) -> np.ndarray:
    """Return p-values adjusted for all of them together: Holm (1979), step-down."""
    order = np.argsort(p)
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted


def sign(measure: Measure) -> int:
    """Return the sign of the effect that must show."""
    way = 1 if measure.expected == "up" else -1
    return -way if measure.name in REVERSALS else way


def test_holm_by_a_known_answer():
    """By hand: 4 × 0.005, 3 × 0.01, 2 × 0.03, and never less than the one before."""
    found = holm(np.array([0.01, 0.04, 0.03, 0.005]))
    np.testing.assert_allclose(found, [0.03, 0.06, 0.06, 0.02])


def test_listed_reversals_are_measures_with_reasons():
    assert REVERSALS.keys() <= BY_NAME.keys()
    assert all(REVERSALS.values())


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.name)
def test_a_measure_moves_its_first_order_outcome(measure):
    """Both of two pairs have the sign: one in four passes without an effect, the slow test none.

    A measure whose main condition is in a larger city than the town is left to the slow test.
    """
    pair = condition(measure)
    if pair[0].city != city_config("town"):
        pytest.skip("its main condition is in another city than the town: see the slow test")
    values = differences(measure, pair, QUICK)
    print(f"{measure.outcome}: {values}, expected {measure.expected}")
    assert (values * sign(measure) > 0).all()


@pytest.mark.slow
def test_all_47_move_their_first_order_outcome():
    """Eight pairs each: a t test by measure, Holm over all; a false alarm in at most `FAMILY`."""
    values = {m.name: differences(m, condition(m), SEEDS) for m in MEASURES}
    adjusted = holm(np.array([p_value(v) for v in values.values()]))
    wrong = []
    for measure, p in zip(MEASURES, adjusted, strict=True):
        n, effect, low, high = (x.item() for x in interval(values[measure.name]))
        shown = p <= FAMILY and effect * sign(measure) > 0
        told = (
            f"{measure.id:2d} {measure.name}: {measure.outcome} {effect:+.4g} "
            f"[{low:+.4g}, {high:+.4g}], n = {n}, expected {measure.expected}, Holm p = {p:.2g}"
        )
        reason = REVERSALS.get(measure.name)
        print(told + (f"; a reversal: {reason}" if reason else ""), "" if shown else "NOT SHOWN")
        if not shown:
            wrong.append(told)
    assert not wrong, "\n".join(wrong)


# --- levers are read


class Row:
    """One subdistrict's rules; remembers which levers were asked for."""

    def __init__(self, row: np.void, heard: set) -> None:
        self.row, self.heard = row, heard

    def __getitem__(self, lever: str) -> float:
        self.heard.add((lever, _caller()))
        return self.row[lever]


class Heard(np.ndarray):
    """Rules in force that remember which levers were asked for, and by which module."""

    heard: set = set()  # noqa: RUF012  one for all arrays of a test, emptied at its start

    def __getitem__(self, key):
        if isinstance(key, str):
            self.heard.add((key, _caller()))
            return np.asarray(self)[key]
        found = super().__getitem__(key)
        return Row(found, self.heard) if isinstance(found, np.void) else found

    def __iter__(self):
        return (self[i] for i in range(len(self)))


def _caller() -> str:
    path = Path(sys._getframe(2).f_code.co_filename)
    package = Path(reformsim.__file__).parent
    return path.relative_to(package).as_posix() if path.is_relative_to(package) else "elsewhere"


@pytest.fixture(scope="module")
def heard() -> set[tuple[str, str]]:
    """Return (lever, module) for every lever read in a run of the sweep city under all 47."""
    rules_at, by_district = Scenario.rules_at, posts.by_district

    def in_district(rules_now, *args):  # copies all levers: what its reader asks for counts
        return by_district(np.asarray(rules_now), *args).view(Heard)

    Heard.heard.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Scenario, "rules_at", lambda *a, **k: rules_at(*a, **k).view(Heard))
        patch.setattr(posts, "by_district", in_district)
        steps = tuple(Step(measure=name, from_day=30) for name in BY_NAME)
        scenario = Scenario(
            name="heard", city=city_config("sweep"), warm_up=30, days=30 + YEAR + 10, reform=steps
        )
        CityModel(scenario, rng=1).run_until(scenario.days)
    return set(Heard.heard)


def test_every_lever_is_read(heard):
    """By a run: a lever that no mechanism asks for is told with the measures that set it."""
    read = {lever for lever, _ in heard}
    unread = {
        lever.name: [m.name for m in measures.MEASURES if lever.name in m.sets]
        for lever in rules.LEVERS
        if lever.name not in read
    }
    for lever, setters in unread.items():
        print(f"{lever}: read by nobody, set by {', '.join(setters)}")
    assert not unread, f"{len(unread)} of {len(rules.LEVERS)} levers are unread: {list(unread)}"


def test_the_readers_that_an_explanation_names_are_those_of_a_run(heard):
    """`reformsim measures NAME` finds them in the source; a run must not find others."""
    assert len(heard) > 20
    for lever, module in heard:
        assert module in readers()[lever], f"{lever} is read by {module}"
