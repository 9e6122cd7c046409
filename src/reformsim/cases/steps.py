"""What every stage of a case needs: to begin, to count, to queue, to wait, to end."""

import numpy as np

from reformsim.cases import state as s
from reformsim.cases.clock import finish_wall, start_wall
from reformsim.cases.queue import give_back, push, take, visit
from reformsim.cases.state import Count
from reformsim.cases.work import departments
from reformsim.kernels import njit

#: Reopened cases draw afresh: their attempts count from here.
SECOND_ROUND = 64


@njit(cache=True)
def open_case(d, need, community, channel):
    """Give a need a record, for as long as it lasts; returns its row."""
    i = take(d)
    case = d.cases[i]
    case.key = need.key
    case.resident = need.resident
    case.category = need.category
    case.community = community
    case.channel = channel
    case.parent = i
    case.desk = -1
    case.need = need.time
    case.voiced = need.time
    case.time = need.time
    case.begun = -1.0
    case.arrived = 0.0
    case.start = 0.0
    case.finish = 0.0
    case.delay = 0.0
    case.mask = 0
    case.absorbed = 0
    case.attempt = 0
    case.open = 0
    case.transfers = 0
    case.flags = 0
    case.state = 0
    case.stage = s.NEED
    chance = min(d.world[0].cross_share * d.categories[case.category].cross, 0.95)
    case.parts = departments(need.key, chance)
    return i


@njit(cache=True)
def tally(d, community, resident, what, amount):
    """Add to a tally of a community and a resident's age group."""
    d.tally[community, d.residents[resident].age, what] += amount


@njit(cache=True)
def count(d, i, what, amount):
    """Add to a tally of the case's community and its resident's age group."""
    case = d.cases[i]
    tally(d, np.int64(case.community), case.resident, what, amount)


@njit(cache=True)
def later(d, i, t, stage):
    """Let case ``i`` meet its next event, ``stage``, at wall time ``t``."""
    case = d.cases[i]
    case.time = t
    case.stage = stage
    push(d, i)


@njit(cache=True)
def finish(d, i, t, state):
    """End case ``i``: keep its record where the scenario asks to, or free it."""
    case = d.cases[i]
    case.state = state
    case.time = t
    if d.fixed[s.KEEP]:
        case.stage = s.ENDED
    else:
        give_back(d, i)


@njit(cache=True)
def join(d, i, desk, work, stage):
    """Queue at a desk; the case lapses where the wait exceeds its patience."""
    case = d.cases[i]
    end = visit(d, i, desk, work, d.world[0].patience)
    if end < 0.0:
        case.desk = -1
        case.state = s.LAPSED
        later(d, i, case.arrived + d.world[0].patience, s.GIVE_UP)
    else:
        later(d, i, end + case.delay, stage)


@njit(cache=True)
def served(d, i, wait, work):
    """Book the waiting and working days of the visit just ended; returns its end, wall time."""
    case = d.cases[i]
    if case.desk < 0:
        return case.arrived
    k = d.desks[case.desk]
    start = max(start_wall(case.start, k.calendar), case.arrived)
    end = max(finish_wall(case.finish, k.calendar), start)
    k.visits += 1
    k.waited += start - case.arrived
    d.waits[wait] += start - case.arrived
    d.waits[work] += end - start
    lead = d.cases[case.parent]
    if lead.begun < 0.0:
        lead.begun = start
    return end


@njit(cache=True)
def first_part(mask):
    """Lowest part in a chain's mask."""
    p = 0
    while not mask & (1 << p):
        p += 1
    return p


@njit(cache=True)
def days_to_come(lifetime, found_rate):
    """Expected days that an unvoiced problem still lasts: E[min(life, finding)].

    Not cut at the end of the run, so that a month's figure does not depend on how long the run
    goes on after it.
    """
    return 1.0 / (1.0 / lifetime + found_rate)


@njit(cache=True)
def stay_open(d, i, t):
    """A problem that its closing did not solve lasts on, unseen by the measured rates."""
    lifetime = d.world[0].silent_lifetime * d.categories[d.cases[i].category].lifetime
    count(d, i, Count.PROBLEM_DAYS, days_to_come(lifetime, 0.0))
