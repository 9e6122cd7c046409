"""Boundaries, extra offices, coverage, premises: known answers, and that nothing gets lost."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reformsim.cases import engine
from reformsim.cases import state as s
from reformsim.cases.clock import OFFICE, OPEN_DAYS, to_work
from reformsim.cases.queue import open_span
from reformsim.city import CityConfig, ages_by_grid, build, layouts
from reformsim.city.borders import borders, seats
from reformsim.institutions import premises, structure
from reformsim.model import CityModel
from reformsim.scenario import PremisesPlan, Scenario, Step
from support import busy_town
from test_conservation import Audit, check, in_progress
from test_identities import follow as balance

UNEVEN = {"eta": 0.5, "implementation": 1.0}


@pytest.fixture(scope="module")
def uneven() -> CityConfig:
    """Return a district of two towns of unlike size, ten small communities each to move."""
    return CityConfig.model_validate(
        {
            "name": "uneven",
            "units": [{"name": "unit", "name_zh": "区", "population": 12000, "area_km2": 20.0}],
            "subdistricts": {"count": 2, "mean": 6000, "sigma": 1.0},
            "towns": {"count": 0, "mean": 40_000, "sigma": 0.3},
            "communities": 20,
            "grids": 30,
        }
    )


# --- boundaries


def row_of(n: int) -> np.ndarray:
    """Communities in a row, each beside the next."""
    a = np.arange(n - 1)
    pairs = np.concatenate([np.stack([a, a + 1], axis=1), np.stack([a + 1, a], axis=1)])
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def test_a_row_of_equal_communities_ends_even():
    """Nine of unit work and one: they end five and five, taken from the border one by one."""
    unit = np.array([0] * 9 + [1])
    fixed = np.zeros(10, bool)
    fixed[[0, 9]] = True
    moved = structure.rebalance(
        unit, np.zeros(2, int), np.ones(10), np.ones(2), np.ones(2), row_of(10), fixed
    )
    np.testing.assert_array_equal(moved, [0] * 5 + [1] * 5)


def test_half_a_balance_leaves_part_of_the_gap():
    """A move of work 1 is allowed where the gap narrows for up to 4: not from six against four."""
    unit = np.array([0] * 9 + [1])
    moved = structure.rebalance(
        unit, np.zeros(2, int), np.ones(10), np.ones(2), np.full(2, 0.25), row_of(10),
        np.zeros(10, bool),
    )  # fmt: skip
    np.testing.assert_array_equal(moved, [0] * 7 + [1] * 3)


@given(data=st.data())
def test_boundaries_never_widen_gaps_or_cross_districts(data):
    n, units = data.draw(st.integers(2, 12)), 4
    district = np.array([0, 0, 1, 1])
    unit = np.array(data.draw(st.lists(st.integers(0, units - 1), min_size=n, max_size=n)))
    work = np.array(data.draw(st.lists(st.floats(0, 9), min_size=n, max_size=n)))
    posts = np.array(data.draw(st.lists(st.floats(0.5, 5), min_size=units, max_size=units)))
    balance = np.array(data.draw(st.lists(st.floats(0, 1), min_size=units, max_size=units)))
    fixed = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    moved = structure.rebalance(unit, district, work, posts, balance, row_of(n), fixed)
    np.testing.assert_array_equal(district[moved], district[unit])
    np.testing.assert_array_equal(moved[fixed], unit[fixed])

    def unevenness(of: np.ndarray) -> float:
        return float((np.bincount(of, weights=work, minlength=units) ** 2 / posts).sum())

    assert unevenness(moved) <= unevenness(unit) * (1 + 1e-12)
    if (balance == 0.0).all():
        np.testing.assert_array_equal(moved, unit)


def test_borders_are_those_of_the_map(uneven):
    city = build(uneven, 1)
    pairs = borders(city)
    np.testing.assert_array_equal(pairs, np.unique(pairs, axis=0))
    np.testing.assert_array_equal(np.unique(pairs[:, ::-1], axis=0), pairs)
    touched = np.bincount(pairs[:, 0], minlength=len(city.communities))
    assert touched.min() >= 1 and 3 < touched.mean() < 6.5  # a planar map: below six on average
    assert (city.communities.subdistrict[seats(city)] == np.arange(2)).all()


@pytest.mark.parametrize("facts", [{}, {"needs": 9.0}])
def test_boundaries_move_and_nothing_is_lost(uneven, facts):
    """Under the eyes of the audit of cases; boundaries stay when the measure ends."""
    steps = [
        Step(measure="boundary_adjustment", from_day=45, until=130),
        Step(measure="convenience_centre", from_day=60),
        Step(measure="unified_grid_linkage", from_day=60),
    ]
    scenario = Scenario(
        name="t", city=uneven, warm_up=30, days=200, reform=steps,
        uncertainties=UNEVEN | facts | {"staffing_needs": 5.0},
    )  # fmt: skip
    model = CityModel(scenario, rng=2)
    audit = Audit(model)
    c, a = model.columns, model.administration
    model.run_until(45)  # the day's turn has moved boundaries
    old, new = c.city.communities.subdistrict, c.serving()
    moved = old != new
    assert 1 <= moved.sum() < len(old)
    assert len(np.unique(new)) == len(np.unique(old))
    territory, b = a.structure.territory, a.setting.base
    for now, before in ((territory.people, b.people), (territory.social, b.social)):
        assert now.sum() == pytest.approx(before.sum()) and (now != before).all()
    load = territory.territorial.sum(axis=1) / b.offices["heads"]
    assert np.ptp(load) < 0.5 * np.ptp(b.territorial.sum(axis=1) / b.offices["heads"])
    # stations and desks: everybody is served by the subdistrict that has come to serve them
    (d,) = c.districts
    desk = d.communities["desk"] - d.fixed[s.STATIONS]
    np.testing.assert_array_equal(new[desk], new)
    assert (a.structure.speed < a.structure.fit * 0.95).all()  # both know their places less
    model.run_until(200)
    check(c, 200)
    np.testing.assert_array_equal(c.serving(), new)
    assert (a.structure.speed > a.structure.fit * 0.95).all()
    assert audit.turns > 6


def test_hours_and_money_balance_where_boundaries_move(uneven):
    """Independent books through new boundaries, offices, stations, premises, and their end."""
    names = (
        "boundary_adjustment", "extra_offices_for_large_units", "fifteen_minute_circle",
        "community_premises", "local_adaptation", "citywide_policy", "convenience_centre",
    )  # fmt: skip
    steps = [Step(measure=name, from_day=45, until=280) for name in names]
    scenario = Scenario(
        name="t", city=uneven, warm_up=30, days=400, reform=steps,
        uncertainties=UNEVEN | {"station_cost": 3.0, "count_inflation": 0.2},
        premises=PremisesPlan(mode="purchase"),
    )  # fmt: skip
    model, ledger = balance(scenario, 3)
    assert (model.columns.serving() != model.city.communities.subdistrict).any()
    assert ledger.closings > 12


def test_what_a_moved_community_has_open_follows_it(uneven):
    """Cases that wait at territorial desks wait at the new subdistrict's afterwards."""
    scenario = Scenario(
        name="t", city=uneven, warm_up=30, days=120,
        reform=[Step(measure="boundary_adjustment", from_day=90)],
        uncertainties=UNEVEN | {"needs": 12.0, "staffing_needs": 5.0, "cost_factor": 0.0},
    )  # fmt: skip
    model = CityModel(scenario, rng=1)
    model.run_until(89)
    model._catch_up()
    (d,) = model.columns.districts
    model.run_until(90)
    moved = np.flatnonzero(model.columns.serving() != model.city.communities.subdistrict)
    rows = np.isin(d.cases["stage"], (s.PART, s.WRONG)) & (d.cases["desk"] >= 0)
    rows &= np.isin(d.cases["community"], moved)
    first, last = d.fixed[s.TERRITORIAL], d.fixed[s.OFFICES]
    rows &= (d.cases["desk"] >= first) & (d.cases["desk"] < last)
    waiting = d.cases[rows]
    waiting = waiting[waiting["finish"] > to_work(90.0, OFFICE)]
    assert len(waiting) > 5
    unit = (waiting["desk"] - first) // 12
    np.testing.assert_array_equal(unit, d.communities["unit"][waiting["community"]])


