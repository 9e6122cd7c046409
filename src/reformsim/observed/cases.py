"""An export of cases, read a chunk at a time; only the columns of the mapping are looked at."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from reformsim.observed.cleaning import Cleaning, Reason
from reformsim.observed.faults import Mistakes, Words
from reformsim.observed.mapping import Mapping
from reformsim.observed.moments import DAY, FIRST_YEAR, LAST_YEAR, Habits, Moments, Order, moments
from reformsim.observed.reading import Table, is_formula, number, open_table, plain, value
from reformsim.observed.tally import Chunk, Seen, Tally

ROWS = 50_000
#: Words of the export are told only where so many cases have them: a name is not a category.
OFTEN = 20
#: Different words that are counted; more are no categories.
WORDS = 20_000
FIRST, AFTER = (
    float(np.datetime64(f"{year}-01-01", "s").astype(np.int64))
    for year in (FIRST_YEAR, LAST_YEAR + 1)
)


@dataclass
class Cases:
    """What was read: counts, what was tidied, columns found, words without a category."""

    file: str
    guessed: Words
    tally: Tally
    cleaning: Cleaning
    columns: dict[str, str]
    zone: str | None = None
    rows: int = 0
    habits: Habits = field(default_factory=Habits)
    unmapped: Counter[str] = field(default_factory=Counter)

    def often_unmapped(self) -> list[tuple[str, int]]:
        """Return words without a category that occur often enough to be no one's name."""
        return [pair for pair in self.unmapped.most_common(30) if pair[1] >= OFTEN]


def read_cases(path: Path, mapping: Mapping) -> Cases:
    """Read an export in bounded memory.

    Raises ConfigError where the file cannot be read, a column that the mapping needs is absent,
    the order of day and month cannot be told, or no row has a date.
    """
    mistakes = Mistakes()
    named = mapping.columns.named()
    known = {name for names in named.values() for name in names}
    table = open_table(path, mistakes, known)
    mistakes.check()
    assert table is not None
    places = _places(table, named, mistakes)
    mistakes.check()
    order = mapping.dates or _order(table, places, mapping, mistakes)
    mistakes.check()
    columns = {field: table.header[place] for field, place in places.items()}
    cases = Cases(table.file, table.guessed(), Tally(), Cleaning(), columns, mapping.zone)
    reader = _Reader(mapping, cases, order)
    broken = Mistakes()
    for lines, cells in _chunks(table, places, broken):
        cases.tally.add(reader.read(lines, cells))
    cases.cleaning.rows(broken, table.tidied)
    _whole(table, cases, mapping, broken, mistakes)
    mistakes.check()
    return cases


def _places(table: Table, named: dict[str, tuple[str, ...]], mistakes: Mistakes) -> dict[str, int]:
    """Return where each mapped column stands; a missing one that is needed is a mistake."""
    heads = [plain(head) for head in table.header]
    places = {
        field: heads.index(next(name for name in names if name in heads))
        for field, names in named.items()
        if any(name in heads for name in names)
    }
    for needed in ("created", "closed"):
        if needed not in places:
            names = ", ".join(named[needed])
            mistakes.add(
                table.spot(table.header_line),
                needed,
                Words(f"no column {names}", f"没有 {names} 列"),
                Words(f"say columns.{needed} in the mapping; the file has: " + _some(table.header),
                      f"请在映射文件 columns.{needed} 中写明;文件的列:" + _some(table.header)),
            )  # fmt: skip
    return places


def _some(header: list[str]) -> str:
    return ", ".join(header[:40]) + (" …" if len(header) > 40 else "")


def _chunks(
    table: Table, places: dict[str, int], mistakes: Mistakes
) -> Iterator[tuple[np.ndarray, dict[str, pa.Array]]]:
    """Yield the lines and the mapped columns of some rows at a time."""
    # an index twice makes itemgetter return a tuple whatever the number of columns
    pick = itemgetter(*places.values(), 0)
    rows = table.rows(mistakes)
    while some := list(islice(rows, ROWS)):
        lines = np.array([row.line for row in some])
        columns = zip(*(pick(row.cells) for row in some), strict=True)
        yield lines, {f: pa.array(c, pa.string()) for f, c in zip(places, columns, strict=False)}


