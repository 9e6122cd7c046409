"""The look of all figures: font, colours that survive colour blindness and grey print, saving."""

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D

import reformsim
from reformsim.experiment.schema import Experiment
from reformsim.report import fonts
from reformsim.report.study import CAVEAT, CAVEAT_ZH, VERDICTS_ZH

# Okabe & Ito (2008), in an order whose neighbours also differ in grey.
BLACK, BLUE, VERMILLION, SKY = "#000000", "#0072B2", "#D55E00", "#56B4E9"
GREEN, ORANGE, PURPLE, YELLOW = "#009E73", "#E69F00", "#CC79A7", "#F0E442"
GREY = "#8A8A8A"

FOOT = 0.4  # inches

Dashes = Literal["-", "--", "-.", ":"] | tuple[float, tuple[float, ...]]

#: Colour and dashes of a scenario.
LINES: tuple[tuple[str, Dashes], ...] = (
    (BLACK, "-"),
    (VERMILLION, "--"),
    (BLUE, "-."),
    (ORANGE, ":"),
    (GREEN, (0, (5, 1, 1, 1, 1, 1))),
    (PURPLE, (0, (7, 2))),
    (SKY, (0, (2, 1))),
)

#: Colour and marker of a verdict: the marker alone says it in grey print.
VERDICT_MARKS = {
    "better": (BLUE, "^"),
    "worse": (VERMILLION, "v"),
    "higher": (BLACK, ">"),
    "lower": (BLACK, "<"),
    "unclear": (GREY, "o"),
    "same": (GREY, "s"),
    "one run": (GREY, "x"),
    "reference": (BLACK, "D"),
}

#: Colour and marker of a treatment.
MARKS = (
    (BLACK, "o"),
    (VERMILLION, "s"),
    (BLUE, "^"),
    (ORANGE, "D"),
    (GREEN, "v"),
    (PURPLE, "P"),
    (SKY, "X"),
)


class Shown(Protocol):
    """What a figure says of where it comes from; a ``Study`` is one."""

    @property
    def experiment(self) -> Experiment:
        """The experiment, with its titles."""

    @property
    def config_hash(self) -> str:
        """The hash that ties the figure to what was asked."""

    @property
    def count(self) -> str:
        """How much the intervals rest on, in both languages."""


@contextmanager
def look() -> Iterator[None]:
    """Draw and save within this look; matplotlib's own settings come back afterwards."""
    settings: dict[Any, Any] = {
        "font.family": [fonts.register()],
        "font.size": 9,
        "axes.titlesize": 9.5,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.unicode_minus": True,
        "axes.grid": True,
        "grid.color": "#E5E5E5",
        "grid.linewidth": 0.6,
        "axes.axisbelow": True,
        "legend.frameon": False,
        "svg.fonttype": "path",
        "svg.hashsalt": "reformsim",
        "hatch.linewidth": 0.5,
    }
    with matplotlib.rc_context(settings):
        yield


def canvas(study: Shown, width: float, height: float, zh: str, en: str) -> SubFigure:
    """Return the empty upper part of a figure of ``width`` × ``height`` inches, with its title.

    The strip below it states n, the caveat, the version and the hash of the config.
    """
    figure = Figure(figsize=(width, height + FOOT), layout="constrained")
    rows = figure.add_gridspec(2, 1, height_ratios=[height, FOOT])
    upper, strip = figure.add_subfigure(rows[0]), figure.add_subfigure(rows[1])
    experiment = study.experiment
    upper.suptitle(
        f"{experiment.title_zh}：{zh}\n{experiment.title}: {en}",
        fontsize=11,
        x=0.01,
        ha="left",
        linespacing=1.4,
    )
    strip.text(
        0.01,
        0.5,
        f"{study.count} · reformsim {reformsim.__version__} · config {study.config_hash[:12]}\n"
        f"{CAVEAT_ZH} {CAVEAT}",
        fontsize=7,
        color="#555555",
        va="center",
        linespacing=1.5,
    )
    return upper


def grid(count: int) -> tuple[int, int]:
    """Return rows and columns for ``count`` panels: at most three beside each other."""
    columns = 2 if count == 4 else min(3, count)
    return math.ceil(count / columns), columns


def panels(
    figure: SubFigure,
    rows: int,
    columns: int,
    count: int,
    sharex: bool = False,
    sharey: bool = False,
) -> list[Axes]:
    """Return ``count`` panels in a grid, row by row; places left over stay empty."""
    axes = figure.subplots(rows, columns, sharex=sharex, sharey=sharey, squeeze=False).ravel()
    for ax in axes[count:]:
        ax.set_visible(False)
    return list(axes[:count])


def line(colour: str, dashes: Dashes, label: str = "") -> Line2D:
    """Return a line for a legend."""
    return Line2D([], [], color=colour, linestyle=dashes, label=label)


def mark(colour: str, marker: str, label: str) -> Line2D:
    """Return a marker for a legend."""
    return Line2D([], [], color=colour, marker=marker, linestyle="none", label=label)


def whisker(ax: Axes, y: float, value: float, low: float, high: float, verdict: str) -> None:
    """Draw one estimate as a mark with its interval as a line, in the look of its verdict."""
    colour, marker = VERDICT_MARKS[verdict]
    ax.plot([low, high], [y, y], color=colour, linewidth=1.8)
    ax.plot(value, y, marker, color=colour, markersize=5)


def verdict_legend(
    figure: SubFigure,
    verdicts: Iterable[str],
    place: Literal["outside lower center", "outside lower right"] = "outside lower center",
    columns: int = len(VERDICT_MARKS),
) -> None:
    """Explain the verdicts that occur, below the panels."""
    there = set(verdicts)
    shown = [verdict for verdict in VERDICT_MARKS if verdict in there]
    figure.legend(
        handles=[mark(*VERDICT_MARKS[v], f"{VERDICTS_ZH[v]} {v}") for v in shown],
        loc=place,
        ncols=columns,
    )


def save(study: Shown, figure: SubFigure, name: str, directory: Path) -> list[Path]:
    """Write a figure as PNG (150 dpi) and SVG; hash and version go into the files' metadata."""
    program = f"reformsim {reformsim.__version__}"
    about = {
        "Title": f"{study.experiment.name}: {name}",
        "Description": f"{program}; config {study.config_hash}; {CAVEAT}",
    }
    metadata = {"png": {**about, "Software": program}, "svg": {**about, "Date": None}}
    paths = []
    for suffix, facts in metadata.items():
        path = directory / f"{name}.{suffix}"
        figure.get_figure(root=True).savefig(path, dpi=150, metadata=facts, facecolor="white")
        paths.append(path)
    return paths
