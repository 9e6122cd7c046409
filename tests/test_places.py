"""Places: known answers of the pure rules, of moving, and what a city's places never lose.

Stochastic checks state their false-alarm rate; the rest is exact.
"""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from reformsim import categories, uncertainties
from reformsim.cases import moves, needs
from reformsim.cases import state as s
from reformsim.city import fabric
from reformsim.institutions import places as rule
from reformsim.model import CityModel
from reformsim.model.facilities import PAPER, USABLE
from reformsim.model.orders import write_needs
from reformsim.scenario import Step
from support import ALARM, thinning_marks
from test_conservation import Audit, check, check_pulse
from test_identities import check_shares

LIGHT = {"needs": 1.0, "staffing_needs": 1.0, "implementation": 1.0}
CAPITAL = (
    "development_governance_planning", "community_planner", "characteristic_towns",
    "housing_renewal", "street_improvement", "service_standards", "simultaneous_facilities",
)  # fmt: skip


def run(plan, *names: str, days: int = 800, seed: int = 1, **facts: float) -> CityModel:
    steps = [Step(measure=name, from_day=365) for name in names]
    scenario = plan(*steps, warm_up=365, days=days, uncertainties=LIGHT | facts)
    model = CityModel(scenario, rng=seed)
    model.run_until(days)
    return model


# --- pure rules


rate = st.floats(0, 20)


@given(quality=st.floats(0.01, 0.99), wear=rate, repair=rate, part=st.floats(0, 1))
def test_quality_stays_in_bounds_and_its_years_compose(quality, wear, repair, part):
    q, w, r = (np.array([x]) for x in (quality, wear, repair))
    whole = rule.restored(q, w, r)
    parts = rule.restored(rule.restored(q, part * w, part * r), (1 - part) * w, (1 - part) * r)
    assert 0 <= whole[0] <= 1
    np.testing.assert_allclose(parts, whole, rtol=1e-9)
    np.testing.assert_allclose(rule.restored(q, rule.wear_at_rest(q, r), r), q, rtol=1e-12)


def test_quality_and_stocks_follow_their_closed_forms():
    q = rule.restored(np.array([0.8]), np.array([0.3]), np.array([0.1]))
    assert q[0] == pytest.approx(0.25 + 0.55 * np.exp(-0.4))
    stock = rule.kept(np.array([10.0, 10.0]), np.array([0.1, 0.0]), np.array([1.0, 1.0]))
    np.testing.assert_allclose(stock, [10.0, 11.0])  # 10 is where arrivals make wear good


@given(st.floats(1, 6))
def test_projects_arrive_after_their_lag(lag):
    """All of it, in the two whole years around the lag, on the mean after exactly the lag."""
    pipeline = np.zeros((8, 2))
    rule.schedule(pipeline, np.array([5.0, 0.0]), np.array([lag, 1.0]))
    years = np.arange(8.0)
    assert pipeline[:, 0].sum() == pytest.approx(5.0)
    assert (pipeline[:, 0] * years).sum() == pytest.approx(5.0 * lag)
    assert not pipeline[(np.abs(years - lag) >= 1), 0].any()
    assert not pipeline[:, 1].any() and (pipeline >= 0).all()


share = st.floats(0, 1)


@given(
    claims=st.lists(st.tuples(share, share, share, share), min_size=2, max_size=2),
    weights=st.lists(st.tuples(*[st.just(0.0) | st.floats(1, 9)] * 5), min_size=4, max_size=4),
)
def test_the_fund_is_spent_and_no_more(claims, weights):
    fund, unit = np.array([100.0, 40.0]), np.array([0, 0, 0, 1, 1])
    weights = np.array(weights)
    money = rule.split_fund(fund, np.array(claims).T, weights, np.array([5.0, 1, 1, 3, 4]), unit)
    assert (money >= 0).all()
    np.testing.assert_allclose(np.bincount(unit, weights=money.sum(axis=0)), fund, rtol=1e-12)
    assert not money[:4][weights == 0].any()


def test_unclaimed_money_goes_to_repairs_by_residents():
    claims = np.array([[0.2], [0.1], [0.0], [0.1]])
    weights = np.array([[1.0, 3.0], [0.0, 0.0], [1.0, 1.0], [0.0, 2.0]])
    money = rule.split_fund(
        np.array([100.0]), claims, weights, np.array([30.0, 40.0]), np.zeros(2, int)
    )
    np.testing.assert_allclose(money, [[5, 15], [0, 0], [0, 0], [0, 10], [30, 40]])


