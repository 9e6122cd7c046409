"""Figures of a reform taken apart: what each part adds, and what pairs do beyond their sum."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure

from reformsim.experiment.analysis import ROUNDING
from reformsim.experiment.attribution import TOTAL, Share
from reformsim.report import style
from reformsim.report.edition import Edition
from reformsim.report.study import number

#: Parts named one by one in a waterfall; what is left is one bar.
_STEPS = 14
#: Parts of a heat map at most, those with the largest interactions; numbers are written up to.
_SIDE, _WRITTEN = 16, 8
#: What numbers on a hatched cell stand on.
_PAPER = {"facecolor": "white", "linewidth": 0, "pad": 1}


def waterfall(edition: Edition) -> SubFigure:
    """Draw Shapley shares from no reform to the whole of it, the largest first.

    Each bar begins where the one above ends, so that the bars add up to the total; whiskers are
    95 % intervals of a share. Bars whose interval holds 0 are grey.
    """
    study = edition.study
    shown = [t for t in study.traits.values() if any(s.outcome == t.outcome for s in study.shares)]
    if not shown:
        raise style.Undrawable(
            edition.say("没有一次重复是完整的", "no replication has all of its runs")
        )
    size = min(len(study.experiment.parts()), _STEPS + 1) + 1
    lines, columns = style.grid(len(shown))
    figure = style.canvas(
        edition,
        max(6.5, 4.4 * columns),
        1.5 + lines * (0.9 + 0.27 * size),
        "各部分的沙普利份额：由无到全部，95% 区间",
        "Shapley share of each part: from none to the whole, 95 % intervals",
    )
    axes = style.panels(figure, lines, columns, len(shown))
    for ax, trait in zip(axes, shown, strict=True):
        _steps(ax, edition, [s for s in study.shares if s.outcome == trait.outcome])
        ax.set_title(edition.marked(trait), loc="left")
        ax.set_xlabel(edition.unit(trait.unit))
    style.verdict_legend(
        edition, figure, (s.verdict for s in study.shares if s.outcome in study.traits)
    )
    return figure


def _steps(ax: Axes, edition: Edition, rows: list[Share]) -> None:
    total = next(row for row in rows if row.part == TOTAL)
    parts = sorted((r for r in rows if r.part != TOTAL), key=lambda row: -abs(row.value))
    named, rest = parts[:_STEPS], parts[_STEPS:]
    labels, at = [], total.base
    for y, row in enumerate(named):
        _bar(ax, y, at, row)
        at += row.value
        ax.plot([at, at], [y - 0.35, y + 1.35], color=style.GREY, linewidth=0.7)
        labels.append(edition.name(row.part))
    if rest:
        value = sum(row.value for row in rest)
        ax.barh(len(named), value, left=at, height=0.7, color="white", edgecolor=style.GREY)
        labels.append(edition.say(f"其余 {len(rest)} 项", f"{len(rest)} others"))
    _bar(ax, len(labels), total.base, total)
    labels.append(edition.say("全部", "the whole"))
    ax.axvline(total.base, color=style.BLACK, linewidth=0.8)
    ax.set_yticks(range(len(labels)), labels)
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.grid(axis="y", visible=False)
    ax.use_sticky_edges = False
    ax.margins(x=0.06)
    style.few_ticks(ax)


def _bar(ax: Axes, y: int, start: float, row: Share) -> None:
    colour, marker = style.VERDICT_MARKS[row.verdict]
    face = style.PALE if colour == style.GREY else colour
    hatch = "////" if row.part == TOTAL else ""
    ax.barh(y, row.value, left=start, height=0.7, color=face, edgecolor="white", hatch=hatch)
    ax.plot([start + row.low, start + row.high], [y, y], color=style.BLACK, linewidth=1.0)
    ax.plot(start + row.value, y, marker, color=style.BLACK, markersize=4)


@dataclass(frozen=True)
class _Pair:
    """One cell of a heat map: what two inputs do together; alike, what one does alone."""

    a: str
    b: str
    value: float
    clear: bool


def interactions(edition: Edition) -> SubFigure:
    """Draw what pairs do beyond the sum of the two, one panel per headline.

    Of factors and parts the diagonal holds what each does alone; of Sobol's second order it is
    empty. Cells whose interval holds 0 are hatched.
    """
    panels = _panels(edition)
    if not panels:
        raise style.Undrawable(
            edition.say("设计没有两两交互", "the design has no interactions of pairs")
        )
    names = _largest([pair for _, _, pairs in panels for pair in pairs])
    lines, columns = style.grid(len(panels))
    side = 2.0 + 0.24 * len(names)
    diagonal = any(pair.a == pair.b for _, _, pairs in panels for pair in pairs)
    alone_zh, alone = ("对角线为单独作用，", "diagonal: each alone; ") if diagonal else ("", "")
    figure = style.canvas(
        edition,
        max(6.5, columns * (side + 1.3)),
        1.4 + lines * side,
        f"两两交互：超出两者之和的部分；{alone_zh}斜线为区间含零",
        f"pairs beyond the sum of the two; {alone}hatched: interval holds zero",
    )
    axes = style.panels(figure, lines, columns, len(panels))
    for ax, (title, unit, pairs) in zip(axes, panels, strict=True):
        _heat(ax, edition, names, pairs, unit)
        ax.set_title(title, loc="left")
    return figure


def _panels(edition: Edition) -> list[tuple[str, str, list[_Pair]]]:
    """Return title, unit and pairs of each panel."""
    study = edition.study
    found = []
    for trait in study.traits.values():
        pairs = [
            _Pair(
                e.factors[0],
                e.factors[-1],
                0.0 if e.verdict == "same" else e.value,
                e.verdict not in ("same", "unclear", "one run"),
            )
            for e in study.effects
            if e.outcome == trait.outcome
        ]
        if pairs:
            found.append((edition.marked(trait), edition.unit(trait.unit), pairs))
    if study.worlds is None:
        return found
    grouped: dict[tuple[str, str], list[_Pair]] = {}
    for i in study.worlds.indices:
        if i.index == "S2":
            pair = _Pair(i.uncertainty, i.other, i.value, not i.low <= 0 <= i.high)
            grouped.setdefault((i.outcome, i.scenario), []).append(pair)
    unit = edition.say("二阶指数 S2", "second-order index S2")
    return [
        (f"{edition.marked(study.traits[outcome])}\n{edition.contrast(scenario)}", unit, pairs)
        for (outcome, scenario), pairs in grouped.items()
    ]


def _largest(pairs: list[_Pair]) -> list[str]:
    """Return the inputs to show, in their order: those with the largest interactions."""
    names = list(dict.fromkeys(name for pair in pairs for name in (pair.a, pair.b)))
    size = {
        name: max((abs(p.value) for p in pairs if p.a != p.b and name in (p.a, p.b)), default=0.0)
        for name in names
    }
    kept = sorted(names, key=lambda name: -size[name])[:_SIDE]
    return [name for name in names if name in kept]


def _heat(ax: Axes, edition: Edition, names: list[str], pairs: list[_Pair], unit: str) -> None:
    n = len(names)
    values, unclear = np.full((n, n), np.nan), np.zeros((n, n), bool)
    for pair in pairs:
        if pair.a in names and pair.b in names:
            row, column = sorted((names.index(pair.a), names.index(pair.b)), reverse=True)
            values[row, column], unclear[row, column] = pair.value, not pair.clear
    largest = float(np.nanmax(np.abs(values))) if np.isfinite(values).any() else 0.0
    image = ax.imshow(values, cmap="PuOr", vmin=-(largest or 1.0), vmax=largest or 1.0)
    for row, column in np.argwhere(unclear).tolist():
        ink = style.ink(tuple(image.to_rgba(values[row, column])))
        ax.fill_between([column - 0.5, column + 0.5], row - 0.5, row + 0.5, facecolor="none",
                        edgecolor=ink, linewidth=0, hatch="////")  # fmt: skip
    if n <= _WRITTEN:
        for row, column in np.argwhere(np.isfinite(values)).tolist():
            value = values[row, column]
            ground = _PAPER if unclear[row, column] else None
            ink = style.BLACK if ground else style.ink(tuple(image.to_rgba(value)))
            text = number(value if abs(value) > ROUNDING * largest else 0.0).replace("-", "−")
            ax.text(column, row, text, ha="center", va="center", fontsize=7, bbox=ground,
                    color=ink)  # fmt: skip
    labels = [edition.name(name) for name in names]
    ax.set_xticks(range(n), labels, rotation=90)
    ax.set_yticks(range(n), labels)
    ax.grid(visible=False)
    ax.figure.colorbar(image, ax=ax, label=unit, shrink=0.8, pad=0.02)
