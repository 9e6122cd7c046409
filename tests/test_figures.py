"""Figures and tables of a small study: complete, readable, labelled, tied to their config."""

import io
import itertools
import json
import typing
import warnings
from types import SimpleNamespace
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.image import imread
from matplotlib.text import Text
from PIL import Image
from rich.console import Console

from fake_model import SUBDISTRICTS
from reformsim.experiment import schema
from reformsim.experiment.store import Store
from reformsim.report import data, figures, fonts, maps, style, tables
from reformsim.report.study import CAVEAT, CAVEAT_ZH, Study, number
from test_experiment import OUTCOMES, comparison, execute, factorial, on

ZH = {"old": "条块分治", "new": "系统治理", "none": "无", "full": "全额"}


def study(experiment, directory) -> Study:
    results = execute(experiment, directory)
    return Study(experiment, results, Store(directory).manifest()["config_hash"])


@pytest.fixture(scope="module")
def compared(tmp_path_factory) -> Study:
    return study(comparison(zh=ZH), tmp_path_factory.mktemp("compared"))


@pytest.fixture(scope="module")
def crossed(tmp_path_factory) -> Study:
    return study(factorial(zh=ZH), tmp_path_factory.mktemp("crossed"))


@pytest.fixture(scope="module")
def grouped(tmp_path_factory) -> Study:
    experiment = factorial(zh=ZH, design={"within": ["paid"]})
    return study(experiment, tmp_path_factory.mktemp("grouped"))


class SquareCity:
    """A city of unit squares in a row, with the names of the fake model's subdistricts."""

    subdistricts = SimpleNamespace(name=[f"Subdistrict {i}" for i in range(SUBDISTRICTS)])

    districts = SimpleNamespace(name=["East"], name_zh=["东区"])

    def subdistrict_polygons(self) -> list[np.ndarray]:
        square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float)
        return [square + np.array([i, 0]) for i in range(SUBDISTRICTS)]

    def district_polygons(self) -> list[np.ndarray]:
        return [np.array([[0, 0], [SUBDISTRICTS, 0], [SUBDISTRICTS, 3], [0, 3]], float)]


@pytest.fixture
def city(monkeypatch):
    monkeypatch.setattr(maps, "build", lambda config, seed: SquareCity())


STUDIES = {
    "curves": "compared",
    "contrasts": "compared",
    "waits": "compared",
    "map": "compared",
    "effects": "crossed",
    "cells": "crossed",
    "groups": "grouped",
}


def test_every_figure_of_the_schema_is_drawn_and_tested():
    names = set(typing.get_args(schema.Figure))
    pilots = {"power"}  # drawn in tests/test_pilots.py
    assert names == set(figures.FIGURES) == set(STUDIES) | pilots


@pytest.mark.parametrize("name", STUDIES)
def test_figure_is_whole(name, request, city, tmp_path):
    """No glyph is missing, no text lies on another, and both files carry hash and version."""
    subject = request.getfixturevalue(STUDIES[name])
    with style.look(), warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of a missing glyph or a failed layout
        figure = figures.FIGURES[name](subject)
        png, svg = style.save(subject, figure, name, tmp_path)
        assert overlaps(figure.get_figure(root=True)) == []
        words = " ".join(text.get_text() for text in texts(figure.get_figure(root=True)))
    experiment = subject.experiment
    for part in (experiment.title, experiment.title_zh, "n = 3", CAVEAT, CAVEAT_ZH):
        assert part in words
    assert subject.config_hash in Image.open(png).text["Description"]
    assert "reformsim 0." in Image.open(png).text["Software"]
    assert subject.config_hash in svg.read_text(encoding="utf-8")
    ElementTree.parse(svg)
    height, width, _ = imread(png).shape
    assert min(height, width) > 300
    assert imread(png)[..., :3].std() > 0.05, "the picture is blank"


def texts(figure) -> list[Text]:
    return [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]


def overlaps(figure) -> list[tuple[str, str]]:
    """Pairs of texts whose boxes share more than a sliver, as drawn."""
    FigureCanvasAgg(figure).draw()
    renderer = figure.canvas.get_renderer()
    boxes = []
    undrawn = set().union(*map(never_drawn, figure.findobj(matplotlib.axes.Axes)))
    for text in texts(figure):
        if text not in undrawn:
            boxes.append((text.get_text(), text.get_window_extent(renderer).padded(-2)))
    return [
        (a, b)
        for (a, first), (b, second) in itertools.combinations(boxes, 2)
        if a != b and first.overlaps(second)
    ]


def never_drawn(axes) -> set[Text]:
    """Texts that exist but are left out: of hidden panels, of ticks outside the view."""
    if not axes.get_visible():
        return set(axes.findobj(Text))
    found = set()
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        for tick in axis.get_major_ticks():
            if not low <= tick.get_loc() <= high:
                found |= {tick.label1, tick.label2}
    return found