def test_the_lowest_are_raised_first_and_none_above_the_floor():
    level, residents = np.array([0.5, 0.1, 0.3]), np.array([10.0, 10.0, 20.0])
    for amount, expected in (
        (1.0, [0, 1, 0]),  # the lowest alone, to 0.2
        (5.0, [0, 3, 2]),  # two of them, to a common 0.4
        (99.0, [0, 4, 4]),  # both to the floor of 0.5
    ):
        np.testing.assert_allclose(
            rule.fill_lowest(level, residents, amount, 0.5), expected, atol=1e-12
        )


def test_planners_without_residents_plan_for_nobody():
    fit = rule.realised_fit(np.full(3, 0.85), 0.5, np.array([0.0, 0.1, 0.9]), 0.2)
    np.testing.assert_allclose(fit, [0.5, 0.675, 0.85])


@given(data=st.data())
def test_needs_never_exceed_their_declared_maximum(data):
    """At any state of any place, in any world: candidates suffice, and none is negative."""
    facts = {x.name: data.draw(st.floats(x.low, x.high)) for x in uncertainties.UNCERTAINTIES
             if x.name in ("quality_needs", "facility_needs", "works_needs",
                           "enforcement_conflict", "walls_lost")}  # fmt: skip
    world = uncertainties.world(**facts)
    state = np.array(data.draw(st.lists(st.tuples(*[share] * 5), min_size=6, max_size=6)))
    quality, facilities, works, enforcement, u = state.T
    level = fabric.FACILITIES_BEFORE + fabric.FACILITIES_SPREAD * (2 * u - 1)
    more = needs.factors(
        world, fabric.QUALITY_BEFORE - quality, level - facilities, works, enforcement
    )
    mix = categories.MIX * more
    assert (mix >= 0).all() and (mix <= needs.peak(world) * (1 + 1e-12)).all()
    accept = np.empty_like(mix)
    write_needs(accept, mix, world)
    assert (accept >= 0).all() and (accept <= 1).all()


def test_what_places_do_to_needs():
    world = uncertainties.world(quality_needs=0.5, facility_needs=0.4, works_needs=0.2,
                                enforcement_conflict=0.3, walls_lost=0.1)  # fmt: skip
    one = np.ones(1)
    none = np.zeros(1)
    names = np.array(categories.NAMES)

    def raised(*state) -> dict[str, float]:
        out = needs.factors(world, *state)[0]
        return {str(name): float(x) for name, x in zip(names, out, strict=True) if x != 1.0}

    assert raised(none, none, none, none) == {}
    environment = ("housing", "sanitation", "roads", "order", "traffic", "building")
    assert raised(0.4 * one, none, none, none) == pytest.approx(dict.fromkeys(environment, 1.2))
    assert raised(none, one, none, none) == pytest.approx(
        dict.fromkeys(("welfare", "care", "culture"), 1.4)
    )
    assert raised(none, none, one, none) == pytest.approx(
        dict.fromkeys(("housing", "disputes", "sanitation"), 1.2)
    )
    assert raised(none, none, none, one) == pytest.approx(
        {"disputes": 1.3, "building": 1.3, "order": 1.1}
    )


# --- moving


def test_destinations_are_those_of_the_logit():
    """Shares e^v/Σe^v, and without the own community the same in proportion."""
    utility = np.array([0.0, 1.0, -0.5, np.log(3.0)])
    shares = rule.logit(utility)
    np.testing.assert_allclose(shares, np.exp(utility) / np.exp(utility).sum(), rtol=1e-12)
    cut, u = np.cumsum(shares), (np.arange(100_000) + 0.5) / 100_000
    for away in (False, True):
        for home in range(4):
            to = [moves.destination(x, cut, home, away) for x in u]
            expected = shares * (np.arange(4) != home) if away else shares
            np.testing.assert_allclose(
                np.bincount(to, minlength=4) / 1e5, expected / expected.sum(), atol=2e-5
            )
    assert moves.destination(0.5, np.array([1.0]), 0, True) == 0  # nowhere else to go


def test_movers_go_where_the_logit_sends_them(town):
    """All of 20,000 residents choose anew: chi-square against the shares, and the put out leave."""
    model = CityModel(town(days=40, warm_up=10), rng=2)
    model.run_until(30)
    (d,), columns = model.columns.districts, model.columns
    shares = rule.logit(np.array([0.0, 0.4, -0.3, 0.8, 0.1]))
    first = model.city.communities.first_grid
    out = np.zeros(5)
    out[3] = 1.0
    put_out = d.grids["community"][d.residents["place"]] == 3
    moved = moves.move(d, 1, 30.0, 1.0, out, np.cumsum(shares), first, columns.living)
    home = d.grids["community"][d.residents["place"]]
    stayed = np.bincount(home[~put_out], minlength=5)
    p = stats.chisquare(stayed, shares * stayed.sum()).pvalue
    away = np.bincount(home[put_out], minlength=5)
    others = np.delete(shares, 3) / np.delete(shares, 3).sum()
    q = stats.chisquare(np.delete(away, 3), others * put_out.sum()).pvalue
    print(f"free choice: p = {p:.3f}; put out: p = {q:.3f}; alarm below {ALARM}")
    assert min(p, q) > ALARM and away[3] == 0 and moved[0] == put_out.sum()
    check_pulse(columns, 30)
    living = np.zeros_like(columns.living)
    np.add.at(living, (d.residents["place"], d.residents["age"]), 1.0)
    np.testing.assert_array_equal(columns.living, living)


