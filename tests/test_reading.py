"""Strangers' tables: encodings, separators, Excel's habits; nothing is dropped in silence."""

import codecs
import csv
import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reformsim.observed.faults import KEPT, Mistakes, TableError
from reformsim.observed.reading import is_formula, number, open_table, plain, value

TEXT = "单位,人口,备注\r\n河东街道,12000,老城\r\n河西街道,8000,新区\r\n"
ROWS = [["河东街道", "12000", "老城"], ["河西街道", "8000", "新区"]]
FULL_WIDTH_COMMA = "\uff0c"


def read(path, raw: bytes, **how):
    """Return the table of some bytes, its rows, and the mistakes."""
    path.write_bytes(raw)
    mistakes = Mistakes()
    table = open_table(path, mistakes, **how)
    return table, list(table.rows(mistakes)) if table else [], mistakes


@pytest.fixture
def path(tmp_path):
    return tmp_path / "t.csv"


@pytest.mark.parametrize(
    ("mark", "encoding", "found"),
    [
        (b"", "utf-8", "utf-8"),
        (codecs.BOM_UTF8, "utf-8", "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16-le", "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16-be", "utf-16"),
        (codecs.BOM_UTF32_LE, "utf-32-le", "utf-32"),
        (b"", "gb18030", "gb18030"),
        (b"", "gbk", "gb18030"),
    ],
)
def test_encodings(path, mark, encoding, found):
    table, rows, mistakes = read(path, mark + TEXT.encode(encoding))
    assert table.encoding == found
    assert [row.cells for row in rows] == ROWS
    assert table.header == ["单位", "人口", "备注"]
    assert not mistakes.found


def test_utf_16_without_a_mark(path):
    text = "unit,population,note\nEast,1,a\n"
    for encoding in ("utf-16-le", "utf-16-be"):
        table, rows, _ = read(path, text.encode(encoding))
        assert table.encoding == encoding
        assert rows[0].cells == ["East", "1", "a"]


def test_gb18030_far_into_a_file_that_begins_as_ascii(path):
    raw = b"a,b\n" + b"1,2\n" * 300_000 + "河,东\n".encode("gbk")
    table, rows, _ = read(path, raw)
    assert table.encoding == "gb18030"
    assert rows[-1] == (300_002, ["河", "东"])


def test_damaged_utf_8_is_not_read_as_something_else(path):
    raw = TEXT.encode() * 10
    raw = raw[:400] + raw[401:]  # a byte lost in the middle of a character or not
    cut = next(i for i in range(400, len(raw)) if 0x80 <= raw[i] < 0xC0)
    _, _, mistakes = read(path, raw[:cut] + raw[cut + 1 :])
    (fault,) = mistakes.found
    assert "UTF-8" in fault.message and "UTF-8" in fault.message_zh
    assert fault.spot.line == raw[:cut].count(b"\n") + 1


def test_latin_1_is_refused_not_guessed(path):
    _, _, mistakes = read(path, "name,n\nCafé, 1\nJosé,2\n".encode("latin-1"))
    assert "neither UTF-8 (broken on line 2)" in mistakes.found[0].message
    table, rows, _ = read(path, "name,n\nCafé,1\n".encode("latin-1"), encoding="latin-1")
    assert rows[0].cells == ["Café", "1"] and table.encoding == "latin-1"


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (b"PK\x03\x04....", "workbook"),
        (b"\x1f\x8b\x08....", "gzip"),
        (b"", "empty"),
        (b"\r\n\r\n ,, \r\n", "empty"),
    ],
)
def test_files_that_are_no_tables(path, raw, word):
    table, _, mistakes = read(path, raw)
    assert table is None
    assert word in mistakes.found[0].message


def test_a_missing_file_is_a_mistake(tmp_path):
    mistakes = Mistakes()
    assert open_table(tmp_path / "none.csv", mistakes) is None
    assert "cannot be read" in mistakes.found[0].message


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", FULL_WIDTH_COMMA])
def test_delimiters(path, delimiter):
    raw = TEXT.replace(",", delimiter).encode()
    table, rows, _ = read(path, raw)
    assert table.delimiter == delimiter
    assert [row.cells for row in rows] == ROWS
    assert table.guessed().en.startswith(f"{path}: read as UTF-8, separated by ")