def _order(
    table: Table, places: dict[str, int], mapping: Mapping, mistakes: Mistakes
) -> Order | None:
    """Find from all dates of the file whether the day or the month comes first."""
    dates = {field: at for field, at in places.items() if field in ("created", "closed", "due")}
    missing, habits = pa.array(mapping.missing), Habits()
    for _, cells in _chunks(table, dates, Mistakes()):
        for text in cells.values():
            moments(text, habits, None, mapping.zone, missing)
        if not (habits.either or habits.day_first or habits.month_first):
            return None  # the year comes first: so it does in the rest, or is a fault there
    if habits.day_first and not habits.month_first:
        return "dmy"
    if habits.month_first and not habits.day_first:
        return "mdy"
    if habits.day_first:
        wrong = Words(
            f"{habits.day_first} dates have the day first, {habits.month_first} the month",
            f"有 {habits.day_first} 个日期日在前,{habits.month_first} 个月在前",
        )
    else:
        wrong = Words(
            f"{habits.either} dates like 03/05/2017 could be 3 May or 5 March, none tells which",
            f"{habits.either} 个形如 03/05/2017 的日期无法判断日、月先后",
        )
    remedy = Words("say `dates: mdy` (month first) or `dates: dmy` in the mapping",
                   "请在映射文件中写明 dates: mdy(月在前)或 dates: dmy(日在前)")  # fmt: skip
    mistakes.add(table.spot(table.header_line), "created", wrong, remedy)
    return None


def _whole(
    table: Table, cases: Cases, mapping: Mapping, broken: Mistakes, mistakes: Mistakes
) -> None:
    """Refuse what would be read wrongly as a whole."""
    if broken.stopped is not None:
        mistakes.found.append(broken.stopped)
    if cases.habits.with_offset and cases.habits.without and mapping.zone is None:
        wrong = Words(
            f"{cases.habits.with_offset} dates carry a time zone, {cases.habits.without} do not",
            f"{cases.habits.with_offset} 个日期带时区,{cases.habits.without} 个不带",
        )
        remedy = Words("say `zone: Asia/Shanghai` or where the city is in the mapping",
                       "请在映射文件中写明城市所在时区,如 zone: Asia/Shanghai")  # fmt: skip
        mistakes.add(table.spot(table.header_line), "created", wrong, remedy)
    if not cases.tally.arrivals.any():
        wrong = Words("no row has a date that can be read", "没有一行的日期可以读出")
        remedy = Words("check columns.created in the mapping", "请检查映射文件中的 columns.created")
        mistakes.add(table.spot(table.header_line), "created", wrong, remedy)


