"""Run a district through a span of whole days: needs arise, events are handled in order."""

import numpy as np

from reformsim.cases.arrivals import count_candidates, generate
from reformsim.cases.clock import CALENDARS, finish_wall, to_work
from reformsim.cases.flow import desk_now, handle, work_of
from reformsim.cases.handle import AHEAD, prefetch
from reformsim.cases.intake import arise
from reformsim.cases.queue import (
    in_order,
    make_room,
    next_bucket,
    open_span,
    pop,
    set_servers,
    visit,
)
from reformsim.cases.state import (
    AT_DESK,
    BUCKET,
    END_DAY,
    FREE_COUNT,
    GIVE_UP,
    HEAP,
    HUB,
    INTAKE,
    LAPSED,
    NEED_ROW,
    NEEDS,
    RATE,
    SPOT,
    START,
    START_DAY,
    STOP_DAY,
    UPCOMING,
    District,
)
from reformsim.cases.work import unit_of
from reformsim.kernels import njit

DONE, FULL, CROWDED = range(3)
#: Records that one event may take: a case of six departments opens at most five more chains.
SLACK = 8


@njit(cache=True)
def _is_next(d, need, per_day):
    """Whether the upcoming need is the next event of all, in the bucket that is open."""
    if np.int64((need.time - d.span[START_DAY]) * per_day) > d.state[BUCKET]:
        return False
    if d.state[HEAP] == 0 or need.time < d.heap_time[0]:
        return True
    return need.time == d.heap_time[0] and need.key <= d.cases[d.heap_case[0]].key


@njit(cache=True, nogil=True)
def advance(d):
    """Handle needs and events up to the time to stop at.

    Returns FULL when records run out and CROWDED when the day's needs do: then call again.
    """
    per_day = np.int64(d.span[RATE])
    while True:
        if d.state[FREE_COUNT] < SLACK:
            return FULL
        n = d.state[UPCOMING]
        if n < d.state[NEEDS] and _is_next(d, d.needs[n], per_day):
            d.state[UPCOMING] = n + 1
            prefetch(d.residents, d.needs[min(n + AHEAD, d.state[NEEDS] - 1)].resident)
            arise(d, d.needs[n])
            continue
        if d.state[HEAP] > 0:
            i = pop(d)
            handle(d, i, d.cases[i].time)
            continue
        upcoming = d.state[BUCKET] + 1
        if d.span[START_DAY] + upcoming / per_day >= d.span[STOP_DAY]:
            return DONE
        if upcoming % per_day == 0:
            day = np.int64(d.span[START_DAY]) + upcoming // per_day
            candidates = count_candidates(d, day)
            if candidates > len(d.needs):
                return CROWDED
            generate(d, day, candidates)
        next_bucket(d)


def served_hours(d: District, now: float) -> np.ndarray:
    """Server hours that each desk has worked since the last `restaff`, up to wall time ``now``.

    Busy hours were booked on arrival; what is served only after ``now`` is taken off, in the
    order of the cases' keys: where a record lies in the pool must not show in the last bit.
    """
    worked = np.array([to_work(now, c) for c in range(len(CALENDARS))])
    rows = _unserved(d, worked)
    order = np.lexsort((d.cases["mask"][rows], d.cases["key"][rows]))
    out = d.desks["busy"].copy()
    _take_off(d, rows[order], worked, out)
    return out


@njit(cache=True)
def _hours_left(d, i, worked):
    """Hours of service to come of the visit of case ``i``; ``worked`` by calendar."""
    case = d.cases[i]
    return case.finish - max(case.start, worked[d.desks[case.desk].calendar])


@njit(cache=True, nogil=True)
def _unserved(d, worked):
    """Return the cases whose visits have service to come."""
    rows = np.empty(len(d.cases), np.int64)
    n = 0
    for i in range(len(d.cases)):
        case = d.cases[i]
        if case.stage in AT_DESK and case.desk >= 0 and _hours_left(d, i, worked) > 0.0:
            rows[n] = i
            n += 1
    return rows[:n]


@njit(cache=True, nogil=True)
def _take_off(d, rows, worked, hours):
    """Take off the ``hours`` of each desk what its visits ``rows`` still take."""
    for n in range(len(rows)):
        prefetch(d.cases, rows[min(n + AHEAD, len(rows) - 1)])
        hours[d.cases[rows[n]].desk] -= _hours_left(d, rows[n], worked)