def test_being_put_out_is_an_experience(town):
    """Nobody who merely moves feels it; the put out do, once."""
    felt = {}
    for share in (0.0, 1.0):
        model = CityModel(town(days=40, warm_up=10), rng=2)
        model.run_until(30)
        (d,) = model.columns.districts
        before = model.residents.get("satisfaction_now").copy()
        even = np.cumsum(np.full(5, 0.2))
        first = model.city.communities.first_grid
        moves.move(d, 1, 30.0, 1.0, np.full(5, share), even, first, model.columns.living)
        felt[share] = model.residents.get("satisfaction_now") - before
    assert not felt[0.0].any()
    assert felt[1.0].mean() < -0.02


def test_residents_are_conserved_and_counts_follow(sweep):
    model = run(sweep, *CAPITAL, days=740, movers=0.2, displacement=1.0)
    c, a = model.columns, model.administration
    check_pulse(c, 740)
    by_district = np.bincount(model.city.communities.district, weights=a.places.residents)
    np.testing.assert_array_equal(by_district, model.city.districts.population)
    people = model.residents
    place = people.get("place")
    assert (place != people.get("birth_cell")).mean() > 0.05
    living = np.zeros_like(c.living)
    np.add.at(living, (place, people.get("age")), 1.0)
    np.testing.assert_array_equal(c.living, living)
    np.testing.assert_array_equal(
        a.places.residents, np.bincount(people.get("community"), minlength=len(c.communities))
    )


def test_denominators_are_the_residents_of_now(town):
    """After a year of moves, what the last month tells is counted person by person."""
    model = run(town, days=400, movers=0.2, estate_growth=1.0)
    people = model.residents
    place, age = people.get("place"), people.get("age")
    last = model.history.months[-1]
    near = model.columns.grids["walk"][place] <= np.where(age == 2, 0.8, 1.1)
    assert last.state["within_15"][0] == pytest.approx(near.mean(), rel=1e-9)
    q = model.administration.places.rows["quality"][people.get("community")]
    assert last.state["quality"][0] == pytest.approx(q.mean(), rel=1e-9)
    assert last.people[0] == len(people)
    felt = people.agg("satisfaction_now", np.mean)
    assert last.state["satisfaction"][0] == pytest.approx(felt, rel=0.01)
    estate = model.city.communities.kind == fabric.NEW_ESTATE
    now = model.administration.places.residents
    assert now[estate].sum() > model.city.communities.population[estate].sum()


def test_moving_house_changes_no_need_but_by_the_place(town):
    """A year of real moves: a need of one world is in the other where that place accepts it."""
    fixed = {name: 0.0 for name in ("quality_needs", "facility_needs", "works_needs")}
    worlds = []
    for movers in (0.01, 0.2):
        facts = LIGHT | fixed | {"movers": movers}
        model = CityModel(town(days=430, warm_up=30, keep_cases=True, uncertainties=facts), rng=3)
        model.run_until(430)
        (d,) = model.columns.districts
        c = d.cases[(d.cases["stage"] != s.FREE) & (d.cases["parent"] == np.arange(len(d.cases)))]
        worlds.append((d, c[c["need"] >= 365.0]))
    (a, one), (b, two) = worlds
    moved = a.residents["place"] != b.residents["place"]
    assert 0.1 < moved.mean() < 0.25
    both, i, j = np.intersect1d(one["key"], two["key"], return_indices=True)
    assert len(both) > 1500
    for name in ("need", "resident", "category"):
        np.testing.assert_array_equal(one[name][i], two[name][j])
    lost = 0
    for other, cases in ((b, one), (a, two)):
        gone = cases[~np.isin(cases["key"], both)]
        home = other.grids["community"][other.residents["place"][gone["resident"]]]
        assert (thinning_marks(other, gone) >= other.accept[home, gone["category"]]).all()
        assert moved[gone["resident"]].all()
        lost += len(gone)
    assert lost > 20


def test_edited_residents_are_counted_anew(town):
    model = CityModel(town(days=40, warm_up=10), rng=2)
    model.run_until(20)
    model.residents.set("age", np.full(len(model.residents), 2))
    model.run_until(21)
    np.testing.assert_array_equal(model.columns.living.sum(axis=0), [0, 0, 20_000])


