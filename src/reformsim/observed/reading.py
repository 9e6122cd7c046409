"""Text tables as strangers write them: encodings, separators, Excel's habits.

A file is streamed: memory is bounded by its longest row, not by its length.
"""

import codecs
import csv
import math
import re
import unicodedata
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TextIO

from reformsim.config.document import Spot
from reformsim.observed.faults import Mistakes, Words

DELIMITERS = {
    ",": Words("commas", "逗号"),
    ";": Words("semicolons", "分号"),
    "\t": Words("tabs", "制表符"),
    "|": Words("bars", "竖线"),
    "\uff0c": Words("full-width commas", "全角逗号"),
}
#: Rows looked at to find the delimiter and the header.
SAMPLE_ROWS = 50
#: Characters of a line, and bytes of a chunk, at most: no line of a table is as long.
LONGEST = 1 << 20
LINE_END = re.compile(r"\r\n|\r|\n")
#: Below so many columns any text of two lines looks like the end of a row and a beginning.
TELLING_COLUMNS = 3
BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark begins it
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
SAVE_AS_CSV = Words("save it as CSV (UTF-8)", "请另存为 CSV(UTF-8)")
CLOSE_QUOTES = Words(
    'close every double quote, and write one inside a text as ""; no line breaks in texts',
    '双引号须成对;文字里的双引号请写成 "";文字中勿换行',
)
NO_TABLES = {
    b"PK\x03\x04": Words(
        "an Excel workbook or a zip, not text", "是 Excel 工作簿或压缩包,不是文本"
    ),
    b"\xd0\xcf\x11\xe0": Words("an old Excel workbook, not text", "是旧式 Excel 工作簿,不是文本"),
    b"\x1f\x8b": Words("a gzip archive, not text", "是 gzip 压缩文件,不是文本"),
    b"PAR1": Words("a Parquet file, not text", "是 Parquet 文件,不是文本"),
}
#: A damaged text of an encoding is told from a text of another one: in the latter nearly every
#: character beyond ASCII breaks, in the former few do.
DAMAGED = 0.05

NUMBER = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d*)?([eE][+-]?\d+)?%?")


class Row(NamedTuple):
    """One row: the line on which it begins, and its cells, as many as the header has."""

    line: int
    cells: list[str]


@dataclass
class Table:
    """An open table: how it was read, its columns, and what was tidied on the way.

    ``tidied`` counts, over the last pass of ``rows``, blank rows, repeated headers, rows that
    end early and filled cells without a head; the caller tells of them.
    """

    path: Path
    file: str
    encoding: str
    delimiter: str
    header: list[str]
    header_line: int
    tidied: Counter[str] = field(default_factory=Counter)

    def spot(self, line: int, column: int = 1) -> Spot:
        """Return a place in the file; ``column`` counts cells from 1."""
        return Spot(self.file, line, column)

    def guessed(self) -> Words:
        """Say how the file was read."""
        en, zh = DELIMITERS[self.delimiter]
        code = self.encoding.removesuffix("-sig").upper()
        return Words(
            f"{self.file}: read as {code}, separated by {en}, header on line {self.header_line}",
            f"{self.file}:编码 {code},以{zh}分隔,表头在第 {self.header_line} 行",
        )

    def rows(self, mistakes: Mistakes) -> Iterator[Row]:
        """Yield the rows below the header; what is no row is added to ``mistakes``.

        Blank rows and headers that come again are left out, rows that end early are filled with
        blanks; ``tidied`` counts them.
        """
        self.tidied.clear()
        width = len(self.header)
        nameless = [i for i, name in enumerate(self.header) if not name]
        with _opened(self.path, self.encoding) as stream:
            for row in _parsed(_lines(stream), self.delimiter, self.file, mistakes, width):
                line, cells = row
                if line <= self.header_line:
                    continue
                if not any(map(str.strip, cells)):
                    self.tidied["blank rows"] += 1
                    continue
                if len(cells) > width and any(map(str.strip, cells[width:])):
                    self._too_wide(line, len(cells), mistakes)
                    continue
                if len(cells) != width:
                    self.tidied["short rows"] += len(cells) < width
                    row = Row(line, cells[:width] + [""] * (width - len(cells)))
                if row.cells[0].strip() == self.header[0] and self._is_header(row):
                    self.tidied["repeated headers"] += 1
                    continue
                if nameless:
                    self.tidied["cells without a head"] += sum(bool(row.cells[i]) for i in nameless)
                yield row

    def _is_header(self, row: Row) -> bool:
        return [cell.strip() for cell in row.cells] == self.header

    def _too_wide(self, line: int, width: int, mistakes: Mistakes) -> None:
        heads = len(self.header)
        mistakes.add(
            self.spot(line, heads + 1),
            "",
            Words(f"{width} cells under {heads} heads", f"有 {width} 格,而表头只有 {heads} 列"),
            Words(
                f'put text that holds "{self.delimiter}" in double quotes',
                f"含有“{self.delimiter}”的文字请加双引号",
            ),
        )


