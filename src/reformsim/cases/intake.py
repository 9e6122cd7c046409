"""From a need to the desk that hears of it: voice, silence, patrols, intake."""

from reformsim.cases import state as s
from reformsim.cases.state import Count
from reformsim.cases.steps import count, days_to_come, finish, join, later
from reformsim.cases.voice import bear, voice
from reformsim.cases.work import common_delay, intake_work, lognormal_delay, unit_of
from reformsim.categories import FIRMS, ORDER
from reformsim.chance import Purpose, draw, exponential
from reformsim.kernels import njit

GRID_BASE = int(Count.GRID) - s.GRID


@njit(cache=True)
def arise(d, i, t):
    """A need arises: the resident does something about it, or nothing."""
    case = d.cases[i]
    w = d.world[0]
    c = d.categories[case.category]
    place = d.grids[d.residents[case.resident].place]
    case.community = place.community
    community = d.communities[case.community]
    count(d, i, Count.NEEDS, 1.0)
    channel = voice(d, i)
    case.channel = channel
    if channel == s.MARKETS:
        count(d, i, Count.MARKET, 1.0)
        finish(d, i, t, s.MARKET)
        return
    if channel == s.NEIGHBOURS:
        chance = min(c.self_solving * community.self_factor, 1.0)
        if draw(case.key, Purpose.SELF_SOLVED) < chance:
            count(d, i, Count.SELF_SOLVED, 1.0)
            count(d, i, Count.PROBLEM_DAYS, w.delay_local)
            finish(d, i, t, s.SELF_SOLVED)
            return
    if channel < s.GRID:
        fall_silent(d, i, t)
        return
    count(d, i, Count.VOICED, 1.0)
    d.daily[int(t), 1] += 1.0
    count(d, i, GRID_BASE + channel, 1.0)
    if channel == s.STATION:
        count(d, i, Count.WALK, place.walk)
    take_in(d, i, t)


@njit(cache=True)
def fall_silent(d, i, t):
    """Nobody hears of the need: a burden, unless a patrol finds a public problem in time."""
    case = d.cases[i]
    w = d.world[0]
    c = d.categories[case.category]
    lifetime = w.silent_lifetime * c.lifetime
    rate = d.units[unit_of(d, i)].patrol_rate if c.public else 0.0
    count(d, i, Count.SILENT, 1.0)
    count(d, i, Count.PROBLEM_DAYS, days_to_come(lifetime, rate))
    bear(d, case.resident, t, 1.0)
    if rate > 0.0:
        found = exponential(case.key, Purpose.PATROL) / rate
        if found < exponential(case.key, Purpose.LIFETIME) * lifetime:
            later(d, i, t + found, s.FOUND)
            return
    finish(d, i, t, s.SILENT)


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
