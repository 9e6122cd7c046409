"""Maps of the city: an outcome by subdistrict without and with a reform, and the difference."""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import SubFigure

from reformsim.city import City, build
from reformsim.experiment import analysis
from reformsim.report import style
from reformsim.report.edition import Edition

OUTCOME = "satisfaction"
LEVEL, CHANGE = "cividis", "PuOr"  # colours that survive colour blindness
_NAMED = 8  # districts up to which their names are written on the map
_WIDE = 1.6  # width over height from which the maps stand one above the other


def satisfaction(edition: Edition) -> SubFigure:
    """Draw residents' satisfaction by subdistrict: the reference, a scenario, their difference.

    One row for each scenario with a reference; means over the replications that both have.
    In the difference those that clearly lose are hatched, and those whose 95 % interval holds zero
    dotted.
    """
    study = edition.study
    table = _by_place(edition)
    there = set(table.columns.get_level_values(0))
    pairs = [pair for pair in study.references.items() if there.issuperset(pair)]
    if not pairs:
        raise style.Undrawable(
            edition.kept_little() if not len(table) else edition.nothing_compared()
        )
    city = build(study.scenarios[pairs[0][1]].city, study.scenarios[pairs[0][1]].city_seed)
    triples = [_triple(table.reindex(list(city.subdistricts.name)), *pair) for pair in pairs]
    width, height = np.ptp(np.concatenate(city.district_polygons()), axis=0)
    wide = width > _WIDE * height
    shape = (3, len(pairs)) if wide else (len(pairs), 3)
    across = (7.5 if len(pairs) == 1 else 4.6) if wide else 3.4  # inches of one map
    tall = 1.2 + (across - 1.4 if wide else 2.0) * height / width
    figure = style.canvas(
        edition,
        across * shape[1],
        1.0 + tall * shape[0],
        "各街道（乡镇）居民满意度：无改革、有改革与差异",
        "residents' satisfaction by subdistrict: without, with, and the difference",
    )
    axes = figure.subplots(*shape, squeeze=False)
    levels = np.concatenate([np.concatenate(triple[:2]) for triple in triples])
    limits = (float(np.nanmin(levels)), float(np.nanmax(levels)))
    largest = max(float(np.nanmax(np.abs(triple[2]))) for triple in triples) or 1.0
    scale = edition.say("满意度 (0–1)", "satisfaction (0–1)")
    change = edition.say("差异 (0–1)", "difference (0–1)")
    marks = edition.say(
        "差异\n斜线：明确下降；圆点：不明", "difference\nhatched: lower; dotted: unclear"
    )
    for i, ((scenario, reference), triple) in enumerate(zip(pairs, triples, strict=True)):
        row = axes[:, i] if wide else axes[i]
        names = edition.scenario(reference), edition.scenario(scenario)
        for ax, values, name in zip(row, triple[:2], names, strict=False):
            _paint(ax, city, edition, values, LEVEL, limits, scale)
            ax.set_title(name, loc="left")
        shapes = _paint(row[2], city, edition, triple[2], CHANGE, (-largest, largest), change)
        _mark(row[2], city, [style.ink(c) for c in shapes.to_rgba(triple[2])], *triple[3:])
        row[2].set_title(marks, loc="left")
    return figure


def stops(colours: str, count: int = 9) -> list[str]:
    """Return a colour map at evenly spaced places, for a page that draws a map itself."""
    return [to_hex(colour) for colour in matplotlib.colormaps[colours](np.linspace(0, 1, count))]


def _by_place(edition: Edition) -> pd.DataFrame:
    """Return satisfaction by subdistrict, columns (scenario, replication)."""
    rows = edition.study.results.rows
    rows = rows[
        (rows["kind"] == "outcome")
        & (rows["level"] == "subdistrict")
        & (rows["period"] == "after")
        & (rows["outcome"] == OUTCOME)
    ].astype({"place": str, "scenario": str})
    return rows.pivot(index="place", columns=["scenario", "replication"], values="value")


def _triple(
    table: pd.DataFrame, scenario: str, reference: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return reference, scenario, difference and its interval by place, (places,) each."""
    both = table[scenario].columns.intersection(table[reference].columns)
    before = table[reference][both].mean(axis=1).to_numpy(float)
    after = table[scenario][both].mean(axis=1).to_numpy(float)
    apart = (table[scenario][both] - table[reference][both]).to_numpy(float).T
    _, _, low, high = analysis.interval(apart)
    return before, after, after - before, low, high


def _mark(ax: Axes, city: City, inks: list[str], low: np.ndarray, high: np.ndarray) -> None:
    """Hatch what is clearly lower, dot what is neither lower nor higher, each in its ink."""
    outlines = city.subdistrict_polygons()
    clear = (low > 0) | (high < 0)
    for chosen, hatch in ((high < 0, "////"), (~clear, "...")):
        for ink in sorted(set(inks)):
            shapes = [
                outline
                for outline, here, own in zip(outlines, chosen, inks, strict=True)
                if here and own == ink
            ]
            ax.add_collection(
                PolyCollection(shapes, facecolor="none", edgecolor=ink, linewidth=0, hatch=hatch)
            )


def _paint(
    ax: Axes,
    city: City,
    edition: Edition,
    values: np.ndarray,
    colours: str,
    limits: tuple[float, float],
    label: str,
) -> PolyCollection:
    districts = city.district_polygons()
    ax.add_collection(PolyCollection(districts, facecolor="#F4F4F4", edgecolor="white"))
    if len(districts) <= _NAMED:
        for outline, zh, en in zip(
            districts, city.districts.name_zh, city.districts.name, strict=True
        ):
            middle, top = np.ptp(outline[:, 0]) / 2 + outline[:, 0].min(), outline[:, 1].max()
            ax.text(middle, top, edition.say(zh, en), fontsize=7, ha="center", va="bottom")
    outlines = city.subdistrict_polygons()
    shapes = PolyCollection(outlines, cmap=colours, edgecolor="#444444", linewidth=0.5)
    shapes.set_array(np.ma.masked_invalid(values))
    shapes.set_clim(*limits)
    ax.add_collection(shapes)
    ax.autoscale_view()
    ax.set_aspect("equal")
    ax.grid(visible=False)
    ax.set_xlabel("km")
    ax.set_ylabel("km")
    style.few_ticks(ax)
    ax.figure.colorbar(shapes, cax=ax.inset_axes((1.03, 0, 0.035, 1)), label=label)
    return shapes
