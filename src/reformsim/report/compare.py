"""Figures of a comparison: outcomes over time, contrasts, where cases wait."""

from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure

from reformsim.experiment import analysis
from reformsim.experiment.analysis import Contrast
from reformsim.report import style
from reformsim.report.study import Study, arrow, plain

#: Stages of a case in the order in which it meets them: Chinese name, colour, hatch.
STAGES = {
    "intake_wait": ("受理等待", style.SKY, ""),
    "intake_work": ("受理办理", style.SKY, "////"),
    "local_delay": ("就地耗时", style.YELLOW, ""),
    "transfer": ("退回重派", style.VERMILLION, ""),
    "hub": ("社治委统筹", style.PURPLE, ""),
    "conference": ("等待联席会议", style.PURPLE, "////"),
    "desk_wait": ("科室排队", style.ORANGE, ""),
    "desk_work": ("科室办理", style.ORANGE, "////"),
    "part_delay": ("单部门耗时", style.GREEN, ""),
    "common_delay": ("共同耗时", style.BLUE, ""),
}

_STEP: style.Dashes = (0, (1, 1.5))


def curves(study: Study) -> SubFigure:
    """Draw each headline over time in every scenario, with 95 % bands and the reform's start."""
    rows = study.results.kind("curve")
    there = set(rows["outcome"].astype(str))
    shown = [trait for trait in study.traits.values() if trait.outcome in there]
    lines, columns = style.grid(len(shown))
    figure = style.canvas(
        study, 10.5, 1.6 + 2.1 * lines, "逐月变化与 95% 区间", "month by month, 95 % bands"
    )
    axes = style.panels(figure, lines, columns, len(shown), sharex=True)
    found = analysis.bands(rows, ["outcome", "scenario", "day"]).sort_values("day")
    steps = {day for scenario in study.scenarios.values() for day in scenario.change_days()}
    for trait, ax in zip(shown, axes, strict=True):
        for scenario, (colour, dashes) in zip(study.scenarios, cycle(style.LINES), strict=False):
            here = (found["outcome"] == trait.outcome) & (found["scenario"] == scenario)
            years, mean, low, high = found.loc[here, ["day", "mean", "low", "high"]].to_numpy().T
            years = years / 365
            label = study.both(scenario, " ")
            ax.plot(years, mean, color=colour, linestyle=dashes, linewidth=1.3, label=label)
            ax.fill_between(years, low, high, color=colour, alpha=0.18, linewidth=0)
        for day in steps:
            ax.axvline(day / 365, color=style.GREY, linewidth=1, linestyle=_STEP)
        ax.set_title(study.both(trait.outcome) + arrow(trait.better), loc="left")
        ax.set_ylabel(trait.unit)
    for ax in axes[-columns:]:
        ax.set_xlabel("年 year")
        ax.tick_params(labelbottom=True)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(
        [*handles, style.line(style.GREY, _STEP)],
        [*labels, "改革步骤起止 a reform step starts or ends"],
        loc="outside lower center",
        ncols=4,
    )
    return figure


def contrasts(study: Study) -> SubFigure:
    """Draw the percent change of each headline against the reference, with its interval."""
    pairs = list(study.references.items())
    lines, columns = style.grid(len(pairs))
    figure = style.canvas(
        study,
        max(8.5, 3.6 + 2.6 * columns),
        1.6 + lines * (0.8 + 0.3 * len(study.traits)),
        "相对基准的变化与 95% 区间",
        "change against the reference, 95 % intervals",
    )
    axes = style.panels(figure, lines, columns, len(pairs), sharey=True)
    shown = [c for c in study.contrasts if c.outcome in study.traits]
    for ax, (scenario, reference) in zip(axes, pairs, strict=True):
        _forest(ax, study, [c for c in shown if c.scenario == scenario])
        ax.set_title(f"{study.both(scenario, ' ')}\n− {study.both(reference, ' ')}", loc="left")
    labels = [study.both(t.outcome, " ") + arrow(t.better) for t in study.traits.values()]
    axes[0].set_yticks(range(len(labels)), labels)
    axes[0].set_ylim(len(labels) - 0.5, -0.5)
    style.verdict_legend(figure, (c.verdict for c in shown))
    return figure


def _forest(ax: Axes, study: Study, rows: list[Contrast]) -> None:
    order = list(study.traits)
    for row in rows:
        style.whisker(ax, order.index(row.outcome), *row.percent(), row.verdict)
    ax.axvline(0, color=style.BLACK, linewidth=0.8)
    ax.set_xlabel("占基准均值 % of the reference mean")


def waits(study: Study) -> SubFigure:
    """Draw where dispatched cases spend their days: mean days by stage, one bar per scenario."""
    rows = study.results.kind("wait")
    found = analysis.bands(rows[rows["period"] == "after"], ["outcome", "scenario"])
    days = found.pivot(index="scenario", columns="outcome", values="mean").fillna(0.0)
    scenarios = [name for name in study.scenarios if name in days.index]
    figure = style.canvas(
        study,
        9.5,
        max(2.6, 1.4 + 0.5 * len(scenarios)),
        "事项的时间花在哪里",
        "where cases spend their days",
    )
    ax = figure.subplots()
    left = np.zeros(len(scenarios))
    for stage, (zh, colour, hatch) in STAGES.items():
        if stage not in days or not days[stage].any():
            continue
        width = days.loc[scenarios, stage].to_numpy(float)
        ax.barh(
            range(len(scenarios)),
            width,
            left=left,
            height=0.65,
            color=colour,
            hatch=hatch,
            edgecolor="white",
            linewidth=0.6,
            label=f"{zh} {plain(stage)}",
        )
        left += width
    for y, total in enumerate(left):
        ax.text(total, y, f" {total:.1f}", va="center")
    ax.set_yticks(range(len(scenarios)), [study.both(name) for name in scenarios])
    ax.invert_yaxis()
    ax.margins(x=0.08)
    ax.grid(axis="y", visible=False)
    ax.set_xlabel(
        "过渡期后平均天数 mean days: 受理按全部事项 intake, all cases; 其后按派单 then, dispatched"
    )
    figure.legend(loc="outside right center")
    return figure
