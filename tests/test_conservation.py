"""What must never be lost: needs, cases, records, residents, posts, in any scenario.

`Audit` looks on at every turn of a run: when institutions act, before and after.
"""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reformsim.cases import state as s
from reformsim.cases.columns import drifted, groups_at, open_cases
from reformsim.cases.flow import desk_now
from reformsim.model import CityModel
from reformsim.scenario import Scenario, Step
from support import follow_or_reject


def total(columns, name: str) -> np.ndarray:
    """One count by community and age group, (communities, 3)."""
    return columns.tally[:, :, s.T[name]]


def open_now(columns, day: float) -> np.ndarray:
    return np.concatenate([open_cases(d, day)[0].sum(axis=2) for d in columns.districts])


def check_flows(columns, day: float) -> None:
    """Needs and cases: in = out + open, for every community and age group, exactly."""
    ways = sum(total(columns, w) for w in ("market", "self_solved", "silent", "voiced"))
    np.testing.assert_array_equal(total(columns, "needs"), ways)
    channels = sum(total(columns, w) for w in ("grid", "station", "hotline"))
    np.testing.assert_array_equal(total(columns, "voiced"), channels)
    assert (total(columns, "found") <= total(columns, "silent")).all()
    ended = sum(total(columns, w) for w in ("closed", "lapsed", "orphaned"))
    taken_in = total(columns, "voiced") + total(columns, "found")
    np.testing.assert_array_equal(taken_in, ended + open_now(columns, day))
    closed = sum(total(columns, w) for w in ("solved", "sham", "unsolved"))
    np.testing.assert_array_equal(total(columns, "closed"), closed)
    np.testing.assert_array_equal(columns.days.sum(axis=2), total(columns, "closed"))
    daily = sum(d.daily[: int(day)].sum(axis=0) for d in columns.districts)
    assert daily[0] == total(columns, "needs").sum()
    assert daily[2] == total(columns, "closed").sum()


def check_records(d) -> None:
    """Every record is free or in use, and every chain of a case has its lead."""
    stage = d.cases["stage"]
    free = []
    i = d.state[s.FREE_HEAD]
    while i >= 0:
        free.append(i)
        i = d.links[i]
    assert len(free) == len(set(free)) == d.state[s.FREE_COUNT]
    assert (stage[free] == s.FREE).all()
    assert len(free) + (stage != s.FREE).sum() == len(d.cases)

    row = np.arange(len(d.cases))
    in_use = (stage != s.FREE) & (stage != s.ENDED)
    to_city, i = [], d.state[s.CITY_HEAD]
    while i >= 0:
        to_city.append(i)
        i = d.links[i]
    assert len(to_city) == len(set(to_city))
    assert set(to_city) == set(np.flatnonzero(stage == s.CITY))
    child = in_use & (d.cases["parent"] != row)
    lead = d.cases[d.cases["parent"][child]]
    assert (lead["parent"] == d.cases["parent"][child]).all()
    assert (lead["key"] == d.cases["key"][child]).all()
    assert np.isin(
        lead["stage"], (s.PART, s.WRONG, s.ARRIVE, s.GIVE_UP, s.WAITING, s.CLIMB, s.CITY)
    ).all()
    children = np.bincount(d.cases["parent"][child], minlength=len(d.cases))
    leads = in_use & ~child
    running = children + (stage != s.WAITING)
    several = leads & (d.cases["open"] > 0)
    np.testing.assert_array_equal(d.cases["open"][several], running[several])
    assert (children[leads & (d.cases["open"] == 0)] == 0).all()
    assert (d.cases["open"][leads & (stage == s.WAITING)] > 0).all()


def check_desks(d, now: float) -> None:
    """Cases at desks stand where the rules send them, and start in order of arrival."""
    at_desk = np.isin(d.cases["stage"], s.AT_DESK) & (d.cases["desk"] >= 0)
    rows = np.flatnonzero(at_desk)
    hours = np.array([open_hours(0, now, c) for c in range(5)])
    waiting = rows[d.cases["start"][rows] >= hours[d.desks["calendar"][d.cases["desk"][rows]]]]
    assert (d.desks["servers"][d.cases["desk"][rows]] > 0).all()
    assert (d.desks["speed"][d.cases["desk"][rows]] > 0).all()
    for i in waiting:
        assert d.cases["desk"][i] == desk_now(d, i)
    # chains of one case that came at one moment may stand in any order
    queue = np.sort(d.cases[waiting], order=["desk", "arrived", "key", "start"])
    same = queue["desk"][1:] == queue["desk"][:-1]
    assert (queue["start"][1:] >= queue["start"][:-1])[same].all()


def check_pulse(columns, day: float) -> None:
    """Sums by community and age group are those of the residents, drifted to the day."""
    for k, d in enumerate(columns.districts):
        home = d.grids["community"][d.residents["place"]]
        cell = home * 3 + d.residents["age"]
        n = np.bincount(cell, minlength=d.pulse.size)
        np.testing.assert_array_equal(n, d.pulse["people"].ravel())
        exact = np.bincount(cell, weights=drifted(d, day)[0], minlength=d.pulse.size)
        felt = np.nan_to_num(groups_at(d, day).ravel()) * n
        np.testing.assert_allclose(felt, exact, rtol=1e-6)
        assert n.sum() == columns.slices(k)[3].stop - columns.slices(k)[3].start


