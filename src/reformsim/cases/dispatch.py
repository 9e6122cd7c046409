"""A case on its way out: to an officer, a platform, the table, the levels above, or its desks."""

import math

import numpy as np

from reformsim.cases import state as s
from reformsim.cases.escalate import climb, decided, taken_up
from reformsim.cases.parts import assemble, send
from reformsim.cases.state import Count, Wait
from reformsim.cases.steps import count, join, later
from reformsim.cases.work import lognormal_delay, mediation_work, spot_work, unit_of
from reformsim.categories import DISPUTES, ORDER
from reformsim.chance import Purpose, draw
from reformsim.kernels import njit


@njit(cache=True)
def dispatch(d, i, t):
    """Let a case that intake does not settle find who does: an officer, a platform, desks."""
    case = d.cases[i]
    first = not case.flags & s.REOPENED
    case.flags &= ~s.DELEGATED
    if case.category == ORDER and first and _on_the_spot(d, i):
        case.arrived = t
        case.delay = spot_delay(d, i)
        join(d, i, d.fixed[s.POST_DESK], spot_work(d, i), s.SPOT)
    elif case.category == DISPUTES and first and _mediated(d, i):
        mediate(d, i, t)
    else:
        send_out(d, i, t)


@njit(cache=True)
def _on_the_spot(d, i):
    """Whether an officer in post settles a public-order case."""
    case = d.cases[i]
    if not d.communities[case.community].police:
        return False
    return draw(case.key, Purpose.SPOT) < d.world[0].police_settle


@njit(cache=True)
def spot_delay(d, i):
    """Elapsed days of a case settled on the spot, against those of a local settlement."""
    w = d.world[0]
    case = d.cases[i]
    median = w.delay_local * w.police_delay * d.categories[case.category].delay
    return lognormal_delay(median, 1.0, case.key, Purpose.SPOT_DELAY)


@njit(cache=True)
def _mediated(d, i):
    """Whether a platform takes up a dispute; only once."""
    case = d.cases[i]
    if case.flags & s.MEDIATED:
        return False
    return draw(case.key, Purpose.MEDIATED) < d.units[unit_of(d, i)].mediation


@njit(cache=True)
def mediate(d, i, t):
    """Bring a dispute to the platforms: hours of the station, then days of talk."""
    case = d.cases[i]
    case.flags |= s.MEDIATED
    count(d, i, Count.MEDIATED, 1.0)
    case.arrived = t
    case.delay = lognormal_delay(
        d.world[0].mediation_days, 0.5, case.key, Purpose.MEDIATION_DAYS
    )  # fmt: skip
    join(d, i, np.int64(d.communities[case.community].desk), mediation_work(d, i), s.MEDIATION)


@njit(cache=True)
def agreed(d, i):
    """Whether the platforms have settled a dispute: the less likely, the more of them there are."""
    return draw(d.cases[i].key, Purpose.AGREED) < d.units[unit_of(d, i)].agreement


@njit(cache=True)
def talked(d, i, t):
    """A mediation is over: a dispute between desks goes to them, or on as if there were none.

    A quarrel of neighbours that is not settled is dispatched; `flow.handle` closes the others.
    """
    case = d.cases[i]
    if not case.flags & s.DISPATCHED:
        send_out(d, i, t)
    elif agreed(d, i):
        settle_dispute(d, i)
        assemble(d, i, t)
    else:
        go_on(d, i, t)


@njit(cache=True)
def settle_dispute(d, i):
    """Note that it is known whose case it is."""
    d.cases[i].flags |= s.DECIDED
    d.cases[i].flags &= ~s.DISPUTED


