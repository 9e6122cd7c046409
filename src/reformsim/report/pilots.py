"""Tables, sentences and the figure of a pilot: what estimators make of it, how large it must be."""

import math
from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure

from reformsim import outcomes
from reformsim.experiment import pilots
from reformsim.experiment.estimators import ESTIMATORS
from reformsim.experiment.power import ALL, FALSE_ALARMS, WANTED, Answer, Power, Size, answers
from reformsim.report import style
from reformsim.report.edition import Edition
from reformsim.report.study import Study, number

if TYPE_CHECKING:
    from reformsim.report.tables import Writer

_MEANING = {e.name: (e.meaning, e.meaning_zh) for e in ESTIMATORS}
_SHORT = {
    "before_after": ("before-after", "前后对比"),
    "two_way": ("two-way FE", "双向固定效应"),
    "group_time": ("staggered", "交错双重差分"),
}
_UNITS = {"district": ("districts", "个区县"), "subdistrict": ("subdistricts", "个街道（乡镇）")}


# ---------------------------------------------------------------------------------- in words


def sentences(study: Study) -> pd.DataFrame:
    """Return how large a pilot must be by each estimator, for each outcome, in both languages."""
    units = pilots.design_of(study.experiment).units if study.powers else "subdistrict"
    return pd.DataFrame(
        {
            "outcome": found.outcome,
            "estimator": found.estimator,
            "answer": _english(found, units),
            "answer_zh": _chinese(found, units),
        }
        for found in answers(study.powers)
    )


def _english(found: Answer, units: str) -> str:
    about = outcomes.BY_NAME[found.outcome].meaning
    head = f"{about}, by {_MEANING[found.estimator][0]}: "
    row = found.smallest or found.best
    what = (
        f"{row.treated} {_UNITS[units][0]} with the reform, {row.before} months before and "
        f"{row.after} after, {'all' if row.cases == ALL else row.cases} cases a unit and month: "
        f"power {_percent(row, 'power')}, coverage {_percent(row, 'coverage')}, false alarms "
        f"{_percent(row, 'false_alarm')} in {row.n} draws"
    )
    if row.intervals < row.n:
        what += f", {row.intervals} of them with an interval"
    if found.smallest is None:
        return (
            f"{head}none on this grid is large enough (power {WANTED:.0%}; beyond chance neither "
            f"coverage below 95 % nor false alarms above {FALSE_ALARMS:.0%}). Most power: {what}."
        )
    sure = "" if row.power_low >= WANTED else f"; not sure, its power may be below {WANTED:.0%}"
    return f"{head}the smallest pilot that is large enough has {what}{sure}."


def _chinese(found: Answer, units: str) -> str:
    head = f"{outcomes.BY_NAME[found.outcome].meaning_zh},{_MEANING[found.estimator][1]}:"
    row = found.smallest or found.best
    what = (
        f"{row.treated} {_UNITS[units][1]}试点，试点前 {row.before} 个月、试点后 {row.after} 个月，"
        f"每单位每月{'全部' if row.cases == ALL else f' {row.cases} '}件："
        f"功效（发现效应的概率）{_percent(row, 'power')}，区间覆盖率 {_percent(row, 'coverage')},"
        f"误报率 {_percent(row, 'false_alarm')}，共 {row.n} 次抽取"
    )
    if row.intervals < row.n:
        what += f"（其中 {row.intervals} 次得出区间）"
    if found.smallest is None:
        return (
            f"{head}本网格内没有足够大的试点（要求功效达 {WANTED:.0%}，覆盖率不明显低于 95 %，"
            f"且误报率不明显高于 {FALSE_ALARMS:.0%}）。"
            f"功效最高者：{what}。"
        )
    sure = "" if row.power_low >= WANTED else f"；尚不确定，功效可能低于 {WANTED:.0%}"
    return f"{head}足够大的最小试点为 {what}{sure}。"


def _percent(row: Power, name: str) -> str:
    share, low, high = (getattr(row, f"{name}{end}") for end in ("", "_low", "_high"))
    return "–" if math.isnan(share) else f"{share:.0%} [{low:.0%}, {high:.0%}]"


def _truths(writer: "Writer", row: Power) -> list[str]:
    """Say what was there to be found, and whether places without the reform were touched."""
    true, spilt, apart = (_range(row, name) for name in ("truth", "spill", "interference"))
    if writer.zh:
        lines = [
            f"真实效应（试点单位，已知）:{true}。对尚未试点单位的溢出：{spilt}；双重差分会把它当作效应扣除。",
            f"与全面推行时同样单位、同样时长的效应相比，差 {apart}。",
        ]
    else:
        lines = [
            f"True effect where treated (known): {true}. Spill to places not yet treated: {spilt}; "
            "differences-in-differences take it off.",
            f"Against the effect on the same units after as many months had all been treated: "
            f"{apart}.",
        ]
    if row.interference_low > 0 or row.interference_high < 0:
        lines.append(
            "单位之间相互影响：试点的效应不等于全面推行的效应。"
            if writer.zh
            else "Units interfere: what a pilot shows is not what the reform does everywhere."
        )
    return lines


