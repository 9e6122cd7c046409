"""Mechanisms that act on cases: levels, platforms, powers, posts, firms, burdens; known answers."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reformsim import rules as levers
from reformsim.cases import exchange, overdue
from reformsim.cases import state as s
from reformsim.cases.clock import OFFICE, finish_wall, to_work
from reformsim.cases.voice import touch
from reformsim.cases.work import treatment
from reformsim.institutions import business, columns, staff
from reformsim.model import CityModel, city_model, orders
from reformsim.scenario import Step
from reformsim.uncertainties import world
from support import busy_town
from test_bits import bits, differing
from test_conservation import Audit, check

STUCK = {"cross_share": 0.42, "dispute_share": 0.5, "orphan_rate": 0.1, "city_share": 0.5}


# --- four levels


def linkage(sweep, **facts):
    step = Step(measure="four_level_linkage", from_day=30)
    return sweep(step, days=70, uncertainties=STUCK | facts)


@pytest.mark.parametrize("window", [0.5, 0.25])
def test_smaller_windows_of_exchange_change_no_bit(sweep, monkeypatch, window):
    """Two districts queue for the city's table; they exchange twice, or four times, as often."""
    runs = []
    for size in (exchange.WINDOW, window):
        monkeypatch.setattr(city_model, "run_windows", partial(exchange.run_windows, window=size))
        model = CityModel(linkage(sweep, city_capacity=50.0), rng=1)
        for d in model.columns.districts:
            d.span[s.RATE] = 8  # buckets must end where windows do
        model.run_until(70)
        runs.append((bits(model), model._city_level.free))
    assert runs[0][1] == runs[1][1] > 0
    assert differing(runs[0][0], runs[1][0]) == []


def test_what_climbs_to_the_city_takes_a_working_day_and_waits_its_turn(sweep):
    """A city that decides little: its queue grows, nothing is lost, nothing comes back early."""
    model = CityModel(linkage(sweep, city_capacity=1.0), rng=1)
    audit = Audit(model)
    for day in (45, 60, 70):
        model.run_until(day)
        check(model.columns, day)
    assert audit.turns >= 3
    rows = [d.cases[d.cases["stage"] == s.CITY] for d in model.columns.districts]
    assert all(len(r) for r in rows)  # from both districts
    for row in np.concatenate(rows):
        assert row["time"] - row["arrived"] >= 1.0
        assert to_work(row["time"], OFFICE) - to_work(row["arrived"], OFFICE) >= 8.0 - 1e-9
    told = np.concatenate([d.cases[d.cases["stage"] == s.CLIMB] for d in model.columns.districts])
    assert told["time"].max() > 100  # decisions lie far ahead
    assert model.columns.tally[:, :, s.T["escalated"]].sum() > 500


def test_the_city_table_is_a_queue_of_one():
    """Five cases on the first Monday at nine, four hours each: two a day until Wednesday."""
    nine = np.full(5, 9.0 / 24.0)
    back, free = exchange._sit(nine, 0.0, 4.0, 100.0)
    np.testing.assert_allclose(back, [finish_wall(4.0 * k, OFFICE) for k in range(1, 6)])
    assert free == 20.0
    back, free = exchange._sit(nine, 0.0, 4.0, 0.5)  # the others would wait until Tuesday
    np.testing.assert_array_equal(back < 0, [False, False, True, True, True])
    assert free == 8.0


# --- treatment, powers, platforms


def test_treatment_has_mean_one_and_no_spread_without_variance():
    """Over 6,000 residents: within 4 standard errors of the mean, false alarm about 1e-4."""
    d, _, _ = busy_town()
    factors = {}
    for sd in (0.0, 0.5):
        d.units["treatment"] = np.sqrt(np.log1p(sd**2))
        factors[sd] = np.empty(len(d.residents))
        for r in range(len(d.residents)):
            d.cases["resident"][0] = r
            factors[sd][r] = treatment(d, 0)
    assert (factors[0.0] == 1.0).all()
    error = 0.5 / np.sqrt(len(factors[0.5]))
    assert abs(factors[0.5].mean() - 1.0) < 4 * error
    assert factors[0.5].std() == pytest.approx(0.5, rel=0.1)


def written(office: dict | None = None, **rules: float) -> np.void:
    """The row of one subdistrict under some rules."""
    units, row = np.zeros(1, s.UNIT_ROW), levers.pre_reform(1)
    for name, value in rules.items():
        row[name] = value
    offices = np.zeros(1, columns.OFFICE)
    offices["skill"], offices["load"] = orders.SKILL_BEFORE, world()["utilisation"]
    for name, value in (office or {}).items():
        offices[name] = value
    orders.write_units(units, row, world(), offices, np.zeros(1))
    return units[0]


def test_levers_before_the_reform_leave_cases_alone():
    unit = written()
    idle = ("escalation", "mediation", "procedure", "audit_hours", "delegated")
    assert all(unit[name] == 0 for name in idle)
    assert unit["audit"] == pytest.approx(world()["audit_effect"] * 0.1)


def test_more_venues_settle_fewer_disputes():
    w = world()
    chances = [written(venues=n)["agreement"] for n in (1, 2, 6)]
    expected = [w["mediation_success"] / (1 + w["venue_friction"] * n) for n in (0, 1, 5)]
    np.testing.assert_allclose(chances, expected)
    assert written(venues=3)["mediation_hours"] == pytest.approx(3 * w["mediation_hours"])


def test_the_gap_of_new_powers_closes_with_skill():
    gap = {skill: written({"skill": skill}, skill_gap=0.3) for skill in (0.95, 0.975, 1.0)}
    extra = [unit["poor_new"] - unit["poor"] for unit in gap.values()]
    np.testing.assert_allclose(extra, [0.3, 0.15, 0.0], atol=1e-12)


