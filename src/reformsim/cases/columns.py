"""City-wide columns of a run, and the districts as views of them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reformsim import categories
from reformsim.cases import needs
from reformsim.cases import state as s
from reformsim.cases.clock import ALWAYS, DAILY, OFFICE
from reformsim.cases.handle import AHEAD, prefetch
from reformsim.cases.threads import side_by_side
from reformsim.cases.voice import baseline_of, known_of, odds_of_market, odds_of_neighbours, touch
from reformsim.chance import seed_key
from reformsim.city import ages_by_grid
from reformsim.city.territory import City
from reformsim.kernels import njit
from reformsim.residents.feedback import drift

#: Columns of ``daily``: what is counted day by day, per district.
DAILY_COUNTS = ("needs", "voiced", "closed", "found")
AGES = 3
DAY_PARTS = 1048576.0


@njit(cache=True)
def _settle_residents(residents, age, first, first_resident, seed, world):
    """Give every resident the state of someone who has had no contact yet."""
    w = world[0]
    for g in range(len(first) - 1):
        for i in range(first[g], first[g + 1]):
            r = residents[i]
            r.satisfaction = baseline_of(w, seed, first_resident + i)
            r.expectation = w.baseline
            r.burden = 0.0
            r.touched = 0.0
            r.place = g
            r.trust_grid = 32768
            r.trust_station = 32768
            r.trust_hotline = 32768
            r.age = age[i]
            r.known = 1 if known_of(w, seed, first_resident + i) else 0


@njit(cache=True)
def sum_residents(residents, community_of, seed, first_resident, world, pulse):
    """Sum satisfaction, burden and baseline of residents by community and age group."""
    w = world[0]
    for i in range(len(residents)):
        r = residents[i]
        p = pulse[community_of[r.place], r.age]
        p.satisfaction += r.satisfaction
        p.burden += r.burden
        p.baseline += baseline_of(w, seed, first_resident + i)
        p.people += 1.0


@njit(cache=True)
def sum_again(d, t, living):
    """Take all sums anew at wall time ``t``: residents were edited.

    Sums by community and age group, and ``living`` (grids, 3), residents by grid and age group.
    """
    w = d.world[0]
    for community in range(d.pulse.shape[0]):
        for age in range(d.pulse.shape[1]):
            p = d.pulse[community, age]
            p.satisfaction = 0.0
            p.burden = 0.0
            p.baseline = 0.0
            p.people = 0.0
            p.time = t
    living[:] = 0.0
    for i in range(len(d.residents)):
        r = d.residents[i]
        living[r.place, r.age] += 1.0
        satisfaction, burden = touch(d, i, t)
        p = d.pulse[d.grids[r.place].community, r.age]
        p.satisfaction += satisfaction
        p.burden += burden
        p.baseline += baseline_of(w, d.fixed[s.SEED], d.fixed[s.FIRST_RESIDENT] + i)
        p.people += 1.0


@njit(cache=True)
def drifted(d, t):
    """Satisfaction and burden of every resident of a district at wall time ``t``, (2, n)."""
    out = np.empty((2, len(d.residents)))
    for i in range(len(d.residents)):
        out[0, i], out[1, i] = touch(d, i, t)
    return out


@njit(cache=True, nogil=True)
def groups_at(d, t):
    """Mean satisfaction of every community and age group at wall time ``t``, (communities, 3).

    Groups without people are NaN. Reads the sums as they drift, and leaves them alone.
    """
    w = d.world[0]
    out = np.full(d.pulse.shape, np.nan)
    for community in range(d.pulse.shape[0]):
        for age in range(d.pulse.shape[1]):
            p = d.pulse[community, age]
            if p.people > 0:
                total, _ = drift(
                    p.satisfaction, p.burden, p.baseline, t - p.time,
                    w.satisfaction_memory, w.silent_lifetime, w.burden_weight,
                )  # fmt: skip
                out[community, age] = total / p.people
    return out


@njit(cache=True, nogil=True)
def open_cases(d, t):
    """Open cases at ``t`` by community, age group and bin of the days since they were voiced.

    Returns their number, (communities, 3, bins), and the days summed, (kinds, communities, 3):
    of all, of public order, of firms, of several departments.
    """
    number = np.zeros((*d.pulse.shape, s.BINS), np.uint32)
    days = np.zeros((len(s.KINDS), *d.pulse.shape))
    for i in range(len(d.cases)):
        prefetch(d.residents, d.cases[min(i + AHEAD, len(d.cases) - 1)].resident)
        case = d.cases[i]
        if case.parent == i and case.stage not in (s.FREE, s.NEED, s.FOUND, s.ENDED):
            age = d.residents[case.resident].age
            number[case.community, age, s.days_bin(t - case.voiced)] += 1
            # whole parts of 2^-20 days: their sum does not depend on where records lie
            lasted = math.floor((t - case.voiced) * DAY_PARTS) / DAY_PARTS
            days[0, case.community, age] += lasted
            if case.category == categories.ORDER:
                days[1, case.community, age] += lasted
            elif case.category == categories.FIRMS:
                days[2, case.community, age] += lasted
            if s.is_cross(case):
                days[3, case.community, age] += lasted
    return number, days


@dataclass
class Columns:
    """Everything that changes in a run, as city-wide columns; ``districts`` are views of them."""

    city: City
    residents: np.ndarray
    grids: np.ndarray
    communities: np.ndarray
    units: np.ndarray
    accept: np.ndarray  # (communities, 12) chance that a candidate need arises
    living: np.ndarray  # (grids, 3) residents who live there now, by age group
    office_desk: np.ndarray
    pulse: np.ndarray
    tally: np.ndarray
    days: np.ndarray
    districts: list[s.District] = field(default_factory=list)
    threads: int = 1

    def each[T](self, act: Callable[..., T], *arguments: Sequence[Any]) -> list[T]:
        """Return ``act(district, ...)`` of every district, in their order, side by side.

        ``arguments`` have one entry a district each.
        """
        return side_by_side(act, self.districts, *arguments, threads=self.threads)

    def slices(self, district: int) -> tuple[slice, slice, slice, slice]:
        """Return a district's rows of units, communities, grids and residents."""
        c = self.city
        u = slice(*c.districts.first_subdistrict[district : district + 2])
        m = slice(c.subdistricts.first_community[u.start], c.subdistricts.first_community[u.stop])
        g = slice(c.communities.first_grid[m.start], c.communities.first_grid[m.stop])
        r = slice(c.grids.first_resident[g.start], c.grids.first_resident[g.stop])
        return u, m, g, r

    def serving(self) -> np.ndarray:
        """Return the subdistrict that serves each community now, city-wide row, (communities,)."""
        return self.communities["unit"] + self._first_unit()

    def serve(self, unit: np.ndarray) -> None:
        """Let subdistricts ``unit``, city-wide rows of the same districts, serve communities."""
        self.communities["unit"] = unit - self._first_unit()

    def _first_unit(self) -> np.ndarray:
        return self.city.districts.first_subdistrict[self.city.communities.district]


