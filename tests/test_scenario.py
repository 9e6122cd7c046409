"""Folding a schedule of measures into rules, and what a scenario refuses."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from reformsim import measures, rules, scenario
from reformsim.city import CityConfig, build
from reformsim.config import ConfigError, load_yaml, validate
from reformsim.scenario import First, Governance, Scenario, StationPlan, Step, check_memory

ROOT = Path(__file__).parents[1]
CONFIG = CityConfig.model_validate(
    {
        "name": "Twin districts",
        "name_zh": "双区城",
        "units": [
            {"name": "Inner", "name_zh": "内城区", "population": 9000, "area_km2": 2},
            {"name": "Outer", "name_zh": "外郊县", "population": 5000, "area_km2": 30},
        ],
        "subdistricts": {"count": 5, "mean": 2500, "sigma": 0.4},
        "towns": {"count": 3, "mean": 1200, "sigma": 0.4},
        "communities": 24,
        "grids": 40,
    }
)
EXACT = {"implementation": 1.0}
DAY = 400


@pytest.fixture(scope="module")
def city():
    return build(CONFIG, 1)


def plan(*steps: Step, **facts: float) -> Scenario:
    return Scenario(name="test", city=CONFIG, reform=steps, uncertainties=facts)


def everything(intensity: float = 1.0) -> tuple[Step, ...]:
    return tuple(Step(measure=name, intensity=intensity) for name in measures.BY_NAME)


PLACES = ["Inner", "外郊县", "Inner Subdistrict 02", "外郊县01镇"]
STEPS = st.builds(
    Step,
    measure=st.sampled_from(sorted(measures.BY_NAME)),
    intensity=st.floats(0, 1),
    from_day=st.sampled_from([365, DAY, DAY + 1]),
    until=st.sampled_from([None, DAY + 2, 900]),
    where=st.one_of(
        st.none(),
        st.lists(st.sampled_from(PLACES), min_size=1).map(tuple),
        st.builds(First, first=st.floats(0.01, 1)),
    ),
)


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    return a.tobytes() == b.tobytes()


def test_no_measure_in_force_leaves_the_pre_reform_rules(city):
    before = rules.pre_reform(8)
    assert same_bits(plan().rules_at(DAY, city, 1), before)
    assert same_bits(plan(*everything()).rules_at(364, city, 1), before)
    assert not plan(*everything()).costs_at(364, city).any()


@given(steps=st.lists(STEPS, max_size=12), seed=st.integers(0, 2**63 - 1), data=st.data())
@settings(max_examples=60)
def test_the_order_of_steps_changes_no_bit(city, steps, seed, data):
    shuffled = data.draw(st.permutations(steps))
    one, other = plan(*steps), plan(*shuffled)
    assert same_bits(one.rules_at(DAY, city, seed), other.rules_at(DAY, city, seed))
    assert same_bits(one.costs_at(DAY, city), other.costs_at(DAY, city))


@given(steps=st.lists(STEPS, max_size=8), idle=st.lists(STEPS, min_size=1, max_size=15))
@settings(max_examples=60)
def test_intensity_zero_changes_no_bit(city, steps, idle):
    zeros = [step.model_copy(update={"intensity": 0.0}) for step in idle]
    with_zeros, without = plan(*steps, *zeros), plan(*steps)
    assert same_bits(with_zeros.rules_at(DAY, city, 3), without.rules_at(DAY, city, 3))
    assert same_bits(with_zeros.costs_at(DAY, city), without.costs_at(DAY, city))
    assert with_zeros.change_days() == without.change_days()


@given(
    name=st.sampled_from(sorted(measures.BY_NAME)),
    low=st.floats(0, 1),
    high=st.floats(0, 1),
    others=st.lists(STEPS, max_size=6),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60)
def test_a_higher_intensity_contains_the_lower(city, name, low, high, others, seed):
    """Every lever moves at least as far from where it was, in each subdistrict; rounding aside."""
    low, high = sorted((low, high))
    weak = plan(*others, Step(measure=name, intensity=low)).rules_at(DAY, city, seed)
    strong = plan(*others, Step(measure=name, intensity=high)).rules_at(DAY, city, seed)
    world = plan().world()
    for lever, full in measures.BY_NAME[name].sets.items():
        value = world[full] if isinstance(full, str) else full
        sign = np.sign(value - rules.BY_NAME[lever].default)
        assert np.all(sign * (strong[lever] - weak[lever]) >= -1e-12)


@given(steps=st.lists(STEPS, max_size=15), seed=st.integers(0, 1000))
@settings(max_examples=60)
def test_levers_stay_in_their_bounds(city, steps, seed):
    folded = plan(*steps).rules_at(DAY, city, seed)
    for lever in rules.LEVERS:
        assert np.all((folded[lever.name] >= lever.low) & (folded[lever.name] <= lever.high))


def test_at_full_implementation_a_lone_measure_sets_its_values(city):
    facts = {"hub_staffing": 1.75, "conference_period": 5.0, "a2_reform": 0.9, "a1_left": 0.05}
    for measure in measures.MEASURES:
        folded = plan(Step(measure=measure.name), **EXACT, **facts).rules_at(DAY, city, 1)
        for lever in rules.LEVERS:
            full = measure.sets.get(lever.name, lever.default)
            value = facts[full] if isinstance(full, str) else full
            np.testing.assert_allclose(folded[lever.name], value, rtol=1e-12, atol=1e-15)


def test_half_of_a_measure_moves_levers_half_way(city):
    folded = plan(Step(measure="joint_conference", intensity=0.5), **EXACT).rules_at(DAY, city, 1)
    np.testing.assert_allclose(folded["conference"], 0.45)
    np.testing.assert_allclose(folded["meeting_period"], 30 - 0.5 * (30 - 14))


def test_levers_combine_as_declared():
    def combined(kind, default, *moves):
        lever = rules.Lever("x", "", 0, default, 10, "", "", combine=kind)
        return rules.combine(lever, np.array(moves, dtype=float)[:, None])[0]

    assert combined("sum", 2, 1, 3, -0.5) == 5.5
    assert combined("sum", 2, 7, 7) == 10
    assert combined("sum", 2, 0.1, 0.2, 0.3) == combined("sum", 2, 0.3, 0.2, 0.1)
    assert combined("max", 2, 1, 3) == 5
    assert combined("max", 2, 1, 3, -0.5, -1.5) == 3.5
    assert combined("remainder", 4, -2, -3) == pytest.approx(4 * 0.5 * 0.25)
    assert combined("remainder", 4, -4, -3) == 0


def test_of_two_steps_of_one_measure_the_higher_counts(city):
    strong = Step(measure="joint_conference", intensity=0.8)
    weak = Step(measure="joint_conference", intensity=0.3, where=("Inner",))
    both, alone = plan(weak, strong), plan(strong)
    assert same_bits(both.rules_at(DAY, city, 1), alone.rules_at(DAY, city, 1))
    assert same_bits(both.costs_at(DAY, city), alone.costs_at(DAY, city))
    inner = np.char.startswith(city.subdistricts.name.astype(str), "Inner")
    strong_inner = plan(weak.model_copy(update={"intensity": 1.0}), strong, **EXACT)
    levels = strong_inner.rules_at(DAY, city, 1)["conference"]
    np.testing.assert_allclose(levels, np.where(inner, 0.9, 0.8 * 0.9))


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        (("Inner",), [0, 1, 2, 3, 4]),
        (("外郊县",), [5, 6, 7]),
        (("Inner Subdistrict 02",), [1]),
        (("外郊县01镇", "Inner Town 01"), [4, 6]),
        (First(first=1.0), range(8)),
        (None, range(8)),
    ],
)
def test_a_step_acts_where_it_is_said_to(city, where, rows):
    folded = plan(Step(measure="joint_conference", where=where), **EXACT).rules_at(DAY, city, 1)
    assert list(np.flatnonzero(folded["conference"] > 0)) == list(rows)


def test_a_place_that_the_city_has_not_is_refused_with_the_nearest(city):
    reform = (Step(measure="joint_conference", where=("Inner Subdistrict 77",)),)
    expected = (
        "measure joint_conference: no district or subdistrict 'Inner Subdistrict 77', "
        "did you mean Inner Subdistrict 0"
    )
    for fold in (lambda s: s.rules_at(DAY, city, 1), lambda s: s.costs_at(DAY, city)):
        with pytest.raises(ValueError, match=re.escape(expected)):
            fold(plan(*reform))


def test_names_of_subdistricts_begin_with_those_of_their_districts(city):
    """On this rests the check of ``where`` before the city is built."""
    for name in ("name", "name_zh"):
        districts = getattr(city.districts, name)[city.subdistricts.district]
        pairs = zip(getattr(city.subdistricts, name), districts, strict=True)
        assert all(own.startswith(district) for own, district in pairs)


def test_a_step_ends_on_its_day_until(city):
    step = Step(measure="joint_conference", from_day=500, until=600)
    levels = [plan(step).rules_at(day, city, 1)["conference"][0] for day in (499, 500, 599, 600)]
    assert [level > 0 for level in levels] == [False, True, True, False]


def test_change_days_are_starts_and_ends_before_the_end():
    steps = (
        Step(measure="joint_conference", from_day=500, until=600),
        Step(measure="joint_conference", from_day=365, until=500),
        Step(measure="governance_committee", from_day=700, until=900),
        Step(measure="governance_committee", from_day=650, intensity=0),
    )
    reform = Scenario(name="x", city=CONFIG, days=900, reform=steps)
    assert reform.change_days() == [365, 500, 600, 700]


@pytest.mark.parametrize(("mean", "low", "high"), [(0.8, 0.6, 1), (0.5, 0, 1), (0.4, 0, 0.8)])
def test_implementation_is_uniform_around_its_mean(mean, low, high):
    """Mean and variance of 40,000 draws within 5 standard errors: false alarm 1.2e-6 a case."""
    draws = scenario._implementation(1, 20, 40_000, mean)
    assert low <= draws.min() and draws.max() <= high
    variance = (high - low) ** 2 / 12
    assert abs(draws.mean() - mean) < 5 * np.sqrt(variance / len(draws))
    spread_of_variance = np.sqrt(variance**2 * (1.8 - 1) / len(draws))  # kurtosis 9/5
    assert abs(draws.var() - variance) < 5 * spread_of_variance


def test_implementation_of_one_is_exact():
    assert np.all(scenario._implementation(7, 20, 1000, 1.0) == 1.0)


@pytest.mark.parametrize(("seed", "measure"), [(2, 20), (1, 21), (1, 19), (0, 20)])
def test_implementation_is_drawn_apart_for_each_measure_and_seed(seed, measure):
    """Correlations at shifts -2..2 of 40,000 pairs within 5 standard errors: false alarm 3e-6."""
    one = scenario._implementation(1, 20, 40_000, 0.8)
    other = scenario._implementation(seed, measure, 40_000, 0.8)
    for shift in range(-2, 3):
        correlation = np.corrcoef(one, np.roll(other, shift))[0, 1]
        assert abs(correlation) < 5 / np.sqrt(len(one))


def test_costs_are_those_declared_for_what_a_subdistrict_has(city):
    units = city.subdistricts
    of_communities = np.bincount(city.communities.subdistrict)
    of_grids = np.bincount(city.communities.subdistrict[city.grids.community])
    counts = {
        "subdistrict": np.ones(8),
        "community": of_communities,
        "grid": of_grids,
        "100k residents": units.population / 1e5,
        "resident": units.population,
    }
    assert of_communities.sum() == 24 and of_grids.sum() == 40
    for per, count in counts.items():
        np.testing.assert_array_equal(scenario._counts(city, per), count)
    for measure in measures.MEASURES:
        costs = plan(Step(measure=measure.name), cost_factor=1.5).costs_at(DAY, city)
        cost = measure.cost
        expected = np.zeros(8) if cost is None else 1.5 * cost.amount * counts[cost.per]
        np.testing.assert_allclose(costs, expected, rtol=1e-12)


@given(intensity=st.floats(0, 1), name=st.sampled_from(sorted(measures.BY_NAME)))
@settings(max_examples=60)
def test_costs_are_linear_in_intensity_and_paid_in_full(city, intensity, name):
    full = plan(Step(measure=name)).costs_at(DAY, city)
    part = plan(Step(measure=name, intensity=intensity), implementation=0.4).costs_at(DAY, city)
    # an intensity of 5e-324 times a cost depends on the order of the factors: hence atol
    np.testing.assert_allclose(part, intensity * full, rtol=1e-12, atol=1e-300)


def test_costs_of_measures_add_up(city):
    together = plan(*everything()).costs_at(DAY, city)
    each = sum(plan(step).costs_at(DAY, city) for step in everything())
    np.testing.assert_allclose(together, each, rtol=1e-12)
    assert np.all(together > 0)


def test_the_resolved_scenario_repeats_it(city):
    original = Scenario(
        name="x",
        city=CONFIG,
        years=2,
        uncertainties={"p_mis": 0.1},
        reform=everything(0.7),
        stations=StationPlan(layout="list", sites=(1, "a")),
    )
    told = json.loads(json.dumps(original.resolved()))
    repeated = Scenario.model_validate(told)
    assert (told["days"], told["reform"][0]["from"]) == (365 * 3, 365)
    assert told["uncertainties"].keys() == set(original.world().dtype.names)
    assert repeated.resolved() == told
    assert same_bits(repeated.rules_at(DAY, city, 5), original.rules_at(DAY, city, 5))
    assert repeated.world() == original.world()
    assert repeated.city == CONFIG


def test_the_horizon_is_six_years_unless_said_otherwise():
    def days(**keys):
        return Scenario(name="x", city=CONFIG, **keys).days

    assert days() == 6 * 365
    assert days(years=3) == 4 * 365
    assert days(years=3, warm_up=30) == 30 + 3 * 365
    assert days(days=400) == 400


def test_a_scenario_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        plan().days = 3


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"uncertainties": {"p_mis": 0.9}}, "p_mis: must be in [0.05, 0.38] (probability)"),
        ({"reform": (Step(measure="joint_conference", from_day=9),)}, "0.from: day 9 lies in"),
        ({"years": 1, "days": 500}, "give `days` or `years`, not both"),
    ],
)
def test_python_callers_get_the_same_checks(keys, message):
    with pytest.raises(ValidationError, match=re.escape(message)):
        Scenario(name="x", city=CONFIG, **keys)


def test_shipped_regimes_are_nothing_and_everything():
    def steps(name):
        path = ROOT / "configs" / "governance" / f"{name}.yaml"
        return validate(load_yaml(path), Governance).measures

    assert steps("block-separated") == ()
    assert sorted(steps("systemic"), key=lambda s: s.measure) == sorted(
        everything(), key=lambda s: s.measure
    )


CITY = """\
name: a
city:
  units:
    - {name: Small, name_zh: 小, population: 1000, area_km2: 2}
    - {name: Large, name_zh: 大, population: 9000000, area_km2: 500}
  subdistricts: {count: 2, mean: 1, sigma: 0.1}