def test_a_separator_said_by_excel_and_commas_inside_texts(path):
    raw = b"sep=;\r\nname;n\r\nEast, old;1\r\nWest, new;2\r\n"
    table, rows, _ = read(path, raw)
    assert (table.delimiter, table.header_line) == (";", 2)
    assert [row.cells[0] for row in rows] == ["East, old", "West, new"]
    assert rows[0].line == 3
    without, _, _ = read(path, raw.removeprefix(b"sep=;\r\n"))
    assert without.delimiter == ";"


def test_titles_above_the_header_blank_rows_and_a_header_twice(path):
    raw = "某区单位表,,\n\nname,population,\nEast,1,\n,,\nname,population,\nWest,2,\n,,\n".encode()
    table, rows, mistakes = read(path, raw)
    assert table.header == ["name", "population"] and table.header_line == 3
    assert [tuple(row) for row in rows] == [(4, ["East", "1"]), (7, ["West", "2"])]
    assert table.tidied == {"blank rows": 2, "repeated headers": 1, "short rows": 0}
    assert not mistakes.found


def test_known_names_find_the_header(path):
    raw = "2024,年度,统计\n填表人,张三,无\n名称,人口,面积\nA,1,2\n".encode()
    table, _, _ = read(path, raw, known={"名称", "人口"})
    assert table.header_line == 3


def test_line_numbers_count_newlines_in_quotes_and_mixed_ends(path):
    raw = b'a,b\r\n"x\ny",1\n"p\r\nq",2\rlast,3'
    _, rows, _ = read(path, raw)
    assert [row.line for row in rows] == [2, 4, 6]
    assert rows[1].cells == ["p\r\nq", "2"]


def test_broken_rows_are_told_and_the_rest_is_read(path):
    raw = b'a,b\n1,2\n"x"y,3\n4,5,6\n7\n8,9\n"open,10\n'
    table, rows, mistakes = read(path, raw)
    assert [row.cells for row in rows] == [["1", "2"], ["7", ""], ["8", "9"]]
    assert [fault.spot.line for fault in mistakes.found] == [3, 4, 7]
    assert table.tidied["short rows"] == 1
    with pytest.raises(TableError) as told:
        mistakes.check()
    assert len(told.value.lines) == 3
    assert all("\n" in line and ":" in line for line in told.value.lines)


HEAD4 = b"id,a,b,c\n"


@pytest.mark.parametrize(
    ("rows", "faults", "kept"),
    [
        (b'1,"x,u,v\n2,y,u,v\n3,z,u,v\n', [2], ["2", "3"]),  # never closed
        (b'1,"x,u,v\n2,y,u,v\n3,"z",u,v\n4,w,u,v\n', [2], ["2", "3", "4"]),  # the next opens
        (b'1,"x,u,v\n2,y,u,v\n3,z",u,v\n4,w,u,v\n', [2], ["2", "3", "4"]),  # a stray end
        (b'1,"x,u,v\n2,y",u,v\n3,z,u,v\n', [2], ["2", "3"]),  # the very next row
        (b'1,"x,u,v\n2,y,u",v\n3,z,u,v\n', [2], ["2", "3"]),  # a row too short
        (b'1,x,u,"v\n2,y",u,v\n3,z,u,v\n', [2], ["2", "3"]),  # a row too wide
        (b'1,x,"say ""no"", u,v\n2,y,"",v\n3,z,u,v\n', [2], ["2", "3"]),  # doubled ones within
        (b'1,"a, b\nc, d",u,v\n2,"one\n\ntwo",u,"v\nw"\n', [], ["1", "2"]),  # texts
        (b"1," + b'"x,u,v\n' + b"2,y,u,v\n" * 40_000, [2], ["2"] * 40_000),  # far
    ],
)
def test_an_open_quote_swallows_no_row(path, rows, faults, kept):
    _, found, mistakes = read(path, HEAD4 + rows, known={"id", "a"})
    assert [fault.spot.line for fault in mistakes.found] == faults
    assert [row.cells[0] for row in found] == kept
    assert all(row.line > 2 for row in found) or not faults