# --- the city's places


def test_before_the_reform_places_are_at_rest(sweep):
    """Without moves, quality and facilities stay where they were; needs arise as by the mix."""
    model = run(sweep, days=1460, movers=0.01, estate_growth=0.0, displacement=0.0, needs=0.5)
    p, c = model.administration.places, model.columns
    assert np.abs(p.rows["quality"] - p.quality_before).max() < 2e-3
    # people moved about: levels are of the residents of now
    level = p.rows["stock"] / p.capacity
    np.testing.assert_allclose(level, p.facilities_before, rtol=5e-3)
    mix = categories.MIX[model.city.communities.kind]
    world = p.setting.world
    np.testing.assert_allclose(c.accept, mix / needs.peak(world), rtol=5e-3)
    fresh = CityModel(model.scenario, rng=1)
    fresh.run_until(1)
    np.testing.assert_array_equal(fresh.columns.accept, mix / needs.peak(world))


def test_the_capital_fund_is_the_same_in_every_scenario_and_all_spent(sweep):
    funds = set()
    for names in ((), *((name,) for name in CAPITAL), CAPITAL):
        model = run(sweep, *names, days=366)
        p = model.administration.places
        spent = np.bincount(p.unit, weights=p.spent.sum(axis=0))
        np.testing.assert_allclose(spent, p.fund, rtol=1e-12)
        assert (p.spent >= 0).all()
        funds.add(p.fund.tobytes())
    assert len(funds) == 1
    assert p.fund.sum() == pytest.approx(600 * 160_000)


def test_facilities_wait_for_their_lag(sweep):
    """Paid for in one year, usable after the lag: the two cities part in that year, not before."""
    for lag in (1.0, 2.0):
        parted = []
        for day in (366, 731, 1096):
            stock = [
                run(sweep, *names, days=day, plan_lag=lag, needs=0.5)
                .administration.places.rows["stock"]
                .copy()
                for names in ((), ("development_governance_planning",))
            ]
            parted.append(bool((stock[0] != stock[1]).any()))
        assert parted == [False, lag == 1.0, True]


def test_a_standard_on_paper_serves_nobody(sweep):
    on_paper = run(sweep, "service_standards", days=1096, plan_lag=1.0, unusable=0.8)
    usable = run(sweep, "service_standards", days=1096, plan_lag=1.0, unusable=0.0)
    a, b = (m.administration.places.rows for m in (on_paper, usable))
    assert a["paper"].sum() > 0 and not b["paper"].any()
    assert a["stock"].sum() < b["stock"].sum()
    pipeline = on_paper.administration.places.facilities.pipeline
    assert pipeline[PAPER].sum() > 0 and pipeline[USABLE].sum() > 0


def test_a_higher_share_of_towns_contains_a_lower(sweep):
    model = CityModel(sweep(days=40, warm_up=10), rng=1)
    line, district = fabric.town_line(model.city), model.city.communities.district
    for k in range(len(model.city.districts)):
        mine = np.sort(line[district == k])
        np.testing.assert_allclose(mine, (np.arange(len(mine)) + 0.5) / len(mine))
    sites = [line < x for x in (0.05, 0.15, 0.5)]
    assert all((low <= high).all() for low, high in pairwise(sites))


def test_an_intensity_of_zero_changes_no_place(sweep):
    steps = [Step(measure=name, intensity=0.0, from_day=365) for name in CAPITAL]
    found = []
    for reform in ((), steps):
        model = CityModel(sweep(*reform, warm_up=365, days=740, uncertainties=LIGHT), rng=1)
        model.run_until(740)
        p, c = model.administration.places, model.columns
        found.append(
            [x.tobytes() for x in (p.rows, p.spent, c.residents, c.accept, c.tally, c.living)]
        )
    assert found[0] == found[1]


def test_nothing_is_lost_when_the_year_turns_under_all_measures(town, every_measure):
    """Cases, records, sums and shares, with people moving while cases wait."""
    steps = [Step(measure=name, from_day=60, until=900) for name in every_measure]
    facts = {
        "movers": 0.2,
        "displacement": 1.0,
        "needs": 6.0,
        "capital": 3000.0,
        "max_cost_share": 0.6,
        "cost_factor": 0.5,
    }
    model = CityModel(town(*steps, warm_up=60, days=760, uncertainties=facts), rng=1)
    audit = Audit(model)
    model.run_until(760)
    assert audit.turns >= 25
    check(model.columns, 760)
    check_shares(model)
    r = model.administration.places.rows
    assert all(np.isfinite(r[name]).all() and (r[name] >= 0).all() for name in r.dtype.names)
    assert (r["quality"] <= 1).all() and (r["facilities"] <= 1).all() and (r["works"] <= 1).all()
