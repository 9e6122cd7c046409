"""Numbers into plain sentences, Chinese and English: never more than an interval allows.

Pure functions of estimates. A direction of benefit (*better*, *worse*) is said only where the
verdict says it, that is where the 95 % interval excludes zero; without an interval nothing is
said about certainty.
"""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

from reformsim.experiment.analysis import LEVEL, Contrast, Estimate, Lead
from reformsim.experiment.robustness import Robustness
from reformsim.report.chinese import chinese
from reformsim.report.study import digits

#: A clear change below this, in percent of the reference, is called small: an aid to reading.
SMALL = 1.0

#: Groups and places named in one sentence.
MOST_NAMED = 8

#: Verdicts that an interval without zero gives.
CLEAR = ("better", "worse", "higher", "lower")


class Both(NamedTuple):
    """The same words in Chinese and in English."""

    zh: str
    en: str

    def then(self, zh: str, en: str) -> "Both":
        """Return these words with others after them, in each language."""
        return Both(self.zh + zh, self.en + en)


@dataclass(frozen=True, slots=True)
class Measured:
    """How values of a unit are written: times ``scale``, then a word for levels and changes."""

    scale: float
    level: Both
    change: Both


def measured(unit: str) -> Measured:
    """Return how a unit is written: shares in percent, their changes in percentage points."""
    if unit.startswith("share"):
        return Measured(100, Both("%", " %"), Both(" 个百分点", " percentage points"))
    if unit in ("0–1", "index"):
        name = Both("", "")
        return Measured(1, name, name)
    # the Chinese names of outcomes say themselves what such a unit counts by
    zh = "" if unit.startswith(("per ", "times ")) else f" {chinese(unit)}"
    name = Both(zh, f" {unit}")
    return Measured(1, name, name)


def rounded(value: float, half: float, sign: bool = False) -> str:
    """Write a number to two figures of ``half``, of itself to three where there is none."""
    if math.isnan(value):
        return "–"
    places = digits(half) if half > 0 else max(digits(abs(value)) + 1, 0) if value else 0
    text = f"{value:+,.{places}f}"
    if not text.strip("+-0.,"):
        return "0"
    return (text if sign else text.removeprefix("+")).replace("-", "−")


def level(value: float, unit: str, half: float = math.nan) -> Both:
    """Write the value of an outcome with its unit."""
    how = measured(unit)
    text = rounded(how.scale * value, how.scale * half)
    return Both(text, text).then(*how.level)


def size(value: float, unit: str, half: float = math.nan) -> Both:
    """Write the size of a change, without its sign."""
    how = measured(unit)
    text = rounded(how.scale * abs(value), how.scale * half)
    return Both(text, text).then(*how.change)


def span(low: float, high: float, unit: str) -> Both:
    """Write an interval of changes, with signs."""
    how, half = measured(unit), (high - low) / 2
    a, b = (rounded(how.scale * x, how.scale * half, sign=True) for x in (low, high))
    return Both(f"{a} 至 {b}", f"{a} to {b}").then(*how.change)


def change(
    estimate: Estimate,
    subject: Both,
    *,
    holds: bool = True,
    expected: Literal["up", "down"] | None = None,
) -> Both:
    """Say what happens to ``subject``, how sure that is, and how small where it is small.

    ``holds`` is False where the verdict rests on looking at one outcome only; ``expected`` is
    the way that was declared before any run, so that a reversal is named.
    """
    e = estimate
    if e.n < 1 or math.isnan(e.value):
        return subject.then("：没有可比较的运行。", ": there are no runs to compare.")
    if math.isnan(e.low):
        return subject.then(*_alone(e))
    if e.verdict == "same":
        return subject.then(
            "：没有变化，每次重复中的差异均为零。",
            ": no change; the difference is zero in every replication.",
        )
    if e.verdict not in CLEAR:
        return subject.then(*_unclear(e))
    found = subject.then(*_clear(e))
    if abs(e.percent()[0]) < SMALL:
        found = found.then(
            "变化虽明确但很小，不到基准的 1%。",
            " The change is clear but small: less than 1 % of the reference.",
        )
    if expected and (expected == "up") != (e.value > 0):
        found = found.then(
            "这与运行之前声明的预期方向相反。",
            " This is the reverse of what was declared before any run.",
        )
    if not holds:
        found = found.then(
            "若同时检验所有结果（Holm 校正），此判断不成立。",
            " It does not hold once all outcomes are tested together (Holm's correction).",
        )
    return found


