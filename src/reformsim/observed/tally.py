"""What is kept of an export: counts by day, category, departments and length; no case, no text."""

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from reformsim import categories
from reformsim.kernels import njit
from reformsim.observed.moments import DAY, FIRST_YEAR, LAST_YEAR

FIRST_DAY = int(np.datetime64(f"{FIRST_YEAR}-01-01").astype("M8[D]").astype(int))
DAYS = int(np.datetime64(f"{LAST_YEAR + 1}-01-01").astype("M8[D]").astype(int)) - FIRST_DAY
#: Position of cases without a category, and the number of positions.
NO_CATEGORY = categories.COUNT
KINDS = categories.COUNT + 1
#: Departments: none, 1 to 5, 6 or more, not known.
MOST, UNKNOWN = 6, 7
#: Weeks are dealt into so many groups; leaving one out at a time shows how weeks differ.
GROUPS = 20
#: Logarithmic bins of days to close: the first begins at 0, the last has no end.
BINS = 400
EDGES = np.concatenate([[0.0], 0.001 * 10.0 ** (7 * np.arange(1, BINS) / (BINS - 1)), [np.inf]])
#: Bins of promised time, a quarter of a day each.
QUARTERS = 4 * 400
NO_LINE = np.iinfo(np.int64).max


class Sum(IntEnum):
    """What is summed for each day on which cases were created."""

    RATED = 0
    SATISFIED = 1
    TOLD = 2  # whether the case was reopened is known
    REOPENED = 3
    DISPATCHED = 4  # from here on of cases that were not reopened
    CROSS = 5
    CROSS_WEIGHT = 6  # sum of the categories' weights of needing several departments
    PARTS = 7  # of cases of one department: those of several may be passed on as disputed, too
    TRANSFERS = 8
    TAKEN_IN = 9  # of categories that neither patrols nor social organisations serve
    SETTLED = 10
    COMPETENCE = 11  # sum of the categories' competence
    ANSWERED = 12  # settled at intake, of any category, reopened or not
    PLACED = 13  # settled at intake or dispatched


class Chunk(NamedTuple):
    """Some cases as columns (n,); what is not known is NaN, an unknown category −1."""

    created: np.ndarray  # seconds by the wall clock
    days: np.ndarray  # to close; NaN of open cases and of those whose days are left out
    whole: np.ndarray  # whether the days are whole days, since a date has no hour
    closed: np.ndarray  # seconds by the wall clock
    open: np.ndarray
    category: np.ndarray
    departments: np.ndarray
    transfers: np.ndarray
    reopened: np.ndarray
    satisfied: np.ndarray
    promised: np.ndarray  # days
    line: np.ndarray  # of the file


