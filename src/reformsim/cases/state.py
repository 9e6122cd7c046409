"""The columns of the case engine: one packed record each for cases, desks, units and so on.

``District`` bundles one district's columns for the kernels. Everything in it is an array, most
of them views of city-wide arrays: institutions write rows, kernels read them, and threads of
different districts never touch the same row.
"""

import math
from enum import IntEnum
from typing import Any, ClassVar

import numpy as np

from reformsim import categories
from reformsim.cases.handle import Bundle
from reformsim.city.territory import ALIAS
from reformsim.kernels import njit
from reformsim.uncertainties import WORLD

# stages of a case: what its pending event will be
(
    FREE,
    NEED,
    FOUND,
    INTAKE,
    LOCAL,
    PART,
    WRONG,
    ARRIVE,
    HUB,
    START,
    WAITING,
    CLOSE,
    GIVE_UP,
    ENDED,
    SPOT,
    MEDIATION,
    CLIMB,
    CITY,
) = range(18)
#: Stages whose pending event follows a service at a desk.
AT_DESK = (INTAKE, LOCAL, PART, WRONG, HUB, SPOT, MEDIATION)
#: Stages without a pending event of their own: others will say when it is.
IDLE = (FREE, WAITING, ENDED, CITY)

# how a need ended
(OPEN, SOLVED, SHAM, UNSOLVED, LAPSED, ORPHANED, SILENT, SELF_SOLVED, MARKET) = range(9)
STATES = (
    "open", "solved", "sham", "unsolved", "lapsed", "orphaned", "silent", "self_solved", "market",
)  # fmt: skip

# channels, in the order of the choice
SILENCE, NEIGHBOURS, MARKETS, GRID, STATION, HOTLINE = range(6)
CHANNELS = ("silence", "neighbours", "market", "grid", "station", "hotline")

# flags of a case
JOINT, TABLED, DISPUTED, REOPENED, PATROLLED, DISPATCHED, FAILED = 1, 2, 4, 8, 16, 32, 64
WINDOW = 128  # the convenience centre takes all parts in one visit
DECIDED = 256  # a higher level or a platform has said whose case it is
DELEGATED = 512  # intake settles it by powers that were delegated
MEDIATED = 1024  # a platform has tried
OVERDUE = 2048  # open past the promised time: it weighs on the resident

CASE = np.dtype(
    [
        ("time", "f8"),  # wall time of the pending event, days
        ("key", "u8"),  # the need's own stream of chance
        ("need", "f8"),  # wall time at which the need arose
        ("voiced", "f8"),  # wall time at which intake heard of it
        ("begun", "f8"),  # wall time of the first service's start; -1 before it
        ("arrived", "f8"),  # at the present desk, wall time
        ("start", "f8"),  # of the present service, working hours
        ("finish", "f8"),  # working hours
        ("delay", "f8"),  # elapsed days that follow the present service
        ("parent", "i4"),  # the lead record of a case with parallel chains; itself otherwise
        ("resident", "i4"),
        ("desk", "i4"),
        ("community", "i2"),
        ("flags", "u2"),
        ("stage", "u1"),
        ("category", "u1"),
        ("parts", "u1"),  # number of departments K
        ("mask", "u1"),  # parts that this chain still has to visit, as bits
        ("absorbed", "u1"),  # parts taken along by another part's merged office
        ("attempt", "u1"),
        ("open", "u1"),  # chains still running, on the lead record
        ("transfers", "u1"),
        ("channel", "u1"),
        ("state", "u1"),
    ]
)

#: A need of the day that is still to arise.
NEED_ROW = np.dtype([("time", "f8"), ("key", "u8"), ("resident", "i4"), ("category", "i4")])