"""


def refused(tmp_path, monkeypatch, text: str, free: int | None) -> str | None:
    path = tmp_path / "s.yaml"
    path.write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(scenario, "available_memory", lambda: free)
    try:
        Scenario.load("s.yaml")
    except ConfigError as error:
        return str(error)
    return None


def test_a_city_too_large_for_memory_is_refused_where_it_is_written(tmp_path, monkeypatch):
    need = 300_000_000 + 60 * 9_001_000
    assert refused(tmp_path, monkeypatch, CITY, need) is None
    assert refused(tmp_path, monkeypatch, CITY, None) is None
    assert refused(tmp_path, monkeypatch, CITY, need - 1) == (
        "s.yaml:5:45: city.units.1.population: 9,001,000 residents need about 0.8 GB of memory, "
        "0.8 GB are free: take fewer units, or a sample"
    )


def test_memory_counts_the_sample_of_a_sampled_city(tmp_path, monkeypatch):
    text = CITY + (
        "  sample: {units: [{unit: Large, subdistricts: 1}], residents_from: 1, "
        "residents_to: 5000000}\n"
    )
    assert refused(tmp_path, monkeypatch, text, 600_000_000) is None
    assert "s.yaml:7:86: city.sample.residents_to: 5,000,000 residents" in str(
        refused(tmp_path, monkeypatch, text, 599_999_999)
    )


def test_memory_of_the_census_city_is_told_at_the_city(tmp_path, monkeypatch):
    message = refused(tmp_path, monkeypatch, "name: a\ncity: {}\n", 10**9)
    assert str(message).startswith("s.yaml:2:7: city.units")
    (tmp_path / "c.yaml").write_text("name: Big\n")
    document = load_yaml(tmp_path / "c.yaml")
    with pytest.raises(ConfigError, match=r"c\.yaml:1:1: units"):
        check_memory(validate(document, CityConfig), document, at=())


def test_free_memory_is_known_or_not_but_never_an_error(monkeypatch):
    free = scenario.available_memory()
    assert free is None or free > 0
    monkeypatch.setattr(scenario.Path, "read_text", lambda *a, **k: (_ for _ in ()).throw(OSError))
    monkeypatch.delattr(scenario.os, "sysconf", raising=False)
    assert scenario.available_memory() is None
