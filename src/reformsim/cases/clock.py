"""Wall time (days) and working time (hours) of a desk's calendar.

Day 0 is a Monday. A calendar is (opening hour, hours a day, working days a week). Queueing
happens in working time, so that an office that closes at night and at weekends stays an exact
c-server FIFO queue.
"""

import math

import numpy as np

from reformsim.kernels import njit

ALWAYS, OFFICE, DAILY, SATURDAYS, WEEKENDS = range(5)
#: Calendar of offices open on 5, 6 or 7 days a week.
OPEN_DAYS = {5: OFFICE, 6: SATURDAYS, 7: WEEKENDS}

#: Rows: always open; offices, Monday to Friday 9–17; hotline, every day 8–20; offices that open
#: on Saturdays too, and every day.
CALENDARS = np.array(
    [[0.0, 24.0, 7.0], [9.0, 8.0, 5.0], [8.0, 12.0, 7.0], [9.0, 8.0, 6.0], [9.0, 8.0, 7.0]]
)


@njit(cache=True)
def to_work(t, calendar):
    """Hours worked by wall time ``t`` (days since the Monday of day 0)."""
    opening, hours, days = CALENDARS[calendar, 0], CALENDARS[calendar, 1], CALENDARS[calendar, 2]
    day = math.floor(t)
    week = math.floor(day / 7.0)
    weekday = day - 7.0 * week
    if weekday >= days:
        return (week + 1.0) * days * hours
    today = min(max((t - day) * 24.0 - opening, 0.0), hours)
    return (week * days + weekday) * hours + today


@njit(cache=True)
def _wall(n, rest, calendar):
    week = math.floor(n / CALENDARS[calendar, 2])
    weekday = n - week * CALENDARS[calendar, 2]
    return 7.0 * week + weekday + (CALENDARS[calendar, 0] + rest) / 24.0


@njit(cache=True)
def finish_wall(w, calendar):
    """Earliest wall time at which ``w`` hours have been worked (closing time, not next opening)."""
    hours = CALENDARS[calendar, 1]
    n = max(math.ceil(w / hours) - 1.0, 0.0)
    return _wall(n, w - n * hours, calendar)


@njit(cache=True)
def start_wall(w, calendar):
    """Latest wall time before more than ``w`` hours are worked (next opening, not closing time)."""
    hours = CALENDARS[calendar, 1]
    n = float(math.floor(w / hours))
    return _wall(n, w - n * hours, calendar)