def build(
    city: City,
    world: np.record,
    seed: int,
    horizon: int,
    keep_cases: bool = False,
    around_the_clock: bool = False,
    service: int = s.LOGNORMAL,
) -> Columns:
    """Lay out a run's columns: residents without a history, desks without staff, no case.

    ``around_the_clock`` gives every desk an always-open calendar and needs any hour of the day,
    ``service`` the distribution of work: both for known answers of queueing theory.
    """
    n_units, n_communities = len(city.subdistricts), len(city.communities)
    if n_communities > np.iinfo(s.CASE["community"]).max:
        raise ValueError(f"{n_communities} communities: a case can tell 32,767 apart")
    columns = Columns(
        city=city,
        residents=np.zeros(len(city.people), s.RESIDENT),
        grids=np.zeros(len(city.grids), s.GRID_ROW),
        communities=np.zeros(n_communities, s.COMMUNITY_ROW),
        units=np.zeros(n_units, s.UNIT_ROW),
        accept=categories.MIX[city.communities.kind] / needs.peak(world),
        living=ages_by_grid(city).copy(),
        office_desk=np.zeros((n_units, categories.COUNT), np.int32),
        pulse=np.zeros((n_communities, AGES), s.PULSE),
        tally=np.zeros((n_communities, AGES, len(s.TALLY))),
        days=np.zeros((n_communities, AGES, s.BINS), np.uint32),
    )
    columns.communities["kind"] = city.communities.kind
    columns.communities["urban"] = city.communities.urban
    columns.communities["self_factor"] = 1.0
    columns.communities["neighbours"] = odds_of_neighbours(world, 0.0)
    columns.communities["market"] = odds_of_market(world, 1.0)
    columns.grids["id"] = city.grids.key
    columns.grids["people"] = np.diff(city.grids.first_resident)
    columns.grids["weight"] = city.grids.multiplier_sum
    for district in range(len(city.districts)):
        columns.districts.append(
            _district(
                columns, district, world, seed, horizon, keep_cases, around_the_clock, service
            )
        )
    return columns


