"""Figures of a factorial design: effects and interactions, all cells, groups of scenarios."""

from itertools import cycle

import numpy as np
from matplotlib.figure import SubFigure

from reformsim.report import style
from reformsim.report.edition import Edition

#: Rows of effects drawn at most: all main effects, then interactions that are not unclear.
_ROWS = 36


def effects(edition: Edition) -> SubFigure:
    """Draw main effects and two-way interactions with intervals, one panel per headline.

    Of many terms all main effects are drawn, and the interactions that are clear somewhere.
    """
    study = edition.study
    if not study.effects:
        raise style.Undrawable(
            edition.say("需要每个因素恰有两个水平", "needs two labels in every factor")
        )
    terms = _terms(edition)
    mains = sum(len(term) == 1 for term in terms)
    lines, columns = style.grid(len(study.traits))
    figure = style.canvas(
        edition,
        4.0 + 2.4 * columns,
        1.7 + lines * (0.8 + 0.24 * len(terms)),
        "主效应与两两交互，95% 区间",
        "main effects and two-way interactions, 95 % intervals",
    )
    axes = style.panels(figure, lines, columns, len(study.traits), sharey=True)
    for ax, trait in zip(axes, study.traits.values(), strict=True):
        for effect in study.effects:
            if effect.outcome == trait.outcome and effect.factors in terms:
                y = terms.index(effect.factors)
                style.whisker(ax, y, effect.value, effect.low, effect.high, effect.verdict)
        ax.axvline(0, color=style.BLACK, linewidth=0.8)
        ax.axhline(mains - 0.5, color=style.GREY, linewidth=0.8, linestyle=":")
        style.few_ticks(ax)
        ax.set_title(edition.marked(trait), loc="left")
        ax.set_xlabel(edition.unit(trait.unit))
    labels = [" × ".join(edition.name(factor) for factor in term) for term in terms]
    axes[0].set_yticks(range(len(terms)), labels)
    axes[0].set_ylim(len(terms) - 0.5, -0.5)
    style.verdict_legend(
        edition, figure, (e.verdict for e in study.effects if e.outcome in study.traits)
    )
    return figure


def _terms(edition: Edition) -> list[tuple[str, ...]]:
    """Return the terms to show, main effects first."""
    found = edition.study.effects
    terms = sorted(dict.fromkeys(effect.factors for effect in found), key=len)
    if len(terms) <= _ROWS:
        return terms
    silent = ("unclear", "same", "one run")
    clear = {effect.factors for effect in found if effect.verdict not in silent}
    told = [term for term in terms if len(term) == 1 or term in clear]
    return told[: max(_ROWS, sum(len(term) == 1 for term in terms))]


def cells(edition: Edition) -> SubFigure:
    """Draw every cell: its factor levels as squares, beside them its mean on each headline."""
    study = edition.study
    factors = list(study.cells[0].levels)
    size = len(study.cells)
    most = max(len({cell.levels[factor] for cell in study.cells}) for factor in factors)
    figure = style.canvas(
        edition,
        2.2 + 2.1 * len(study.traits),
        1.8 + 0.2 * (size + most),
        f"全部 {size} 个组合的均值，与基准组合（虚线）成对差异的 95% 区间",
        f"means of all {size} cells, 95 % intervals of the paired difference from the dotted line",
    )
    key, *axes = figure.subplots(
        1,
        1 + len(study.traits),
        sharey=True,
        width_ratios=[0.35 * len(factors), *[1.6] * len(study.traits)],
    )
    named: dict[float, dict[str, str]] = {}  # labels by shade and factor
    for x, factor in enumerate(factors):
        labels = list(dict.fromkeys(cell.levels[factor] for cell in study.cells))
        for y, cell in enumerate(study.cells):
            shade = round(0.9 - 0.75 * labels.index(cell.levels[factor]) / (len(labels) - 1), 3)
            key.plot(x, y, "s", color=str(shade), markersize=7)
            named.setdefault(shade, {})[factor] = edition.name(cell.levels[factor])
    key.set_xticks(range(len(factors)), [edition.name(factor) for factor in factors], rotation=90)
    key.xaxis.tick_top()
    key.tick_params(length=0)
    key.set_xlim(-0.6, len(factors) - 0.4)
    key.set_ylim(size - 0.5, -0.5)
    key.set_yticks([])
    key.grid(visible=False)
    for ax, trait in zip(axes, study.traits.values(), strict=True):
        for y, cell in enumerate(study.cells):
            if placed := study.placed.get((cell.name, trait.outcome)):
                style.whisker(ax, y, placed.mean, placed.low, placed.high, placed.verdict)
                if placed.verdict == "reference":
                    ax.axvline(placed.mean, color=style.BLACK, linewidth=0.8, linestyle=":")
        ax.locator_params(axis="x", nbins=4)
        ax.set_title(edition.marked(trait), loc="left")
        ax.set_xlabel(edition.unit(trait.unit))
    figure.legend(
        handles=[
            style.mark(str(shade), "s", " · ".join(labels.get(f, "–") for f in factors))
            for shade, labels in sorted(named.items(), reverse=True)
        ],
        loc="outside lower left",
        title=" · ".join(edition.name(factor) for factor in factors),
    )
    shown = (p.verdict for (_, outcome), p in study.placed.items() if outcome in study.traits)
    style.verdict_legend(edition, figure, shown, "outside lower right", columns=2)
    return figure


def groups(edition: Edition) -> SubFigure:
    """Draw each headline by group (a density, say), one mark with interval per treatment."""
    study = edition.study
    if not study.groups:
        raise style.Undrawable(edition.say("设计中没有 `within`", "the design has no `within`"))
    treatments = study.treatments
    lines, columns = style.grid(len(study.traits))
    figure = style.canvas(
        edition,
        10.5,
        1.8 + 2.4 * lines,
        "各组均值，与基准（虚线）成对差异的 95% 区间",
        "means by group, 95 % intervals of the paired difference from the dotted line",
    )
    axes = style.panels(figure, lines, columns, len(study.traits))
    offsets = np.linspace(-0.32, 0.32, len(treatments))
    for ax, trait in zip(axes, study.traits.values(), strict=True):
        for x, scenarios in enumerate(study.groups.values()):
            for scenario in scenarios:
                placed = study.placed.get((scenario, trait.outcome))
                if placed is None:
                    continue
                treatment = treatments.index(study.treatment(scenario))
                at = x + offsets[treatment]
                colour, _, marker = style.of(edition, scenario)
                ax.plot([at, at], [placed.low, placed.high], color=colour, linewidth=1.5)
                ax.plot(at, placed.mean, marker, color=colour, markersize=6)
                if placed.verdict == "reference":
                    ends = [x - 0.42, x + 0.42]
                    ax.plot(ends, [placed.mean] * 2, ":", color=style.BLACK, linewidth=0.9)
        ax.set_xticks(range(len(study.groups)), [edition.name(group) for group in study.groups])
        ax.set_title(edition.marked(trait), loc="left")
        ax.set_ylabel(edition.unit(trait.unit))
        ax.grid(axis="x", visible=False)
    figure.legend(
        handles=[
            style.mark(look.colour, look.marker, edition.name(treatment))
            for look, treatment in zip(cycle(style.LOOKS), treatments, strict=False)
        ],
        loc="outside lower center",
        ncols=4,
    )
    return figure