class Tally:
    """Counts of an export, of one size whatever its length."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.arrivals = np.zeros((DAYS, KINDS), np.int64)
        self.closings = np.zeros(DAYS, np.int64)
        self.open = np.zeros((DAYS, KINDS, UNKNOWN + 1), np.int32)
        self.closed = np.zeros((GROUPS, 2, KINDS, UNKNOWN + 1, BINS), np.int32)
        self.sums = np.zeros((DAYS, len(Sum)))
        self.promised = np.zeros((3, QUARTERS), np.int64)  # at intake, dispatched, not known
        self.lines = np.full((2, DAYS), NO_LINE)  # the first with a case created, closed that day

    def add(self, c: Chunk) -> None:
        """Count the cases of a chunk."""
        day = day_of(c.created)
        kind = np.where(c.category < 0, NO_CATEGORY, c.category)
        known = ~np.isnan(c.departments)
        several = np.where(known, np.clip(np.nan_to_num(c.departments), 0, MOST), UNKNOWN)
        several = several.astype(np.int64)
        np.add.at(self.arrivals, (day, kind), 1)
        o = c.open
        np.add.at(self.open, (day[o], kind[o], several[o]), 1)
        e = ~np.isnan(c.days)
        b = np.searchsorted(EDGES, c.days[e], side="right") - 1
        at = (group_of(day[e]), c.whole[e].astype(int), kind[e], several[e], b)
        np.add.at(self.closed, at, 1)
        closed = day_of(c.closed[e])
        np.add.at(self.closings, closed, 1)
        np.minimum.at(self.lines[0], day, c.line)
        np.minimum.at(self.lines[1], closed, c.line[e])
        for which, values in self._sums(c, known, several).items():
            np.add.at(self.sums[:, which], day, values)
        p = (c.promised >= 0) & (c.promised < QUARTERS / 4)
        row = np.select([several[p] == 0, several[p] == UNKNOWN], [0, 2], 1)
        np.add.at(self.promised, (row, (c.promised[p] * 4).astype(int)), 1)

    @staticmethod
    def _sums(c: Chunk, known: np.ndarray, several: np.ndarray) -> dict[Sum, np.ndarray]:
        table = categories.TABLE[np.maximum(c.category, 0)]
        once = known & ~(c.reopened > 0)
        sent = once & (several > 0)
        counted = once & (several == 1) & ~np.isnan(c.transfers)
        answered = (several == 0) & ~c.open
        own = once & (c.category >= 0) & ~table["social"] & ~table["public"]
        return {
            Sum.RATED: ~np.isnan(c.satisfied),
            Sum.SATISFIED: c.satisfied == 1,
            Sum.TOLD: ~np.isnan(c.reopened),
            Sum.REOPENED: c.reopened > 0,
            Sum.DISPATCHED: sent,
            Sum.CROSS: sent & (several > 1),
            Sum.CROSS_WEIGHT: np.where(c.category < 0, 1.0, table["cross"]) * sent,
            Sum.PARTS: counted,
            Sum.TRANSFERS: np.where(counted, c.transfers, 0.0),
            Sum.TAKEN_IN: own,
            Sum.SETTLED: own & (several == 0),
            Sum.COMPETENCE: table["competence"] * own,
            Sum.ANSWERED: answered,
            Sum.PLACED: answered | known & (several > 0),
        }

    def end(self) -> float:
        """Return the end of the file, in days since 1990: the last day on which things happen.

        One date, or one in ten thousand, may lie after it: slips of the pen. Of fewer than a
        hundred all count.
        """
        return float(_last(self.arrivals.sum(axis=1) + self.closings) + 1)

    def start(self) -> int:
        """Return the first day on which cases were created, slips of the pen as in ``end``."""
        return DAYS - 1 - _last(self.arrivals.sum(axis=1)[::-1])

    def last(self) -> int:
        """Return the last day on which cases were created, slips of the pen as in ``end``."""
        return _last(self.arrivals.sum(axis=1))

    def apart(self) -> tuple[int, list[int]]:
        """Return how many dates lie before ``start`` or after ``end``, and lines with such dates.

        Of several on one day the first line is given.
        """
        day = np.arange(DAYS)
        late = day >= self.end()
        created = late | (day < self.start())
        lines = np.concatenate([self.lines[0, created], self.lines[1, late]])
        times = self.arrivals[created].sum() + self.closings[late].sum()
        return int(times), np.unique(lines[lines < NO_LINE]).tolist()


def _last(events: np.ndarray) -> int:
    after = events[::-1].cumsum()[::-1]
    slips = max(1e-4 * after[0], 1.0) if after[0] >= 100 else 0.0
    return int(np.flatnonzero(after > slips).max(initial=0))


def day_of(seconds: np.ndarray) -> np.ndarray:
    """Return days since the first of 1990, as whole numbers within the table."""
    return np.clip(np.floor(seconds / DAY).astype(np.int64) - FIRST_DAY, 0, DAYS - 1)


def group_of(day: np.ndarray) -> np.ndarray:
    """Return the group that the week of a day belongs to; 1 January 1990 is a Monday."""
    return day // 7 % GROUPS


class Seen:
    """A set of 64-bit hashes, of 16 to 32 bytes each: ten million take 270 MB at most."""

    def __init__(self) -> None:
        """Begin empty."""
        self.table = np.zeros(1 << 16, np.uint64)
        self.count = 0

    def again(self, hashes: np.ndarray) -> np.ndarray:
        """Add hashes (n,); return which of them were there already, also within these."""
        while 2 * (self.count + len(hashes)) > len(self.table):
            old = self.table
            self.table = np.zeros(2 * len(old), np.uint64)
            _enter(self.table, old[old > 0])
        found = _enter(self.table, np.maximum(hashes, np.uint64(1)))
        self.count += int((~found).sum())
        return found


@njit(cache=True)
def _enter(table, hashes):
    """Enter hashes into a table of open addressing; return which were there."""
    found = np.zeros(len(hashes), np.bool_)
    last = np.uint64(len(table) - 1)
    for i in range(len(hashes)):
        slot = hashes[i] & last
        while table[slot] != 0 and table[slot] != hashes[i]:
            slot = (slot + np.uint64(1)) & last
        found[i] = table[slot] == hashes[i]
        table[slot] = hashes[i]
    return found