def test_overlaps_are_found():
    """The check above must be able to fail."""
    with style.look():
        figure = matplotlib.figure.Figure()
        figure.text(0.5, 0.5, "one text")
        figure.text(0.51, 0.5, "another text")
        assert overlaps(figure) == [("one text", "another text")]


def test_a_figure_is_the_same_twice(compared, tmp_path):
    with style.look():
        draw = figures.FIGURES["contrasts"]
        first = [path.read_bytes() for path in style.save(compared, draw(compared), "a", tmp_path)]
        second = [path.read_bytes() for path in style.save(compared, draw(compared), "a", tmp_path)]
    assert first == second


def test_draw_makes_what_the_experiment_asks_for(compared, tmp_path):
    asked = compared.experiment.model_copy(update={"figures": ("waits",)})
    paths = figures.draw(Study(asked, compared.results, compared.config_hash), tmp_path)
    assert [path.name for path in paths] == ["waits.png", "waits.svg"]


def test_font_has_every_letter_used_and_settings_are_left_alone():
    before = dict(matplotlib.rcParams)
    assert fonts.register() == "Noto Sans SC"
    with style.look():
        assert matplotlib.rcParams["font.family"] == ["Noto Sans SC"]
    assert dict(matplotlib.rcParams) == before


def test_colours_differ_in_grey():
    """Lines also differ in dashes, verdicts in markers: grey alone need not tell all apart."""

    def grey(colour: str) -> float:
        return float(np.dot(matplotlib.colors.to_rgb(colour), (0.299, 0.587, 0.114)))

    pairs = itertools.pairwise(colour for colour, _ in style.LINES[:4])
    assert all(abs(grey(a) - grey(b)) > 0.07 for a, b in pairs)
    assert len({dashes for _, dashes in style.LINES}) == len(style.LINES)
    markers = [marker for _, marker in style.VERDICT_MARKS.values()]
    assert len(set(markers)) == len(markers)


# ---------------------------------------------------------------------------------------- tables


def written(subject: Study, zh: bool = False) -> str:
    stream = io.StringIO()
    tables.write(subject, Console(file=stream, width=tables.WIDTH), zh)
    return stream.getvalue()


@pytest.mark.parametrize("name", ["compared", "crossed", "grouped"])
@pytest.mark.parametrize("zh", [False, True])
def test_tables_fit_80_columns_and_are_plain_when_piped(name, zh, request):
    text = written(request.getfixturevalue(name), zh)
    assert max(cells(line) for line in text.splitlines()) <= 80
    assert "\x1b" not in text
    assert (CAVEAT_ZH if zh else CAVEAT) in text.replace("\n", " ").replace("  ", " ")


def cells(line: str) -> int:
    from rich.cells import cell_len

    return cell_len(line.rstrip())


def test_table_of_a_comparison_says_what_the_contrasts_say(compared):
    text = written(compared)
    assert "new − old" in text
    for c in compared.contrasts:
        if c.outcome in OUTCOMES:
            assert number(c.base) in text and number(c.mean) in text
    shown = [c.verdict for c in compared.contrasts if c.outcome in OUTCOMES]
    for verdict in set(shown):
        assert text.count(f" {verdict}") == shown.count(verdict)
    assert "n = 3 replications" in text


def test_tables_in_chinese(compared):
    text = written(compared, zh=True)
    assert "系统治理 − 条块分治" in text
    assert "判断" in text and "n = 3 次重复" in text


def test_one_replication_gives_no_interval_and_says_so(tmp_path, city):
    single = study(comparison(replications=1), tmp_path)
    text = written(single)
    assert "one run" in text and "[0" not in text and "no interval" in text
    with style.look():
        for name in ("curves", "contrasts", "waits", "map"):
            assert figures.FIGURES[name](single)


def test_failed_runs_are_named_in_the_table(tmp_path):
    scenarios = {
        "old": {},
        "new": {"uncertainties": {"needs": 12}},
        "other": on("joint_conference"),
    }
    text = " ".join(written(study(comparison(scenarios=scenarios), tmp_path)).split())
    assert "failed: run 1 (new, seed 1) in run: RuntimeError: this run fails on purpose" in text


def test_json_summary_and_csv_hold_the_same(compared, tmp_path):
    store = Store(tmp_path)
    paths = data.write(compared, store)
    assert [path.name for path in paths] == ["runs.csv", "means.csv", "contrasts.csv"]
    text = json.dumps(data.summary(compared, paths), allow_nan=False)
    summary = json.loads(text)
    assert len(summary["contrasts"]) == len(compared.contrasts)
    assert summary["contrasts"][0]["value"] == compared.contrasts[0].value
    assert summary["replications"] == 3


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.000"), (0.1234, "0.123"), (-3.456, "-3.46"), (45.67, "45.7"), (12345.6, "12,346"),
     (float("nan"), "–"), (0.00012, "1.2e-04")],
)  # fmt: skip
def test_number(value, text):
    assert number(value) == text