# --- extra offices


def test_offices_grow_from_the_threshold_and_counts_are_inflated():
    people, full = np.array([0.9, 1.0, 1.25, 1.5, 3.0]), np.full(5, 2.0)
    np.testing.assert_allclose(
        structure.extra_offices(people, 1.0, 0.0, full), [0.0, 0.0, 1.0, 2.0, 2.0]
    )
    inflated = structure.extra_offices(people, 1.0, 0.25, full)
    np.testing.assert_allclose(inflated, [0.5, 1.0, 2.0, 2.0, 2.0])


def test_extra_offices_are_paid_by_their_district(sweep):
    """What goes to large subdistricts and into overhead is missing at all, by residents."""
    step = Step(measure="extra_offices_for_large_units", from_day=40)
    facts = {"implementation": 1.0, "own_revenue": 0.01}
    model = CityModel(sweep(step, days=70, uncertainties=facts), rng=1)
    model.run_until(45)
    a, w = model.administration, model.administration.setting.world
    t, b = a.structure.territory, a.setting.base
    assert (t.extra_heads > 0).any() and (t.extra_heads == 0).any()
    cost = t.extra_heads.sum() * w["wage"] * (1 + w["extra_office_cost"])
    assert t.charge.sum() == pytest.approx(cost)
    by_district = np.bincount(b.district, t.charge) / b.district_people
    np.testing.assert_allclose(t.charge / b.people, by_district[b.district])
    given = np.bincount(b.district, t.extra_heads)  # no district pays for another
    np.testing.assert_allclose(given / given.sum(), np.bincount(b.district, t.charge) / cost)
    lost = (1 - a.offices["staff_share"]) * (b.offices["heads"] + b.offices["station_heads"])
    np.testing.assert_allclose(lost, t.charge / w["wage"], rtol=1e-6)


