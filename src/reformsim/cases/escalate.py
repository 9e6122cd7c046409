"""Four levels: what nobody settles climbs to the level above, the last stretch to the city.

Community, subdistrict, district, city. A case is stuck when nobody is responsible, when its
desks disclaim it, or when a part has been returned twice.
"""

import numpy as np

from reformsim.cases import state as s
from reformsim.cases.clock import CALENDARS, OFFICE, start_wall, to_work
from reformsim.cases.state import Count
from reformsim.cases.steps import count, first_part, later
from reformsim.cases.work import lognormal_delay, territorial, unit_of, visit_key
from reformsim.chance import Purpose, draw
from reformsim.kernels import njit

#: Days between two exchanges with the city level: what travels to it takes no less.
WINDOW = 1
WORKING_DAY = CALENDARS[OFFICE, 1]


@njit(cache=True)
def _stuck_key(d, i):
    """Stream of a case, or of one part of it, that is stuck."""
    case = d.cases[i]
    part = first_part(case.mask) if case.mask else 0
    return visit_key(case.key, part, case.attempt)


@njit(cache=True)
def taken_up(d, i):
    """Whether the levels above take up a stuck case."""
    share = d.units[unit_of(d, i)].escalation
    return share > 0.0 and draw(_stuck_key(d, i), Purpose.ESCALATE) < share


@njit(cache=True)
def climb(d, i, t):
    """Send a stuck case up from wall time ``t``: to the first level above all of its desks.

    That is the subdistrict, the district where a line department has a part in it, or, for a
    share of all, the city, which lies at least a working day and a window away.
    """
    case = d.cases[i]
    w = d.world[0]
    key = _stuck_key(d, i)
    count(d, i, Count.ESCALATED, 1.0)
    levels = 1
    for part in range(np.int64(case.parts)):
        if not territorial(d, i, part):
            levels = 2
            break
    city = draw(key, Purpose.CITY_LEVEL) < w.city_share
    if city:
        levels = 3
    days = levels * lognormal_delay(w.escalation_days, 0.5, key, Purpose.CLIMB)
    case.arrived = t
    case.desk = -1
    if not city:
        later(d, i, t + days, s.CLIMB)
        return
    travel = start_wall(to_work(t, OFFICE) + WORKING_DAY, OFFICE)
    case.time = max(travel, t + max(days, WINDOW))
    case.stage = s.CITY
    d.links[i] = d.state[s.CITY_HEAD]
    d.state[s.CITY_HEAD] = i


@njit(cache=True)
def decided(d, i):
    """Whether the level that a case has climbed to could decide it."""
    return draw(_stuck_key(d, i), Purpose.AUTHORITY) < d.world[0].escalation_decides
