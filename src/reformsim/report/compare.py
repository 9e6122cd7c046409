"""Figures of a comparison: outcomes over time, contrasts, what is traded for what."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure
from matplotlib.ticker import MaxNLocator

from reformsim.experiment import analysis
from reformsim.experiment.analysis import Contrast, Trait
from reformsim.report import style
from reformsim.report.edition import Edition

_STEP: style.Dashes = (0, (1, 1.5))

#: Panels of trade-offs at most.
_PAIRS = 9


def curves(edition: Edition) -> SubFigure:
    """Draw each headline over time in every scenario, with 95 % bands and the reform's start."""
    study = edition.study
    rows = study.results.kind("curve")
    there = set(rows["outcome"].astype(str))
    shown = [trait for trait in study.traits.values() if trait.outcome in there]
    if not shown:
        raise style.Undrawable(edition.kept_little())
    lines, columns = style.grid(len(shown))
    figure = style.canvas(
        edition,
        10.5,
        1.6 + 2.1 * lines,
        "逐月变化，均值与 95% 区间",
        "month by month, mean and 95 % band",
    )
    axes = style.panels(figure, lines, columns, len(shown), sharex=True)
    found = analysis.bands(rows, ["outcome", "scenario", "day"]).sort_values("day")
    steps = {day for scenario in study.scenarios.values() for day in scenario.change_days()}
    for trait, ax in zip(shown, axes, strict=True):
        for scenario in study.scenarios:
            here = (found["outcome"] == trait.outcome) & (found["scenario"] == scenario)
            years, mean, low, high = found.loc[here, ["day", "mean", "low", "high"]].to_numpy().T
            years = years / 365
            colour, dashes, _ = style.of(edition, scenario)
            label = edition.scenario(scenario)
            ax.plot(years, mean, color=colour, linestyle=dashes, linewidth=1.3, label=label)
            ax.fill_between(years, low, high, color=colour, alpha=0.18, linewidth=0)
        for day in steps:
            ax.axvline(day / 365, color=style.GREY, linewidth=1, linestyle=_STEP)
        ax.set_title(edition.marked(trait), loc="left")
        ax.set_ylabel(edition.unit(trait.unit))
    for ax in axes[-columns:]:
        ax.set_xlabel(edition.say("年", "year"))
        ax.tick_params(labelbottom=True)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(
        [*handles, style.line(style.GREY, _STEP)],
        [*labels, edition.say("改革步骤开始或结束", "a reform step starts or ends")],
        loc="outside lower center",
        ncols=4,
    )
    return figure


def contrasts(edition: Edition) -> SubFigure:
    """Draw the percent change of each headline against the reference, with its interval."""
    study = edition.study
    shown = [c for c in study.contrasts if c.outcome in study.traits]
    there = {c.scenario for c in shown}
    pairs = [pair for pair in study.references.items() if pair[0] in there]
    if not pairs:
        raise style.Undrawable(edition.nothing_compared())
    lines, columns = style.grid(len(pairs))
    figure = style.canvas(
        edition,
        max(8.5, 3.6 + 2.6 * columns),
        1.6 + lines * (0.8 + 0.3 * len(study.traits)),
        "相对基准的变化，95% 区间",
        "change against the reference, 95 % intervals",
    )
    axes = style.panels(figure, lines, columns, len(pairs), sharey=True)
    for ax, (scenario, reference) in zip(axes, pairs, strict=True):
        _forest(ax, edition, [c for c in shown if c.scenario == scenario])
        ax.set_title(f"{edition.scenario(scenario)}\n− {edition.scenario(reference)}", loc="left")
    labels = [edition.marked(trait) for trait in study.traits.values()]
    axes[0].set_yticks(range(len(labels)), labels)
    axes[0].set_ylim(len(labels) - 0.5, -0.5)
    style.verdict_legend(edition, figure, (c.verdict for c in shown))
    return figure


def _forest(ax: Axes, edition: Edition, rows: list[Contrast]) -> None:
    order = list(edition.study.traits)
    for row in rows:
        style.whisker(ax, order.index(row.outcome), *row.percent(), row.verdict)
    ax.axvline(0, color=style.BLACK, linewidth=0.8)
    style.few_ticks(ax)
    ax.set_xlabel(edition.say("占基准均值的百分比 (%)", "% of the reference's mean"))


