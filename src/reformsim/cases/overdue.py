"""Open cases past their promised time weigh on residents, so that a backlog is felt as it grows.

Once a month: what an overdue case adds to a resident's burden decays as any burden does, and is
made up for month by month while the case is open; what is left of it goes when the case ends.
"""

import math

import numpy as np

from reformsim.cases import state as s
from reformsim.cases.voice import bear
from reformsim.kernels import njit


@njit(cache=True)
def burden_left(d, t):
    """What is left at ``t`` of the burden of an overdue case since the last look."""
    w = d.world[0]
    return w.overdue_burden * math.exp(-(t - d.state[s.WEIGHED]) / w.silent_lifetime)


def weigh(d: s.District, day: int) -> None:
    """Let the overdue cases of a district weigh on their residents at the start of ``day``.

    In the order of the cases' keys: where a record lies must not show in the last bit of a sum.
    """
    case, flags = d.cases, d.cases["flags"]
    is_open = (case["parent"] == np.arange(len(case))) & ~np.isin(
        case["stage"], (s.FREE, s.NEED, s.FOUND, s.ENDED)
    )
    late = is_open & (day - case["voiced"] > d.world["promise"]) & (flags & s.PATROLLED == 0)
    rows = np.flatnonzero(late)
    _weigh(d, rows[np.argsort(case["key"][rows])], float(day))
    d.state[s.WEIGHED] = day


@njit(cache=True)
def _weigh(d, rows, day):
    faded = d.world[0].overdue_burden - burden_left(d, day)
    for n in range(len(rows)):
        case = d.cases[rows[n]]
        bear(d, case.resident, day, faded if case.flags & s.OVERDUE else d.world[0].overdue_burden)
        case.flags |= s.OVERDUE
