"""The columns of a user's tables, declared once, and rows read by them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reformsim.config import suggest
from reformsim.observed import reading
from reformsim.observed.faults import Mistakes, Words
from reformsim.observed.reading import Table

#: Rows of a table of a city: the largest has a tenth of them.
ROWS_AT_MOST = 100_000


@dataclass(frozen=True)
class Column:
    """A column: its names in English and Chinese, the first of each being shown; its meaning."""

    name: str
    others: tuple[str, ...]
    meaning: Words
    required: bool = False

    def names(self) -> set[str]:
        """Return all names, as ``plain`` gives them."""
        return {reading.plain(name) for name in (self.name, *self.others)}


@dataclass(frozen=True)
class Record:
    """One row by column; blank or missing cells are not in ``cells``."""

    table: Table
    line: int
    heads: Mapping[str, int]
    cells: Mapping[str, str]

    def wrong(self, column: str, mistakes: Mistakes, wrong: Words, remedy: Words) -> None:
        """Add a mistake at a column of this row."""
        at = self.heads.get(column)
        head = column if at is None else self.table.header[at]
        spot = self.table.spot(self.line, 1 if at is None else at + 1)
        mistakes.add(spot, head, wrong, remedy)

    def number(
        self, column: str, mistakes: Mistakes, low: float = 0.0, high: float = float("inf")
    ) -> float | None:
        """Return a number within ``low`` to ``high``, or None for a blank or a mistake."""
        text = self.cells.get(column)
        if text is None:
            return None
        try:
            value = reading.number(text)
        except ValueError:
            wrong = Words(f"{text!r} is no number", f"“{text}”不是数字")
            remedy = Words(
                "write digits only, such as 12,345 or 3.5", "请只写数字,如 12,345 或 3.5"
            )
            self.wrong(column, mistakes, wrong, remedy)
            return None
        if not low <= value <= high:
            allowed = f"{low:g} – {high:g}" if high < float("inf") else f"≥ {low:g}"
            wrong = Words(f"{value:g} is impossible", f"{value:g} 不可能")
            remedy = Words(f"allowed: {allowed}", f"允许范围:{allowed}")
            self.wrong(column, mistakes, wrong, remedy)
            return None
        return value

    def whole(self, column: str, mistakes: Mistakes, low: int = 1) -> int | None:
        """Return a whole number of at least ``low``, or None for a blank or a mistake."""
        value = self.number(column, mistakes, low)
        if value is not None and value != int(value):
            wrong = Words(f"{value:g} is not whole", f"{value:g} 不是整数")
            self.wrong(column, mistakes, wrong, Words("write a whole number", "请写整数"))
            return None
        return None if value is None else int(value)


def heads_of(table: Table, columns: Sequence[Column]) -> dict[str, int]:
    """Return which columns a table has, by name, and where."""
    at = {}
    for i, head in reversed(list(enumerate(table.header))):
        at[reading.plain(head.split("(")[0].split("\uff08")[0])] = i  # without a unit in brackets
    for i, head in reversed(list(enumerate(table.header))):
        at[reading.plain(head)] = i
    found = {c.name: sorted(at[name] for name in c.names() & at.keys()) for c in columns}
    return {name: places[0] for name, places in found.items() if places}


def known_names(*tables: Sequence[Column]) -> set[str]:
    """Return the names of all columns of some tables."""
    return {name for columns in tables for column in columns for name in column.names()}


def records(table: Table, columns: Sequence[Column], mistakes: Mistakes) -> list[Record]:
    """Return the rows of a table; unknown and missing columns, and formulas, are mistakes.

    So are more than ``ROWS_AT_MOST`` rows: they are kept in memory, and reading ends there.
    """
    heads = heads_of(table, columns)
    used = set(heads.values())
    for i, head in enumerate(table.header):
        if head and i not in used:
            near = suggest(reading.plain(head), known_names(columns))
            shown = ", ".join(f"{c.name} ({c.others[0]})" for c in columns)
            mistakes.add(
                table.spot(table.header_line, i + 1), head,
                Words(f"unknown column{near}", "未知的列"),
                Words(f"name it one of {shown}, or delete it", f"请改为 {shown} 之一,或删去此列"),
            )  # fmt: skip
    for column in columns:
        if column.required and column.name not in heads:
            mistakes.add(
                table.spot(table.header_line), column.name,
                Words("this column is missing", f"缺少此列({column.others[0]})"),
                Words(f"add it: {column.meaning.en}", f"请补上:{column.meaning.zh}"),
            )  # fmt: skip
    found: list[Record] = []
    for line, row in table.rows(mistakes):
        if len(found) == ROWS_AT_MOST:
            wrong = Words(f"more than {ROWS_AT_MOST:,} rows", f"超过 {ROWS_AT_MOST:,} 行")
            mistakes.stop(table.spot(line), wrong, Words("give one city", "请只提供一个城市"))
            break
        cells = {name: reading.value(row[i]) for name, i in heads.items()}
        record = Record(table, line, heads, {name: text for name, text in cells.items() if text})
        for name, text in record.cells.items():
            if reading.is_formula(text):
                wrong = Words(f"a formula or an error, {text!r}", f"是公式或错误值“{text}”")
                remedy = Words("paste values only", "请“选择性粘贴—数值”")
                record.wrong(name, mistakes, wrong, remedy)
        found.append(record)
    return found
