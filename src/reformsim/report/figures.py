"""The figures of an experiment: a name for each, and the function that draws it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from matplotlib.figure import SubFigure

from reformsim.report import (
    compare,
    desks,
    distribution,
    factorial,
    flows,
    indices,
    maps,
    parts,
    pilots,
    provenance,
    robust,
    style,
)
from reformsim.report.edition import Edition
from reformsim.report.study import Study

#: The names are those of ``experiment.pictures.Figure``.
FIGURES: dict[str, Callable[[Edition], SubFigure]] = {
    "curves": compare.curves,
    "contrasts": compare.contrasts,
    "tradeoffs": compare.tradeoffs,
    "flow": flows.flow,
    "waits": flows.waits,
    "desks": desks.desks,
    "distribution": distribution.distribution,
    "map": maps.satisfaction,
    "effects": factorial.effects,
    "cells": factorial.cells,
    "groups": factorial.groups,
    "power": pilots.figure,
    "waterfall": parts.waterfall,
    "interactions": parts.interactions,
    "robustness": robust.robustness,
    "regret": robust.regret,
    "drivers": robust.drivers,
    "tornado": indices.tornado,
    "indices": indices.bars,
    "convergence": indices.convergence,
}


@dataclass(frozen=True)
class Drawn:
    """The files that were written, and why a figure was not drawn, by its name."""

    paths: list[Path]
    refused: dict[str, str]


def draw(
    study: Study,
    directory: Path,
    names: Sequence[str] | None = None,
    formats: tuple[str, ...] = provenance.FORMATS[:2],
    zh: bool = False,
    dpi: int = provenance.DPI,
) -> Drawn:
    """Draw figures into a directory: those ``names``, else those the experiment asks for.

    With a calibrated region each is drawn over the full ranges, and as NAME_calibrated over it.
    """
    drawn = Drawn([], {})
    editions = {"": Edition(study, zh)}
    if study.calibrated is not None:
        editions["_calibrated"] = Edition(study, zh, study.calibrated)
    asked = study.experiment.figures if names is None else names
    with style.look():
        for figure_name, (suffix, edition) in product(asked, editions.items()):
            name = figure_name + suffix
            try:
                figure = FIGURES[figure_name](edition)
            except style.Undrawable as reason:
                drawn.refused[name] = str(reason)
                continue
            drawn.paths.extend(provenance.save(edition, figure, name, directory, formats, dpi))
    return drawn
