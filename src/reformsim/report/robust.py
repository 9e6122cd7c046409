"""Figures over many worlds: in what share a result holds, what it may cost, what decides it."""

import numpy as np
from matplotlib.figure import SubFigure

from reformsim.experiment.robustness import Driver
from reformsim.report import style
from reformsim.report.edition import Edition

#: Drivers shown for each headline, the strongest.
_DRIVERS = 8


def robustness(edition: Edition) -> SubFigure:
    """Draw in what share of the worlds each scenario does better, with Wilson intervals.

    Of an outcome of which neither direction is better it is the share in which it is higher.
    Hollow marks: the interval holds one half.
    """
    study = edition.study
    found = [r for r in edition.worlds.robustness if r.outcome in study.traits and r.n]
    if not found:
        raise style.Undrawable(edition.nothing_compared())
    order = list(study.traits)
    scenarios = [s for s in study.references if any(r.scenario == s for r in found)]
    figure = style.canvas(
        edition,
        8.0,
        1.8 + len(order) * (0.2 + 0.17 * len(scenarios)),
        "在多大比例的情景中优于基准，95% 区间；空心：区间含 50%",
        "in what share of worlds it beats the reference, 95 % intervals; hollow: holds 50 %",
    )
    ax = figure.subplots()
    offsets = np.linspace(-0.22, 0.22, len(scenarios)) if len(scenarios) > 1 else [0.0]
    for row in found:
        colour, _, marker = style.of(edition, row.scenario)
        y = order.index(row.outcome) + offsets[scenarios.index(row.scenario)]
        low, share, high = (100 * x for x in (row.share_low, row.share, row.share_high))
        ax.plot([low, high], [y, y], color=colour, linewidth=1.8)
        face = "white" if low <= 50 <= high else colour
        ax.plot(share, y, marker, color=colour, markerfacecolor=face, markersize=6)
        ax.annotate(f"n = {row.n}", (1.01, y), xycoords=("axes fraction", "data"),
                    fontsize=7, color="#555555", va="center")  # fmt: skip
    ax.axvline(50, color=style.BLACK, linewidth=0.8)
    ax.set_xlim(-1, 101)
    labels = [_side(edition, name) for name in order]
    ax.set_yticks(range(len(order)), labels)
    ax.set_ylim(len(order) - 0.5, -0.5)
    ax.grid(axis="y", visible=False)
    ax.set_xlabel(
        edition.say("更好的情景所占比例 (%)", "share of worlds in which it is better (%)")
    )
    style.scenario_legend(edition, figure, scenarios)
    return figure


def _side(edition: Edition, name: str) -> str:
    trait = edition.study.traits[name]
    more = edition.say("（更高）", " (higher)") if trait.better == "neither" else ""
    return edition.marked(trait) + more