def lead(e: Lead, subject: Both, first: Both, second: Both) -> Both:
    """Say which of several comes first, or that the first two cannot be told apart."""
    if math.isnan(e.low):
        return subject.then(
            f"：单次运行中{first.zh}居首；单次运行不能说明把握。",
            f": {first.en} comes first in a single run, which says nothing about certainty.",
        )
    if e.verdict != "clear":
        return subject.then(
            f"：{first.zh}与{second.zh}难分先后。",
            f": {first.en} and {second.en} cannot be told apart.",
        )
    by, between = _by(e), span(e.low, e.high, e.unit)
    return subject.then(
        f"：{first.zh}居首，领先{second.zh} {by.zh}；95% 区间 {between.zh}。",
        f": {first.en} comes first, ahead of {second.en} by {by.en}; 95 % interval {between.en}.",
    )


def futures(row: Robustness, subject: Both) -> Both:
    """Say over what share of the sampled futures an outcome is better, and what is left out."""
    if not row.n:
        found = subject.then("：没有可比较的未来。", ": there is no future to compare.")
    elif row.share == row.worse == 0:
        found = subject.then(
            f"：在全部 {row.n} 个抽取的未来中都没有变化。",
            f": no change in any of {row.n} sampled futures.",
        )
    else:
        good, bad = (_WAYS[way] for way in _ways(row))
        most = {"": Both("哪种更多说不准", "which is more frequent cannot be told")} | {
            way: Both(f"多数{_WAYS[way].zh}", f"{_WAYS[way].en} in most") for way in _ways(row)
        }
        found = subject.then(
            f"：在 {row.n} 个抽取的未来中，{row.share:.0%}（95% 区间 {row.share_low:.0%} 至 "
            f"{row.share_high:.0%}）{good.zh}，{row.worse:.0%} {bad.zh}："
            f"{most[majority(row)].zh}。",
            f": of {row.n} sampled futures {good.en} in {row.share:.0%} (95 % interval "
            f"{row.share_low:.0%} to {row.share_high:.0%}), {bad.en} in {row.worse:.0%}: "
            f"{most[majority(row)].en}.",
        )
    if row.missing:
        found = found.then(
            f"另有 {row.missing} 个未来没有结果（例如财力承担不起），不计在内。",
            f" {row.missing} more futures have no result (the money does not suffice, for one) "
            "and are left out.",
        )
    return found


def majority(row: Robustness) -> str:
    """Return the verdict that clearly more than half of the futures have; empty if none has."""
    good, bad = _ways(row)
    if row.share_low > 0.5:
        return good
    return bad if row.worse_low > 0.5 else ""


def _ways(row: Robustness) -> tuple[str, str]:
    return ("higher", "lower") if row.better == "neither" else ("better", "worse")


def years(verdicts: list[tuple[int, str]], subject: Both) -> Both:
    """Say from which year on an effect lasts, given the verdict on each year since the start."""
    word = _WAYS.get(last := verdicts[-1][1])
    if word is None:
        clear = [str(year) for year, verdict in verdicts if verdict in CLEAR]
        found = subject.then(
            f"：到第 {verdicts[-1][0]} 年为止，没有持续的明确变化。",
            f": no clear change that lasts to year {verdicts[-1][0]}.",
        )
        if clear:
            found = found.then(
                f"只在第 {'、'.join(clear)} 年明确。",
                f" It is clear in year {', '.join(clear)} only.",
            )
        return found
    since = next(
        year
        for i, (year, _) in enumerate(verdicts)
        if all(verdict == last for _, verdict in verdicts[i:])
    )
    return subject.then(
        f"：从改革开始后的第 {since} 年起，逐年明确{word.zh}，直到第 {verdicts[-1][0]} 年。",
        f": clearly {word.en} in every year from year {since} after the start of the reform to "
        f"year {verdicts[-1][0]}, the last.",
    )


