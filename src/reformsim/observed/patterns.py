"""When cases come: by day of the week and by month, against the mean day."""

from collections.abc import Iterator

import numpy as np

from reformsim.observed.faults import Words
from reformsim.observed.intervals import Estimate, rate
from reformsim.observed.tally import FIRST_DAY, GROUPS, Tally, group_of

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WEEKDAYS_ZH = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
#: Days of a file from which weekdays and months are told, and share of them without any case
#: from which it looks like a sample.
WEEKS, YEAR, GAPS = 56, 365, 0.5


def is_sample(tally: Tally, first: int, end: int) -> bool:
    """Return whether so many days have no case that the file cannot hold all cases."""
    return bool(np.mean(tally.arrivals[first:end].sum(axis=1) == 0) > GAPS)


def rows(tally: Tally, first: int, end: int) -> Iterator[tuple[Words, Estimate, str]]:
    """Yield the cases of each weekday and month against the mean day: name, factor, unit.

    The first and the last day, which may be cut, are left out. Nothing where the file is too
    short or has gaps. One year alone cannot tell a season from a trend.
    """
    days = np.arange(first + 1, end - 1)
    if len(days) < WEEKS or is_sample(tally, first, end):
        return
    cases = tally.arrivals[days].sum(axis=1)
    weekday = days % 7  # 1 January 1990 is a Monday
    for i, (en, zh) in enumerate(zip(WEEKDAYS, WEEKDAYS_ZH, strict=True)):
        found = _against_mean(cases, days, weekday == i)
        if found:
            yield Words(f"cases on a {en}", f"{zh}事项数"), found, "times the mean day"
    if len(days) < YEAR:
        return
    month = (days + FIRST_DAY).astype("M8[D]").astype("M8[M]").astype(int) % 12
    for i in range(12):
        found = _against_mean(cases, days, month == i)
        if found:
            name = Words(f"cases a day in month {i + 1}", f"{i + 1} 月日均事项数")
            yield name, found, "times the mean day"


def _against_mean(cases: np.ndarray, days: np.ndarray, which: np.ndarray) -> Estimate | None:
    """Return the rate on some days over that on all, whose own error is left aside."""
    count, number = np.zeros(GROUPS), np.zeros(GROUPS)
    np.add.at(count, group_of(days[which]), cases[which])
    np.add.at(number, group_of(days[which]), 1)
    found = rate(count, number)
    return found and found.times(float(1 / cases.mean()))
