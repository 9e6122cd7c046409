"""Where needs go and where cases wait: shares of each step, days by stage."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure

from reformsim.declared import plain
from reformsim.experiment import analysis
from reformsim.report import style
from reformsim.report.edition import Edition

#: A part of a stacked bar: Chinese name, English name, colour, hatch.
Part = tuple[str, str, str, str]

#: Stages of a case in the order in which it meets them.
STAGES: dict[str, Part] = {
    "intake_wait": ("受理等待", "intake: wait", style.SKY, ""),
    "intake_work": ("受理办理", "intake: work", style.SKY, "////"),
    "local_delay": ("就地耗时", "delay on the spot", style.YELLOW, ""),
    "transfer": ("退回重派", "returned, sent anew", style.VERMILLION, ""),
    "escalation": ("上级协调", "levels above", style.VERMILLION, "////"),
    "mediation": ("调解协商", "mediation", style.YELLOW, "////"),
    "hub": ("社治委统筹", "committee assembles", style.PURPLE, ""),
    "conference": ("等待联席会议", "until a conference", style.PURPLE, "////"),
    "desk_wait": ("科室等待", "desk: wait", style.ORANGE, ""),
    "desk_work": ("科室办理", "desk: work", style.ORANGE, "////"),
    "part_delay": ("单部门耗时", "delay of a department", style.GREEN, ""),
    "common_delay": ("共同耗时", "delay common to all", style.BLUE, ""),
}

#: The three steps of a need: its parts, each a share of the step's whole.
STEPS: dict[tuple[str, str], dict[str, Part]] = {
    ("每 100 项需求：向谁表达", "of 100 needs: who hears of them"): {
        "silent": ("无人知晓", "nobody", style.PALE, ""),
        "neighbours": ("邻里自行解决", "neighbours", style.YELLOW, ""),
        "rest": ("市场等", "market and others", style.YELLOW, "////"),
        "grid": ("网格员", "grid worker", style.GREEN, ""),
        "station": ("服务站", "station", style.SKY, ""),
        "hotline": ("热线", "hotline", style.BLUE, ""),
    },
    ("每 100 件受理：由谁办理", "of 100 cases heard of: who handles them"): {
        "intake": ("首接即办", "answered at intake", style.GREEN, ""),
        "dispatched": ("派单到科室", "dispatched to desks", style.ORANGE, "////"),
    },
    ("每 100 次经手：哪一级", "of 100 visits to desks: at which level"): {
        "offices": ("街道（乡镇）科室", "subdistrict office", style.SKY, ""),
        "departments": ("区（市）县部门", "line department", style.ORANGE, "////"),
    },
    ("每 100 件了结：结果如何", "of 100 ended cases: how they ended"): {
        "solved": ("真实解决", "truly solved", style.GREEN, ""),
        "unsolved": ("办结未解决", "closed, not solved", style.SKY, "////"),
        "sham": ("虚假办结", "closed on paper only", style.VERMILLION, ""),
        "lost": ("流失或无主", "lapsed or orphaned", style.BLACK, ""),
    },
}


def flow(edition: Edition) -> SubFigure:
    """Draw from need to end, step by step: what share goes where, one bar per scenario.

    The shares are those of the city after the transition, means over replications. Those without
    an outcome of their own are what the others leave.
    """
    values = _means(edition)
    found = {name: shares(row) for name, row in values.items()}
    scenarios = [name for name, row in found.items() if row is not None]
    if not scenarios:
        raise style.Undrawable(edition.nothing_compared())
    figure = style.canvas(
        edition,
        9.5,
        1.0 + len(STEPS) * (0.95 + 0.3 * len(scenarios)),
        "从需求到了结：过渡期后各步的去向",
        "from need to end: where each step leads, after the transition",
    )
    axes = style.panels(figure, len(STEPS), 1, len(STEPS), sharex=True)
    for ax, ((zh, en), step) in zip(axes, STEPS.items(), strict=True):
        rows = pd.DataFrame({name: found[name] for name in scenarios}).T * 100
        _stack(ax, edition, rows, step)
        ax.set_title(edition.say(zh, en), loc="left")
        ax.set_xlim(0, 100)
        ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    axes[-1].set_xlabel("%")
    return figure


def _means(edition: Edition) -> dict[str, dict[Any, Any]]:
    table = analysis.means(edition.study.results).pivot(
        index="scenario", columns="outcome", values="mean"
    )
    rows = table.to_dict(orient="index")
    return {name: rows[name] for name in edition.study.scenarios if name in rows}


def shares(of: Mapping[str, float]) -> dict[str, float] | None:
    """Return the share of each part of `STEPS` from the outcomes of a city, None if one is missing.

    A share of closings becomes one of all that ended by the share that was closed at all.
    """
    try:
        needs, closed = of["needs"], 1 - of["lost_share"]
        heard = {
            "grid": of["grid_events"] / needs,
            "station": of["station_contacts"] / needs,
            "hotline": of["hotline_contacts"] / needs,
        }
        silent, neighbours = of["silent_share"], of["self_solved_share"]
        sham, solved = of["sham_share"] * closed, of["true_solution_rate"]
        return {
            "silent": silent,
            "neighbours": neighbours,
            "rest": max(1 - silent - neighbours - sum(heard.values()), 0.0),
            **heard,
            "intake": of["settled_at_intake"],
            "dispatched": 1 - of["settled_at_intake"],
            "offices": 1 - of["to_departments"],
            "departments": of["to_departments"],
            "solved": solved,
            "unsolved": max(closed - solved - sham, 0.0),
            "sham": sham,
            "lost": of["lost_share"],
        }
    except KeyError:
        return None


def waits(edition: Edition) -> SubFigure:
    """Draw where dispatched cases spend their days: mean days by stage, one bar per scenario."""
    study = edition.study
    rows = study.results.kind("wait")
    rows = rows[rows["period"] == "after"]
    if rows.empty:
        raise style.Undrawable(edition.kept_little())
    found = analysis.bands(rows, ["outcome", "scenario"])
    days = found.pivot(index="scenario", columns="outcome", values="mean").fillna(0.0)
    days = days.loc[[name for name in study.scenarios if name in days.index]]
    figure = style.canvas(
        edition,
        9.5,
        max(3.4, 1.8 + 0.5 * len(days)),
        "事项的时间花在哪里：过渡期后平均天数",
        "where cases spend their days: mean days after the transition",
    )
    ax = figure.subplots()
    stages = {stage: part for stage, part in STAGES.items() if stage in days and days[stage].any()}
    _stack(ax, edition, days, stages)
    ax.margins(x=0.08)
    ax.set_xlabel(
        edition.say(
            "天；受理阶段按全部事项平均，其后各阶段按派单事项平均",
            "days; at intake means over all cases, then over dispatched cases",
        )
    )
    figure.legend(loc="outside right center")
    return figure


def _stack(ax: Axes, edition: Edition, rows: pd.DataFrame, parts: Mapping[str, Part]) -> None:
    """Draw one bar for each row, a scenario, stacked of the columns ``parts``."""
    left = np.zeros(len(rows))
    for column, (zh, en, colour, hatch) in parts.items():
        width = rows[column].to_numpy(float)
        ax.barh(
            range(len(rows)), width, left=left, height=0.68, color=colour, hatch=hatch,
            edgecolor="white", linewidth=0.6, label=edition.say(zh, en or plain(column)),
        )  # fmt: skip
        left += width
    ax.set_yticks(range(len(rows)), [edition.scenario(str(name)) for name in rows.index])
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
