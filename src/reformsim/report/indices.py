"""Figures of sensitivity: tornado, bars of indices with the noise floor, convergence."""

import math
from collections.abc import Callable, Iterable

from matplotlib.axes import Axes
from matplotlib.figure import SubFigure

from reformsim.experiment.sampling import CHANCE
from reformsim.experiment.sensitivity import Index
from reformsim.report import style
from reformsim.report.edition import Edition

#: Uncertainties of a panel at most, the largest; lines of a panel of convergence.
_ROWS, _LINES = 12, 5

#: The indices that bars show, the one that orders them first, with colour and hatch.
_BARS = {
    "ST": (style.BLUE, ""),
    "S1": (style.SKY, "////"),
    "mu_star": (style.BLUE, ""),
    "pawn": (style.BLUE, ""),
}
_ENDS = {"low": (style.SKY, "////"), "high": (style.BLUE, "")}

_SYMBOLS = {"ST": "ST", "S1": "S1", "mu_star": "μ*", "pawn": "PAWN"}

#: What an index is an index of, by method.
_METHODS = {
    "sobol": ("索博尔指数", "Sobol indices", "行", "rows"),
    "morris": ("莫里斯基本效应", "Morris's elementary effects", "条轨迹", "trajectories"),
    "pawn": ("PAWN 指数", "PAWN indices", "个情景点", "points"),
    "fast": ("扩展 FAST 指数", "extended FAST indices", "条曲线", "curves"),
    "one_at_a_time": ("", "", "次重复", "replications"),
}

_Panels = dict[tuple[str, str], list[Index]]


def _panels(edition: Edition, found: Iterable[Index], kinds: Iterable[str]) -> _Panels:
    """Return the indices of some kinds by (outcome, scenario)."""
    grouped: _Panels = {}
    for index in found:
        if index.index in kinds:
            grouped.setdefault((index.outcome, index.scenario), []).append(index)
    if not grouped:
        raise style.Undrawable(
            edition.say(
                "缺失的运行过多，或结果不变", "too many runs are missing, or nothing varies"
            )
        )
    return grouped


def _largest(rows: list[Index]) -> list[str]:
    """Return the uncertainties of a panel, the largest first, chance last."""
    size: dict[str, float] = {}
    order = next((kind for kind in _BARS if any(r.index == kind for r in rows)), None)
    for row in rows:
        if row.index == order or order is None:
            size[row.uncertainty] = max(size.get(row.uncertainty, 0.0), abs(row.value))
    names = sorted((n for n in size if n != CHANCE), key=lambda name: -size[name])[:_ROWS]
    return [*names, CHANCE] if CHANCE in size else names


def _frame(
    edition: Edition,
    panels: _Panels,
    rows: Callable[[list[Index]], int],
    zh: str,
    en: str,
) -> tuple[SubFigure, list[Axes]]:
    """Return a canvas and one titled panel for each outcome and scenario, with n."""
    lines, columns = style.grid(len(panels))
    most = max(map(rows, panels.values()))
    width, height = max(6.5, 4.2 * columns), 1.6 + lines * (1.2 + 0.27 * most)
    figure = style.canvas(edition, width, height, zh, en)
    axes = style.panels(figure, lines, columns, len(panels))
    for ax, ((outcome, scenario), found) in zip(axes, panels.items(), strict=True):
        *_, unit_zh, unit = _METHODS[found[0].method]
        n = max(i.n for i in found)
        counted = edition.say(f"n = {n} {unit_zh}", f"n = {n} {unit}")
        title = edition.marked(edition.study.traits[outcome])
        ax.set_title(f"{title}\n{edition.contrast(scenario)}\n{counted}", loc="left")
    return figure, axes


def _found(edition: Edition) -> list[Index]:
    return edition.worlds.indices


def tornado(edition: Edition) -> SubFigure:
    """Draw what each uncertainty alone does at either end of its range, the largest first.

    Bars whose 95 % interval holds 0 are grey.
    """
    panels = _panels(edition, _found(edition), _ENDS)
    figure, axes = _frame(
        edition,
        panels,
        lambda rows: len(_largest(rows)),
        "逐一变动：各不确定性取上下限时的变化，95% 区间",
        "one at a time: change with each uncertainty at its ends, 95 % intervals",
    )
    for ax, rows in zip(axes, panels.values(), strict=True):
        names = _largest(rows)
        for row in rows:
            if row.uncertainty in names:
                _bar(ax, names.index(row.uncertainty), row, 0.7, *_ENDS[row.index])
        ax.axvline(0, color=style.BLACK, linewidth=0.8)
        _finish(ax, edition, names, edition.unit(rows[0].unit))
    _legend(
        edition,
        figure,
        {
            "low": edition.say("取下限", "at its low end"),
            "high": edition.say("取上限", "at its high end"),
        },
        _ENDS,
        edition.say("区间含零", "interval holds zero"),
    )
    return figure


