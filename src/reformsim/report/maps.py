"""Maps of the city: subdistricts coloured by an outcome, and by its change."""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import SubFigure

from reformsim.city import City, build
from reformsim.report import style
from reformsim.report.study import Study

OUTCOME = "satisfaction"
LEVEL, CHANGE = "cividis", "PuOr"  # colours that survive colour blindness
_NAMED = 8  # districts up to which their names are written on the map
_WIDE = 1.4  # width over height from which the two maps stand one above the other


def satisfaction(study: Study) -> SubFigure:
    """Draw residents' satisfaction of the reference by subdistrict, and the change beside it.

    The change is that of the first scenario with a reference, mean over replications.
    """
    scenario, reference = next(iter(study.references.items()))
    city = build(study.scenarios[reference].city, study.scenarios[reference].city_seed)
    names = list(city.subdistricts.name)
    base = _by_place(study, reference).reindex(names).to_numpy(float)
    change = _by_place(study, scenario).reindex(names).to_numpy(float) - base
    width, height = np.ptp(np.concatenate(city.district_polygons()), axis=0)
    wide = width > _WIDE * height
    figure = style.canvas(
        study,
        9,
        1 + 15 * height / width if wide else 1.6 + 3.6 * height / width,
        "各街道(镇)居民满意度",
        "residents' satisfaction by subdistrict and town",
    )
    upper, lower = figure.subplots(*((2, 1) if wide else (1, 2)))
    there = base[np.isfinite(base)]
    limits = (min(there, default=0.0), max(there, default=1.0))
    _paint(upper, city, base, LEVEL, limits, "满意度 satisfaction (0–1)")
    largest = max(np.abs(change[np.isfinite(change)]), default=0.0) or 1.0
    label = "满意度变化 change (0–1)"
    _paint(lower, city, change, CHANGE, (-largest, largest), label)
    upper.set_title(study.both(reference, " "), loc="left")
    lower.set_title(f"{study.both(scenario, ' ')} − {study.both(reference, ' ')}", loc="left")
    return figure


def stops(colours: str, count: int = 9) -> list[str]:
    """Return a colour map at evenly spaced places, for a page that draws a map itself."""
    return [to_hex(colour) for colour in matplotlib.colormaps[colours](np.linspace(0, 1, count))]


def _by_place(study: Study, scenario: str) -> pd.Series:
    rows = study.results.rows
    rows = rows[
        (rows["scenario"] == scenario)
        & (rows["kind"] == "outcome")
        & (rows["level"] == "subdistrict")
        & (rows["period"] == "after")
        & (rows["outcome"] == OUTCOME)
    ]
    return rows.groupby("place", observed=True)["value"].mean()


def _paint(
    ax: Axes,
    city: City,
    values: np.ndarray,
    colours: str,
    limits: tuple[float, float],
    label: str,
) -> None:
    districts = city.district_polygons()
    ax.add_collection(PolyCollection(districts, facecolor="#F4F4F4", edgecolor="white"))
    if len(districts) <= _NAMED:
        for outline, zh, en in zip(
            districts, city.districts.name_zh, city.districts.name, strict=True
        ):
            middle, top = np.ptp(outline[:, 0]) / 2 + outline[:, 0].min(), outline[:, 1].max()
            ax.text(middle, top, f"{zh} {en}", fontsize=7, ha="center", va="bottom")
    shapes = PolyCollection(
        city.subdistrict_polygons(), cmap=colours, edgecolor="#444444", linewidth=0.5
    )
    shapes.set_array(np.ma.masked_invalid(values))
    shapes.set_clim(*limits)
    ax.add_collection(shapes)
    ax.autoscale_view()
    ax.set_aspect("equal")
    ax.grid(visible=False)
    ax.set_xlabel("km")
    ax.set_ylabel("km")
    bar = ax.inset_axes((1.02, 0, 0.025, 1))
    ax.figure.colorbar(shapes, cax=bar, label=label)