@njit(cache=True)
def send_out(d, i, t):
    """Dispatch a case: it may be disputed, and joint."""
    case = d.cases[i]
    unit = d.units[unit_of(d, i)]
    case.flags |= s.DISPATCHED
    count(d, i, Count.DISPATCHED, 1.0)
    c = d.categories[case.category]
    if c.errand and case.channel == s.STATION and d.communities[case.community].window:
        case.flags |= s.WINDOW
    if case.parts > 1 and not case.flags & s.WINDOW:
        count(d, i, Count.CROSS, 1.0)
        if draw(case.key, Purpose.DISPUTE) < d.world[0].dispute_share:
            case.flags |= s.DISPUTED
        if draw(case.key, Purpose.JOINT) < unit.joint:
            case.flags |= s.JOINT
            count(d, i, Count.JOINT, 1.0)
    if case.flags & s.DISPUTED and not orphaned(d, i) and _mediated(d, i):
        mediate(d, i, t)
    else:
        go_on(d, i, t)


@njit(cache=True)
def orphaned(d, i):
    """Whether nobody is responsible for a case."""
    return draw(d.cases[i].key, Purpose.ORPHAN) < d.units[unit_of(d, i)].orphan


@njit(cache=True)
def go_on(d, i, t):
    """Table a case, send it up, or leave it to the desks."""
    case = d.cases[i]
    w = d.world[0]
    unit = d.units[unit_of(d, i)]
    stuck = case.flags & s.DISPUTED or orphaned(d, i)
    if stuck:
        tabled = draw(case.key, Purpose.CONFERENCE) < unit.conference
    else:
        several = case.parts > 1 and not case.flags & s.WINDOW
        tabled = several and draw(case.key, Purpose.TRIVIAL) < w.trivial_share * unit.conference
    if tabled:
        case.flags |= s.TABLED
        count(d, i, Count.TABLED, 1.0)
        meeting = next_meeting(d, t)
        d.waits[Wait.CONFERENCE] += meeting - t
        later(d, i, meeting, s.START)
    elif stuck and taken_up(d, i):
        climb(d, i, t)
    else:
        leave_to_desks(d, i, t)


@njit(cache=True)
def leave_to_desks(d, i, t):
    """Nobody above decides: an orphan is given up in time, a disputed case is passed around."""
    case = d.cases[i]
    w = d.world[0]
    if orphaned(d, i):
        case.state = s.ORPHANED
        later(d, i, t + w.orphan_days, s.GIVE_UP)
    elif case.flags & s.DISPUTED:
        # geometric with mean dispute_rounds
        stop = 1.0 / (w.dispute_rounds + 1e-9)
        rounds = 1.0 + math.floor(math.log(draw(case.key, Purpose.ROUNDS)) / math.log1p(-stop))
        days = rounds * lognormal_delay(w.transfer_delay, 0.5, case.key, Purpose.ROUND_DELAY)
        case.transfers += int(min(rounds, 100.0))
        count(d, i, Count.TRANSFERS, rounds)
        d.waits[Wait.TRANSFER] += days
        later(d, i, t + days, s.START)
    else:
        assemble(d, i, t)


@njit(cache=True)
def come_down(d, i, t):
    """A case comes down from the level it climbed to: decided, or later than it left."""
    case = d.cases[i]
    d.waits[Wait.ESCALATION] += t - case.arrived
    a_part = case.mask > 0
    if decided(d, i):
        settle_dispute(d, i)
        if a_part:
            send(d, i, t)
        else:
            assemble(d, i, t)
    elif a_part:
        send(d, i, t)
    else:
        leave_to_desks(d, i, t)


@njit(cache=True)
def next_meeting(d, t):
    """Wall time of the first conference after ``t`` with room on its agenda: a FIFO desk too."""
    period = d.fixed[s.PERIOD_HOURS]
    following = (math.floor(t * 24.0 / period) + 1) * period
    if following > d.state[s.MEETING]:
        d.state[s.MEETING] = following
        d.state[s.MEETING_LOAD] = 0
    elif d.state[s.MEETING_LOAD] >= d.fixed[s.AGENDA]:
        d.state[s.MEETING] += period
        d.state[s.MEETING_LOAD] = 0
    d.state[s.MEETING_LOAD] += 1
    return d.state[s.MEETING] / 24.0
