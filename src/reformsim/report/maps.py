"""Maps of the city: subdistricts coloured by an outcome, and by its change."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import SubFigure

from reformsim.city import build
from reformsim.report import style
from reformsim.report.study import Study

OUTCOME = "satisfaction"


def satisfaction(study: Study) -> SubFigure:
    """Draw residents' satisfaction of the reference by subdistrict, and the change beside it.

    The change is that of the first scenario with a reference, mean over replications.
    """
    scenario, reference = next(iter(study.references.items()))
    city = build(study.scenarios[reference].city, study.scenarios[reference].city_seed)
    names = list(city.subdistricts.name)
    base = _by_place(study, reference).reindex(names).to_numpy(float)
    change = _by_place(study, scenario).reindex(names).to_numpy(float) - base
    figure = style.canvas(
        study, 11, 5.6, "各街道(镇)居民满意度", "residents' satisfaction by subdistrict and town"
    )
    axes = figure.subplots(1, 2)
    largest = max(np.abs(change[np.isfinite(change)]), default=0.0) or 1.0
    outlines = [np.asarray(outline) for outline in city.subdistrict_polygons()]
    there = base[np.isfinite(base)]
    low, high = min(there, default=0.0), max(there, default=1.0)
    _paint(axes[0], outlines, base, "cividis", low, high, "满意度 satisfaction (index)")
    label = "满意度变化 change in satisfaction (index)"
    _paint(axes[1], outlines, change, "PuOr", -largest, largest, label)
    axes[0].set_title(study.both(reference, " "), loc="left")
    axes[1].set_title(f"{study.both(scenario, ' ')}\n− {study.both(reference, ' ')}", loc="left")
    return figure


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
    outlines: list[np.ndarray],
    values: np.ndarray,
    colours: str,
    low: float,
    high: float,
    label: str,
) -> None:
    shapes = PolyCollection(outlines, cmap=colours, edgecolor="#444444", linewidth=0.4)
    shapes.set_array(np.ma.masked_invalid(values))
    shapes.set_clim(low, high)
    ax.add_collection(shapes)
    ax.autoscale_view()
    ax.set_aspect("equal")
    ax.set_xlabel("km")
    ax.set_ylabel("km")
    ax.figure.colorbar(shapes, ax=ax, shrink=0.8, label=label)