def open_hours(start: float, end: float, calendar: int) -> float:
    """Hours that a calendar is open in whole days [start, end), counted day by day."""
    days, hours = ((7, 24), (5, 8), (7, 12), (6, 8), (7, 8))[calendar]
    return float(sum(hours for day in range(int(start), int(end)) if day % 7 < days))


class Audit:
    """Looks on whenever institutions act; nothing in progress may be lost, doubled or stranded."""

    def __init__(self, model: CityModel) -> None:
        self.admin, self.turns = model.administration, 0
        self._act, self.admin.act = self.admin.act, self.act

    def act(self, columns, day: int, month: int | None, until: int) -> None:
        check(columns, day)
        before = [in_progress(d) for d in columns.districts]
        tally, workers = columns.tally.copy(), len(self.admin.people.workers)
        self._act(columns, day, month, until)
        self.turns += 1
        assert [in_progress(d) for d in columns.districts] == before
        np.testing.assert_array_equal(columns.tally, tally)
        assert len(self.admin.people.workers) == workers == len(columns.grids)
        for d in columns.districts:
            check_records(d)
            check_desks(d, day)


def check(columns, day: int) -> None:
    check_flows(columns, day)
    check_pulse(columns, day)
    for d in columns.districts:
        check_records(d)


def in_progress(d) -> Counter:
    """Cases and chains with an event to come, by need and by the parts still to do."""
    rows = d.cases[(d.cases["stage"] != s.FREE) & (d.cases["stage"] != s.ENDED)]
    return Counter(rows[["key", "mask", "parts", "resident"]].tolist())


def follow(scenario: Scenario, seed: int) -> CityModel:
    """Run a scenario under the eyes of an audit, asking on other days too."""
    model = CityModel(scenario, rng=seed)
    audit = Audit(model)
    age = model.columns.residents["age"].copy()
    for day in (7, 45, 46, scenario.days):
        model.run_until(day)
        check(model.columns, day)
    assert audit.turns >= 4
    np.testing.assert_array_equal(model.columns.residents["age"], age)
    return model


@settings(max_examples=25)
@given(data=st.data())
def test_nothing_is_lost_in_any_scenario(data, scenarios):
    follow_or_reject(follow, data, scenarios)


@pytest.mark.slow
@settings(max_examples=300, derandomize=False)
@given(data=st.data())
def test_nothing_is_lost_in_many_scenarios(data, scenarios):
    follow_or_reject(follow, data, scenarios)


def test_waiting_cases_survive_a_reform_and_its_end(town, every_measure):
    """An overloaded town: hundreds wait at desks, hub and table when everything changes."""
    steps = [Step(measure=name, from_day=60, until=131) for name in every_measure]
    facts = {"needs": 9.0, "staffing_needs": 5.0, "hub_staffing": 0.5, "cross_share": 0.42}
    facts |= {"dispute_share": 0.3}
    model = CityModel(town(*steps, days=200, uncertainties=facts), rng=1)
    Audit(model)
    waiting = {}
    for day in (59, 60, 130, 131, 150):
        model.run_until(day)
        (d,) = model.columns.districts
        waiting[day] = {x: (d.cases["stage"] == x).sum() for x in (*s.AT_DESK, s.START)}
    assert sum(waiting[59].values()) > 500
    assert waiting[130][s.HUB] > 10 and waiting[130][s.START] > 10
    # the committee is gone: visits in service end, the cases that waited went on to their desks
    assert waiting[131][s.HUB] < 10 and waiting[150][s.HUB] == 0


def test_parts_that_lapse_end_their_case_once(town):
    """Too few staff and short patience: chains of a case lapse, one by one or together."""
    facts = {"needs": 10.0, "staffing_needs": 1.5, "patience": 30.0, "cross_share": 0.42}
    model = follow(town(days=200, uncertainties=facts, keep_cases=True), seed=1)
    (d,) = model.columns.districts
    ended = d.cases[(d.cases["stage"] == s.ENDED) & (d.cases["state"] == s.LAPSED)]
    several = ended[(ended["parts"] > 1) & (ended["flags"] & s.FAILED > 0)]
    assert len(several) > 20
    assert (ended["flags"] & s.FAILED == 0).sum() > 20  # and whole cases at intake


def test_a_slower_conference_takes_up_its_agenda_where_it_stands(town):
    """When meetings become rarer, cases on the table wait for the next ones, not for years."""
    steps = [
        Step(measure="joint_conference", from_day=30, until=151),
        Step(measure="joint_conference", from_day=151, intensity=0.2),
    ]
    facts = {"cross_share": 0.42, "dispute_share": 0.5, "implementation": 1.0}
    model = CityModel(town(*steps, days=250, uncertainties=facts), rng=1)
    latest, tabled, period, agenda = {}, {}, {}, {}
    for day in (150, 250):
        model.run_until(day)
        (d,) = model.columns.districts
        latest[day] = d.cases["time"][d.cases["stage"] == s.START].max()
        tabled[day] = total(model.columns, "tabled").sum()
        period[day], agenda[day] = d.fixed[s.PERIOD_HOURS] / 24.0, d.fixed[s.AGENDA]
    assert period[250] > period[150]
    assert latest[150] > 250  # a long table when the rhythm changes
    meetings = (tabled[250] - tabled[150]) / agenda[250] + 1
    assert latest[250] <= latest[150] + meetings * period[250]


def test_two_districts_conserve(sweep, every_measure):
    steps = [Step(measure=name, from_day=40) for name in every_measure[::2]]
    follow(sweep(*steps, days=70), seed=3)
