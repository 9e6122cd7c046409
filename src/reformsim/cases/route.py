"""A flow of visits by routing chances, on the same queues and events as the flow of cases.

For known answers only (Jackson networks). Every record is one visit and stays in the table when
it has ended; ``parent`` links the visits of one journey. Records must come from an unused table.
"""

from reformsim.cases.queue import next_bucket, pop, take, visit
from reformsim.cases.state import (
    DISPATCHED,
    ENDED,
    FREE_COUNT,
    HEAP,
    HOTLINE,
    NEED,
    PART,
    SEED,
    SERVICE,
    START,
)
from reformsim.cases.steps import later
from reformsim.cases.work import spread
from reformsim.chance import Purpose, draw, exponential, mix
from reformsim.kernels import njit

DONE, FULL = 0, 1
MOMENT, WORK, DESK_CHOICE = int(Purpose.MOMENT), int(Purpose.WORK), int(Purpose.DESK_CHOICE)


@njit(cache=True)
def place_cases(d, cases, parts):
    """Lay ``cases`` cases of ``parts`` departments at the point of dispatch at time 0."""
    for n in range(cases):
        i = take(d)
        case = d.cases[i]
        case.key = mix(d.fixed[SEED], n)
        case.parent = i
        case.desk = -1
        case.begun = -1.0
        case.parts = parts
        case.channel = HOTLINE
        case.flags = DISPATCHED
        case.stage = START


@njit(cache=True)
def place_sources(d, rates):
    """Lay the first arrival from outside at each node, ``rates`` a day."""
    for node in range(len(rates)):
        if rates[node] > 0.0:
            i = take(d)
            source = d.cases[i]
            source.key = mix(d.fixed[SEED], node)
            source.desk = node
            source.time = exponential(source.key, MOMENT) / rates[node]
            source.stage = NEED


@njit(cache=True)
def _arrive(d, t, node, key, journey):
    """Let a new visit with stream ``key`` join a node; it opens a journey where that is -1."""
    i = take(d)
    case = d.cases[i]
    case.key = key
    case.parent = i if journey < 0 else journey
    case.arrived = t
    work = spread(d.fixed[SERVICE], d.world[0].work_cv, key, WORK)
    later(d, i, visit(d, i, node, work, d.world[0].patience), PART)


@njit(cache=True)
def _leave(d, i, t, follow):
    """End visit ``i``: another node follows by its row of cumulative chances, or none."""
    case = d.cases[i]
    case.stage = ENDED
    u = draw(case.key, DESK_CHOICE)
    for node in range(follow.shape[1]):
        if u < follow[case.desk, node]:
            _arrive(d, t, node, mix(case.key, 1), case.parent)
            return


@njit(cache=True)
def advance(d, rates, follow):
    """Handle events up to the end of the span; FULL when records run out, then call again."""
    while True:
        if d.state[HEAP] == 0:
            if not next_bucket(d):
                return DONE
            continue
        if d.state[FREE_COUNT] < 1:
            return FULL
        i = pop(d)
        case = d.cases[i]
        t = case.time
        if case.stage == NEED:
            key = mix(case.key, 1)
            _arrive(d, t, case.desk, mix(key, 0), -1)
            case.key = key
            later(d, i, t + exponential(key, MOMENT) / rates[case.desk], NEED)
        else:
            _leave(d, i, t, follow)
