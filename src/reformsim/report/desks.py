"""Where cases wait, desk by desk: days until service begins, beside how many visits there are."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure

from reformsim import categories
from reformsim.cases.state import DESK_KINDS
from reformsim.experiment import analysis
from reformsim.report import style
from reformsim.report.edition import Edition

#: Desks of one kind: Chinese name, English name.
_SINGLE = {
    "grid": ("网格员", "grid workers"),
    "station": ("服务站", "stations"),
    "hotline": ("热线", "hotline"),
    "centre": ("综合便民服务中心", "service centres"),
    "hub": ("社治委统筹", "committee's hub"),
    "post": ("驻点民警", "officers in post"),
}
#: Levels with a desk for each category or merged office: how a panel is headed.
_LEVELS = {
    "subdistrict": ("街道（乡镇）科室", "offices of subdistricts"),
    "merged": ("街道（乡镇）综合办公室", "merged offices of subdistricts"),
    "department": ("区（市）县部门", "line departments"),
}
_INTAKE = ("受理与统筹", "intake and hub")


def desks(edition: Edition) -> SubFigure:
    """Draw for every kind of desk the mean days that a visit waits, and visits for 100 needs.

    Means over replications with their 95 % intervals, after the transition. Hollow where some
    replication had no visit to wait at.
    """
    waits, visits = (_bands(edition, kind) for kind in ("desk", "visits"))
    there = set(waits["outcome"])
    if not there:
        raise style.Undrawable(edition.kept_little())
    groups = {_INTAKE: [name for name in _SINGLE if name in there]}
    for level, title in _LEVELS.items():
        groups[title] = [n for n in DESK_KINDS if n.startswith(f"{level}.") and n in there]
    groups = {title: names for title, names in groups.items() if names}
    lengths = [len(names) for names in groups.values()]
    scenarios = [s for s in edition.study.scenarios if s in set(waits["scenario"])]
    figure = style.canvas(
        edition, 9.5, 1.6 + 0.45 * len(groups) + sum(lengths) * (0.1 + 0.06 * len(scenarios)),
        "事项在哪里等：过渡期后按科室，均值与 95% 区间；空心：部分重复中无人经手",
        "where cases wait, by desk, after the transition: mean and 95 % interval; hollow: "
        "some replications had no visit",
    )  # fmt: skip
    axes = figure.subplots(
        len(groups), 2, squeeze=False, sharey="row", height_ratios=lengths, width_ratios=[2, 1]
    )
    for row, (title, names) in zip(axes, groups.items(), strict=True):
        for ax, table in zip(row, (waits, visits), strict=True):
            _dots(ax, edition, table, names, scenarios)
        row[0].set_title(edition.say(*title), loc="left")
        row[0].set_yticks(range(len(names)), [_name(edition, name) for name in names])
        row[0].set_ylim(len(names) - 0.4, -0.6)
    furthest = max(ax.get_xlim()[1] for ax in axes[:, 0])
    for waited, counted in axes:
        waited.set_xlim(0, furthest)
        counted.set_xlim(left=0)
    axes[-1, 0].set_xlabel(
        edition.say(
            "已结束的每次经手的等待天数（区间在 0 处截断）",
            "days waited, visits that have ended (intervals cut at 0)",
        )
    )
    axes[-1, 1].set_xlabel(edition.say("每 100 项需求的经手次数", "visits for 100 needs"))
    style.scenario_legend(edition, figure, scenarios)
    return figure


def _bands(edition: Edition, kind: str) -> pd.DataFrame:
    rows = edition.study.results.kind(kind)
    return analysis.bands(rows[rows["period"] == "after"], ["outcome", "scenario"])


def _name(edition: Edition, desk: str) -> str:
    if desk in _SINGLE:
        return edition.say(*_SINGLE[desk])
    level, what = desk.split(".")
    if level == "merged":
        return edition.say(categories.OFFICE_NAMES[what], what)
    chinese = {c.name: c.name_zh for c in categories.CATEGORIES}
    return edition.say(chinese[what], what)


def _dots(
    ax: Axes, edition: Edition, table: pd.DataFrame, names: list[str], scenarios: list[str]
) -> None:
    offsets: Any = np.linspace(-0.24, 0.24, len(scenarios)) if len(scenarios) > 1 else [0.0]
    fields = ["outcome", "scenario", "n", "mean", "low", "high"]
    for desk, scenario, n, value, low, high in table[fields].to_numpy().tolist():
        if desk not in names or scenario not in scenarios:
            continue
        y = names.index(desk) + offsets[scenarios.index(scenario)]
        colour, _, marker = style.of(edition, scenario)
        ax.plot([low, high], [y, y], color=colour, linewidth=1.4)
        face = colour if n == table["n"].max() else "white"
        ax.plot(value, y, marker, color=colour, markerfacecolor=face, markersize=4)
    for row in range(1, len(names), 2):
        ax.axhspan(row - 0.5, row + 0.5, color="#F3F3F3", zorder=0)
    ax.grid(axis="y", visible=False)
    style.few_ticks(ax)