def open_table(
    path: Path, mistakes: Mistakes, known: Collection[str] = (), encoding: str | None = None
) -> Table | None:
    """Find out how a text table is written; None if it cannot be read, see ``mistakes``.

    ``known`` are names of columns, as ``plain`` gives them: the header is the first row with the
    most of them, or else the first one with two filled cells (titles above a table fill one).
    ``encoding`` overrides what would be found: a byte-order mark, else UTF-8 if the whole file
    is, else GB18030 if the whole file is.
    """
    file = str(path)
    encoding = encoding or _encoding_of(path, file, mistakes)
    if encoding is None:
        return None
    try:
        with _opened(path, encoding) as stream:
            head = list(islice(_lines(stream), SAMPLE_ROWS))
    except (ValueError, LookupError) as error:
        _refuse(mistakes, file, Words(f"not {encoding} text ({error})", f"不是 {encoding} 文本"))
        return None
    said = re.fullmatch(r'"?sep=(.)"?', head[0].strip("\r\n"), re.IGNORECASE) if head else None
    delimiter = said[1] if said and said[1] in DELIMITERS else _delimiter_of(head)
    rows = list(_parsed(head, delimiter, file, Mistakes()))[said is not None :]
    chosen = _header_of(rows, known)
    if chosen is None:
        _refuse(mistakes, file, Words("an empty table", "表格为空"))
        return None
    header = [cell.strip() for cell in chosen.cells]
    while header and not header[-1]:
        header.pop()
    table = Table(path, file, encoding, delimiter, header, chosen.line)
    _check_header(table, mistakes)
    return table


def plain(text: str) -> str:
    """Return a name as it is compared: half-width, lower case, underscores for spaces."""
    text = unicodedata.normalize("NFKC", text).strip().lower()
    return re.sub(r"[\s\-_]+", "_", text)


def value(cell: str) -> str:
    """Return a cell's text: trimmed, and ``="00123"``, by which Excel keeps zeros, unwrapped."""
    text = cell.strip().strip("\u200b\ufeff").strip()
    wrapped = re.fullmatch(r'="(.*)"', text)
    return wrapped[1].strip() if wrapped else text


def is_formula(text: str) -> bool:
    """Return whether a cell holds a formula or an error of a spreadsheet, not a value."""
    return text.startswith("=") or bool(re.match(r"#(REF!|N/A|DIV/0!|VALUE!|NAME\?|NUM!)", text))


def number(text: str) -> float:
    """Return the number a cell holds: full-width digits, 12,345 and 35% are understood.

    Raises ValueError on all else, also on a comma that does not group thousands.
    """
    text = unicodedata.normalize("NFKC", value(text)).replace("−", "-")
    text = re.sub(r"(?<=\d)[ \u202f'](?=\d{3}(\D|$))", ",", text)
    if not NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is no number")
    bare = text.replace(",", "")
    found = float(bare[:-1]) / 100 if bare.endswith("%") else float(bare)
    if not math.isfinite(found):
        raise ValueError(f"{text!r} is no finite number")
    return found


def _refuse(mistakes: Mistakes, file: str, wrong: Words, remedy: Words = SAVE_AS_CSV) -> None:
    mistakes.add(Spot(file), "", wrong, remedy)


def _encoding_of(path: Path, file: str, mistakes: Mistakes) -> str | None:
    """Return the encoding of a file, or None and a mistake."""
    try:
        with path.open("rb") as stream:
            start = stream.read(4096)
    except OSError as error:
        wrong = Words(f"cannot be read ({error.strerror})", f"无法读取({error.strerror})")
        _refuse(mistakes, file, wrong, Words("check the name and the rights", "请检查文件名和权限"))
        return None
    for magic, what in NO_TABLES.items():
        if start.startswith(magic):
            _refuse(mistakes, file, what)
            return None
    for mark, encoding in BOMS.items():
        if start.startswith(mark):
            return encoding
    if b"\0" in start:
        return "utf-16-le" if start[1::2].count(0) > start[::2].count(0) else "utf-16-be"
    at = _broken_at(path, "utf-8")
    if at is None:
        return "utf-8"
    damaged = _damage(path) <= DAMAGED
    other = None if damaged else _broken_at(path, "gb18030")
    if not damaged and other is None:
        return "gb18030"
    if damaged:
        wrong = Words("broken UTF-8 on this line", "此行的 UTF-8 编码有误")
    else:
        wrong = Words(
            f"neither UTF-8 (broken on line {at}) nor GB18030 (broken on line {other})",
            f"既不是 UTF-8(第 {at} 行有误),也不是 GB18030(第 {other} 行有误)",
        )
    mistakes.add(Spot(file, at), "", wrong, SAVE_AS_CSV)
    return None


