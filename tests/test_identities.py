"""Sums that hold by definition: hours paid and spent, money in and out, shares of a whole.

`Ledger` keeps books of its own: from what the institutions' rows say about heads, rates and
rules, and from a calendar counted day by day; never from the totals it checks.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reformsim.cases.state import FREE, TALLY
from reformsim.city import AGE_GROUPS, COMMUNITY_TYPES
from reformsim.institutions import hours as h
from reformsim.institutions import staff, treasury
from reformsim.institutions.premises import MODES
from reformsim.model import CityModel, baseline, posts
from reformsim.model import people as people_rules
from reformsim.outcomes import OUTCOMES
from reformsim.rules import BY_NAME as LEVERS
from reformsim.scenario import Scenario, Step, month_of, month_start
from support import follow_or_reject

OFFICE, DAILY = 1, 2
#: Calendars of stations by open days a week.
OPEN = {5: 1, 6: 3, 7: 4}
#: Over cases that began before the period, or against pre-reform posts: no share of a whole.
NOT_WITHIN_ONE = ("silent_share", "settled_at_intake", "staff", "measures_cost")  # may save


def open_hours(start: float, end: float, calendar: int) -> float:
    """Hours that a calendar is open in whole days [start, end), counted day by day."""
    days, hours = ((7, 24), (5, 8), (7, 12), (6, 8), (7, 8))[calendar]
    return float(sum(hours for day in range(int(start), int(end)) if day % 7 < days))


def heads_in_post(admin, columns) -> list[tuple[int, np.ndarray, int]]:
    """Heads by (class, subdistrict, calendar); line staff at a district's first subdistrict."""
    o, b, d = admin.offices, admin.setting.base, admin.districts
    first = np.array([np.flatnonzero(b.district == k)[0] for k in range(len(d))])

    def at_first(values: np.ndarray) -> np.ndarray:
        return np.bincount(first, weights=values, minlength=len(o))

    line = b.departments * d["staff_share"] + d["hub_heads"]
    posts = o["heads"] * o["staff_share"] + extra_heads(admin)[0]
    # of the heads of a station, 5 in 7 are there on each of seven open days
    days = admin.structure.days
    stations = o["station_heads"] * o["staff_share"] * 5.0 / days
    grids = np.bincount(columns.serving()[columns.city.grids.community], minlength=len(o))
    return [
        (h.OFFICES, posts * o["filled"], OFFICE),
        *((h.STATIONS, stations * (days == n), OPEN[n]) for n in OPEN),
        (h.GRIDS, grids.astype(float), OFFICE),
        (h.DEPARTMENTS, at_first(line), OFFICE),
        (h.DEPARTMENTS, at_first(b.hotline), DAILY),
    ]


def extra_heads(admin) -> tuple[np.ndarray, np.ndarray]:
    """Heads of extra offices of large subdistricts, and what each pays for all of them a year."""
    w, b, people = admin.setting.world, admin.setting.base, admin.structure.territory.people
    counted = people * (1 + w["count_inflation"])
    size = np.clip((counted / (w["large_unit"] * people.mean()) - 1) / 0.5, 0, 1)
    each = w["extra_office_heads"] * people.mean() / 1e4
    price = each * w["wage"] * (1 + w["extra_office_cost"])
    total = np.bincount(b.district, admin.paid["extra_offices"] * size) * price  # paid in full
    share = b.people / b.district_people[b.district]
    return admin.rules["extra_offices"] * size * each, total[b.district] * share


