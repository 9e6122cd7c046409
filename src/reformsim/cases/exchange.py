"""The city level: cases of all districts queue for its one table; days between two exchanges.

What climbs to the city is on its way for at least `escalate.WINDOW` days, so that at the start
of a window everything that reaches the table within it is known, whatever the districts do
meanwhile: they run side by side, and the size of the window changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reformsim.cases import state as s
from reformsim.cases.clock import CALENDARS, OFFICE, finish_wall, start_wall, to_work
from reformsim.cases.engine import run_to
from reformsim.cases.escalate import WINDOW
from reformsim.cases.queue import push
from reformsim.cases.threads import side_by_side
from reformsim.kernels import njit


@dataclass
class CityLevel:
    """The city's table: first come, first served, one case at a time, in office hours."""

    hours: float  # working hours that one decision takes
    patience: float  # days after which a case that still waits has lapsed
    free: float = 0.0  # working hours at which the table is free

    @classmethod
    def of(cls, world: np.record, people: int) -> "CityLevel":
        """Return the table of a city with ``people`` residents."""
        week = float(CALENDARS[OFFICE, 1] * CALENDARS[OFFICE, 2])
        a_week = float(world["city_capacity"]) * people / 1e5
        return cls(hours=week / a_week, patience=float(world["patience"]))

    def exchange(self, districts: Sequence[s.District], until: float) -> None:
        """Decide on the cases that reach the city before wall time ``until``; send them back."""
        if all(d.state[s.CITY_HEAD] < 0 for d in districts):
            return
        arrivals = [_arrivals(d, until) for d in districts]
        rows = np.concatenate(arrivals)
        owner = np.repeat(np.arange(len(districts)), [len(a) for a in arrivals])
        cases = [d.cases[a] for d, a in zip(districts, arrivals, strict=True)]
        table = np.concatenate([c[["time", "key", "mask"]] for c in cases])
        order = np.lexsort((table["mask"], table["key"], table["time"]))
        back, self.free = _sit(table["time"][order], self.free, self.hours, self.patience)
        for n, i in enumerate(order):
            _send_back(districts[owner[i]], rows[i], back[n], self.patience)


def run_windows(
    districts: Sequence[s.District],
    city: CityLevel,
    start: float,
    day: float,
    threads: int = 1,
    window: float = WINDOW,
) -> None:
    """Run open spans up to ``day``, districts side by side, with an exchange before every window.

    Where nothing is on its way to the city, nor can be, there is one window.
    """
    may_climb = any((d.units["escalation"] > 0).any() for d in districts)
    while start < day:
        end = day
        if may_climb or any(d.state[s.CITY_HEAD] >= 0 for d in districts):
            end = min(start + window, day)
            city.exchange(districts, end)
        side_by_side(run_to, districts, [end] * len(districts), threads=threads)
        start = end


@njit(cache=True)
def _arrivals(d, until):
    """Take the cases that reach the city before ``until`` off the district's list."""
    n = 0
    i = d.state[s.CITY_HEAD]
    while i >= 0:
        n += 1
        i = d.links[i]
    rows = np.empty(n, np.int64)
    n = 0
    i = d.state[s.CITY_HEAD]
    d.state[s.CITY_HEAD] = -1
    while i >= 0:
        follower = d.links[i]
        if d.cases[i].time < until:
            rows[n] = i
            n += 1
        else:
            d.links[i] = d.state[s.CITY_HEAD]
            d.state[s.CITY_HEAD] = i
        i = follower
    return rows[:n]


@njit(cache=True)
def _sit(arrived, free, hours, patience):
    """Wall times at which decisions fall, −1 where patience ends before; and the table's hour."""
    back = np.empty(len(arrived))
    for n in range(len(arrived)):
        start = max(to_work(arrived[n], OFFICE), free)
        if start_wall(start, OFFICE) - arrived[n] > patience:
            back[n] = -1.0
            continue
        free = start + hours
        back[n] = max(finish_wall(free, OFFICE), arrived[n])
    return back, free


@njit(cache=True)
def _send_back(d, i, t, patience):
    case = d.cases[i]
    if t < 0.0:
        case.state = s.LAPSED
        case.stage = s.GIVE_UP
        case.time += patience
    else:
        case.stage = s.CLIMB
        case.time = t
    push(d, i)
