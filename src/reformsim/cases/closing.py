"""The end of a case: truly solved, poorly, on paper only, or lost; and what residents feel."""

import numpy as np

from reformsim.cases import state as s
from reformsim.cases.dispatch import dispatch
from reformsim.cases.overdue import burden_left
from reformsim.cases.parts import assemble, part_done
from reformsim.cases.state import Count
from reformsim.cases.steps import SECOND_ROUND, count, finish, stay_open
from reformsim.cases.voice import lift, live_through
from reformsim.cases.work import AT_CLOSING, unit_of, visit_key
from reformsim.categories import FIRMS, ORDER
from reformsim.chance import Purpose, draw
from reformsim.kernels import njit
from reformsim.residents.feedback import performance


@njit(cache=True)
def close(d, i, t):
    """Close a case: truly solved, poorly, or only on paper; the resident lives through it."""
    case = d.cases[i]
    w = d.world[0]
    unit = d.units[unit_of(d, i)]
    if case.flags & s.FAILED:
        lose(d, i, t, s.LAPSED)
        return
    key = visit_key(case.key, AT_CLOSING, case.attempt)
    first = not case.flags & s.REOPENED
    state = s.SOLVED
    again = False
    if draw(key, Purpose.SHAM) < unit.sham:
        state = s.SHAM
        again = first and draw(key, Purpose.AUDIT) < unit.audit
    elif draw(key, Purpose.FIX) < (unit.poor_new if case.flags & s.DELEGATED else unit.poor):
        state = s.UNSOLVED
        again = first and draw(key, Purpose.REOPEN) < w.reopen
    if again:
        count(d, i, Count.REOPENED, 1.0)
        case.flags |= s.REOPENED
        case.attempt = SECOND_ROUND
        if case.flags & s.DISPATCHED:
            assemble(d, i, t)
        else:
            dispatch(d, i, t)
        return
    days = t - case.voiced
    dispatched = case.flags & s.DISPATCHED
    b = s.days_bin(days)
    d.days[case.community, d.residents[case.resident].age, b] += 1
    if dispatched:
        d.days_by_parts[min(int(case.parts), 6), b] += 1
    d.daily[int(t), 2] += 1.0
    count(d, i, Count.CLOSED, 1.0)
    count(d, i, Count.DAYS, days)
    count(d, i, Count.MEASURED, 1.0)
    count(d, i, Count.PROBLEM_DAYS, days)
    count_kind(d, i, days)
    if case.category == ORDER and days <= w.promise_local:
        count(d, i, Count.ORDER_PROMPT, 1.0)
    if state == s.SOLVED:
        count(d, i, Count.SOLVED, 1.0)
        quality = 1.0
    else:
        count(d, i, Count.SHAM if state == s.SHAM else Count.UNSOLVED, 1.0)
        stay_open(d, i, t)
        quality = 0.4 if state == s.UNSOLVED else 0.0
    feel(d, i, t, quality, days, w.promise if dispatched else w.promise_local)
    finish(d, i, t, state)


@njit(cache=True)
def count_kind(d, i, days):
    """Add the days of a case that ends to those of its kind."""
    case = d.cases[i]
    if case.category == ORDER:
        count(d, i, Count.ORDER_DAYS, days)
    elif case.category == FIRMS:
        count(d, i, Count.FIRM_DAYS, days)
    if s.is_cross(case):
        count(d, i, Count.CROSS_DAYS, days)


@njit(cache=True)
def feel(d, i, t, quality, days, promise):
    """Let the resident live through the closing; nobody called where a patrol found it."""
    case = d.cases[i]
    if case.flags & s.PATROLLED:
        return
    if case.flags & s.OVERDUE:
        lift(d, case.resident, t, burden_left(d, t))
    p = performance(quality, days, promise)
    if case.category == FIRMS:
        count(d, i, Count.FIRMS_ENDED, 1.0)
        count(d, i, Count.FIRMS_SERVED, p)
    count(d, i, Count.FELT, 1.0)
    if p >= d.world[0].content:
        count(d, i, Count.CONTENT, 1.0)
    shift = d.units[unit_of(d, i)].expectation_shift
    live_through(d, case.resident, t, p, case.channel, shift, quality == 1.0)


@njit(cache=True)
def lose(d, i, t, state):
    """A case lapses or is orphaned: nobody solves it, and the resident knows."""
    count(d, i, Count.LAPSED if state == s.LAPSED else Count.ORPHANED, 1.0)
    days = t - d.cases[i].voiced
    count(d, i, Count.PROBLEM_DAYS, days)
    count_kind(d, i, days)
    stay_open(d, i, t)
    feel(d, i, t, 0.0, days, d.world[0].promise)
    finish(d, i, t, state)


@njit(cache=True)
def give_up(d, i, t):
    """Patience is over: of a whole case, or of one chain of it."""
    case = d.cases[i]
    if case.parent != i or case.open > 0:
        part_done(d, i, t, True)
    else:
        lose(d, i, t, np.int64(case.state))