#: A resident; satisfaction, expectation and trust as of the day last touched.
RESIDENT = np.dtype(
    [
        ("satisfaction", "f4"),
        ("expectation", "f4"),
        ("burden", "f4"),  # silent needs, decaying
        ("touched", "f4"),  # day
        ("place", "i4"),  # grid lived in, local index in the district
        ("trust_grid", "u2"),  # trust in [0, 1], in units of 1/65535
        ("trust_station", "u2"),
        ("trust_hotline", "u2"),
        ("age", "u1"),
        ("known", "u1"),  # 1 after a first success with a public channel
    ]
)

GRID_ROW = np.dtype(
    [
        ("id", "u8"),  # permanent id of the birth cell
        ("first", "i4"),  # first resident, local index
        ("people", "i4"),
        ("community", "i4"),  # local index
        ("weight", "f8"),  # sum of need multipliers
        ("walk", "f8"),  # km to the station
        ("desk", "i4"),  # of its grid worker, or of the merged grid
    ]
)

COMMUNITY_ROW = np.dtype(
    [
        ("unit", "i4"),  # subdistrict, local index
        ("kind", "u1"),
        ("urban", "?"),
        ("window", "?"),  # served by the convenience centre
        ("desk", "i4"),  # where its station cases go
        ("neighbours", "f8"),  # odds of asking neighbours, against silence
        ("self_factor", "f8"),  # on the chance that neighbours settle it
        ("organised", "f8"),  # share of eligible cases that social organisations serve
        ("appeal", "f8"),  # utility of its station's rooms and open days
        ("contact", "f8"),  # utility added to asking the grid worker
        ("police", "?"),  # an officer in post
        ("online", "f8"),  # share of the hotline's services that can be had online
        ("market", "f8"),  # odds of the market, against silence
    ]
)

UNIT_ROW = np.dtype(
    [
        ("p_mis", "f8"),
        ("orphan", "f8"),
        ("joint", "f8"),
        ("conference", "f8"),
        ("follow_up", "f8"),
        ("gate_delay", "f8"),
        ("decision_delay", "f8"),
        ("sham", "f8"),
        ("audit", "f8"),
        ("poor", "f8"),
        ("patrol_rate", "f8"),  # finds per day of a given open public problem
        ("linkage", "f8"),
        ("expectation_shift", "f8"),
        ("neglect", "f8"),  # share of attention that hard cases lose
        ("escalation", "f8"),  # share of stuck cases that the levels above take up
        ("mediation", "f8"),  # share of disputes that a platform takes up
        ("agreement", "f8"),  # chance that it settles one
        ("mediation_hours", "f8"),
        ("procedure", "f8"),  # hours on each part
        ("audit_hours", "f8"),  # on each case, for the closings that are audited by law
        ("treatment", "f8"),  # log sd of elapsed delays between residents
        ("delegated", "f8"),  # share of what would be dispatched that intake may settle
        ("poor_new", "f8"),  # chance of a poor fix by delegated powers
    ]
)

DESK = np.dtype(
    [
        ("servers", "i4"),
        ("first", "i4"),  # of its servers in ``free``
        ("speed", "f8"),  # hours of work done per working hour of one server
        ("busy", "f8"),  # server working hours since the last settlement
        ("visits", "i8"),  # ended so far
        ("waited", "f8"),  # days until their service began, summed
        ("calendar", "u1"),
    ]
)

#: One resident group of one community: satisfaction and burden summed, drifting in closed form.
PULSE = np.dtype([("satisfaction", "f8"), ("burden", "f8"), ("baseline", "f8"), ("time", "f8"),
                  ("people", "f8")])  # fmt: skip


