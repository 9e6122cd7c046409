"""Words of an export: told by the mapping or reported, never guessed and never copied."""

import re

import numpy as np
import pytest
from typer.testing import CliRunner

from reformsim.cli import app
from reformsim.config import ConfigError
from reformsim.observed.cases import read_cases
from reformsim.observed.cleaning import LINES, Reason
from reformsim.observed.learning import learn
from reformsim.observed.mapping import Mapping
from reformsim.observed.tally import Sum
from test_learn import MAPPINGS, SIMPLE, table

HOTLINE = Mapping.load(MAPPINGS / "hotline12345.yaml")
HEAD = "工单编号,受理时间,办结时间,诉求类别,承办单位,是否重办,满意度"


def cases_of(tmp_path, cells, mapping=HOTLINE, head=HEAD, **kwargs):
    """Return cases of some days in March, each with the same dates and some cells of its own."""
    rows = [
        f"{i},2017-03-{1 + i % 28:02d} 09:00:00,2017-04-{1 + i % 28:02d} 10:00:00,{more}"
        for i, more in enumerate(cells)
    ]
    return read_cases(table(tmp_path / "c.csv", rows, head=head, **kwargs), mapping)


@pytest.mark.parametrize(
    ("cell", "departments"),
    [
        ("交警支队", 1), ("2", 2), ("0", 0), ("", None), ("/", None), ("无", None), ("；", None),
        ("交警支队；城管局", 2), ("交警支队;城管局; 交警支队", 2), ("住建局、城管局、水务局", 3),
        ("住建局，城管局", 2), ("住建局/城管局/", 2), ('"住建局,城管局"', 2),
    ],
)  # fmt: skip
def test_departments_are_split_as_the_mapping_says(tmp_path, cell, departments):
    tally = cases_of(tmp_path, [f"城市管理,{cell},,"]).tally
    found = np.flatnonzero(tally.closed.sum(axis=(0, 1, 2, 4)))[0]
    assert found == (7 if departments is None else departments)


def test_an_english_comma_parts_no_departments_unless_the_mapping_says_so():
    assert SIMPLE.departments_in("Parks, Recreation and Sports; Police") == 2
    assert SIMPLE.model_copy(update={"separators": (",",)}).departments_in("A, B;C") == 2


def test_silence_is_no_dissatisfaction_and_unknown_answers_are_reported(tmp_path):
    answers = ["满意"] * 60 + ["不满意"] * 20 + ["未评价", "无法接通", "", "无"] * 25
    cells = [f"城市管理,1,,{answer}" for answer in answers]
    found = {row.name.en: row.estimate for row in learn(cases_of(tmp_path, cells)).learned}
    satisfied = found["callers satisfied, of those who answered"]
    assert satisfied.value <= 0.75 <= satisfied.high and satisfied.n <= 80
    assert satisfied.value > 0.6
    some = cases_of(tmp_path, [*cells, *["城市管理,1,,都行"] * 4])
    assert some.cleaning.counts[Reason.UNKNOWN_ANSWER] == 4
    assert some.cleaning.lines[Reason.UNKNOWN_ANSWER] == [182, 183, 184, 185]
    assert some.tally.sums[:, Sum.RATED].sum() == 80
    lesson = learn(cases_of(tmp_path, [*cells, *["城市管理,1,,都行"] * 5]))
    assert not any("satisfied" in row.name.en for row in lesson.learned)
    assert any("satisfaction of callers: more than 5 %" in w.en for w in lesson.not_learned)


def test_flags_of_cases_brought_up_again(tmp_path):
    flags = {"Y": 1, "y": 1, "是": 1, "1": 1, "TRUE": 1, "Yes": 1, "3": 1, "有": 1,
             "N": 0, "否": 0, "0": 0, "false": 0, "无": 0}  # fmt: skip
    cells = [f"城市管理,1,{flag}," for flag in [*flags, "", "也许"]]
    cases = cases_of(tmp_path, cells)
    sums = cases.tally.sums.sum(axis=0)
    assert sums[Sum.TOLD] == len(flags) and sums[Sum.REOPENED] == sum(flags.values())
    assert cases.cleaning.lines[Reason.UNKNOWN_RETURN] == [len(cells) + 1]


def test_a_column_that_only_says_yes_tells_no_share(tmp_path):
    cells = ["城市管理,1,是,"] * 40 + ["城市管理,1,,"] * 40
    lesson = learn(cases_of(tmp_path, cells))
    assert not any("brought up again" in row.name.en for row in lesson.learned)
    assert any("all that are told say yes" in words.en for words in lesson.not_learned)
    said = HOTLINE.model_copy(update={"not_reopened": ("",)})
    rows = {row.name.en: row.estimate for row in learn(cases_of(tmp_path, cells, said)).learned}
    assert rows["cases brought up again"].low < 0.5 < rows["cases brought up again"].high


