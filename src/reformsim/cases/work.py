"""What is drawn of a case: its departments, its work, its delays; keyed, so order never matters."""

import math

import numpy as np

from reformsim.cases.state import (
    DEPARTMENTS,
    DETERMINISTIC,
    DISPUTED,
    EXPONENTIAL,
    FIRST_RESIDENT,
    JOINT,
    OFFICES,
    PATROLLED,
    SEED,
    SERVICE,
    TABLED,
    WINDOW,
)
from reformsim.categories import MULTI
from reformsim.categories import OFFICES as POOLED
from reformsim.chance import Purpose, draw, mix, normal, uniform
from reformsim.kernels import njit

COUNT = 12
# of Numba's own kind of integer: of Python's, each number would be compiled by itself
(
    LEVEL, PART_CATEGORY, PARTS, WORK, PART_DELAY, COMMON_DELAY, INTAKE_WORK, OTHER_DESK, HUB_WORK,
    REENTRY, TREATMENT, SPOT_WORK, MEDIATION_WORK,
) = np.array([
    Purpose.LEVEL, Purpose.PART_CATEGORY, Purpose.PARTS, Purpose.WORK, Purpose.PART_DELAY,
    Purpose.COMMON_DELAY, Purpose.INTAKE_WORK, Purpose.OTHER_DESK, Purpose.HUB_WORK,
    Purpose.REENTRY, Purpose.TREATMENT, Purpose.SPOT_WORK, Purpose.MEDIATION_WORK,
])  # fmt: skip
#: Streams of a case beside those of its parts, 0 to 5.
AT_INTAKE, IN_COMMON, AT_HUB, RETURNED, AT_CLOSING = np.arange(6, 11)


@njit(cache=True)
def visit_key(key, part, attempt):
    """Stream of one visit: part 0–5 of the need or another stream, attempt 0–255."""
    return mix(key, 1000 + 256 * part + attempt)


@njit(cache=True)
def spread(kind, cv, key, purpose):
    """Draw with mean 1 and coefficient of variation ``cv``: lognormal, exponential or constant."""
    if kind == DETERMINISTIC or cv == 0.0:
        return 1.0
    if kind == EXPONENTIAL:
        return -math.log(draw(key, purpose))
    s2 = math.log(1.0 + cv * cv)
    return math.exp(math.sqrt(s2) * normal(key, purpose) - 0.5 * s2)


@njit(cache=True)
def lognormal_delay(median, sigma, key, purpose):
    """Elapsed days with the given median and log standard deviation; 0 for a median of 0."""
    if median <= 0.0:
        return 0.0
    return median * math.exp(sigma * normal(key, purpose))


@njit(cache=True)
def departments(key, chance_of_several):
    """Number of departments K of a need: 1, or 2–6 with the shares of ``MULTI``."""
    u = draw(key, PARTS)
    if u >= chance_of_several:
        return 1
    u /= chance_of_several
    for k in range(1, 6):
        u -= MULTI[k]
        if u < 0.0:
            return k + 1
    return 6


@njit(cache=True)
def part_category(d, i, part):
    """Category whose desk answers for a part: the need's own first, others by their shares."""
    case = d.cases[i]
    if part == 0:
        return int(case.category)
    u = uniform(mix(mix(case.key, PART_CATEGORY), part))
    for c in range(COUNT):
        if u < d.category_of[c]:
            return c
    return COUNT - 1


@njit(cache=True)
def territorial(d, i, part):
    """Whether a part stays with the subdistrict rather than going to a line department."""
    u = uniform(mix(mix(d.cases[i].key, LEVEL), part))
    return u < d.world[0].territorial_share


@njit(cache=True)
def unit_of(d, i):
    """Subdistrict, local index, that a case belongs to."""
    return d.communities[d.cases[i].community].unit


@njit(cache=True)
def desk_of(d, unit, category, is_territorial):
    """Desk that answers for a category at a level, under the offices now in force."""
    if is_territorial:
        return d.office_desk[unit, category]
    return d.fixed[DEPARTMENTS] + category


@njit(cache=True)
def part_desk(d, i, part):
    """Right desk of a part of case ``i``."""
    return desk_of(d, unit_of(d, i), part_category(d, i, part), territorial(d, i, part))


@njit(cache=True)
def wrong_desk(d, i, part, attempt):
    """Another desk of the same level, keyed by the attempt."""
    right = part_category(d, i, part)
    u = draw(visit_key(d.cases[i].key, part, attempt), OTHER_DESK)
    other = (right + 1 + int(u * (COUNT - 1))) % COUNT
    return desk_of(d, unit_of(d, i), other, territorial(d, i, part))


@njit(cache=True)
def pooled(d, desk):
    """Whether a desk is one of the five merged offices."""
    return d.fixed[OFFICES] <= desk < d.fixed[OFFICES] + POOLED * len(d.units)