def regret(edition: Edition) -> SubFigure:
    """Draw the regret of each scenario in each headline: mean, 95 % quantile and worst.

    Regret is what a scenario loses in a world against the best scenario of that world.
    """
    study = edition.study
    found = edition.worlds.regrets
    shown = [t for t in study.traits.values() if any(r.outcome == t.outcome for r in found)]
    if not shown:
        raise style.Undrawable(
            edition.say(
                "没有一个情景点上所有方案都已完成运行",
                "there is no point at which all of two or more scenarios have a value",
            )
        )
    scenarios = list(dict.fromkeys(r.scenario for r in found))
    lines, columns = style.grid(len(shown))
    figure = style.canvas(
        edition,
        max(7.0, 3.6 * columns),
        1.8 + lines * (0.9 + 0.3 * len(scenarios)),
        "遗憾：与各情景中最佳方案之差（星号：最大遗憾最小）",
        "regret: loss against the best scenario of each world (star: least worst)",
    )
    axes = style.panels(figure, lines, columns, len(shown), sharey=True)
    for ax, trait in zip(axes, shown, strict=True):
        rows = [r for r in found if r.outcome == trait.outcome]
        for row in rows:
            y, colour = scenarios.index(row.scenario), style.of(edition, row.scenario).colour
            ax.plot([row.mean, row.worst], [y, y], color=colour, linewidth=1.2)
            ax.plot(row.mean, y, "o", color=colour, markersize=6)
            ax.plot(row.q95, y, "|", color=colour, markersize=9, markeredgewidth=1.8)
            ax.plot(row.worst, y, "*" if row.choice else "D", color=colour,
                    markersize=10 if row.choice else 4)  # fmt: skip
        ax.set_title(f"{edition.outcome(trait.outcome)}, n = {rows[0].n}", loc="left")
        ax.set_xlabel(edition.unit(trait.unit))
        ax.set_xlim(-0.03 * max(r.worst for r in rows) or -1e-9, None)
        style.few_ticks(ax)
    axes[0].set_yticks(range(len(scenarios)), [edition.scenario(s) for s in scenarios])
    axes[0].set_ylim(len(scenarios) - 0.5, -0.5)
    marks = {"o": ("均值", "mean"), "|": ("95% 分位", "95 % quantile"), "D": ("最大", "worst"),
             "*": ("最大，各方案中最小", "worst, the least of all")}  # fmt: skip
    figure.legend(
        handles=[style.mark(style.BLACK, m, edition.say(*words)) for m, words in marks.items()],
        loc="outside lower center",
        ncols=4,
    )
    return figure


def drivers(edition: Edition) -> SubFigure:
    """Draw the partial rank correlations of the strongest uncertainties with each headline.

    Those that do not hold at 5 % after Holm's correction for all uncertainties are grey.
    """
    study = edition.study
    grouped: dict[tuple[str, str], list[Driver]] = {}
    for driver in edition.worlds.drivers:
        grouped.setdefault((driver.outcome, driver.scenario), []).append(driver)
    if not grouped:
        raise style.Undrawable(
            edition.say("情景点太少", "too few points: ten more than uncertainties are needed")
        )
    lines, columns = style.grid(len(grouped))
    most = min(_DRIVERS, max(map(len, grouped.values())))
    figure = style.canvas(
        edition,
        max(6.5, 4.2 * columns),
        1.6 + lines * (1.0 + 0.24 * most),
        "哪些不确定性决定差异：偏秩相关，95% 区间",
        "which uncertainties decide it: partial rank correlation, 95 % intervals",
    )
    axes = style.panels(figure, lines, columns, len(grouped))
    for ax, ((outcome, scenario), rows) in zip(axes, grouped.items(), strict=True):
        for y, row in enumerate(rows[:_DRIVERS]):
            colour = style.BLACK if row.holm < 0.05 else style.GREY
            face = colour if row.holm < 0.05 else "white"
            ax.plot([row.low, row.high], [y, y], color=colour, linewidth=1.8)
            ax.plot(row.correlation, y, "o", color=colour, markerfacecolor=face, markersize=5)
        ax.axvline(0, color=style.BLACK, linewidth=0.8)
        ax.set_xlim(-1, 1)
        names = [edition.name(row.uncertainty) for row in rows[:_DRIVERS]]
        ax.set_yticks(range(len(names)), names)
        ax.set_ylim(len(names) - 0.5, -0.5)
        title = edition.marked(study.traits[outcome])
        ax.set_title(f"{title}\n{edition.contrast(scenario)}", loc="left")
        ax.set_xlabel(edition.say(f"偏秩相关（n = {rows[0].n}）", f"correlation (n = {rows[0].n})"))
    figure.legend(
        handles=[
            style.mark(style.BLACK, "o", edition.say("经 Holm 校正后成立", "holds after Holm")),
            style.mark(style.GREY, "o", edition.say("不成立（空心）", "does not hold (hollow)")),
        ],
        loc="outside lower center",
        ncols=2,
    )
    return figure
