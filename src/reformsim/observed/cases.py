"""An export of cases, read a chunk at a time; only the columns of the mapping are looked at."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from reformsim.observed.cleaning import Cleaning, Reason
from reformsim.observed.faults import Mistakes, Words
from reformsim.observed.mapping import Mapping, folded
from reformsim.observed.moments import DAY, FIRST_YEAR, LAST_YEAR, Habits, Moments, Order, moments
from reformsim.observed.reading import Table, is_formula, number, open_table, plain, value
from reformsim.observed.tally import Chunk, Seen, Sum, Tally

ROWS = 50_000
#: Words without a category are told only where so many cases have them, and by line, not as text.
OFTEN = 20
#: Different words that are counted; more are no categories.
WORDS = 20_000
#: Where more of a column are words that the mapping does not name, nothing is learned from it.
UNKNOWN_AT_MOST = 0.05
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
    channels: tuple[str, ...]
    zone: str | None = None
    rows: int = 0
    habits: Habits = field(default_factory=Habits)
    unmapped: dict[int, tuple[int, int]] = field(default_factory=dict)

    def often_unmapped(self) -> list[tuple[int, int]]:
        """Return, of frequent words without a category, the first line and the number of cases.

        The words themselves may be names of people, however frequent: only their hashes are kept.
        """
        often = sorted(self.unmapped.values(), key=lambda found: -found[1])[:30]
        return [found for found in often if found[1] >= OFTEN]

    def too_unknown(self, reason: Reason, told: Sum) -> bool:
        """Return whether too many words of a column are unknown for those ``told`` to stand."""
        unknown = self.cleaning.counts[reason]
        return unknown > UNKNOWN_AT_MOST * (unknown + float(self.tally.sums[:, told].sum()))

    def only_yes(self) -> bool:
        """Return whether cases brought up again are marked, and no other case as not."""
        reopened, told = self.tally.sums[:, [Sum.REOPENED, Sum.TOLD]].sum(axis=0)
        return bool(reopened == told > 0)


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
    cases = Cases(
        table.file, table.guessed(), Tally(), Cleaning(), columns, mapping.channels, mapping.zone
    )
    reader = _Reader(mapping, cases, order)
    broken = Mistakes()
    for lines, cells in _chunks(table, places, broken):
        cases.tally.add(reader.read(lines, cells))
    cases.rows += broken.count
    cases.cleaning.rows(broken, table.tidied)
    cases.cleaning.apart(cases.tally)
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
    there = ", ".join(f"{table.header[place]} ({field})" for field, place in places.items())
    row = table.header_line, len(table.header)
    for needed in ("created", "closed"):
        if needed not in places:  # without a header this row is data: only known names are told
            names = ", ".join(named[needed])
            mistakes.add(
                table.spot(table.header_line),
                needed,
                Words(f"no column {names}", f"没有 {names} 列"),
                Words(f"say columns.{needed} in the mapping, or give the file a header; of the "
                      f"mapping's columns line {row[0]}, of {row[1]} cells, has: {there or 'none'}",
                      f"请在映射文件 columns.{needed} 中写明,或为文件补上表头;"
                      f"第 {row[0]} 行共 {row[1]} 格,其中映射文件所列的有:{there or '无'}"),
            )  # fmt: skip
    return places


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
            break  # the year comes first: so it does in the rest, or is a fault there
    if not (habits.either or habits.day_first or habits.month_first):
        return None
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
    if not cases.rows:
        wrong = Words("no row below the header", "表头之下没有数据行")
        remedy = Words("export the cases once more", "请重新导出工单")
        mistakes.add(table.spot(table.header_line), "", wrong, remedy)
    elif not cases.tally.arrivals.any():
        wrong = Words(
            f"no row has a date of {FIRST_YEAR} to {LAST_YEAR} that can be read",
            f"没有一行的日期可以读出(须在 {FIRST_YEAR} 至 {LAST_YEAR} 年之间)",
        )
        remedy = Words("check columns.created in the mapping", "请检查映射文件中的 columns.created")
        mistakes.add(table.spot(table.header_line), "created", wrong, remedy)


class _Field(NamedTuple):
    """How a column is read: words that the mapping names, then blanks, then any other word.

    ``other`` raises ValueError on a word that it does not know, which is noted as ``unknown``.
    """

    name: str
    words: dict[str, float]
    other: Callable[[str], float]
    unknown: Reason = Reason.NO_NUMBER


class _Reader:
    """Turns mapped columns of text into numbers, and notes what was tidied."""

    def __init__(self, mapping: Mapping, cases: Cases, order: Order | None) -> None:
        self.mapping = mapping
        self.cases = cases
        self.order = order
        self.missing = pa.array(mapping.missing)
        self.blank = {"", *map(folded, mapping.missing)}
        self.seen = Seen()
        m = mapping
        self.status = _Field("status", _meaning((m.ended, 1.0)), lambda word: 0.0)
        self.departments = _Field("departments", {}, self._department_count)
        self.transfers = _Field("transfers", {}, _count)
        again = _meaning((m.reopened, 1.0), (m.not_reopened, 0.0))
        self.reopened = _Field("reopened", again, _count, Reason.UNKNOWN_RETURN)
        answers = _meaning((m.satisfied, 1.0), (m.dissatisfied, 0.0), (m.no_answer, np.nan))
        self.answers = _Field("satisfaction", answers, _unknown, Reason.UNKNOWN_ANSWER)

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
        over = self._told(self.status, cells, lines) == 1
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
            departments=self._told(self.departments, cells, lines),
            transfers=self._told(self.transfers, cells, lines),
            reopened=self._told(self.reopened, cells, lines),
            satisfied=self._told(self.answers, cells, lines),
            promised=np.full(n, np.nan) if due is None else _between(created, due.seconds)[0],
            line=lines,
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

    def _told(self, field: _Field, cells: dict[str, pa.Array], lines: np.ndarray) -> np.ndarray:
        """Return what the words of a column mean, NaN where blank, absent or not understood."""
        if field.name not in cells:
            return np.full(len(lines), np.nan)
        distinct = cells[field.name].dictionary_encode()
        numbers, wrong = list[float](), list[bool]()
        for word in map(value, distinct.dictionary.to_pylist()):
            try:
                numbers.append(self._meant(field, word))
                wrong.append(False)
            except ValueError:
                numbers.append(np.nan)
                wrong.append(True)
        at = distinct.indices.to_numpy(False)
        self.cases.cleaning.note(field.unknown, lines, np.array(wrong, bool)[at])
        return np.array(numbers, float)[at]

    def _meant(self, field: _Field, word: str) -> float:
        known = folded(word)
        if known in field.words:
            return field.words[known]
        return np.nan if known in self.blank else field.other(word)

    def _department_count(self, word: str) -> float:
        try:
            number(word)
        except ValueError:
            if is_formula(word):
                raise
            return self.mapping.departments_in(word)
        return _count(word) or (np.nan if self.mapping.no_department == "unknown" else 0.0)

    def _categories(self, cells: dict[str, pa.Array], lines: np.ndarray) -> np.ndarray:
        """Return the category of each case, −1 without one; words without one are counted."""
        if "category" not in cells or not self.mapping.categories:
            return np.full(len(lines), -1)
        distinct = cells["category"].dictionary_encode()
        words = [value(word) for word in distinct.dictionary.to_pylist()]
        at = distinct.indices.to_numpy(False)
        category = np.array([*map(self.mapping.category_of, words), -1])
        blank = np.array([*(folded(word) in self.blank for word in words), True])
        self.cases.cleaning.note(Reason.NO_CATEGORY, lines, blank[at])
        other = (category < 0) & ~blank
        self.cases.cleaning.note(Reason.UNMAPPED, lines, other[at])
        kinds, first, times = np.unique(at, return_index=True, return_counts=True)
        unmapped = self.cases.unmapped
        for kind, line, count in zip(kinds, lines[first], times, strict=True):
            word = hash(words[kind])
            if other[kind] and (word in unmapped or len(unmapped) < WORDS):
                since, before = unmapped.get(word, (int(line), 0))
                unmapped[word] = since, before + int(count)
        return category[at]


def _meaning(*fields: tuple[tuple[str, ...], float]) -> dict[str, float]:
    return {folded(word): number for words, number in fields for word in words}


def _unknown(word: str) -> float:
    raise ValueError(f"{word!r} is not in the mapping")


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