def _range(row: Power, name: str) -> str:
    value, low, high = (getattr(row, f"{name}{end}") for end in ("", "_low", "_high"))
    interval = "" if math.isnan(low) else f" [{number(low)}, {number(high)}]"
    return number(value) + interval


# -------------------------------------------------------------------------------- on the screen


def write(writer: "Writer") -> None:
    """Write for each outcome the largest panel by number of units, the truth, and the answers."""
    study, zh = writer.study, writer.zh
    told = sentences(study)
    for trait in study.traits.values():
        rows = [row for row in study.powers if row.outcome == trait.outcome]
        shown = _longest(rows)
        top = max(shown, key=Size.order)
        cases = ("全部" if zh else "all") if top.cases == ALL else str(top.cases)
        panel = (
            f"{top.before}+{top.after} 个月，每月{cases}件"
            if zh
            else f"{top.before} + {top.after} months, {cases} cases a month"
        )
        table = writer.table(
            f"{writer.marked(trait)} ({trait.unit}): {panel}",
            *("treated", "estimator", "bias [95 %]", "rmse", "covers", "power", "false alarms"),
        )
        for row in sorted(shown, key=lambda row: row.treated):
            shares = (f"{x:.0%}" for x in (row.coverage, row.power, row.false_alarm))
            table.add_row(
                str(row.treated), _SHORT[row.estimator][zh], _range(row, "bias"),
                number(row.rmse), *shares,
            )  # fmt: skip
        writer.console.print(table)
        for line in _truths(writer, top):
            writer.console.print(line)
        for line in told.loc[told["outcome"] == trait.outcome, "answer_zh" if zh else "answer"]:
            writer.console.print(f"• {line}")
        writer.console.print()
    writer.console.print(
        f"n = {study.n} 次抽取；全部网格见 power.csv。覆盖率、功效、误报率的含义见 docs/pilots.md。"
        if zh
        else f"n = {study.n} draws of units and chance; the whole grid is in power.csv, what the "
        "words mean in docs/pilots.md."
    )


def _longest(rows: list[Power]) -> list[Power]:
    """Return the rows with the longest panel and most cases, of any number of units."""
    largest = max((row.order()[1:] for row in rows), default=())
    return [row for row in rows if row.order()[1:] == largest]


# ----------------------------------------------------------------------------------- the figure


def figure(edition: Edition) -> SubFigure:
    """Draw power by number of units for each number of cases, and bias, by estimator."""
    study, say = edition.study, edition.say
    if not study.powers:
        raise style.Undrawable(edition.nothing_compared())
    asked = pilots.design_of(study.experiment)
    shown = list(study.traits.values())
    columns = len(asked.cases) + 1
    picture = style.canvas(
        edition, 3.5 * columns, 1.2 + 2.6 * len(shown),
        "功效与偏差，95% 区间", "power and bias, 95 % intervals",
    )  # fmt: skip
    axes = style.panels(picture, len(shown), columns, len(shown) * columns)
    for i, trait in enumerate(shown):
        *powers, bias = axes[i * columns : (i + 1) * columns]
        rows = [row for row in study.powers if row.outcome == trait.outcome]
        for ax, cases in zip(powers, asked.cases, strict=True):
            _curves(ax, _longest([row for row in rows if row.cases == cases]), "power")
            ax.axhline(WANTED, color=style.GREY, linewidth=1, linestyle=":")
            ax.axhline(0.05, color=style.GREY, linewidth=1, linestyle=":")
            ax.set_ylim(-0.02, 1.02)
            count = say("全部", "all") if cases == ALL else f"{cases}{say('件', '')}"
            heard = say(f"每月事项：{count}", f"{count} cases a month")
            ax.set_title(f"{edition.marked(trait)}\n{heard}", loc="left")
            ax.set_ylabel(say("功效", "power"))
        _curves(bias, _longest(rows), "bias")
        bias.axhline(0, color=style.GREY, linewidth=1)
        bias.set_title(f"{edition.marked(trait)}\n{edition.unit(trait.unit)}", loc="left")
        bias.set_ylabel(say("偏差", "bias"))
    for ax in axes:
        ax.set_xlabel(say("试点单位数", "treated units"))
        ax.set_xticks(asked.treated)
    handles = [
        style.line(look.colour, look.dashes, _SHORT[e.name][edition.zh])
        for e, look in zip(ESTIMATORS, style.LOOKS, strict=False)
    ]
    picture.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return picture


def _curves(ax: Axes, rows: list[Power], name: str) -> None:
    for estimator, (colour, dashes, _) in zip(ESTIMATORS, style.LOOKS, strict=False):
        here = sorted((r for r in rows if r.estimator == estimator.name), key=Size.order)
        x = [row.treated for row in here]
        middle, low, high = (
            [getattr(r, name + end) for r in here] for end in ("", "_low", "_high")
        )
        ax.plot(x, middle, color=colour, linestyle=dashes, marker="o", markersize=3)
        ax.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
