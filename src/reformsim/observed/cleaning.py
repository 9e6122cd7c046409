"""What was tidied while an export was read: why, how often, where first."""

from collections import Counter
from enum import Enum

import numpy as np

from reformsim.observed.faults import Mistakes, Words
from reformsim.observed.tally import Tally

#: Lines listed of each reason.
LINES = 100
LEFT_OUT = Words("row left out", "整行不计")
DAYS_LEFT_OUT = Words("counted; its days to close are left out", "计入数量,不计办理天数")
NO_KIND = Words("counted without a category", "计入总数,不归类")
AS_BLANK = Words("the cell counts as blank", "该单元格按空白处理")
AS_IT_IS = Words("read all the same", "照常读取")


class Reason(Enum):
    """Why a row or a cell was not taken as it stands, and what became of it."""

    NO_ROW = Words("no valid row of a table", "不是有效的表格行"), LEFT_OUT
    DUPLICATE = Words("an id that came before", "编号重复"), LEFT_OUT
    NO_DATE = Words("no date of creation", "没有受理日期"), LEFT_OUT
    BAD_DATE = Words("the date of creation cannot be read", "受理日期无法识别"), LEFT_OUT
    FORMULA = Words("a formula or an error in place of a date", "日期处是公式或错误值"), LEFT_OUT
    OUT_OF_RANGE = (
        Words("created before 1990 or after 2059", "受理日期早于 1990 或晚于 2059"),
        LEFT_OUT,
    )
    BAD_CLOSED = Words("the date of closing cannot be read", "办结日期无法识别"), DAYS_LEFT_OUT
    CLOSED_BEFORE = Words("closed before it was created", "办结早于受理"), DAYS_LEFT_OUT
    ENDED_UNDATED = (
        Words("over by its status, without a date", "状态为办结但无办结日期"),
        DAYS_LEFT_OUT,
    )
    NO_CATEGORY = Words("no category", "没有类别"), NO_KIND
    UNMAPPED = Words("a category that the mapping does not name", "映射文件未列的类别"), NO_KIND
    BAD_DUE = Words("the due date cannot be read", "期限日期无法识别"), AS_BLANK
    NO_NUMBER = (
        Words("no number of departments, transfers or returns", "部门数或退回次数不是数字"),
        AS_BLANK,
    )
    UNKNOWN_RETURN = (
        Words("neither reopened nor not, by the mapping", "重办一栏的用词映射文件未列"),
        AS_BLANK,
    )
    UNKNOWN_ANSWER = (
        Words("an answer on satisfaction that the mapping does not name", "满意度用词映射文件未列"),
        AS_BLANK,
    )
    APART = (
        Words("a date apart from all others, perhaps mistyped", "日期在其余各行之外,或为误填"),
        Words("counted, but the file's time does not reach there", "计入,但不据以延长数据起止"),
    )
    BLANK_ROW = Words("a blank row", "空白行"), LEFT_OUT
    SHORT_ROW = Words("a row that ends early", "行尾缺少单元格"), AS_IT_IS
    REPEATED_HEADER = Words("the header once more", "重复的表头"), LEFT_OUT
    HEADLESS_CELL = Words("a cell without a head", "没有表头的单元格"), AS_IT_IS


#: What the reader of tables counts, by its own names.
TIDIED = {
    "blank rows": Reason.BLANK_ROW,
    "short rows": Reason.SHORT_ROW,
    "repeated headers": Reason.REPEATED_HEADER,
    "cells without a head": Reason.HEADLESS_CELL,
}


class Cleaning:
    """How often each reason came up, and the lines where it did first."""

    def __init__(self) -> None:
        """Begin with nothing tidied."""
        self.counts: Counter[Reason] = Counter()
        self.lines: dict[Reason, list[int]] = {}

    def note(self, reason: Reason, lines: np.ndarray, which: np.ndarray) -> np.ndarray:
        """Note the rows ``which`` (n, bool), at ``lines`` of the file; returns ``which``."""
        times = int(which.sum())
        if times:
            self.counts[reason] += times
            first = self.lines.setdefault(reason, [])
            first.extend(lines[which][: LINES - len(first)].tolist())
        return which

    def apart(self, tally: Tally) -> None:
        """Note the dates that lie outside the file's time."""
        times, lines = tally.apart()
        if times:
            self.counts[Reason.APART] = times
            self.lines[Reason.APART] = lines[:LINES]

    def rows(self, broken: Mistakes, tidied: Counter[str]) -> None:
        """Note what the reader of tables found: rows that are none, and blanks."""
        if broken.count:
            self.counts[Reason.NO_ROW] = broken.count
            self.lines[Reason.NO_ROW] = [m.spot.line for m in broken.found[:LINES]]
        for name, times in tidied.items():
            self.counts[TIDIED[name]] = times