class Count(IntEnum):
    """What is counted, per community and age group; first what most needs count, close together."""

    NEEDS = 0
    SILENT = 1
    SELF_SOLVED = 2
    PROBLEM_DAYS = 3
    MARKET = 4
    VOICED = 5
    GRID = 6  # the three channels, in the order of the choice
    STATION = 7
    HOTLINE = 8
    FOUND = 9
    SETTLED = 10
    DISPATCHED = 11
    CROSS = 12
    VISITS = 13
    TRANSFERS = 14
    TO_DEPARTMENT = 15
    JOINT = 16
    TABLED = 17
    CLOSED = 18
    SOLVED = 19
    MEASURED = 20
    SHAM = 21
    REOPENED = 22
    UNSOLVED = 23
    LAPSED = 24
    ORPHANED = 25
    CONTENT = 26
    FELT = 27
    DAYS = 28
    ORGANISED = 29
    WALK = 30
    ESCALATED = 31
    MEDIATED = 32
    ON_SPOT = 33
    ORDER = 34  # public-order cases heard of, and of firms' requests
    ORDER_DAYS = 35  # days they were open; those of open cases are added when a span ends
    ORDER_PROMPT = 36  # closed within the promise of a local settlement
    FIRMS = 37
    FIRM_DAYS = 38
    FIRMS_ENDED = 39
    FIRMS_SERVED = 40  # performance, summed
    CROSS_DAYS = 41


class Wait(IntEnum):
    """Where days go, summed by district: intake of all cases, stages of dispatched ones."""

    INTAKE_WAIT = 0
    INTAKE_WORK = 1
    LOCAL_DELAY = 2
    TRANSFER = 3
    HUB = 4
    CONFERENCE = 5
    DESK_WAIT = 6
    DESK_WORK = 7
    PART_DELAY = 8
    COMMON_DELAY = 9
    ESCALATION = 10
    MEDIATION = 11


#: Counts of days that grow while a case is open, in the order of `columns.open_cases`.
KINDS = (Count.PROBLEM_DAYS, Count.ORDER_DAYS, Count.FIRM_DAYS, Count.CROSS_DAYS)
#: Kinds of desk, in the order of `desk_offsets`; those of one level by category or merged office.
DESK_KINDS = (
    "grid", "station", "centre", *(f"subdistrict.{name}" for name in categories.NAMES),
    *(f"merged.{name}" for name in categories.OFFICE_NAMES),
    *(f"department.{name}" for name in categories.NAMES), "hotline", "hub", "post",
)  # fmt: skip
TALLY = tuple(count.name.lower() for count in Count)
WAITS = tuple(wait.name.lower() for wait in Wait)
#: Position of a count by its name.
T = {name: i for i, name in enumerate(TALLY)}

#: Logarithmic bins of days to close: bin b holds 0.01·g^b to 0.01·g^(b+1) days.
BINS = 160
BIN_FIRST = 0.01
BIN_GROWTH = (4000.0 / BIN_FIRST) ** (1.0 / BINS)


@njit(cache=True)
def days_bin(days):
    """Logarithmic bin of days to close."""
    if days <= BIN_FIRST:
        return 0
    return min(int(math.log(days / BIN_FIRST) / math.log(BIN_GROWTH)), BINS - 1)


@njit(cache=True)
def is_cross(case):
    """Whether a case is dispatched to two departments or more."""
    return case.parts > 1 and case.flags & DISPATCHED > 0 and case.flags & WINDOW == 0