# --- coverage


def covered(city, site: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Share of each subdistrict's residents within 15 minutes, counted grid by grid."""
    near, people = np.zeros((2, unit.max() + 1))
    for g, ages in enumerate(ages_by_grid(city)):
        at, c = site[city.grids.community[g]], city.communities
        straight = np.hypot(city.grids.x[g] - c.x[at], city.grids.y[g] - c.y[at])
        way = 1.3 * np.hypot(straight, np.sqrt(city.grids.area[g] / (2 * np.pi)))
        home = unit[city.grids.community[g]]
        near[home] += ages[:2].sum() * (way <= 1.1) + ages[2] * (way <= 0.8)
        people[home] += ages.sum()
    return near / people


def test_coverage_is_reached_by_no_more_stations_than_greed_needs(uneven):
    city = build(uneven, 1)
    unit = city.communities.subdistrict.astype(int)
    none = np.zeros(len(unit), bool)
    before = layouts.plan(city, "before").site
    np.testing.assert_array_equal(layouts.cover(city, before, unit, none, np.zeros(2)), before)
    number, share = [len(np.unique(before))], covered(city, before, unit)
    assert (share < 0.8).any()
    for target in (0.5, 0.8, 1.0):
        site = layouts.cover(city, before, unit, none, np.full(2, target))
        now = covered(city, site, unit)
        full = covered(city, np.arange(len(unit)), unit)
        assert ((now >= target) | (now >= full - 1e-9) | (now > share)).all()
        assert (unit[site] == unit).all() and np.isin(before, site).all()
        number.append(len(np.unique(site)))
        if target == 0.8:
            assert (now >= np.minimum(0.8, full)).all()
    assert number == sorted(number) and number[-1] > number[0]


def test_sites_follow_boundaries(uneven):
    """A community that changes sides goes to a site of its own; nobody is left without one."""
    city = build(uneven, 1)
    unit = city.communities.subdistrict.astype(int)
    site = np.repeat(seats(city), np.bincount(unit))  # one station each, at the seat
    np.testing.assert_array_equal(layouts.at_home(city, site, unit), site)
    new = unit.copy()
    new[np.setdiff1d(np.flatnonzero(unit == 1), seats(city))[0]] = 0
    moved = layouts.at_home(city, site, new)
    np.testing.assert_array_equal(new[moved], new)
    np.testing.assert_array_equal(moved[new == unit], site[new == unit])
    lost = np.full(len(unit), site[0])  # all served from the first: the other opens its seat
    np.testing.assert_array_equal(layouts.at_home(city, lost, unit), site)


# --- premises and open days


def test_modes_are_those_of_the_scenario():
    assert set(premises.MODES) == set(PremisesPlan.model_fields["mode"].annotation.__args__)


def test_premises_cost_at_once_and_come_late():
    mode = premises.Mode(capital=40.0, running=10.0, months=6.0, share=0.5)
    space, five, people = np.array([0.5]), np.array([5.0]), np.array([20_000.0])
    assert premises.yearly_cost(mode, space, five, people) == pytest.approx(0.25 * 12.0 * 2)
    assert premises.yearly_cost(mode, space, np.array([7.0]), people) == pytest.approx(8.0)
    none, ordered = np.zeros(1), np.array([100.0])
    assert premises.usable(mode, none, space, ordered, 282.0) == 0.0
    assert premises.usable(mode, none, space, ordered, 283.0) == 0.25
    assert premises.usable(mode, np.array([0.25]), none, ordered, 300.0) == 0.0


def test_premises_open_after_their_months_and_close_with_the_measure(town):
    step = Step(measure="community_premises", from_day=60, until=430)
    for name in ("allocation", "rent_back"):
        mode = premises.MODES[name]
        facts = {"implementation": 1.0, "cost_factor": 0.5}
        plan = PremisesPlan(mode=name)
        model = CityModel(town(step, days=450, uncertainties=facts, premises=plan), rng=1)
        due = 60 + int(mode.months * 365 / 12)
        for day, space in ((due - 1, 0.0), (due + 32, 0.5 * mode.share), (440, 0.0)):
            model.run_until(day)
            np.testing.assert_allclose(model.administration.structure.space, space)
            # open days come at once
            assert ((model.columns.communities["appeal"] > 0) == (day < 430)).all()


def test_open_days_spread_the_same_heads(town):
    """The hours of a head at a station stay what they were; doors are open on seven days."""
    step = Step(measure="community_premises", from_day=56)
    hours = {}
    for on in (False, True):
        facts = {"implementation": 1.0, "cost_factor": 0.0}
        model = CityModel(town(*[step] * on, days=120, uncertainties=facts), rng=1)
        model.run_until(119)
        (d,) = model.columns.districts
        stations = slice(d.fixed[s.STATIONS], d.fixed[s.TERRITORIAL])
        assert (d.desks["calendar"][stations] == OPEN_DAYS[7 if on else 5]).all()
        others = np.delete(d.desks["calendar"], np.r_[stations, d.fixed[s.HOTLINE_DESK]])
        assert (others == OFFICE).all()
        post = model.administration.books.posts[0]
        week = [to_work(7.0, c) for c in range(5)]
        o = model.administration.offices
        heads = (o["station_heads"] * o["staff_share"]).sum()
        hours[on] = (post.heads * np.take(week, d.desks["calendar"]))[stations].sum() / heads
    assert hours[True] == pytest.approx(hours[False], rel=1e-9)


@pytest.mark.parametrize("there_and_back", [(7, 5), (6, 7)])
def test_new_hours_lose_and_double_nothing(there_and_back):
    """A busy town whose desks change their days twice: all that is open stays open, in order."""
    d, servers, speed = busy_town(seed=3)
    stations = slice(d.fixed[s.STATIONS], d.fixed[s.TERRITORIAL])
    open_span(d, 0, 40)
    engine.run_to(d, 40)
    for day, days in zip((40, 54), there_and_back, strict=True):
        calendar = d.desks["calendar"].copy()
        calendar[stations] = OPEN_DAYS[days]
        before = in_progress(d)
        row = np.isin(d.cases["stage"], s.AT_DESK) & (d.cases["desk"] >= 0)
        left = d.cases["finish"] - to_many(day, d.desks["calendar"][d.cases["desk"]])
        begun = d.cases["start"] - to_many(day, d.desks["calendar"][d.cases["desk"]])
        held = row & (left > 0) & (begun < 0)
        assert (row & (left <= 0)).sum() > 5 and held.sum() > 5
        engine.restaff(d, float(day), servers, speed, calendar)
        assert in_progress(d) == before
        now = d.cases["finish"] - to_many(day, d.desks["calendar"][d.cases["desk"]])
        np.testing.assert_allclose(now[held], left[held], atol=1e-9)
        assert (now[row & (left <= 0)] <= 1e-9).all()
        assert (d.cases["time"][held] >= day).all()
        open_span(d, day, day + 14)
        engine.run_to(d, day + 14)


def to_many(day: float, calendars: np.ndarray) -> np.ndarray:
    return np.array([to_work(float(day), c) for c in range(5)])[calendars]
