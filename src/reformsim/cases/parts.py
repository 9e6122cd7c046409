"""The parts of a dispatched case: assembled, sent to their desks, returned, done."""

import numpy as np

from reformsim.cases import state as s
from reformsim.cases.escalate import climb, taken_up
from reformsim.cases.queue import give_back, take
from reformsim.cases.state import Count, Wait
from reformsim.cases.steps import SECOND_ROUND, count, first_part, join, later, served
from reformsim.cases.work import (
    common_delay,
    hub_work,
    lognormal_delay,
    part_delay,
    part_desk,
    part_work,
    pooled,
    reentry_work,
    territorial,
    unit_of,
    visit_key,
    wrong_desk,
)
from reformsim.chance import Purpose, draw, mix, uniform
from reformsim.kernels import njit

#: Attempts of one part at the right desk; the last one always gets there.
LAST_ATTEMPT = 62
#: Returns of one part after which it is stuck (assumed).
STUCK_AFTER = 2


@njit(cache=True)
def assemble(d, i, t):
    """Let the hub assemble a joint case first; others go straight to their desks."""
    case = d.cases[i]
    if not d.units[unit_of(d, i)].joint > 0.0:
        case.flags &= ~s.JOINT  # no committee, or it is gone
    if case.flags & s.JOINT:
        case.arrived = t
        case.delay = 0.0
        join(d, i, d.fixed[s.HUB_DESK], hub_work(d, i), s.HUB)
    else:
        start_parts(d, i, t)


@njit(cache=True)
def start_parts(d, i, t):
    """Open the chains of a case: serial parts follow one another, the others run in parallel.

    Parts that fall into one merged office become one visit. Under joint dispatch only parts at
    the same desk wait for each other.
    """
    case = d.cases[i]
    w = d.world[0]
    case.absorbed = 0
    case.parent = i
    masks = 1  # eight bits a chain
    chain_of = 0  # four bits a part
    chains = 1
    last = 0
    for p in range(1, int(case.parts)):
        desk = part_desk(d, i, p)
        same = -1
        for q in range(p):
            if not case.absorbed & (1 << q) and part_desk(d, i, q) == desk:
                same = q
                break
        if case.flags & s.WINDOW or (same >= 0 and pooled(d, desk)):
            case.absorbed |= 1 << p
            continue
        if case.flags & s.JOINT:
            chain = (chain_of >> (4 * same)) & 15 if same >= 0 else -1
        else:
            serial = uniform(mix(mix(case.key, Purpose.SERIAL), p)) < w.serial_share
            chain = last if serial else -1
        if chain < 0:
            chain = chains
            chains += 1
        masks |= 1 << (8 * chain + p)
        chain_of |= chain << (4 * p)
        last = chain
    case.open = chains
    case.mask = masks & 255
    send(d, i, t)
    for chain in range(1, chains):
        j = take(d)
        d.cases[j] = case
        child = d.cases[j]
        child.open = 0
        child.transfers = 0
        child.mask = (masks >> (8 * chain)) & 255
        send(d, j, t)


@njit(cache=True)
def send(d, i, t):
    """Send the chain's next part to its desk, or by mistake to another one."""
    case = d.cases[i]
    p = first_part(case.mask)
    unit = d.units[unit_of(d, i)]
    case.arrived = t
    right = part_desk(d, i, p)
    count(d, i, Count.VISITS, 1.0)
    if not territorial(d, i, p):
        count(d, i, Count.TO_DEPARTMENT, 1.0)
    known = case.flags & (s.TABLED | s.DECIDED)
    if case.attempt % SECOND_ROUND < LAST_ATTEMPT and not known:
        u = draw(visit_key(case.key, p, case.attempt), Purpose.WRONG_DESK)
        wrong = wrong_desk(d, i, p, case.attempt)
        if u < unit.p_mis and wrong != right:
            case.delay = 0.0
            join(d, i, wrong, reentry_work(d, i), s.WRONG)
            return
    case.delay = part_delay(d, i, p, case.attempt)
    join(d, i, right, part_work(d, i, p, case.attempt), s.PART)


@njit(cache=True)
def returned(d, i, t):
    """A wrong desk has looked at the part: it goes back and out again, or up when it is stuck."""
    case = d.cases[i]
    end = served(d, i, Wait.DESK_WAIT, Wait.DESK_WORK)
    days = lognormal_delay(
        d.world[0].transfer_delay, 0.5,
        visit_key(case.key, first_part(case.mask), case.attempt), Purpose.TRANSFER,
    )  # fmt: skip
    d.waits[Wait.TRANSFER] += days
    case.attempt += 1
    case.transfers += 1
    count(d, i, Count.TRANSFERS, 1.0)
    back = max(end, t) + days
    if case.attempt % SECOND_ROUND == STUCK_AFTER and taken_up(d, i):
        climb(d, i, back)
    else:
        later(d, i, back, s.ARRIVE)


@njit(cache=True)
def part_done(d, i, t, failed):
    """One part is done, or has lapsed: the chain goes on, or ends and may complete the case."""
    case = d.cases[i]
    lead = d.cases[case.parent]
    if failed:
        lead.flags |= s.FAILED
        case.mask = 0
    else:
        case.mask &= case.mask - 1
    if case.mask:
        case.attempt -= case.attempt % SECOND_ROUND
        send(d, i, t)
        return
    parent = np.int64(case.parent)
    lead.open -= 1
    if parent != i:
        lead.transfers += case.transfers
        give_back(d, i)
    else:
        case.stage = s.WAITING
    if lead.open == 0:
        lead.attempt -= lead.attempt % SECOND_ROUND
        days = 0.0 if lead.flags & s.FAILED else common_delay(d, parent)
        d.waits[Wait.COMMON_DELAY] += days
        later(d, parent, t + days, s.CLOSE)
