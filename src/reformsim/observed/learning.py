"""What an export teaches about the model, with intervals; what it cannot teach, and why."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from reformsim import categories, uncertainties
from reformsim.known import Listed
from reformsim.observed import patterns
from reformsim.observed.cases import Cases
from reformsim.observed.cleaning import Reason
from reformsim.observed.durations import Days, lengths
from reformsim.observed.faults import Words
from reformsim.observed.intervals import Estimate, rate, share
from reformsim.observed.limits import not_learned
from reformsim.observed.tally import DAYS, GROUPS, MOST, QUARTERS, Sum, group_of

Section = Literal["mix", "days", "departments", "handling", "pattern"]

#: Fewer cases teach nothing that is worth a row.
FEW = 30
#: The rows of promised days: what they estimate, and whose they are.
PROMISES = ("promise_local", "promise", None)
PROMISED = (
    Words("settled at intake", "就地办结"), Words("dispatched", "派单事项"), Words("all", "全部")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Learned:
    """One thing learned: what it is, its interval, and what of the model it can be held to.

    ``target`` is the name of a fact of the city (`reformsim facts`), ``uncertainty`` that of an
    uncertainty which it estimates.
    """

    section: Section
    name: Words
    estimate: Estimate
    unit: str
    target: str | None = None
    uncertainty: str | None = None
    held_out: bool = False

    @property
    def within(self) -> tuple[float, float] | None:
        """The interval as far as the declared range of the uncertainty allows; None if it lies
        outside, or there is none."""
        if self.uncertainty is None:
            return None
        known = uncertainties.BY_NAME[self.uncertainty]
        low, high = max(self.estimate.low, known.low), min(self.estimate.high, known.high)
        return (low, high) if low < high else None


@dataclass
class Lesson:
    """All that was learned from one export."""

    source: str
    first_day: np.datetime64
    end: np.datetime64
    listed: Listed
    learned: list[Learned] = field(default_factory=list)
    days: list[Days] = field(default_factory=list)
    not_learned: list[Words] = field(default_factory=list)


def learn(cases: Cases, residents: int | None = None) -> Lesson:
    """Estimate what the counts of an export allow; ``residents`` served by it, if known."""
    tally, end = cases.tally, cases.tally.end()
    first = tally.start()
    day = np.datetime64("1990-01-01") + np.arange(int(end) + 1).astype("timedelta64[D]")
    total = int(tally.arrivals.sum())
    source = f"{Path(cases.file).name}: {total:,} cases, {day[first]} to {day[-2]}"
    last = tally.last() + 1
    listed = Listed(cases.channels, last - first, int(end) - last)
    lesson = Lesson(source, day[first], day[-1], listed)
    lesson.days = lengths(tally, end)
    by_group = _by_group(tally.sums[: _ripe(lesson.days[0], end, first)])
    lesson.learned = [
        *_mix(cases),
        *_days(lesson.days),
        *_departments(cases, by_group),
        *_handling(cases, by_group),
        *(Learned("pattern", *row) for row in patterns.rows(tally, first, int(end))),
    ]
    if residents is not None:
        lesson.learned += _volume(cases, first, int(end), residents)
    lesson.not_learned = not_learned(cases, lesson.days, first, int(end), residents)
    return lesson


def _ripe(everything: Days, end: float, first: int) -> int:
    """Return the day before which cases are old enough for what happened to them to be seen.

    Left out are those of the time by which nine in ten are closed, or of half the file at most:
    the youngest cases have yet to be dispatched or sent back.
    """
    wait = everything.p90 if np.isfinite(everything.p90) else np.inf
    return int(end - min(wait, (end - first) / 2))


def _by_group(sums: np.ndarray) -> np.ndarray:
    """Sum what is told of days, (days, sums), by group of weeks, (groups, sums)."""
    out = np.zeros((GROUPS, sums.shape[1]))
    np.add.at(out, group_of(np.arange(len(sums))), sums)
    return out


def _mix(cases: Cases) -> Iterator[Learned]:
    """Shares of the categories among cases that have one."""
    by_group = _by_group(cases.tally.arrivals[:, : categories.COUNT])
    of = by_group.sum(axis=1)
    if of.sum() < FEW:
        return
    for i, category in enumerate(categories.CATEGORIES):
        found = share(by_group[:, i], of)
        if found:
            name = Words(f"share of cases: {category.name}", f"事项占比:{category.name_zh}")
            yield Learned("mix", name, found, "share")


def _days(days: list[Days]) -> Iterator[Learned]:
    """Days to close: of all, by category, of dispatched cases and by departments."""
    targets = {"all": "median days, all contacts", "dispatched": "median days, dispatched"}
    for row in days:
        if row.closed < FEW:
            continue
        name = Words(f"median days to close: {row.of.en}", f"办结天数中位数:{row.of.zh}")
        if row.median is not None:
            target = targets.get(row.of.en)
            yield Learned("days", name, row.median, "days", target, held_out=row.of.en == "all")
        if row.sigma is not None:
            name = Words(f"log sd of days to close: {row.of.en}", f"办结天数对数标准差:{row.of.zh}")
            target = "log sd of days, dispatched" if row.of.en == "dispatched" else None
            yield Learned("days", name, row.sigma, "log sd", target)
        if row.against_one is not None:
            more = f"{row.departments} departments" + (" or more" * (row.departments == MOST))
            name = Words(f"days for {more} against 1", f"{row.of.zh}与 1 个部门的天数之比")
            held_out = row.departments > 2
            yield Learned("days", name, row.against_one, "ratio", name.en, held_out=held_out)


def _departments(cases: Cases, by_group: np.ndarray) -> Iterator[Learned]:
    """How many departments a case needs, and how often it is sent to a wrong one."""
    column = by_group[:, list(Sum)].T
    sent, cross = column[Sum.DISPATCHED], column[Sum.CROSS]
    if sent.sum() >= FEW:
        several = share(cross, sent)
        weight = sent.sum() / column[Sum.CROSS_WEIGHT].sum()
        assert several is not None
        name = Words("cases of two departments or more", "涉及两个及以上部门的比例")
        yield Learned("departments", name, several, "share", "P(two departments or more)")
        name = Words("cross_share, given the mix of categories", "跨部门事项比例(按类别构成折算)")
        yield Learned("departments", name, several.times(weight), "probability",
                      uncertainty="cross_share")  # fmt: skip
        by_k = cases.tally.closed.sum(axis=(1, 2, 4)).astype(float)[:, 2 : MOST + 1]
        for k in range(2, MOST + 1):
            found = share(by_k[:, k - 2], by_k.sum(axis=1))
            if found and found.n >= FEW:
                more = " or more" if k == MOST else ""
                name = Words(
                    f"{k} departments{more}, of closed cases with two or more",
                    f"{k} 个部门{'及以上' if more else ''}占已办结跨部门事项比例",
                )
                yield Learned("departments", name, found, "share")
    sends = column[Sum.PARTS] + column[Sum.TRANSFERS]
    if "transfers" in cases.columns and column[Sum.PARTS].sum() >= FEW:
        found = share(column[Sum.TRANSFERS], sends)
        assert found is not None
        name = Words(
            "a dispatch goes to a wrong desk, of cases of one department",
            "派单派错的概率(单部门事项)",
        )
        yield Learned("departments", name, found, "probability", uncertainty="p_mis")


def _handling(cases: Cases, by_group: np.ndarray) -> Iterator[Learned]:
    """What is settled at intake, promised, brought up again, and how callers judge it."""
    column = by_group.T
    taken_in, settled = column[Sum.TAKEN_IN], column[Sum.SETTLED]
    if settled.sum() > 0 and taken_in.sum() >= FEW:
        found = share(settled, taken_in)
        weight = taken_in.sum() / column[Sum.COMPETENCE].sum()
        assert found is not None
        name = Words("local competence, given the mix of categories",
                     "就地办理能力(按类别构成折算)")  # fmt: skip
        yield Learned("handling", name, found.times(weight), "factor", uncertainty="competence")
    answered, placed = column[Sum.ANSWERED], column[Sum.PLACED]
    if answered.sum() > 0 and placed.sum() >= FEW:
        found = share(answered, placed)
        assert found is not None
        name = Words("cases settled at intake", "就地办结的比例")
        yield Learned("handling", name, found, "share", "answered at intake")
    for counts, uncertainty, of in zip(cases.tally.promised, PROMISES, PROMISED, strict=True):
        promised = _median_promise(counts)
        if promised:
            name = Words(f"median promised days: {of.en}", f"承诺办理天数中位数:{of.zh}")
            yield Learned("handling", name, promised, "days", uncertainty=uncertainty)
    if column[Sum.TOLD].sum() >= FEW and not (
        cases.only_yes() or cases.too_unknown(Reason.UNKNOWN_RETURN, Sum.TOLD)
    ):
        found = share(column[Sum.REOPENED], column[Sum.TOLD])
        assert found is not None
        name = Words("cases brought up again", "被重新提出的比例")
        yield Learned("handling", name, found, "share")
    if column[Sum.RATED].sum() >= FEW and not cases.too_unknown(Reason.UNKNOWN_ANSWER, Sum.RATED):
        found = share(column[Sum.SATISFIED], column[Sum.RATED])
        assert found is not None
        name = Words("callers satisfied, of those who answered", "回访满意率(占已评价者)")
        target = "callers satisfied before swift response"
        yield Learned("handling", name, found, "share", target, held_out=True)


def _median_promise(counts: np.ndarray) -> Estimate | None:
    """Return the median of promised days with the interval of its order statistics.

    As precise as a quarter of a day, by which promises are counted.
    """
    n = int(counts.sum())
    if n < FEW:
        return None
    ranks = n / 2 + np.array([0.0, -1.0, 1.0]) * 0.98 * np.sqrt(n)
    at = np.searchsorted(np.cumsum(counts), np.clip(ranks, 0, n - 1), side="right")
    middle, low, high = (np.minimum(at, QUARTERS - 1) / 4).tolist()
    return Estimate(middle, low, high + 0.25 if low == high else high, n)


def _volume(cases: Cases, first: int, end: int, residents: int) -> Iterator[Learned]:
    days = np.arange(first, min(end, DAYS))
    exposure, count = np.zeros(GROUPS), np.zeros(GROUPS)
    np.add.at(exposure, group_of(days), residents / 365)
    np.add.at(count, group_of(days), cases.tally.arrivals[days].sum(axis=1))
    found = rate(count, exposure)
    if found:
        # no target: an export may hold grid and station cases beside those of the hotline
        name = Words("cases per resident-year", "人均年事项数")
        yield Learned("handling", name, found, "per resident-year")