def _district(
    columns: Columns,
    district: int,
    world: np.record,
    seed: int,
    horizon: int,
    keep_cases: bool,
    around_the_clock: bool,
    service: int,
) -> s.District:
    city = columns.city
    u, m, g, r = columns.slices(district)
    grids, communities = columns.grids[g], columns.communities[m]
    grids["first"] = city.grids.first_resident[g] - r.start
    grids["community"] = city.grids.community[g] - m.start
    communities["unit"] = city.communities.subdistrict[m] - u.start
    n_grids, n_communities, n_units = len(grids), len(communities), u.stop - u.start
    offsets = s.desk_offsets(n_grids, n_communities, n_units)
    fixed = np.zeros(s.FIRST_RESIDENT + 1, np.int64)
    fixed[: len(offsets)] = offsets
    fixed[s.KEEP] = keep_cases
    fixed[s.AROUND_THE_CLOCK] = around_the_clock
    fixed[s.SERVICE] = service
    fixed[s.SEED] = np.array(seed_key(seed), np.uint64).view(np.int64)
    fixed[s.FIRST_RESIDENT] = r.start
    desks = np.zeros(offsets[s.DESKS], s.DESK)
    desks["calendar"] = ALWAYS if around_the_clock else OFFICE
    if not around_the_clock:
        desks["calendar"][fixed[s.HOTLINE_DESK]] = DAILY
    shares = categories.TABLE["share"] * needs.peak(world)
    people = r.stop - r.start
    # records for the cases open at a time in an ordinary city; they grow as they must
    room = int(people * world["needs"] / 365.0 * 3.0) + 256
    per_day = int(np.clip(people * world["needs"] / 365.0 / 20.0, 1, 480))
    links = np.arange(1, room + 1, dtype=np.int32)
    links[-1] = -1
    state = np.zeros(s.STATE, np.int64)
    state[s.FREE_COUNT] = room
    state[s.CITY_HEAD] = -1
    d = s.District(
        world=np.array([world], dtype=world.dtype),
        categories=categories.TABLE,
        accept=columns.accept[m],
        lift=np.array([shares.sum()]),
        category_cut=np.cumsum(shares / shares.sum()),
        category_of=np.cumsum(categories.TABLE["share"]),
        grids=grids,
        counts=np.zeros(n_grids, np.int64),
        alias=city.people.alias[r],
        communities=communities,
        units=columns.units[u],
        office_desk=columns.office_desk[u],
        fixed=fixed,
        residents=columns.residents[r],
        pulse=columns.pulse[m],
        desks=desks,
        free=np.zeros(64),
        needs=np.zeros(int(people * world["needs"] / 365.0 * 3.0) + 64, s.NEED_ROW),
        cases=np.zeros(room, s.CASE),
        links=links,
        buckets=np.full((32 * per_day, s.CHAINS), -1, np.int32),
        heap_time=np.zeros(room),
        heap_case=np.zeros(room, np.int32),
        span=np.array([0.0, 0.0, per_day, 0.0]),
        state=state,
        tally=columns.tally[m],
        days=columns.days[m],
        days_by_parts=np.zeros((7, s.BINS), np.uint32),
        waits=np.zeros(len(s.WAITS)),
        daily=np.zeros((horizon, len(DAILY_COUNTS))),
    )
    first = city.grids.first_resident[g.start : g.stop + 1] - r.start
    _settle_residents(d.residents, city.people.age[r], first, r.start, fixed[s.SEED], d.world)
    # sums by community are taken from the residents as they stand
    sum_residents(d.residents, grids["community"], fixed[s.SEED], r.start, d.world, d.pulse)
    return d