class Ledger:
    """Independent books of a run's hours and money, turn by turn, year by year."""

    def __init__(self, model: CityModel, monkeypatch: pytest.MonkeyPatch) -> None:
        self.admin = a = model.administration
        self.paid = np.zeros((len(h.CLASSES), len(a.offices)))
        self.heads: list[tuple[int, np.ndarray, int]] = []
        self.since = self.closings = 0
        self.tables = (a.economy.accounts, a.economy.district_accounts)
        self.flows = [np.zeros(len(t)) for t in self.tables]
        self.spent = self.revenue = 0.0
        self.received = a.people.organisations["received"].copy()
        self.dependence = a.people.organisations["dependence"].copy()
        self.purchasing = a.rules["service_purchasing"].copy()
        self._act, a.act = a.act, self.act
        self._close = posts.close_books
        monkeypatch.setattr(posts, "close_books", self.close)

    def close(self, columns, attendance, books, day: float) -> None:
        for cls, heads, calendar in self.heads:
            self.paid[cls] += heads * open_hours(self.since, day, calendar)
        self._close(columns, attendance, books, day)
        self.closings += 1
        np.testing.assert_allclose(books.hours.sum(axis=2), self.paid, rtol=1e-9)
        spent = np.delete(books.hours, h.A["slack"], axis=2)
        assert (spent >= -1e-6).all()  # slack alone may be negative: overtime

    def act(self, columns, day: int, month: int | None, until: int) -> None:
        balances = [table["balance"].copy() for table in self.tables]
        self._act(columns, day, month, until)
        if month is not None and month % 12 == 0:
            self.paid[:] = 0.0
            for table, flow, balance in zip(self.tables, self.flows, balances, strict=True):
                flow[:] = balance
                np.testing.assert_array_equal(table["opening"], balance)
        self.heads, self.since = heads_in_post(self.admin, columns), day
        self._money(day, until, balances)
        self._organisations(month)
        self.purchasing = self.admin.rules["service_purchasing"].copy()

    def _money(self, day: int, until: int, balances: list[np.ndarray]) -> None:
        years = (until - day) / 365.0
        month = (month_start(month_of(day) + 1) - day) / 365.0
        units, districts = self._subdistricts(balances[0] / month), self._districts()
        for k, (revenue, spending) in enumerate((units, districts)):
            table = self.tables[k]
            near = dict(rtol=1e-9, atol=1e-9 * table["transfer"].max())
            np.testing.assert_allclose(table["spending_rate"], spending, **near)
            left = balances[k] + (table["transfer"] + revenue - spending) * years
            np.testing.assert_allclose(table["balance"], left, **near)
            assert (table["balance"] >= 0).all()
            self.flows[k] += (table["transfer"] + revenue - spending) * years
            self.spent += spending.sum() * years
            self.revenue += revenue.sum() * years
            np.testing.assert_allclose(table["balance"], self.flows[k], **near)
            np.testing.assert_allclose(treasury.imbalance(table), 0.0, **near)

    def _subdistricts(self, carried: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Yearly revenue and spending: heads at one wage, measures, bids out of own money."""
        a, w, b = self.admin, self.admin.setting.world, self.admin.setting.base
        kept = w["retained"] + w["revenue_compensation"] * (1 - w["retained"])
        revenue = kept * a.offices["project_revenue"]
        posts_before = b.offices["heads"] + b.offices["station_heads"]
        heads = posts_before * a.offices["staff_share"] + b.grids
        bought = a.paid["service_purchasing"] - LEVERS["service_purchasing"].default
        measures = a.scenario.costs_at(self.since, a.setting.city) + bought * b.people / 1e4
        open_days = 1 + 0.5 * (a.paid["opening_days"] / 5 - 1)
        measures += w["station_cost"] * (a.stations * open_days - b.stations) + extra_heads(a)[1]
        t = a.structure.territory
        measures += np.where(self.since < t.changed_on + 365, t.upheaval, 0.0)
        space, mode = a.paid["premises_space"], MODES[a.scenario.premises.mode]
        rooms = mode.share * (mode.capital / 20 + mode.running * a.paid["opening_days"] / 5)
        measures += w["cost_factor"] * space * rooms * b.people / 1e4
        measures += w["wage"] * w["pay_per_sd"] * a.paid["pay_grade"] * b.grids
        bids = np.minimum(a.offices["bids"], carried + revenue)
        return revenue, w["wage"] * heads + measures + bids

    def _districts(self) -> tuple[np.ndarray, np.ndarray]:
        a, w, b = self.admin, self.admin.setting.world, self.admin.setting.base
        lost = (1 - w["retained"]) * (1 - w["revenue_compensation"])
        revenue = np.bincount(b.district, weights=lost * a.offices["project_revenue"])
        size = LEVERS["district_team_size"].default * b.people / 1e5
        team = np.bincount(b.district, weights=size)
        seats = baseline.SEAT_HEADS * b.hotline
        heads = b.departments * a.districts["staff_share"] + seats + a.districts["hub_heads"]
        size = a.paid["district_team_size"] * b.people / 1e5  # paid in full, whatever is realised
        return revenue, w["wage"] * (heads + np.bincount(b.district, weights=size) - team)

    def _organisations(self, month: int | None) -> None:
        """Opening + purchased + donations = spending + closing, and what was bought arrives."""
        o, b = self.admin.people.organisations, self.admin.setting.base
        np.testing.assert_allclose(o["received"], o["spent"] + o["funds"], rtol=1e-9, atol=1e-6)
        assert (o["funds"] >= -1e-6).all()
        income = np.bincount(o["office"], weights=o["received"] - self.received)
        self.received = o["received"].copy()
        crowded = np.maximum(self.dependence - b.organisations["dependence"], 0.0)
        given = baseline.DONATIONS * b.people[o["office"]] * o["reach"]
        given = np.bincount(o["office"], weights=given * (1 - people_rules.CROWDING_OUT * crowded))
        self.dependence = o["dependence"].copy()
        monthly = (self.purchasing * b.people + given) / 12.0
        np.testing.assert_allclose(income, monthly if month else 0 * monthly, rtol=1e-9)


def follow(scenario: Scenario, seed: int) -> tuple[CityModel, Ledger]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        model = CityModel(scenario, rng=seed)
        ledger = Ledger(model, monkeypatch)
        model.run_until(scenario.days)
    assert ledger.closings >= 3
    check_shares(model)
    return model, ledger


def check_shares(model: CityModel) -> None:
    """Shares and indices lie in [0, 1]."""
    table = model.outcomes()
    within = table["unit"].str.startswith("share") | (table["unit"] == "0–1")
    table = table[within & ~table["outcome"].isin(NOT_WITHIN_ONE)]
    assert len(table) > 50
    outside = table[(table["value"] < -1e-12) | (table["value"] > 1 + 1e-12)]
    assert outside.empty, outside.to_string()
    a = model.administration
    for values in (a.people.participation, a.districts):
        assert np.isfinite(np.asarray(values.tolist())).all()


@settings(max_examples=25)
@given(data=st.data())
def test_hours_and_money_balance_in_any_scenario(data, scenarios):
    follow_or_reject(follow, data, scenarios)


@pytest.mark.slow
@settings(max_examples=300, derandomize=False)
@given(data=st.data())
def test_hours_and_money_balance_in_many_scenarios(data, scenarios):
    follow_or_reject(follow, data, scenarios)


def test_every_regime_gets_the_same_money(town, every_measure):
    """The same transfer to the bit; spending differs by own revenue and carried money alone."""
    facts = {"projects": 10.0, "effort_elasticity": 1.0, "own_revenue": 0.1}
    single = [[Step(measure=name, from_day=30)] for name in every_measure]
    duty = [Step(measure="remove_investment_duty", from_day=30)]
    regimes = [(steps, 770) for steps in ([], duty, [step for steps in single for step in steps])]
    transfers, given_out, revenues = [], [], []
    for steps, days in regimes + [(steps, 95) for steps in single]:
        model, ledger = follow(town(*steps, days=days, uncertainties=facts), seed=4)
        transfers.append([table["transfer"].tobytes() for table in ledger.tables])
        carried = sum(table["balance"].sum() for table in ledger.tables)
        given_out.append((ledger.spent - ledger.revenue + carried) / days)
        revenues.append(ledger.revenue)
        told = sum(span.money[1].sum() for span in model.history.periods)
        assert told == pytest.approx(ledger.spent, rel=1e-9)
    assert all(transfer == transfers[0] for transfer in transfers)
    np.testing.assert_allclose(given_out, given_out[0], rtol=1e-9)
    assert len(np.unique(np.round(revenues[:3], 6))) > 1  # revenue is their own affair


def test_a_city_has_every_outcome_in_every_period(town, every_measure):
    """No outcome goes missing (NaN is left out of the table), at the level of the whole city."""
    for steps in ((), [Step(measure=name, from_day=60) for name in every_measure]):
        model = CityModel(town(*steps, warm_up=60, days=450), rng=1)
        model.run_until(450)
        table = model.outcomes()
        city = table[table["level"] == "city"]
        names = {outcome.name for outcome in OUTCOMES}
        for period in ("warm_up", "transition", "after"):
            assert set(city[city["period"] == period]["outcome"]) == names
        assert not table["value"].isna().any()


def test_states_are_those_of_the_people(town):
    """What the city is said to be at the end of its first month, counted person by person."""
    model = CityModel(town(warm_up=30, days=60), rng=2)
    model.run_until(30)
    table = model.outcomes()
    told = table[table["level"] == "city"].set_index("outcome")["value"]
    people = model.residents
    assert told["satisfaction"] == pytest.approx(people.agg("satisfaction_now", np.mean), rel=1e-6)
    walk = model.columns.grids["walk"][people.get("place")]
    near = walk <= np.where(people.get("age") == 2, 0.8, 1.1)
    assert told["within_15_minutes"] == pytest.approx(near.mean(), rel=1e-9)
    share = model.administration.people.participation[people.get("community")]
    assert told["participation"] == pytest.approx(share.mean(), rel=1e-9)


def test_a_whole_is_the_mean_or_the_sum_of_its_parts(town):
    """People-weighted means of parts give the whole; districts, subdistricts, types and ages."""
    model = CityModel(town(warm_up=30, days=120), rng=2)
    model.run_until(120)
    table = model.outcomes()
    c = model.city
    kinds = np.bincount(c.communities.kind, weights=c.communities.population, minlength=6)
    places = {
        "district": (c.districts.name, c.districts.population),
        "subdistrict": (c.subdistricts.name, c.subdistricts.population),
        "community_type": (COMMUNITY_TYPES, kinds),
        "age": (AGE_GROUPS, np.bincount(c.people.age, minlength=3)),
    }
    for outcome in ("satisfaction", "needs", "within_15_minutes", "hotline_contacts"):
        rows = table[(table["outcome"] == outcome) & (table["period"] == "after")]
        whole = rows[rows["level"] == "city"]["value"].item()
        for level, (names, people) in places.items():
            part = rows[rows["level"] == level]
            weight = dict(zip(names, people, strict=True))
            w = np.array([weight[place] for place in part["place"]], float)
            assert np.average(part["value"], weights=w) == pytest.approx(whole, rel=1e-9)
            assert w.sum() == len(model.residents)


@given(
    heads=st.lists(st.floats(1e-3, 30), min_size=1, max_size=12),
    groups=st.integers(1, 3),
)
def test_levelling_thin_desks_keeps_heads(heads, groups):
    """No head appears or vanishes; no desk is left too thin where the others can spare it."""
    desk = np.array([*heads, 0.0])
    group = np.arange(len(desk)) % groups
    out = staff.level_up(desk, group)
    before, after = (np.bincount(group, weights=x) for x in (desk, out))
    np.testing.assert_allclose(after, before, rtol=1e-12)
    assert out[-1] == 0.0
    for g in range(groups):
        here = (group == g) & (desk > 0)
        if here.any():
            least = min(staff.FEWEST_HEADS, desk[here].mean())
            assert out[here].min() >= least * (1 - 1e-9)
            if desk[here].min() >= staff.FEWEST_HEADS:
                np.testing.assert_array_equal(out[here], desk[here])


@pytest.mark.parametrize("measures", [(), ("five_plus_x_offices", "convenience_centre")])
def test_waits_by_desk_add_up_to_those_by_stage(town, measures):
    """Every day waited is told once by its stage and once by its desk; so is every visit."""
    reform = tuple(Step(measure=name, from_day=0) for name in measures)
    model = CityModel(town(*reform, days=200, warm_up=0), rng=4)
    model.run_until(200)
    rows = model.waits().pivot(index="outcome", columns="kind", values="value")
    counts = dict(zip(TALLY, model.columns.tally.sum(axis=(0, 1)), strict=True))
    heard, sent = counts["voiced"] + counts["found"], counts["dispatched"]
    visits = rows["visits"].dropna() * counts["needs"] / 100
    by_desk = (rows["desk"] * visits).dropna()
    intake = ["grid", "station", "centre", "hotline"]
    front = by_desk.index.isin(intake)
    assert by_desk[front].sum() == pytest.approx(rows.loc["intake_wait", "wait"] * heard)
    assert by_desk[~front].sum() == pytest.approx(rows.loc["desk_wait", "wait"] * sent)
    # what was sent to a desk has left it, or is one of the cases still open
    still = (model.columns.districts[0].cases["stage"] != FREE).sum()
    ended = visits[~visits.index.isin(intake)].sum()
    assert counts["visits"] - 6 * still <= ended <= counts["visits"]
    assert visits.filter(like="merged.").sum() > 0 or not measures
    assert (visits.filter(like="merged.") == 0).all() or measures