def bars(edition: Edition) -> SubFigure:
    """Draw the indices of Sobol, Morris, PAWN or FAST with intervals and the noise floor.

    The band from 0 to the floor is what chance alone shows; bars that do not exceed it are pale.
    Where the floor is not known, those are pale whose interval holds 0.
    """
    panels = _panels(edition, _found(edition), _BARS)
    method = next(iter(panels.values()))[0].method
    zh, en, *_ = _METHODS[method]
    floored = not all(math.isnan(rows[0].floor) for rows in panels.values())
    figure, axes = _frame(
        edition,
        panels,
        lambda rows: len(_largest(rows)),
        f"{zh}，95% 区间" + ("；灰带：随机性本身" if floored else ""),
        f"{en}, 95 % intervals" + ("; grey band: chance alone" if floored else ""),
    )
    kinds = [k for k in _BARS if any(i.index == k for rows in panels.values() for i in rows)]
    for ax, rows in zip(axes, panels.values(), strict=True):
        names = _largest(rows)
        height = 0.75 / len(kinds)
        for row in rows:
            if row.uncertainty in names:
                shift = (kinds.index(row.index) - (len(kinds) - 1) / 2) * height
                y = names.index(row.uncertainty) + shift
                _bar(ax, y, row, height, *_BARS[row.index])
        floor = rows[0].floor
        if not math.isnan(floor):
            ax.axvspan(0, floor, color=style.PALE, alpha=0.5, zorder=0, linewidth=0)
            ax.axvline(floor, color=style.BLACK, linewidth=0.8, linestyle="--")
        ax.axvline(0, color=style.BLACK, linewidth=0.8)
        unit = edition.say("指数", "index")
        if method == "morris":
            unit = f"{_SYMBOLS['mu_star']} ({edition.unit(rows[0].unit)})"
        _finish(ax, edition, names, unit)
    _legend(
        edition,
        figure,
        {kind: _SYMBOLS[kind] for kind in kinds},
        _BARS,
        edition.say("不超过随机性", "no more than chance")
        if floored
        else edition.say("区间含零", "interval holds zero"),
    )
    return figure


def _bar(ax: Axes, y: float, row: Index, height: float, colour: str, hatch: str) -> None:
    face = style.PALE if row.below else style.GREY if row.uncertainty == CHANCE else colour
    edge = style.GREY if row.below else "white"
    ax.barh(y, row.value, height=height, color=face, hatch=hatch, edgecolor=edge, linewidth=0.5)
    shift = {"low": -0.08, "high": 0.08}.get(row.index, 0.0)
    ax.plot([row.low, row.high], [y + shift] * 2, color=style.BLACK, linewidth=1.0)


def _finish(ax: Axes, edition: Edition, names: list[str], unit: str) -> None:
    ax.set_yticks(range(len(names)), [edition.name(name) for name in names])
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_xlabel(unit)
    ax.grid(axis="y", visible=False)
    style.few_ticks(ax)


def _legend(
    edition: Edition,
    figure: SubFigure,
    words: dict[str, str],
    looks: dict[str, tuple[str, str]],
    grey: str,
) -> None:
    from matplotlib.patches import Patch

    handles = [
        Patch(facecolor=looks[kind][0], hatch=looks[kind][1], edgecolor="white", label=label)
        for kind, label in words.items()
    ]
    handles.append(Patch(facecolor=style.PALE, edgecolor=style.GREY, label=grey))
    figure.legend(handles=handles, loc="outside lower center", ncols=4)


def convergence(edition: Edition) -> SubFigure:
    """Draw the largest indices from an eighth, a quarter, a half and all of the sample.

    The dashed grey line is the noise floor at each size.
    """
    worlds = edition.worlds
    kind = next((k for k in _BARS if any(i.index == k for i in worlds.indices)), "")
    panels = _panels(edition, worlds.convergence, (kind,))
    symbol = _SYMBOLS[kind]
    figure, axes = _frame(
        edition,
        panels,
        lambda rows: 8,
        f"收敛：样本增大时最大的 {symbol}，95% 区间",
        f"convergence: the largest {symbol} as the sample grows, 95 % intervals",
    )
    named = list(
        dict.fromkeys(name for rows in panels.values() for name in _last(rows) if name != CHANCE)
    )
    for ax, rows in zip(axes, panels.values(), strict=True):
        for name in _last(rows):
            _line(
                ax,
                [i for i in rows if i.uncertainty == name],
                named.index(name) - (len(named) - 1) / 2,
                _look(named.index(name)),
            )
        floors = {i.n: i.floor for i in rows if not math.isnan(i.floor)}
        ax.plot(list(floors), list(floors.values()), "--", color=style.GREY, linewidth=1.5)
        sizes = sorted({i.n for i in rows})
        ax.set_xscale("log", base=2)
        ax.set_xticks(sizes, [str(n) for n in sizes])
        ax.minorticks_off()
        ax.set_xlabel(edition.say("样本量", "sample size"))
        ax.set_ylabel(symbol if kind != "mu_star" else f"{symbol} ({edition.unit(rows[0].unit)})")
    handles = [style.mark(*_look(i)[::2], edition.name(name)) for i, name in enumerate(named)]
    handles.append(style.line(style.GREY, "--", edition.say("随机性本身", "chance alone")))
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


def _last(rows: list[Index]) -> list[str]:
    """Return the uncertainties that are largest in the whole sample."""
    whole = max(i.n for i in rows)
    return [n for n in _largest([i for i in rows if i.n == whole]) if n != CHANCE][:_LINES]


def _look(i: int) -> style.Look:
    return style.LOOKS[i % len(style.LOOKS)]


def _line(ax: Axes, rows: list[Index], shift: float, look: style.Look) -> None:
    colour, dashes, marker = look
    n = [row.n * 1.03**shift for row in rows]
    ax.plot(n, [row.value for row in rows], color=colour, linestyle=dashes, linewidth=1.2,
            marker=marker, markersize=5)  # fmt: skip
    for x, row in zip(n, rows, strict=True):
        ax.plot([x, x], [row.low, row.high], color=colour, linewidth=0.9)