def tradeoffs(edition: Edition) -> SubFigure:
    """Draw the first headline against the others, scenario by scenario, with the Pareto front.

    Only headlines of which one direction is better; bars are 95 % intervals of the means. The
    front joins the means that no other mean beats in both headlines of a panel.
    """
    study = edition.study
    judged = [trait for trait in study.traits.values() if trait.better != "neither"]
    if len(judged) < 2 or len(study.cells) < 2:
        raise style.Undrawable(
            edition.say(
                "需要两个有优劣方向的结果和两个方案",
                "needs two outcomes of which one direction is better, and two scenarios",
            )
        )
    first, others = judged[0], judged[1 : 1 + _PAIRS]
    means = analysis.means(study.results).set_index(["outcome", "scenario"]).to_dict("index")
    lines, columns = style.grid(len(others))
    figure = style.canvas(
        edition,
        max(6.5, 3.5 * columns),
        1.6 + 2.8 * lines,
        f"{edition.outcome(first.outcome)}与其他结果的取舍：均值的帕累托前沿",
        f"{edition.outcome(first.outcome)} against other outcomes: Pareto front of the means",
    )
    axes = style.panels(figure, lines, columns, len(others))
    named = len(study.cells) <= len(style.LOOKS)
    best: set[str] = set()
    for ax, other in zip(axes, others, strict=True):
        best.update(_scatter(ax, edition, means, other, first, named))
        ax.set_xlabel(f"{edition.marked(other)} ({edition.unit(other.unit)})")
        ax.set_ylabel(f"{edition.marked(first)} ({edition.unit(first.unit)})")
        style.few_ticks(ax)
        ax.yaxis.set_major_locator(MaxNLocator(5))
    handles = [
        style.line(style.GREY, "-", edition.say("帕累托前沿（实心）", "Pareto front (filled)"))
    ]
    for i, cell in enumerate(study.cells, 1):
        colour, _, marker = style.of(edition, cell.name)
        if named:
            handles.append(style.mark(colour, marker, edition.scenario(cell.name)))
        elif cell.name in best:
            handles.append(style.mark("none", "none", f"{i}: {edition.scenario(cell.name)}"))
    figure.legend(handles=handles, loc="outside lower center", ncols=4 if named else 2)
    return figure


def _scatter(
    ax: Axes, edition: Edition, means: dict[Any, dict[Any, Any]], x: Trait, y: Trait, named: bool
) -> set[str]:
    """Draw one panel and return the names on its front.

    Where there are more scenarios than looks, all are grey dots, those of the front black and
    numbered.
    """
    names = [
        cell.name
        for cell in edition.study.cells
        if {(x.outcome, cell.name), (y.outcome, cell.name)} <= means.keys()
    ]
    points = np.array(
        [[means[t.outcome, name]["mean"] for t in (x, y)] for name in names], float
    ).reshape(-1, 2)
    front = pareto(points, (x.better, y.better))
    ax.plot(*points[front].T, color=style.GREY, linewidth=1, zorder=1)
    for i, name in enumerate(names):
        colour, _, marker = style.of(edition, name)
        if not named:
            colour, marker = (style.BLACK if i in front else style.GREY), "o"
        across, up = ([means[t.outcome, name][end] for end in ("low", "high")] for t in (x, y))
        ax.plot(across, [points[i][1]] * 2, color=colour, linewidth=1)
        ax.plot([points[i][0]] * 2, up, color=colour, linewidth=1)
        fill = colour if i in front else "white"
        ax.plot(*points[i], marker, color=colour, markerfacecolor=fill, markersize=6, zorder=3)
    ax.margins(0.12)
    if not named:
        _number(ax, edition, {names[i]: points[i] for i in front})
    return {names[i] for i in front}


def _number(ax: Axes, edition: Edition, points: dict[str, np.ndarray]) -> None:
    """Write the numbers of scenarios beside their points, above and below in turn."""
    order = [cell.name for cell in edition.study.cells]
    for i, (name, point) in enumerate(points.items()):
        ax.annotate(
            str(order.index(name) + 1),
            (point[0], point[1]),
            (5, 5) if i % 2 else (-10, -11),
            textcoords="offset points",
            fontsize=8,
        )


def pareto(points: np.ndarray, better: tuple[str, str]) -> list[int]:
    """Return the rows of ``points`` (n, 2) that none beats in both columns, from left to right.

    A row is beaten by one that is at least as good in both and better in one.
    """
    signed = points * [1.0 if side == "higher" else -1.0 for side in better]
    beaten = [
        any((other >= row).all() and (other > row).any() for other in signed) for row in signed
    ]
    front = [i for i, out in enumerate(beaten) if not out and not np.isnan(points[i]).any()]
    return sorted(front, key=lambda i: tuple(points[i]))
