"""Open cases past their promised time weigh on residents, so that a backlog is felt as it grows.

Once a month: what an overdue case adds to a resident's burden decays as any burden does, and is
made up for month by month while the case is open; what is left of it goes when the case ends.
"""

import math

import numpy as np

from reformsim.cases import state as s
from reformsim.cases.handle import AHEAD, prefetch
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
    rows = _late(d, float(day))
    _weigh(d, rows[np.argsort(d.cases["key"][rows])], float(day))
    d.state[s.WEIGHED] = day


@njit(cache=True, nogil=True)
def _late(d, day):
    """Cases that somebody has called about and that are open past the promised time."""
    rows = np.empty(len(d.cases), np.int64)
    n = 0
    for i in range(len(d.cases)):
        case = d.cases[i]
        is_open = case.parent == i and case.stage not in (s.FREE, s.NEED, s.FOUND, s.ENDED)
        if is_open and not case.flags & s.PATROLLED and day - case.voiced > d.world[0].promise:
            rows[n] = i
            n += 1
    return rows[:n]


@njit(cache=True, nogil=True)
def _weigh(d, rows, day):
    faded = d.world[0].overdue_burden - burden_left(d, day)
    last = len(rows) - 1
    for n in range(len(rows)):
        prefetch(d.cases, rows[min(n + 2 * AHEAD, last)])
        prefetch(d.residents, d.cases[rows[min(n + AHEAD, last)]].resident)
        case = d.cases[rows[n]]
        bear(d, case.resident, day, faded if case.flags & s.OVERDUE else d.world[0].overdue_burden)
        case.flags |= s.OVERDUE