def _broken_at(path: Path, encoding: str) -> int | None:
    """Return the first line that is not of an encoding, or None; reads the whole file."""
    decoder = codecs.getincrementaldecoder(encoding)()
    ends = Counter[str]()
    with path.open("rb") as stream:
        while True:
            chunk = stream.read(LONGEST)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                text = error.object[: error.start].decode(encoding, "replace")
                chunk = b""
                broken = True
            else:
                broken = False
            ends.update({end: text.count(end) for end in "\r\n"})
            if not chunk:
                return 1 + max(ends.values()) if broken else None


def _damage(path: Path) -> float:
    """Return the share of broken characters among those beyond ASCII, of a text as UTF-8."""
    broken = beyond = 0
    with path.open(encoding="utf-8", errors="replace", newline="") as stream:
        while text := stream.read(LONGEST):
            broken += text.count("\ufffd")
            beyond += len(text) - len(text.encode("ascii", "ignore"))
    return broken / max(beyond, 1)


def _opened(path: Path, encoding: str) -> TextIO:
    return path.open(encoding=encoding, newline="")


def _lines(stream: TextIO) -> Iterator[str]:
    while line := stream.readline(LONGEST):
        if len(line) == LONGEST:
            raise ValueError("a line of a million characters")
        yield line


def _parsed(
    lines: Iterable[str], delimiter: str, file: str, mistakes: Mistakes, width: int = 0
) -> Iterator[Row]:
    """Yield every row with the line on which it begins; parsing goes on after a broken one.

    A quote that is not closed would swallow rows up to the next quote. Only the line on which it
    opens is lost, as a mistake; the lines after it are read anew. ``width`` is that of the table.
    """
    source, again, taken = iter(lines), deque[str](), list[str]()

    def feed() -> Iterator[str]:
        while line := again.popleft() if again else next(source, ""):
            taken.append(line)
            yield line

    reader, line = csv.reader(feed(), delimiter=delimiter, strict=True), 1
    while True:
        taken.clear()
        wrong = None
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            wrong = Words(f"no valid row ({error})", "此行无法解析,多半是双引号不成对")
        except ValueError as error:
            wrong = Words(f"cannot be read on ({error})", "从此处起无法读取,或与所用编码不符")
            mistakes.stop(Spot(file, line), wrong, SAVE_AS_CSV)
            return
        if wrong is None and len(taken) > 1 and _swallows(cells, width, delimiter):
            wrong = Words(
                f"a double quote opens in this row and takes in {len(taken) - 1} further rows",
                f"此行的双引号未闭合,吞入了其后 {len(taken) - 1} 行",
            )
        if wrong is None:
            yield Row(line, cells)
            line += len(taken)
            continue
        mistakes.add(Spot(file, line), "", wrong, CLOSE_QUOTES)
        again.extendleft(reversed(taken[1:]))
        reader = csv.reader(feed(), delimiter=delimiter, strict=True)
        line += 1


def _swallows(cells: list[str], width: int, delimiter: str) -> bool:
    """Return whether a cell holds the rest of its row, whole rows, and the start of another one.

    So it does, to the number of delimiters, where a quote is left open and the next one is the
    stray end of a cell further down. A text of several lines may by chance look so, and is told.
    """
    if width < TELLING_COLUMNS:
        return False
    for i, cell in enumerate(cells):
        first, *rest = (line.count(delimiter) for line in LINE_END.split(cell))
        whole = [width - 1] * (len(rest) - 1)
        if rest and first == width - 1 - i and rest == [*whole, i + width - len(cells)]:
            return True
    return False


def _delimiter_of(lines: list[str]) -> str:
    """Return the delimiter under which most rows are of one width, the widest of those."""

    def fit(delimiter: str) -> tuple[float, int]:
        rows = _parsed(lines, delimiter, "", Mistakes())
        widths = Counter(len(row.cells) for row in rows if any(row.cells))
        wide = {width: count for width, count in widths.items() if width > 1}
        if not wide:
            return 0.0, 0
        width = max(wide, key=lambda width: (wide[width], width))
        return wide[width] / widths.total(), width

    return max(DELIMITERS, key=fit)


def _header_of(rows: list[Row], known: Collection[str]) -> Row | None:
    def filled(row: Row) -> int:
        return sum(bool(cell.strip()) for cell in row.cells)

    def named(row: Row) -> int:
        return sum(plain(cell) in known for cell in row.cells)

    rows = [row for row in rows if filled(row)]
    if not rows:
        return None
    best = max(rows, key=named)
    if named(best):
        return best
    return next((row for row in rows if filled(row) > 1), rows[0])


def _check_header(table: Table, mistakes: Mistakes) -> None:
    """Add a mistake for each name that the header has twice."""
    first: dict[str, int] = {}
    for column, name in enumerate(table.header, start=1):
        if not name:
            continue
        if plain(name) in first:
            mistakes.add(
                table.spot(table.header_line, column),
                "",  # without a header this is a row of data, not to be told
                Words(f"a head that column {first[plain(name)]} has already",
                      f"表头与第 {first[plain(name)]} 列重复"),
                Words("give each column its own name", "每列请用不同的名称"),
            )  # fmt: skip
        first.setdefault(plain(name), column)
