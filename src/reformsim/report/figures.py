"""The figures of an experiment: a name for each, and the function that draws it."""

from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import SubFigure

from reformsim.report import compare, factorial, maps, pilots, style
from reformsim.report.study import Study

#: The names are those of ``experiment.schema.Figure``.
FIGURES: dict[str, Callable[[Study], SubFigure]] = {
    "curves": compare.curves,
    "contrasts": compare.contrasts,
    "waits": compare.waits,
    "map": maps.satisfaction,
    "effects": factorial.effects,
    "cells": factorial.cells,
    "groups": factorial.groups,
    "power": pilots.figure,
}


def draw(study: Study, directory: Path) -> list[Path]:
    """Draw the figures that the experiment asks for; return the files, PNG and SVG of each."""
    paths: list[Path] = []
    with style.look():
        for name in study.experiment.figures:
            paths += style.save(study, FIGURES[name](study), name, directory)
    return paths