@pytest.mark.parametrize(
    ("more", "line", "words"),
    [
        ("satisfied: [好]\ndissatisfied: [差]\nno_answer: [' 好 ']", 6, "also under satisfied"),
        ("satisfied: [好]", 1, "columns.satisfaction needs words"),
        ("reopened: [Da]\nnot_reopened: [da]\nsatisfied: [a]\ndissatisfied: [b]", 5, "reopened"),
        ("satisfied: [a]\ndissatisfied: [b]\nseparators: ['']", 6, "none of them blank"),
    ],
)
def test_words_that_a_mapping_must_tell_apart(tmp_path, more, line, words):
    path = tmp_path / "m.yaml"
    path.write_text(
        "name: m\nname_zh: 表\ncolumns: {created: a, closed: b, satisfaction: c}\n" + more, "utf-8"
    )
    with pytest.raises(ConfigError) as error:
        Mapping.load(path)
    assert re.search(rf"m\.yaml:{line}:.*{words}", str(error.value)), str(error.value)


def test_no_text_of_a_cell_reaches_a_result(tmp_path):
    """A name in a hundred category cells, in answers, departments, dates: lines and counts only."""
    name = "张三丰"
    cells = [f"{name},{name}；城管局,{name},{name}"] * 100 + ["城市管理,1,否,满意"] * 100
    rows = [f"{i},2017-03-{1 + i % 28:02d},2017-04-02,{more}" for i, more in enumerate(cells)]
    rows[50] = f"50,{name},2017-04-02,城市管理,1,否,满意"
    path, out = table(tmp_path / "c.csv", rows, head=HEAD), tmp_path / "out"
    mapping = str(MAPPINGS / "hotline12345.yaml")
    for more in ([], ["--zh"], ["--json"]):
        done = CliRunner().invoke(
            app, ["city", "learn", str(path), "--map", mapping, "-o", str(out), *more]
        )
        assert done.exit_code == 0, done.output
        assert name not in done.output
    assert name not in "".join(p.read_text("utf-8") for p in out.iterdir())
    assert (out / "unmapped.csv").read_text("utf-8-sig").splitlines() == [
        "first_line,count", "102,100", "2,99",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "row", ["7,2017-03-05,2017-03-06,张三丰,13800138000", "办结,张三丰,李四,2017-03-05,工单编号"]
)
def test_a_file_without_a_header_is_not_echoed(tmp_path, row):
    path = table(tmp_path / "c.csv", [row] * 3, head=row)
    with pytest.raises(ConfigError, match="of 5 cells, has: ") as error:
        read_cases(path, HOTLINE)
    assert not re.search("张三丰|李四|1380|2017|a head that", str(error.value))
    assert "为文件补上表头" in str(error.value)


def test_a_missing_column_is_told_with_those_that_are_there(tmp_path):
    path = table(tmp_path / "x.csv", ["1,2017-03-05"], head="id,opened")
    with pytest.raises(ConfigError, match=r"x\.csv:1:1: created: no column created: .*id \(id\)"):
        read_cases(path, SIMPLE)


def test_mistyped_dates_are_listed_by_line(tmp_path):
    rows = [f"{i},2017-03-{1 + i % 28:02d},2017-04-{1 + i % 28:02d},road,1," for i in range(300)]
    wrong = ["a,2017-02-30,,road,1,", "b,2017-13-01,,road,1,", "c,2017-03-05,2017-04-31,road,1,"]
    far = ["d,1993-03-05,,road,1,", "e,2017-03-05,2052-03-06,road,1,"]
    cases = read_cases(table(tmp_path / "x.csv", [*wrong, *rows, *far]), SIMPLE)
    lines = cases.cleaning.lines
    assert lines[Reason.BAD_DATE] == [2, 3] and lines[Reason.BAD_CLOSED] == [4]
    assert lines[Reason.APART] == [305, 306] and cases.cleaning.counts[Reason.APART] == 2
    many = read_cases(table(tmp_path / "y.csv", rows + wrong[:1] * 1000), SIMPLE.model_copy(
        update={"columns": SIMPLE.columns.model_copy(update={"id": None})}))  # fmt: skip
    assert many.cleaning.counts[Reason.BAD_DATE] == 1000
    assert len(many.cleaning.lines[Reason.BAD_DATE]) == LINES
