"""The look of all figures: font, colours that survive colour blindness and grey print, marks."""

import math
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from reformsim.report import fonts
from reformsim.report.edition import Edition, Telling, Told

# Okabe & Ito (2008); wine and olive from Tol's muted scheme.
BLACK, BLUE, VERMILLION, SKY = "#000000", "#0072B2", "#D55E00", "#56B4E9"
GREEN, ORANGE, PURPLE, YELLOW = "#009E73", "#E69F00", "#CC79A7", "#F0E442"
WINE, OLIVE, GREY, PALE = "#882255", "#999933", "#8A8A8A", "#D0D0D0"

FOOT = 0.4  # inches

#: Panels beside each other at most, and inches of a panel.
ACROSS = 3

Dashes = Literal["-", "--", "-.", ":"] | tuple[float, tuple[float, ...]]


class Look(NamedTuple):
    """Colour, dashes and marker of a scenario or treatment."""

    colour: str
    dashes: Dashes
    marker: str


#: Looks in the order of the design. Blue and vermillion are kept for verdicts.
LOOKS = (
    Look(BLACK, "-", "o"),
    Look(GREEN, "--", "s"),
    Look(ORANGE, "-.", "^"),
    Look(WINE, ":", "D"),
    Look(SKY, (0, (5, 1, 1, 1, 1, 1)), "v"),
    Look(PURPLE, (0, (7, 2)), "P"),
    Look(OLIVE, (0, (2, 1)), "X"),
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


class Undrawable(Exception):
    """A figure that a directory cannot honestly give, with the reason in words."""


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


def of(edition: Edition, scenario: str) -> Look:
    """Return the look of a scenario: the same in every figure of the study."""
    study = edition.study
    return LOOKS[study.treatments.index(study.treatment(scenario)) % len(LOOKS)]


def canvas[T: Told](
    edition: Telling[T], width: float, height: float, zh: str, en: str
) -> SubFigure:
    """Return the empty upper part of a figure of ``width`` × ``height`` inches, with its title.

    The strip below it states n, what failed or is missing, the version, the hash of the config,
    and the caveat.
    """
    figure = Figure(figsize=(width, height + FOOT), layout="constrained")
    rows = figure.add_gridspec(2, 1, height_ratios=[height, FOOT])
    upper, strip = figure.add_subfigure(rows[0]), figure.add_subfigure(rows[1])
    upper.suptitle(
        "\n".join(wrapped(edition, part, width) for part in (edition.title, edition.say(zh, en))),
        fontsize=11,
        x=0.01,
        ha="left",
        linespacing=1.4,
    )
    versions = ", ".join(edition.told.versions)
    strip.text(
        0.01,
        0.5,
        f"{edition.counted()} · reformsim {versions} · config {edition.told.config_hash[:12]}\n"
        f"{edition.caveat}",
        fontsize=7,
        color="#555555",
        va="center",
        linespacing=1.5,
    )
    return upper


def wrapped[T: Told](edition: Telling[T], text: str, width: float) -> str:
    """Break a text into lines no longer than ``width`` inches."""
    return "\n".join(textwrap.wrap(text, int(width * (6.5 if edition.zh else 13))))


def grid(count: int) -> tuple[int, int]:
    """Return rows and columns for ``count`` panels: at most three beside each other."""
    columns = 2 if count == 4 else min(ACROSS, count)
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


def ink(ground: Sequence[float]) -> str:
    """Return black or white, whichever stands out more on a colour (relative luminance, WCAG)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in ground[:3]]
    luminance = sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return BLACK if luminance > 0.179 else "#FFFFFF"


def few_ticks(ax: Axes) -> None:
    """Label the x axis at five places at most."""
    ax.xaxis.set_major_locator(MaxNLocator(4))


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
    edition: Edition,
    figure: SubFigure,
    verdicts: Iterable[str],
    place: Literal["outside lower center", "outside lower right"] = "outside lower center",
    columns: int = len(VERDICT_MARKS),
) -> None:
    """Explain the verdicts that occur, below the panels."""
    there = set(verdicts)
    shown = [verdict for verdict in VERDICT_MARKS if verdict in there]
    figure.legend(
        handles=[mark(*VERDICT_MARKS[v], edition.verdict(v)) for v in shown],
        loc=place,
        ncols=columns,
    )


def scenario_legend(edition: Edition, figure: SubFigure, scenarios: Iterable[str]) -> None:
    """Explain the looks of scenarios by their markers, below the panels."""
    handles = []
    for name in scenarios:
        colour, _, marker = of(edition, name)
        handles.append(mark(colour, marker, edition.scenario(name)))
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