def test_a_line_without_end_stops_the_reading_and_is_told(path):
    raw = HEAD4 + b"1,2,3,4,5\n" * (KEPT + 5) + b"x" * 1_100_000 + b"\n1,2,3,4\n"
    _, rows, mistakes = read(path, raw)
    assert rows == [] and mistakes.stopped in mistakes.found
    assert mistakes.stopped.spot.line == KEPT + 7 and "a million" in mistakes.stopped.message


def test_heads_that_come_twice_and_cells_without_a_head(path):
    table, _, mistakes = read(path, "人口,面积,\uff08人口\uff09,人口\n".encode() + b"1,2,3,4\n")
    assert [fault.spot.column for fault in mistakes.found] == [4]
    table, _, _ = read(path, b"a,,b\n1,x,2\n1,,2\n")
    assert table.tidied["cells without a head"] == 1


def test_mistakes_are_bounded_and_counted(path):
    raw = b"a,b\n" + b"1,2,3\n" * (KEPT + 5)
    _, _, mistakes = read(path, raw)
    assert (len(mistakes.found), mistakes.count) == (KEPT, KEPT + 5)
    with pytest.raises(TableError, match="and 5 mistakes more / 另有 5 处错误"):
        mistakes.check()


def test_memory_does_not_follow_the_length(path):
    path.write_bytes(b"a,b\n" + b"12345678,12345678\n" * 300_000)  # 5 MB
    mistakes = Mistakes()
    table = open_table(path, mistakes)
    tracemalloc.start()
    assert sum(1 for _ in zip(table.rows(mistakes), range(30_000), strict=False)) == 30_000
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12,345", 12345), ("1,234,567.5", 1234567.5), (" 7 ", 7), ("-3", -3), ("1e3", 1000),
        ("12 345", 12345), ("12\u00a0345", 12345), ("35%", 0.35), ('="00123"', 123), ("5.", 5),
        ("\uff11\uff12\uff0c\uff13\uff14\uff15", 12345), ("\uff13.\uff15", 3.5),
    ],
)  # fmt: skip
def test_numbers(text, expected):
    assert number(text) == expected


@pytest.mark.parametrize(
    "text", ["", "12,34", "1.234,5", "约300", "1.2万", "=A1", "nan", "inf", "0x1"]
)
def test_what_is_no_number(text):
    with pytest.raises(ValueError):
        number(text)


@given(st.floats(-1e12, 1e12).map(lambda x: round(x, 2)))
def test_a_number_survives_its_writing_in_groups(x):
    assert number(f"{x:,.2f}") == x


def test_names_values_and_formulas():
    assert plain("\uff21\uff22 Area-km2 ") == "ab_area_km2"
    assert value('\ufeff ="007" ') == "007"
    assert [is_formula(t) for t in ("=SUM(A1)", "#REF!", "#1 road", "-5")] == [
        True,
        True,
        False,
        False,
    ]


@given(
    rows=st.lists(
        st.lists(st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from('",;\n')),
                 min_size=2, max_size=2),
        min_size=1, max_size=8,
    ),
    encoding=st.sampled_from(["utf-8-sig", "utf-16", "gb18030"]),
)  # fmt: skip
def test_what_csv_writes_is_read_back(tmp_path_factory, rows, encoding):
    out = io.StringIO()
    csv.writer(out).writerows([["单位", "备注"], *rows])
    path = tmp_path_factory.mktemp("t") / "t.csv"
    table, found, mistakes = read(path, out.getvalue().encode(encoding), known={"单位"})
    kept = [row for row in rows if any(cell.strip() for cell in row)]
    assert not mistakes.found and table.header_line == 1
    assert table.delimiter == ","
    assert [row.cells for row in found] == kept