def losers(subject: Both, lost: list[Both], gained: int, looked_at: int) -> Both:
    """Say for whom an outcome is clearly worse, and how many would seem so by chance alone."""
    chance = looked_at * (1 - LEVEL) / 2
    text = f"{chance:.1f}" if chance < 10 else f"{chance:.0f}"
    some = "、".join(name.zh for name in lost[:MOST_NAMED])
    named = "; ".join(name.en for name in lost[:MOST_NAMED])
    if len(lost) > MOST_NAMED:
        some, named = f"{some}等", f"{named}; …"
    rest = looked_at - len(lost) - gained
    return subject.then(
        f"：{looked_at} 个群体和地方中，明确更差 {len(lost)} 个"
        + (f"（{some}）" if lost else "")
        + f"，明确更好 {gained} 个，看不出 {rest} 个。"
        f"即使毫无差别，这么多组里偶然也会有约 {text} 个显得更差。",
        f": of {looked_at} groups and places, clearly worse off: {len(lost)}"
        + (f" ({named})" if lost else "")
        + f"; clearly better off: {gained}; cannot be told: {rest}. With no difference at all, "
        f"about {text} of so many would seem worse off by chance.",
    )


_WAYS = {
    "better": Both("更好", "better"),
    "worse": Both("更差", "worse"),
    "higher": Both("更高", "higher"),
    "lower": Both("更低", "lower"),
}


def _clear(e: Estimate) -> Both:
    up, by, between = e.value > 0, _by(e), span(e.low, e.high, e.unit)
    worth = _WORTH[e.verdict]
    return Both(
        f"{'上升' if up else '下降'} {by.zh}{worth.zh}；95% 区间 {between.zh}。",
        f" {'rises' if up else 'falls'} by {by.en}{worth.en}; 95 % interval {between.en}.",
    )


_WORTH = {
    "better": Both("，更好", ", which is better"),
    "worse": Both("，更差", ", which is worse"),
    "higher": Both("，本身无所谓好坏", ", neither good nor bad in itself"),
    "lower": Both("，本身无所谓好坏", ", neither good nor bad in itself"),
}


def _unclear(e: Estimate) -> Both:
    between = span(e.low, e.high, e.unit)
    return Both(
        f"：看不出明确变化，差异的 95% 区间 {between.zh}，包含零。",
        f": no clear change; the 95 % interval of the difference, {between.en}, holds zero.",
    )


def _alone(e: Estimate) -> Both:
    by = _by(e)
    zh = f"高 {by.zh}" if e.value > 0 else f"低 {by.zh}" if e.value < 0 else "没有差别"
    en = f"{by.en} higher" if e.value > 0 else f"{by.en} lower" if e.value < 0 else "no different"
    return Both(
        f"：在仅有的一次运行中{zh}；没有区间，不能说明把握。",
        f": {en} in the only run; there is no interval, so nothing is said about certainty.",
    )


def _by(e: Estimate) -> Both:
    """Write the size of a change and, where it says more, its percentage of the reference."""
    by, percent = size(e.value, e.unit, (e.high - e.low) / 2), abs(e.percent()[0])
    if isinstance(e, Lead) or not math.isfinite(percent) or percent == 0:
        return by
    text = f"{percent:,.0f}" if percent >= 10 else f"{percent:.2g}"
    return by.then(f"（基准的 {text}%）", f" ({text} % of the reference)")


def held(e: Estimate) -> bool:
    """Whether a verdict also holds for all outcomes at once; True where that was not tested."""
    if not isinstance(e, Contrast) or e.verdict not in CLEAR or math.isnan(e.holm):
        return True
    return e.holds