def test_two_watchers_see_what_either_sees():
    seen = written(supervision=0.5, sham_closing_audit=0.4)["audit"]
    assert seen == pytest.approx(world()["audit_effect"] * (1 - 0.5 * 0.6))


# --- staff that moves


@given(
    heads=st.lists(st.floats(0.01, 50), min_size=12, max_size=12),
    share=st.floats(0, 1),
    desk=st.integers(0, 11),
)
def test_reserving_staff_keeps_heads(heads, share, desk):
    table = np.array([heads])
    out = staff.reserve(table, np.array([share]), desk)
    assert out.sum() == pytest.approx(table.sum(), rel=1e-12)
    others = np.arange(12) != desk
    np.testing.assert_allclose(out[0, others], (1 - share) * table[0, others])
    assert out[0, desk] >= table[0, desk] * (1 - 1e-12)


def test_officers_in_post_are_missing_in_their_line(sweep):
    heads = {}
    for steps in ((), [Step(measure="safe_community", from_day=30)]):
        model = CityModel(sweep(*steps, days=90, uncertainties={"implementation": 1.0}), rng=1)
        model.run_until(60)
        d, post = model.columns.districts[0], model.administration.books.posts[0]
        line = post.heads[d.fixed[s.DEPARTMENTS] : d.fixed[s.HOTLINE_DESK]]
        heads[len(steps)] = line, post.heads[d.fixed[s.POST_DESK]]
    (before, none), (after, officers) = heads[0], heads[1]
    assert none == 0 and officers > 0
    staffed = model.administration.districts["staff_share"][0]  # the measure costs heads, too
    assert (after.sum() + officers) / staffed == pytest.approx(before.sum(), rel=1e-6)
    share = officers / (officers + after[7])
    assert share == pytest.approx(0.8 * model.scenario.world()["police_shift"], abs=0.1)


# --- firms and market services


def test_market_services_settle_at_break_even():
    """The gap to demand/break-even shrinks by the rate each month, from above and from below."""
    supply = np.array([1.0, 1.0, 1.0])
    demand, break_even = np.array([80.0, 120.0, 50.0]), np.array([100.0, 100.0, 0.0])
    for _ in range(24):
        supply = business.enter_and_leave(supply, demand, break_even, 0.1)
    left = 0.9**24
    np.testing.assert_allclose(supply, [0.8 + 0.2 * left, 1.2 - 0.2 * left, 1.0])
    assert business.enter_and_leave(0.1, 0.0, 100.0, 1.0) == business.LEAST_SUPPLY


def test_firms_come_to_rest_where_as_many_open_as_close():
    before = business.exit_rate(0.5, 0.5, 0.1, 2.0)
    assert (1 - before) ** 12 == pytest.approx(0.9)  # the yearly rate
    better = business.exit_rate(0.8, 0.5, 0.1, 2.0)
    assert better / (1 - better) == pytest.approx(before / (1 - before) * np.exp(-0.6))
    firms = np.array([1.0, 0.2])
    for _ in range(3000):
        firms = business.turn_over(firms, better, float(before))
    np.testing.assert_allclose(firms, before / better, rtol=1e-6)


def test_firms_come_to_expect_what_they_get():
    assert business.content(0.3, 0.3, 7, 0.05) == pytest.approx(0.3)
    once = business.content(0.5, 0.9, 1, 0.05)
    assert business.content(once, 0.9, 2, 0.05) == pytest.approx(
        float(business.content(0.5, 0.9, 3, 0.05))
    )
    assert business.content(0.5, 0.9, 0, 0.05) == 0.5
    assert business.climate([0.5, 0.5], [1, 3], 0.5, 2.0) == 1.0
    assert business.climate([0.5, 0.9], [1, 3], 0.5, 2.0) == pytest.approx(1.6)


# --- overdue cases


def test_an_overdue_case_weighs_until_it_ends():
    """One silent need's worth from the month it is overdue, made up for, gone at its end."""
    d, _, _ = busy_town(overdue_burden=1.0)
    r = 17
    d.cases["parent"] = -1
    d.cases[0] = 0
    for name, value in {"resident": r, "key": 5, "stage": s.PART, "voiced": 3.0}.items():
        d.cases[name][0] = value
    lifetime = float(d.world["silent_lifetime"][0])
    overdue.weigh(d, 10)  # not yet past its promise
    assert touch(d, r, 10.0)[1] == 0.0
    for day in (30, 60):
        overdue.weigh(d, day)
        assert touch(d, r, float(day))[1] == pytest.approx(1.0, rel=1e-6)
    left = overdue.burden_left(d, 75.0)
    assert left == pytest.approx(np.exp(-15.0 / lifetime))
    assert touch(d, r, 75.0)[1] == pytest.approx(left, rel=1e-6)


def test_a_growing_backlog_is_felt_while_it_grows(town):
    """The same cases, overdue or not: what they weigh is seen before they end."""
    felt, tally = {}, {}
    for weight in (0.0, 1.0):
        facts = {"needs": 9.0, "overdue_burden": weight, "burden_weight": 0.1}
        model = CityModel(town(warm_up=30, days=330, uncertainties=facts), rng=2)
        model.run_until(330)
        felt[weight] = model.residents.agg("satisfaction_now", np.mean)
        tally[weight] = model.columns.tally
        check(model.columns, 330)
    np.testing.assert_array_equal(tally[0.0], tally[1.0])  # what is felt moves no case
    assert felt[1.0] < felt[0.0]