@njit(cache=True, nogil=True)
def _split_visits(d, now, calendar, waiting, held):
    """List the cases that wait at desks and those in service at ``now``; returns both counts.

    Each case is told the desk that answers for it under the rules now in force. Where a desk
    now keeps other hours, ``calendar`` (desks,), visits are told in the new hours: those ended
    have ended, those in service have as much left.
    """
    n_waiting = 0
    n_held = 0
    for i in range(len(d.cases)):
        case = d.cases[i]
        if case.stage not in AT_DESK or case.desk < 0:
            continue
        k = d.desks[case.desk]
        worked = to_work(now, k.calendar)
        ended = case.finish <= worked
        if not ended and case.start < worked:
            held[n_held] = i
            n_held += 1
        elif not ended:
            waiting[n_waiting] = i
            n_waiting += 1
        if not ended:
            case.desk = desk_now(d, i)
        hours = calendar[case.desk]
        if hours != k.calendar:
            shift = to_work(now, hours) - worked
            case.start += shift
            case.finish += shift
            if not ended:
                case.time = max(finish_wall(case.finish, hours), case.arrived) + case.delay
    return n_waiting, n_held


@njit(cache=True, nogil=True)
def _queue_again(d, order, now):
    for n in range(len(order)):
        i = order[n]
        prefetch(d.cases, order[min(n + AHEAD, len(order) - 1)])
        case = d.cases[i]
        if case.stage == HUB and not d.units[unit_of(d, i)].joint > 0.0:
            case.desk = -1  # the committee is gone: on to the desks
            case.stage = START
            case.time = max(case.arrived, now)
            continue
        if case.stage == SPOT and not d.communities[case.community].police:
            case.desk = -1  # so is the officer: as if just come from intake
            case.stage = INTAKE
            case.time = max(case.arrived, now)
            continue
        end = visit(d, i, np.int64(case.desk), work_of(d, i), d.world[0].patience)
        if end < 0.0:
            case.desk = -1
            case.state = LAPSED
            case.stage = GIVE_UP
            case.time = max(case.arrived + d.world[0].patience, now)
        else:
            case.time = end + case.delay


def restaff(
    d: District,
    now: float,
    servers: np.ndarray,
    speed: np.ndarray,
    calendar: np.ndarray | None = None,
) -> None:
    """Put new servers, speeds and responsibilities in force at wall time ``now``.

    ``servers`` (int32), ``speed`` (hours of work per working hour) and ``calendar`` (rows of
    CALENDARS; as before if None) have one entry a desk. Visits in service keep their server and
    the hours they have left; waiting cases are queued again in order of arrival, none lost or
    doubled. Afterwards ``d.desks['busy']`` holds only what visits in service still take. Returns
    the district with room for the servers.
    """
    waiting, held = np.empty((2, len(d.cases)), np.int64)
    calendar = d.desks["calendar"].copy() if calendar is None else calendar
    n_waiting, n_held = _split_visits(d, now, calendar, waiting, held)
    d.desks["calendar"] = calendar
    waiting, held = waiting[:n_waiting], held[:n_held]
    cases = d.cases[held]
    by_desk = np.lexsort((cases["finish"], cases["desk"]))
    held_desk, held_finish = cases["desk"][by_desk], cases["finish"][by_desk]
    total = int(servers.sum())
    if total > len(d.free):
        d.free = np.zeros(total + total // 4 + 8)
    set_servers(d, servers, speed, now, held_desk, held_finish)
    d.desks["busy"] = 0.0
    worked = np.array([to_work(now, c) for c in range(len(CALENDARS))])
    np.add.at(d.desks["busy"], held_desk, held_finish - worked[d.desks["calendar"][held_desk]])
    # chains of one case may have come to a desk at one moment: as they stood before
    waiting = in_order(d.cases, waiting, "arrived", "key", "start", "mask")
    desk = d.cases["desk"][waiting].astype(np.min_scalar_type(len(d.desks)))
    _queue_again(d, waiting[np.argsort(desk, kind="stable")], now)  # few desks: sorted by digits


def run_to(d: District, day: float) -> None:
    """Run up to ``day``, within the open span; the case columns grow as they must.

    A ``day`` that is not whole must be the end of a bucket of events.
    """
    d.span[STOP_DAY] = min(day, d.span[END_DAY])
    while (stopped := advance(d)) != DONE:
        if stopped == CROWDED:
            d.needs = np.zeros(2 * int(d.counts.sum()), NEED_ROW)
        else:
            make_room(d, len(d.cases) // 2 + SLACK)


def run_span(d: District, start: int, end: int) -> None:
    """Open the span of whole days [``start``, ``end``) and run it."""
    open_span(d, start, end)
    run_to(d, end)