class District(Bundle):
    """One district as arrays; indices are local to it. Kernels write those below the line."""

    FIELDS: ClassVar[dict[str, tuple[Any, int]]] = {
        "world": (WORLD, 1),  # (1,)
        "categories": (categories.TABLE.dtype, 1),  # (12,)
        "accept": (np.float64, 2),  # (communities, 12) chance that a candidate need arises
        "lift": (np.float64, 1),  # (1,) candidates per need
        "category_cut": (np.float64, 1),  # (12,) cumulative shares of candidates
        "category_of": (np.float64, 1),  # (12,) cumulative shares of further parts
        "grids": (GRID_ROW, 1),
        "counts": (np.int64, 1),  # (grids,) candidates of the day
        "alias": (ALIAS, 1),
        "communities": (COMMUNITY_ROW, 1),
        "units": (UNIT_ROW, 1),
        "office_desk": (np.int32, 2),  # (units, 12) desk that answers for a category
        "fixed": (np.int64, 1),  # see below
        # --- state
        "residents": (RESIDENT, 1),
        "pulse": (PULSE, 2),  # (communities, 3)
        "desks": (DESK, 1),
        "free": (np.float64, 1),  # hours at which each server is free, a min-heap per desk
        "needs": (NEED_ROW, 1),  # of the day, in order of (time, key)
        "cases": (CASE, 1),
        "links": (np.int32, 1),  # next record in a chain or another list, -1 at its end
        "buckets": (np.int32, 2),  # (buckets, CHAINS) first record of each chain
        "heap_time": (np.float64, 1),
        "heap_case": (np.int32, 1),
        "span": (np.float64, 1),  # see below
        "state": (np.int64, 1),  # see below
        "tally": (np.float64, 3),  # (communities, 3, len(TALLY))
        "days": (np.uint32, 3),  # (communities, 3, BINS) closed cases by days
        "days_by_parts": (np.uint32, 2),  # (7, BINS) dispatched cases by departments
        "waits": (np.float64, 1),  # (len(WAITS),)
        "daily": (np.float64, 2),  # (days, 4) needs, voiced, closed, found
    }

    world: np.ndarray
    accept: np.ndarray
    lift: np.ndarray
    category_cut: np.ndarray
    grids: np.ndarray
    counts: np.ndarray
    communities: np.ndarray
    units: np.ndarray
    office_desk: np.ndarray
    fixed: np.ndarray
    residents: np.ndarray
    pulse: np.ndarray
    desks: np.ndarray
    free: np.ndarray
    needs: np.ndarray
    cases: np.ndarray
    links: np.ndarray
    buckets: np.ndarray
    heap_time: np.ndarray
    heap_case: np.ndarray
    span: np.ndarray
    state: np.ndarray
    tally: np.ndarray
    days: np.ndarray
    days_by_parts: np.ndarray
    waits: np.ndarray
    daily: np.ndarray


# fixed: offsets of desks, and switches
(
    STATIONS, CENTRES, TERRITORIAL, OFFICES, DEPARTMENTS, HOTLINE_DESK, HUB_DESK, POST_DESK, DESKS,
) = range(9)  # fmt: skip
KEEP, AROUND_THE_CLOCK, SERVICE, SEED, PERIOD_HOURS, AGENDA, FIRST_RESIDENT = range(9, 16)
# span
START_DAY, END_DAY, RATE, STOP_DAY = range(4)
# state; MEETING is the hour of the last meeting that cases were put down for, CITY_HEAD the first
# case on its way to the city level, WEIGHED the day on which overdue cases were last looked at,
# NEEDS the number of the day's needs, of which UPCOMING is the next to arise
(
    FREE_HEAD, FREE_COUNT, BUCKET, HEAP, MEETING, MEETING_LOAD, CITY_HEAD, WEIGHED, NEEDS, UPCOMING,
    STATE,
) = range(11)  # fmt: skip

#: Chains of records in a bucket, followed side by side: four links are waited for at once (1.02 to
#: 1.05 times faster, the more cases are open). A power of two.
CHAINS = 4

# distributions of work
LOGNORMAL, EXPONENTIAL, DETERMINISTIC = range(3)


def desk_offsets(grids: int, communities: int, units: int) -> list[int]:
    """First desk of each kind in a district: grids first, then the kinds of ``fixed``.

    The order is grid workers, stations (one possible site per community), convenience centres,
    territorial desks (units × 12), pooled offices (units × 5), line departments (12), hotline,
    hub, officers in post; the last entry is the number of desks.
    """
    sizes = [
        grids, communities, units, units * categories.COUNT, units * categories.OFFICES,
        categories.COUNT, 1, 1, 1,
    ]  # fmt: skip
    return [int(n) for n in np.cumsum(sizes)]
