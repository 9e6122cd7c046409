"""From a need to the desk that hears of it: voice, silence, patrols, intake."""

import numpy as np

from reformsim.cases import state as s
from reformsim.cases.state import Count
from reformsim.cases.steps import count, days_to_come, finish, join, later, open_case, tally
from reformsim.cases.voice import bear, voice
from reformsim.cases.work import common_delay, intake_work, lognormal_delay, unit_of
from reformsim.categories import FIRMS, ORDER
from reformsim.chance import Purpose, draw, exponential
from reformsim.kernels import njit

GRID_BASE = int(Count.GRID) - s.GRID


@njit(cache=True)
def arise(d, need):
    """A need arises: the resident does something about it, or nothing."""
    place = d.grids[d.residents[need.resident].place]
    home = np.int64(place.community)
    tally(d, home, need.resident, Count.NEEDS, 1.0)
    channel = voice(d, need)
    if channel == s.MARKETS:
        tally(d, home, need.resident, Count.MARKET, 1.0)
        end_at_once(d, need, home, channel, s.MARKET)
        return
    if channel == s.NEIGHBOURS:
        c = d.categories[need.category]
        chance = min(c.self_solving * d.communities[home].self_factor, 1.0)
        if draw(need.key, Purpose.SELF_SOLVED) < chance:
            tally(d, home, need.resident, Count.SELF_SOLVED, 1.0)
            tally(d, home, need.resident, Count.PROBLEM_DAYS, d.world[0].delay_local)
            end_at_once(d, need, home, channel, s.SELF_SOLVED)
            return
    if channel < s.GRID:
        fall_silent(d, need, home, channel)
        return
    i = open_case(d, need, home, channel)
    count(d, i, Count.VOICED, 1.0)
    d.daily[int(need.time), 1] += 1.0
    count(d, i, GRID_BASE + channel, 1.0)
    if channel == s.STATION:
        count(d, i, Count.WALK, place.walk)
    take_in(d, i, need.time)


@njit(cache=True)
def end_at_once(d, need, community, channel, state):
    """End a need that nobody else hears of: it gets a record only where the scenario keeps all.

    Four in five needs end so; without a record they cost a tenth less.
    """
    if d.fixed[s.KEEP]:
        finish(d, open_case(d, need, community, channel), need.time, state)


@njit(cache=True)
def fall_silent(d, need, community, channel):
    """Nobody hears of the need: a burden, unless a patrol finds a public problem in time."""
    c = d.categories[need.category]
    lifetime = d.world[0].silent_lifetime * c.lifetime
    rate = d.units[d.communities[community].unit].patrol_rate if c.public else 0.0
    tally(d, community, need.resident, Count.SILENT, 1.0)
    tally(d, community, need.resident, Count.PROBLEM_DAYS, days_to_come(lifetime, rate))
    bear(d, need.resident, need.time, 1.0)
    if rate > 0.0:
        found = exponential(need.key, Purpose.PATROL) / rate
        if found < exponential(need.key, Purpose.LIFETIME) * lifetime:
            later(d, open_case(d, need, community, channel), need.time + found, s.FOUND)
            return
    end_at_once(d, need, community, channel, s.SILENT)


@njit(cache=True)
def found(d, i, t):
    """A patrol finds a silent public problem: it enters by the grid worker."""
    case = d.cases[i]
    case.channel = s.GRID
    case.flags |= s.PATROLLED
    count(d, i, Count.FOUND, 1.0)
    d.daily[int(t), 3] += 1.0
    take_in(d, i, t)


@njit(cache=True)
def intake_desk(d, i):
    """Desk that takes in case ``i`` under the rules in force."""
    case = d.cases[i]
    if case.channel == s.GRID:
        return int(d.grids[d.residents[case.resident].place].desk)
    if case.channel == s.STATION:
        return int(d.communities[case.community].desk)
    return int(d.fixed[s.HOTLINE_DESK])


@njit(cache=True)
def intake_hours(d, i, settled):
    """Work of taking in case ``i``, and of settling it by new powers and under audit."""
    w = d.world[0]
    case = d.cases[i]
    if case.channel == s.GRID:
        hours = w.intake_hours_grid
    elif case.channel == s.STATION:
        hours = w.intake_hours_station
    else:
        online = d.communities[case.community].online
        hours = w.intake_hours_hotline * (1.0 - online * w.online_saving)
    if case.flags & s.DELEGATED:
        hours += w.delegated_hours
    if settled:
        hours += d.units[unit_of(d, i)].audit_hours
    return intake_work(d, i, hours)


@njit(cache=True)
def settles(d, i):
    """Whether intake settles the case: within local competence, or by powers delegated to it."""
    case = d.cases[i]
    unit = d.units[unit_of(d, i)]
    chance = d.categories[case.category].competence * d.world[0].competence
    if draw(case.key, Purpose.COMPETENCE) < chance:
        return True
    if case.flags & s.PATROLLED and draw(case.key, Purpose.ON_THE_SPOT) < unit.linkage:
        return True
    by_powers = case.channel != s.HOTLINE and unit.delegated > 0.0
    if by_powers and draw(case.key, Purpose.DELEGATED) < unit.delegated:
        case.flags |= s.DELEGATED
        return True
    return False


@njit(cache=True)
def local_delay(d, i):
    """Elapsed days of a case settled at intake; newly devolved powers wait at the gate.

    A matter for delegated powers stays what it is: it keeps part of the delay that it would
    have had at the desks.
    """
    w = d.world[0]
    case = d.cases[i]
    median = w.delay_local * d.categories[case.category].delay
    days = lognormal_delay(median, 1.0, case.key, Purpose.LOCAL_DELAY)
    delegated = case.flags & s.DELEGATED
    if delegated:
        days += w.delegated_delay * common_delay(d, i)
    if delegated or draw(case.key, Purpose.GATE) < w.devolved_share:
        days += d.units[unit_of(d, i)].gate_delay
    return days


@njit(cache=True)
def take_in(d, i, t):
    """Intake: a social organisation, or the channel's desk."""
    case = d.cases[i]
    case.voiced = t
    case.arrived = t
    case.begun = -1.0
    if case.category == ORDER:
        count(d, i, Count.ORDER, 1.0)
    elif case.category == FIRMS:
        count(d, i, Count.FIRMS, 1.0)
    community = d.communities[case.community]
    eligible = d.categories[case.category].social and case.channel != s.HOTLINE
    if eligible and draw(case.key, Purpose.ORGANISATION) < community.organised:
        count(d, i, Count.ORGANISED, 1.0)
        count(d, i, Count.SETTLED, 1.0)
        case.desk = -1
        case.begun = t
        later(d, i, t + local_delay(d, i), s.LOCAL)
        return
    settled = settles(d, i)
    case.delay = local_delay(d, i) if settled else 0.0
    join(d, i, intake_desk(d, i), intake_hours(d, i, settled), s.LOCAL if settled else s.INTAKE)