class _Reader:
    """Turns mapped columns of text into numbers, and notes what was tidied."""

    def __init__(self, mapping: Mapping, cases: Cases, order: Order | None) -> None:
        self.mapping = mapping
        self.cases = cases
        self.order = order
        self.missing = pa.array(mapping.missing)
        self.blank = {"", *map(str.casefold, mapping.missing)}
        self.seen = Seen()
        self.satisfied = {word.casefold() for word in mapping.satisfied}
        self.ended = {word.casefold() for word in mapping.ended}
        self.yes = {word.casefold() for word in mapping.reopened}

    def read(self, lines: np.ndarray, cells: dict[str, pa.Array]) -> Chunk:
        """Return some rows as a chunk, without those that cannot be counted."""
        clean = self.cases.cleaning
        self.cases.rows += len(lines)
        created = self._moments(cells["created"])
        kept = ~clean.note(Reason.DUPLICATE, lines, self._duplicates(cells, len(lines)))
        kept &= ~clean.note(Reason.NO_DATE, lines, kept & created.blank)
        wrong = kept & created.unread
        formula = _formulas(cells["created"], wrong)
        clean.note(Reason.FORMULA, lines, formula)
        clean.note(Reason.BAD_DATE, lines, wrong & ~formula)
        kept &= ~wrong
        outside = ~((created.seconds >= FIRST) & (created.seconds < AFTER))
        kept &= ~clean.note(Reason.OUT_OF_RANGE, lines, kept & outside)
        keep = pa.array(kept)
        return self._chunk(
            lines[kept], {f: c.filter(keep) for f, c in cells.items()}, created.seconds[kept]
        )

    def _chunk(self, lines: np.ndarray, cells: dict[str, pa.Array], created: np.ndarray) -> Chunk:
        clean, n = self.cases.cleaning, len(lines)
        closed = self._moments(cells["closed"])
        outside = ~closed.blank & ~((closed.seconds >= FIRST) & (closed.seconds < AFTER))
        left_out = clean.note(Reason.BAD_CLOSED, lines, outside)
        days, whole = _between(created, closed.seconds)
        left_out |= clean.note(Reason.CLOSED_BEFORE, lines, ~left_out & (days < 0))
        over = self._told(cells, "status", self._is_ended, n, lines) == 1
        left_out |= clean.note(Reason.ENDED_UNDATED, lines, closed.blank & over)
        due = self._moments(cells["due"]) if "due" in cells else None
        if due is not None:
            clean.note(Reason.BAD_DUE, lines, due.unread)
        return Chunk(
            created=created,
            days=np.where(left_out, np.nan, days),
            whole=whole,
            closed=np.where(left_out, np.nan, closed.seconds),
            open=closed.blank & ~left_out,
            category=self._categories(cells, lines),
            departments=self._departments(cells, n, lines),
            transfers=self._told(cells, "transfers", _count, n, lines),
            reopened=self._told(cells, "reopened", self._is_reopened, n, lines),
            satisfied=self._told(cells, "satisfaction", self._is_satisfied, n, lines),
            promised=np.full(n, np.nan) if due is None else _between(created, due.seconds)[0],
        )

    def _moments(self, text: pa.Array) -> Moments:
        return moments(text, self.cases.habits, self.order, self.mapping.zone, self.missing)

    def _duplicates(self, cells: dict[str, pa.Array], n: int) -> np.ndarray:
        if "id" not in cells:
            return np.zeros(n, bool)
        ids = pc.utf8_trim_whitespace(cells["id"])
        blank = pc.or_(pc.equal(ids, ""), pc.is_in(ids, self.missing)).to_numpy(False)
        again = self.seen.again(pd.util.hash_array(ids.to_numpy(False), categorize=False))
        return again & ~blank

    def _told(
        self,
        cells: dict[str, pa.Array],
        field: str,
        meaning: Callable[[str], float],
        n: int,
        lines: np.ndarray,
    ) -> np.ndarray:
        """Return what the words of a column mean, NaN where blank, absent or not understood."""
        if field not in cells:
            return np.full(n, np.nan)
        distinct = cells[field].dictionary_encode()
        numbers, wrong = [], []
        for word in map(value, distinct.dictionary.to_pylist()):
            blank = word.casefold() in self.blank
            try:
                numbers.append(np.nan if blank else meaning(word))
                wrong.append(False)
            except ValueError:
                numbers.append(np.nan)
                wrong.append(True)
        at = distinct.indices.to_numpy(False)
        self.cases.cleaning.note(Reason.NO_NUMBER, lines, np.array([*wrong, False])[at])
        return np.array([*numbers, np.nan])[at]

    def _is_ended(self, word: str) -> float:
        return word.casefold() in self.ended

    def _is_satisfied(self, word: str) -> float:
        return word.casefold() in self.satisfied

    def _is_reopened(self, word: str) -> float:
        try:
            return _count(word)
        except ValueError:
            return word.casefold() in self.yes

    def _departments(self, cells: dict[str, pa.Array], n: int, lines: np.ndarray) -> np.ndarray:
        def departments(word: str) -> float:
            try:
                number(word)
            except ValueError:
                if is_formula(word):
                    raise
                names = {name.strip() for name in word.split(self.mapping.separator)}
                return len(names - {""})
            return _count(word)

        found = self._told(cells, "departments", departments, n, lines)
        return np.where(found == 0, np.nan, found) if self._none_is_unknown else found

    @property
    def _none_is_unknown(self) -> bool:
        return self.mapping.no_department == "unknown"

    def _categories(self, cells: dict[str, pa.Array], lines: np.ndarray) -> np.ndarray:
        """Return the category of each case, −1 without one; words without one are counted."""
        if "category" not in cells or not self.mapping.categories:
            return np.full(len(lines), -1)
        distinct = cells["category"].dictionary_encode()
        words = [value(word) for word in distinct.dictionary.to_pylist()]
        at = distinct.indices.to_numpy(False)
        category = np.array([*map(self.mapping.category_of, words), -1])
        blank = np.array([*(word.casefold() in self.blank for word in words), True])
        clean, unmapped = self.cases.cleaning, self.cases.unmapped
        clean.note(Reason.NO_CATEGORY, lines, blank[at])
        clean.note(Reason.UNMAPPED, lines, ((category < 0) & ~blank)[at])
        for word, times in zip(words, np.bincount(at, minlength=len(words)), strict=True):
            other = self.mapping.category_of(word) < 0 and word.casefold() not in self.blank
            if other and (word in unmapped or len(unmapped) < WORDS):
                unmapped[word] += int(times)
        return category[at]


def _between(start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return days from start to end, and whether they are whole, since a date has no hour."""
    whole = (start % DAY == 0) | (end % DAY == 0)
    dates = np.floor(end / DAY) - np.floor(start / DAY)
    return np.where(whole, dates, (end - start) / DAY), whole


def _count(word: str) -> float:
    """Return a whole number of things; raises ValueError on any other text."""
    found = number(word)
    if found < 0 or found != int(found) or found > 1000:
        raise ValueError(f"{word!r} counts nothing")
    return found


def _formulas(text: pa.Array, among: np.ndarray) -> np.ndarray:
    found = np.zeros(len(text), bool)
    for row in np.flatnonzero(among):
        found[row] = is_formula(value(text[row].as_py()))
    return found
