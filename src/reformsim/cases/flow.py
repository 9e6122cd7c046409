"""What happens to a case next: the pending event, and the visit that it waits for."""

from reformsim.cases import state as s
from reformsim.cases.closing import close, give_up
from reformsim.cases.dispatch import agreed, come_down, dispatch, talked
from reformsim.cases.intake import found, intake_desk, intake_hours
from reformsim.cases.parts import assemble, part_done, returned, send, start_parts
from reformsim.cases.state import Count, Wait
from reformsim.cases.steps import count, first_part, served
from reformsim.cases.work import (
    hub_work,
    mediation_work,
    part_desk,
    part_work,
    reentry_work,
    spot_work,
    wrong_desk,
)
from reformsim.kernels import njit


@njit(cache=True)
def work_of(d, i):
    """Work of the visit that case ``i`` waits for, drawn again by its keys."""
    case = d.cases[i]
    if case.stage == s.HUB:
        return hub_work(d, i)
    if case.stage == s.PART:
        return part_work(d, i, first_part(case.mask), case.attempt)
    if case.stage == s.WRONG:
        return reentry_work(d, i)
    if case.stage == s.SPOT:
        return spot_work(d, i)
    if case.stage == s.MEDIATION:
        return mediation_work(d, i)
    return intake_hours(d, i, case.stage == s.LOCAL)


@njit(cache=True)
def desk_now(d, i):
    """Desk of the visit that case ``i`` waits for, under the rules now in force."""
    case = d.cases[i]
    if case.stage == s.HUB:
        return int(d.fixed[s.HUB_DESK])
    if case.stage == s.PART:
        return int(part_desk(d, i, first_part(case.mask)))
    if case.stage == s.WRONG:
        return int(wrong_desk(d, i, first_part(case.mask), case.attempt))
    if case.stage == s.SPOT:
        return int(d.fixed[s.POST_DESK])
    if case.stage == s.MEDIATION:
        return int(d.communities[case.community].desk)
    return intake_desk(d, i)


@njit(cache=True)
def handle(d, i, t):
    """Handle the pending event of case ``i`` at wall time ``t``."""
    stage = d.cases[i].stage
    if stage == s.LOCAL:
        end = served(d, i, Wait.INTAKE_WAIT, Wait.INTAKE_WORK)
        d.waits[Wait.LOCAL_DELAY] += t - end
        if d.cases[i].desk >= 0:
            count(d, i, Count.SETTLED, 1.0)
        close(d, i, t)
    elif stage == s.INTAKE:
        served(d, i, Wait.INTAKE_WAIT, Wait.INTAKE_WORK)
        dispatch(d, i, t)
    elif stage == s.PART:
        end = served(d, i, Wait.DESK_WAIT, Wait.DESK_WORK)
        d.waits[Wait.PART_DELAY] += t - end
        part_done(d, i, t, False)
    elif stage == s.WRONG:
        returned(d, i, t)
    elif stage == s.ARRIVE:
        send(d, i, t)
    elif stage == s.CLOSE:
        close(d, i, t)
    elif stage == s.HUB:
        served(d, i, Wait.HUB, Wait.HUB)
        start_parts(d, i, t)
    elif stage == s.START:
        assemble(d, i, t)
    elif stage == s.FOUND:
        found(d, i, t)
    elif stage == s.SPOT:
        end = served(d, i, Wait.DESK_WAIT, Wait.DESK_WORK)
        d.waits[Wait.PART_DELAY] += t - end
        count(d, i, Count.ON_SPOT, 1.0)
        close(d, i, t)
    elif stage == s.MEDIATION:
        end = served(d, i, Wait.MEDIATION, Wait.MEDIATION)
        d.waits[Wait.MEDIATION] += t - end
        if not d.cases[i].flags & s.DISPATCHED and agreed(d, i):
            close(d, i, t)
        else:
            talked(d, i, t)
    elif stage == s.CLIMB:
        come_down(d, i, t)
    elif stage == s.GIVE_UP:
        give_up(d, i, t)