@njit(cache=True)
def _one_work(d, i, part, attempt, generalist, specialist):
    w = d.world[0]
    c = d.categories[part_category(d, i, part)]
    key = visit_key(d.cases[i].key, part, attempt)
    hours = c.work * w.work_hours * spread(d.fixed[SERVICE], w.work_cv, key, WORK)
    if c.technical:
        if generalist:
            hours *= 1.0 + w.specialist_loss
        elif specialist:
            hours /= w.specialist_gain
    return hours


@njit(cache=True)
def part_work(d, i, part, attempt):
    """Hours of one visit: the part, those its office absorbed, coordination, table, procedure."""
    w = d.world[0]
    case = d.cases[i]
    own = territorial(d, i, part)
    generalist = pooled(d, part_desk(d, i, part))
    unit = d.units[unit_of(d, i)]
    hours = _one_work(d, i, part, attempt, generalist, not generalist) + unit.procedure
    if part == 0:
        hours += unit.audit_hours
    if case.absorbed:
        office = d.categories[part_category(d, i, part)].office
        window = case.flags & WINDOW
        for q in range(np.int64(case.parts)):
            if case.absorbed & (1 << q) and (
                window
                or (
                    own
                    and territorial(d, i, q)
                    and d.categories[part_category(d, i, q)].office == office
                )
            ):
                hours += _one_work(d, i, q, attempt, generalist, not generalist)
    if case.flags & JOINT:
        hours += w.coordination_hours * 0.5 * (case.parts - 1)
    if case.flags & TABLED:
        hours += w.conference_hours
    elif case.flags & DISPUTED and part == 0:
        hours += w.reentry_hours * w.dispute_rounds
    return hours


@njit(cache=True)
def treatment(d, i):
    """How a resident is treated: factor of elapsed days, mean 1 over residents."""
    sd = d.units[unit_of(d, i)].treatment
    if sd == 0.0:
        return 1.0
    resident = mix(d.fixed[SEED], d.fixed[FIRST_RESIDENT] + d.cases[i].resident)
    return math.exp(sd * normal(resident, TREATMENT) - 0.5 * sd * sd)


@njit(cache=True)
def part_delay(d, i, part, attempt):
    """Elapsed days of one part that hold no server: a site visit, a contractor, a procedure."""
    w = d.world[0]
    median = w.delay_part * d.categories[part_category(d, i, part)].delay
    key = visit_key(d.cases[i].key, part, attempt)
    return treatment(d, i) * lognormal_delay(median, w.delay_part_sigma, key, PART_DELAY)


@njit(cache=True)
def common_delay(d, i):
    """Elapsed days common to a dispatched case; overdue time of a chased case is shortened."""
    w = d.world[0]
    case = d.cases[i]
    unit = d.units[unit_of(d, i)]
    c = d.categories[case.category]
    key = visit_key(case.key, IN_COMMON, case.attempt)
    days = treatment(d, i) * lognormal_delay(
        w.delay_common * c.delay, w.delay_common_sigma, key, COMMON_DELAY
    )
    if case.flags & JOINT and days > w.promise:
        days = w.promise + (days - w.promise) * (1.0 - unit.follow_up * w.chase_effect)
    if c.technical or case.parts > 1:
        days *= 1.0 + unit.neglect
    if c.public:
        days += unit.decision_delay
    return days


@njit(cache=True)
def intake_work(d, i, hours):
    """Hours of intake at grid worker, station or hotline; more where patrols over-report."""
    w = d.world[0]
    case = d.cases[i]
    key = visit_key(case.key, AT_INTAKE, case.attempt)
    hours *= spread(d.fixed[SERVICE], w.work_cv, key, INTAKE_WORK)
    if case.flags & PATROLLED:
        hours *= 1.0 + w.over_report * d.units[unit_of(d, i)].linkage
    return hours


@njit(cache=True)
def reentry_work(d, i):
    """Hours of taking in and returning a case that came to a wrong desk."""
    w = d.world[0]
    case = d.cases[i]
    key = mix(visit_key(case.key, RETURNED, case.attempt), int(case.mask))
    return w.reentry_hours * spread(d.fixed[SERVICE], w.work_cv, key, REENTRY)


@njit(cache=True)
def hub_work(d, i):
    """Hours of assembling a case at the hub, and of chasing its parts."""
    w = d.world[0]
    case = d.cases[i]
    key = visit_key(case.key, AT_HUB, case.attempt)
    hours = w.hub_hours * spread(d.fixed[SERVICE], w.work_cv, key, HUB_WORK)
    return hours + d.units[unit_of(d, i)].follow_up * w.chase_hours * case.parts


@njit(cache=True)
def spot_work(d, i):
    """Hours of an officer in post on one public-order case."""
    w = d.world[0]
    case = d.cases[i]
    return w.police_hours * spread(d.fixed[SERVICE], w.work_cv, case.key, SPOT_WORK)


@njit(cache=True)
def mediation_work(d, i):
    """Hours of the platforms that mediate a dispute, all of them together."""
    case = d.cases[i]
    hours = d.units[unit_of(d, i)].mediation_hours
    return hours * spread(d.fixed[SERVICE], d.world[0].work_cv, case.key, MEDIATION_WORK)
