"""What happens to a case, event by event: intake, dispatch, desks, closing, feedback."""

import math

from numba import njit

from reformsim.cases.clock import finish_wall, start_wall
from reformsim.cases.queue import give_back, push, take, visit
from reformsim.cases.state import (
    AGENDA,
    ARRIVE,
    BIN_FIRST,
    BIN_GROWTH,
    BINS,
    CLOSE,
    DISPATCHED,
    DISPUTED,
    ENDED,
    FAILED,
    FOUND,
    GIVE_UP,
    GRID,
    HORIZON,
    HOTLINE,
    HOTLINE_DESK,
    HUB,
    HUB_DESK,
    INTAKE,
    JOINT,
    KEEP,
    LAPSED,
    LOCAL,
    MARKET,
    MARKETS,
    MEETING,
    MEETING_LOAD,
    NEED,
    NEIGHBOURS,
    ORPHANED,
    PART,
    PATROLLED,
    PERIOD_HOURS,
    REOPENED,
    SELF_SOLVED,
    SHAM,
    SILENT,
    SOLVED,
    START,
    STATION,
    TABLED,
    UNSOLVED,
    WAITING,
    WRONG,
    T,
    W,
)
from reformsim.cases.voice import bear, live_through, voice
from reformsim.cases.work import (
    common_delay,
    hub_work,
    intake_work,
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
from reformsim.chance import Purpose, draw, exponential, mix, uniform
from reformsim.residents.feedback import performance

(
    COMPETENCE, ORPHAN, SERIAL, JOINT_RANK, DISPUTE, FIX, SHAM_DRAW, LIFETIME, PATROL, SELF,
    REOPEN, AUDIT, ON_THE_SPOT, CONFERENCE, TRIVIAL, ORGANISED, MISSENT, GATED, ROUNDS, LOCAL_DELAY,
    TRANSFER,
) = (
    int(p) for p in (
        Purpose.COMPETENCE, Purpose.ORPHAN, Purpose.SERIAL, Purpose.JOINT, Purpose.DISPUTE,
        Purpose.FIX, Purpose.SHAM, Purpose.LIFETIME, Purpose.PATROL, Purpose.SELF_SOLVED,
        Purpose.REOPEN, Purpose.AUDIT, Purpose.ON_THE_SPOT, Purpose.CONFERENCE, Purpose.TRIVIAL,
        Purpose.ORGANISATION, Purpose.WRONG_DESK, Purpose.GATE, Purpose.ROUNDS,
        Purpose.LOCAL_DELAY, Purpose.TRANSFER,
    )
)  # fmt: skip
# Positions in the tally and the waits, as constants for the kernels.
T_NEEDS, T_VOICED, T_SILENT, T_SELF, T_MARKET = (
    T["needs"], T["voiced"], T["silent"], T["self_solved"], T["market"],
)  # fmt: skip
T_GRID, T_FOUND, T_SETTLED, T_DISPATCHED, T_CROSS = (
    T["grid"], T["found"], T["settled"], T["dispatched"], T["cross"],
)  # fmt: skip
T_VISITS, T_TRANSFERS, T_DEPARTMENT, T_JOINT, T_TABLED = (
    T["visits"], T["transfers"], T["to_department"], T["joint"], T["tabled"],
)  # fmt: skip
T_CLOSED, T_SOLVED, T_MEASURED, T_SHAM, T_REOPENED, T_UNSOLVED, T_LAPSED, T_ORPHANED = (
    T["closed"], T["solved"], T["measured"], T["sham"], T["reopened"], T["unsolved"],
    T["lapsed"], T["orphaned"],
)  # fmt: skip
T_CONTENT, T_FELT, T_DAYS, T_PROBLEM, T_ORGANISED, T_WALK = (
    T["content"], T["felt"], T["days"], T["problem_days"], T["organised"], T["walk"],
)  # fmt: skip
W_INTAKE_WAIT, W_INTAKE_WORK, W_LOCAL, W_TRANSFER, W_HUB, W_CONFERENCE = (
    W["intake_wait"], W["intake_work"], W["local_delay"], W["transfer"], W["hub"], W["conference"],
)  # fmt: skip
W_DESK_WAIT, W_DESK_WORK, W_PART_DELAY, W_COMMON = (
    W["desk_wait"], W["desk_work"], W["part_delay"], W["common_delay"],
)  # fmt: skip
#: Reopened cases draw afresh: their attempts count from here.
SECOND_ROUND = 64
LAST_ATTEMPT = 62
GRID_BASE = T_GRID - GRID


@njit(cache=True)
def count(d, i, what, amount):
    """Add to a tally of the case's community and its resident's age group."""
    case = d.cases[i]
    d.tally[case.community, d.residents[case.resident].age, what] += amount


@njit(cache=True)
def later(d, i, t, stage):
    """Let case ``i`` meet its next event, ``stage``, at wall time ``t``."""
    case = d.cases[i]
    case.time = t
    case.stage = stage
    push(d, i)


@njit(cache=True)
def days_to_come(d, t, lifetime, found_rate):
    """Expected days that an unvoiced problem still lasts: E[min(life, finding, horizon)]."""
    rate = 1.0 / lifetime + found_rate
    return (1.0 - math.exp(-(d.span[HORIZON] - t) * rate)) / rate


@njit(cache=True)
def finish(d, i, t, state):
    """End case ``i``: keep its record where the scenario asks to, or free it."""
    case = d.cases[i]
    case.state = state
    case.time = t
    if d.fixed[KEEP]:
        case.stage = ENDED
    else:
        give_back(d, i)


@njit(cache=True)
def arise(d, i, t, utility, share):
    """A need arises: the resident does something about it, or nothing."""
    case = d.cases[i]
    w = d.world[0]
    c = d.categories[case.category]
    place = d.grids[d.residents[case.resident].place]
    case.community = place.community
    community = d.communities[case.community]
    count(d, i, T_NEEDS, 1.0)
    channel = voice(d, i, utility, share)
    case.channel = channel
    if channel == MARKETS:
        count(d, i, T_MARKET, 1.0)
        finish(d, i, t, MARKET)
        return
    if channel == NEIGHBOURS:
        chance = min(c.self_solving * community.self_factor, 1.0)
        if draw(case.key, SELF) < chance:
            count(d, i, T_SELF, 1.0)
            count(d, i, T_PROBLEM, w.delay_local)
            finish(d, i, t, SELF_SOLVED)
            return
    if channel < GRID:
        fall_silent(d, i, t)
        return
    count(d, i, T_VOICED, 1.0)
    count(d, i, GRID_BASE + channel, 1.0)
    if channel == STATION:
        count(d, i, T_WALK, place.walk)
    take_in(d, i, t)


@njit(cache=True)
def fall_silent(d, i, t):
    """Nobody hears of the need: a burden, unless a patrol finds a public problem in time."""
    case = d.cases[i]
    w = d.world[0]
    c = d.categories[case.category]
    lifetime = w.silent_lifetime * c.lifetime
    rate = d.units[unit_of(d, i)].patrol_rate if c.public else 0.0
    count(d, i, T_SILENT, 1.0)
    count(d, i, T_PROBLEM, days_to_come(d, t, lifetime, rate))
    bear(d, case.resident, t)
    if rate > 0.0:
        found = exponential(case.key, PATROL) / rate
        if found < exponential(case.key, LIFETIME) * lifetime:
            later(d, i, t + found, FOUND)
            return
    finish(d, i, t, SILENT)


@njit(cache=True)
def found(d, i, t):
    """A patrol finds a silent public problem: it enters by the grid worker."""
    case = d.cases[i]
    case.channel = GRID
    case.flags |= PATROLLED
    count(d, i, T_FOUND, 1.0)
    take_in(d, i, t)


@njit(cache=True)
def intake_desk(d, i):
    """Desk that takes in case ``i`` under the rules in force."""
    case = d.cases[i]
    if case.channel == GRID:
        return int(d.grids[d.residents[case.resident].place].desk)
    if case.channel == STATION:
        return int(d.communities[case.community].desk)
    return int(d.fixed[HOTLINE_DESK])


@njit(cache=True)
def intake_hours(d, i):
    """Work of taking in case ``i``."""
    w = d.world[0]
    channel = d.cases[i].channel
    if channel == GRID:
        return intake_work(d, i, w.intake_hours_grid)
    if channel == STATION:
        return intake_work(d, i, w.intake_hours_station)
    return intake_work(d, i, w.intake_hours_hotline)


@njit(cache=True)
def settles(d, i):
    """Whether intake settles the case within local competence."""
    case = d.cases[i]
    chance = d.categories[case.category].competence * d.world[0].competence
    if draw(case.key, COMPETENCE) < chance:
        return True
    if case.flags & PATROLLED:
        return draw(case.key, ON_THE_SPOT) < d.units[unit_of(d, i)].linkage
    return False


@njit(cache=True)
def local_delay(d, i):
    """Elapsed days of a case settled at intake; newly devolved powers wait at the gate."""
    w = d.world[0]
    case = d.cases[i]
    median = w.delay_local * d.categories[case.category].delay
    days = lognormal_delay(median, 1.0, case.key, LOCAL_DELAY)
    if draw(case.key, GATED) < w.devolved_share:
        days += d.units[unit_of(d, i)].gate_delay
    return days


@njit(cache=True)
def take_in(d, i, t):
    """Intake: a social organisation, or the channel's desk."""
    case = d.cases[i]
    case.voiced = t
    case.arrived = t
    case.begun = -1.0
    community = d.communities[case.community]
    eligible = d.categories[case.category].social and case.channel != HOTLINE
    if eligible and draw(case.key, ORGANISED) < community.organised:
        count(d, i, T_ORGANISED, 1.0)
        count(d, i, T_SETTLED, 1.0)
        case.desk = -1
        case.begun = t
        later(d, i, t + local_delay(d, i), LOCAL)
        return
    settled = settles(d, i)
    case.delay = local_delay(d, i) if settled else 0.0
    join(d, i, intake_desk(d, i), intake_hours(d, i), LOCAL if settled else INTAKE)


@njit(cache=True)
def join(d, i, desk, work, stage):
    """Queue at a desk; the case lapses where the wait exceeds its patience."""
    case = d.cases[i]
    end = visit(d, i, desk, work, d.world[0].patience)
    if end < 0.0:
        case.desk = -1
        case.state = LAPSED
        later(d, i, case.arrived + d.world[0].patience, GIVE_UP)
    else:
        later(d, i, end + case.delay, stage)


@njit(cache=True)
def work_of(d, i):
    """Work of the visit that case ``i`` waits for, drawn again by its keys."""
    case = d.cases[i]
    if case.stage == HUB:
        return hub_work(d, i)
    if case.stage == PART:
        return part_work(d, i, first_part(case.mask), case.attempt)
    if case.stage == WRONG:
        return reentry_work(d, i)
    return intake_hours(d, i)


@njit(cache=True)
def desk_now(d, i):
    """Desk of the visit that case ``i`` waits for, under the rules now in force."""
    case = d.cases[i]
    if case.stage == HUB:
        return int(d.fixed[HUB_DESK])
    if case.stage == PART:
        return int(part_desk(d, i, first_part(case.mask)))
    if case.stage == WRONG:
        return int(wrong_desk(d, i, first_part(case.mask), case.attempt))
    return intake_desk(d, i)


@njit(cache=True)
def served(d, i, wait, work):
    """Book the waiting and working days of the visit just ended; returns its end, wall time."""
    case = d.cases[i]
    if case.desk < 0:
        return case.arrived
    calendar = d.desks[case.desk].calendar
    start = max(start_wall(case.start, calendar), case.arrived)
    end = max(finish_wall(case.finish, calendar), start)
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
def dispatch(d, i, t):
    """Send a case out: it may be orphaned, disputed, tabled, assembled by the hub."""
    case = d.cases[i]
    w = d.world[0]
    unit = d.units[unit_of(d, i)]
    case.flags |= DISPATCHED
    count(d, i, T_DISPATCHED, 1.0)
    c = d.categories[case.category]
    if c.errand and case.channel == STATION and d.communities[case.community].window:
        case.parts = 1  # the single window takes all desks at once
    orphan = draw(case.key, ORPHAN) < unit.orphan
    if case.parts > 1:
        count(d, i, T_CROSS, 1.0)
        if draw(case.key, DISPUTE) < w.dispute_share:
            case.flags |= DISPUTED
        if draw(case.key, JOINT_RANK) < unit.joint:
            case.flags |= JOINT
            count(d, i, T_JOINT, 1.0)
    disputed = case.flags & DISPUTED
    if orphan or disputed:
        tabled = draw(case.key, CONFERENCE) < unit.conference
    else:
        tabled = case.parts > 1 and draw(case.key, TRIVIAL) < w.trivial_share * unit.conference
    if tabled:
        case.flags |= TABLED
        count(d, i, T_TABLED, 1.0)
        meeting = next_meeting(d, t)
        d.waits[W_CONFERENCE] += meeting - t
        later(d, i, meeting, START)
    elif orphan:
        case.state = ORPHANED
        later(d, i, t + w.orphan_days, GIVE_UP)
    elif disputed:
        # geometric with mean dispute_rounds
        stop = 1.0 / (w.dispute_rounds + 1e-9)
        rounds = 1.0 + math.floor(math.log(draw(case.key, ROUNDS)) / math.log1p(-stop))
        days = rounds * lognormal_delay(w.transfer_delay, 0.5, case.key, ROUNDS)
        case.transfers += int(min(rounds, 100.0))
        count(d, i, T_TRANSFERS, rounds)
        d.waits[W_TRANSFER] += days
        later(d, i, t + days, START)
    else:
        assemble(d, i, t)


@njit(cache=True)
def next_meeting(d, t):
    """Wall time of the first conference with room on its agenda after ``t``: itself a FIFO desk."""
    period = d.fixed[PERIOD_HOURS] / 24.0
    k = int(math.floor(t / period)) + 1
    if k > d.state[MEETING]:
        d.state[MEETING] = k
        d.state[MEETING_LOAD] = 0
    elif d.state[MEETING_LOAD] >= d.fixed[AGENDA]:
        d.state[MEETING] += 1
        d.state[MEETING_LOAD] = 0
    d.state[MEETING_LOAD] += 1
    return d.state[MEETING] * period


@njit(cache=True)
def assemble(d, i, t):
    """Let the hub assemble a joint case first; others go straight to their desks."""
    case = d.cases[i]
    if case.flags & JOINT:
        case.arrived = t
        case.delay = 0.0
        join(d, i, d.fixed[HUB_DESK], hub_work(d, i), HUB)
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
        if same >= 0 and pooled(d, desk):
            case.absorbed |= 1 << p
            continue
        if case.flags & JOINT:
            chain = (chain_of >> (4 * same)) & 15 if same >= 0 else -1
        else:
            serial = uniform(mix(mix(case.key, SERIAL), p)) < w.serial_share
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
    count(d, i, T_VISITS, 1.0)
    if not territorial(d, i, p):
        count(d, i, T_DEPARTMENT, 1.0)
    if case.attempt % SECOND_ROUND < LAST_ATTEMPT and not case.flags & TABLED:
        u = draw(visit_key(case.key, p, case.attempt), MISSENT)
        wrong = wrong_desk(d, i, p, case.attempt)
        if u < unit.p_mis and wrong != right:
            case.delay = 0.0
            join(d, i, wrong, reentry_work(d, i), WRONG)
            return
    case.delay = part_delay(d, i, p, case.attempt)
    join(d, i, right, part_work(d, i, p, case.attempt), PART)


@njit(cache=True)
def returned(d, i, t):
    """A wrong desk has looked at the part: it goes back and out again."""
    case = d.cases[i]
    end = served(d, i, W_DESK_WAIT, W_DESK_WORK)
    days = lognormal_delay(
        d.world[0].transfer_delay, 0.5,
        visit_key(case.key, first_part(case.mask), case.attempt), TRANSFER,
    )  # fmt: skip
    d.waits[W_TRANSFER] += days
    case.attempt += 1
    case.transfers += 1
    count(d, i, T_TRANSFERS, 1.0)
    later(d, i, max(end, t) + days, ARRIVE)


@njit(cache=True)
def part_done(d, i, t, failed):
    """One part is done, or has lapsed: the chain goes on, or ends and may complete the case."""
    case = d.cases[i]
    lead = d.cases[case.parent]
    if failed:
        lead.flags |= FAILED
        case.mask = 0
    else:
        case.mask &= case.mask - 1
    if case.mask:
        case.attempt -= case.attempt % SECOND_ROUND
        send(d, i, t)
        return
    parent = case.parent
    lead.open -= 1
    if parent != i:
        lead.transfers += case.transfers
        give_back(d, i)
    else:
        case.stage = WAITING
    if lead.open == 0:
        lead.attempt -= lead.attempt % SECOND_ROUND
        days = 0.0 if lead.flags & FAILED else common_delay(d, parent)
        d.waits[W_COMMON] += days
        later(d, parent, t + days, CLOSE)


@njit(cache=True)
def close(d, i, t):
    """Close a case: truly solved, poorly, or only on paper; the resident lives through it."""
    case = d.cases[i]
    w = d.world[0]
    unit = d.units[unit_of(d, i)]
    if case.flags & FAILED:
        lose(d, i, t, LAPSED)
        return
    key = visit_key(case.key, 10, case.attempt)
    first = not case.flags & REOPENED
    state = SOLVED
    again = False
    if draw(key, SHAM_DRAW) < unit.sham:
        state = SHAM
        again = first and draw(key, AUDIT) < unit.audit
    elif draw(key, FIX) < unit.poor:
        state = UNSOLVED
        again = first and draw(key, REOPEN) < w.reopen
    if again:
        count(d, i, T_REOPENED, 1.0)
        case.flags |= REOPENED
        case.attempt = SECOND_ROUND
        if case.flags & DISPATCHED:
            start_parts(d, i, t)
        else:
            dispatch(d, i, t)
        return
    days = t - case.voiced
    dispatched = case.flags & DISPATCHED
    b = days_bin(days)
    d.days[case.community, d.residents[case.resident].age, b] += 1
    if dispatched:
        d.days_by_parts[min(int(case.parts), 6), b] += 1
    d.daily[int(t), 2] += 1.0
    count(d, i, T_CLOSED, 1.0)
    count(d, i, T_DAYS, days)
    count(d, i, T_MEASURED, 1.0)
    count(d, i, T_PROBLEM, days)
    if state == SOLVED:
        count(d, i, T_SOLVED, 1.0)
        quality = 1.0
    else:
        count(d, i, T_SHAM if state == SHAM else T_UNSOLVED, 1.0)
        stay_open(d, i, t)
        quality = 0.4 if state == UNSOLVED else 0.0
    feel(d, i, t, quality, days, w.promise if dispatched else w.promise_local)
    finish(d, i, t, state)


@njit(cache=True)
def days_bin(days):
    """Logarithmic bin of days to close."""
    if days <= BIN_FIRST:
        return 0
    return min(int(math.log(days / BIN_FIRST) / math.log(BIN_GROWTH)), BINS - 1)


@njit(cache=True)
def stay_open(d, i, t):
    """A problem that its closing did not solve lasts on, unseen by the measured rates."""
    lifetime = d.world[0].silent_lifetime * d.categories[d.cases[i].category].lifetime
    count(d, i, T_PROBLEM, days_to_come(d, t, lifetime, 0.0))


@njit(cache=True)
def feel(d, i, t, quality, days, promise):
    """Let the resident live through the closing; nobody called where a patrol found it."""
    case = d.cases[i]
    if case.flags & PATROLLED:
        return
    p = performance(quality, days, promise)
    count(d, i, T_FELT, 1.0)
    if p >= d.world[0].content:
        count(d, i, T_CONTENT, 1.0)
    shift = d.units[unit_of(d, i)].expectation_shift
    live_through(d, case.resident, t, p, case.channel, shift, quality == 1.0)


@njit(cache=True)
def lose(d, i, t, state):
    """A case lapses or is orphaned: nobody solves it, and the resident knows."""
    count(d, i, T_LAPSED if state == LAPSED else T_ORPHANED, 1.0)
    count(d, i, T_PROBLEM, t - d.cases[i].voiced)
    stay_open(d, i, t)
    feel(d, i, t, 0.0, t - d.cases[i].voiced, d.world[0].promise)
    finish(d, i, t, state)


@njit(cache=True)
def give_up(d, i, t):
    """Patience is over: of a whole case, or of one chain of it."""
    case = d.cases[i]
    if case.parent != i or case.open > 0:
        part_done(d, i, t, True)
    else:
        lose(d, i, t, int(case.state))


@njit(cache=True)
def handle(d, i, t, utility, share):
    """Handle the pending event of case ``i`` at wall time ``t``."""
    stage = d.cases[i].stage
    if stage == NEED:
        arise(d, i, t, utility, share)
    elif stage == LOCAL:
        end = served(d, i, W_INTAKE_WAIT, W_INTAKE_WORK)
        d.waits[W_LOCAL] += t - end
        if d.cases[i].desk >= 0:
            count(d, i, T_SETTLED, 1.0)
        close(d, i, t)
    elif stage == INTAKE:
        served(d, i, W_INTAKE_WAIT, W_INTAKE_WORK)
        dispatch(d, i, t)
    elif stage == PART:
        end = served(d, i, W_DESK_WAIT, W_DESK_WORK)
        d.waits[W_PART_DELAY] += t - end
        part_done(d, i, t, False)
    elif stage == WRONG:
        returned(d, i, t)
    elif stage == ARRIVE:
        send(d, i, t)
    elif stage == CLOSE:
        close(d, i, t)
    elif stage == HUB:
        served(d, i, W_HUB, W_HUB)
        start_parts(d, i, t)
    elif stage == START:
        assemble(d, i, t)
    elif stage == FOUND:
        found(d, i, t)
    elif stage == GIVE_UP:
        give_up(d, i, t)
