"""Figures and tables of a small study: complete, readable, labelled, tied to their config."""

import io
import itertools
import json
import re
import typing
import warnings
from types import SimpleNamespace

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.image import imread
from matplotlib.text import Text
from PIL import Image
from rich.console import Console

from fake_model import SUBDISTRICTS, FakeModel
from reformsim.cases.state import WAITS
from reformsim.city import AGE_GROUPS, COMMUNITY_TYPES
from reformsim.experiment import kinds, plan, run
from reformsim.experiment.files import digest
from reformsim.experiment.pictures import Figure
from reformsim.experiment.schema import Experiment
from reformsim.experiment.store import Store
from reformsim.report import (
    WIDTH,
    compare,
    data,
    figures,
    flows,
    fonts,
    maps,
    provenance,
    style,
    tables,
)
from reformsim.report.edition import Edition, Telling
from reformsim.report.study import CAVEAT, CAVEAT_ZH, Study, number
from reformsim.scenario import Scenario
from test_experiment import OUTCOMES, comparison, factorial, on

ZH = {"old": "条块分治", "new": "系统治理", "none": "无", "full": "全额"}


class Peopled(FakeModel):
    """The small model with outcomes by age and type of community, those of its first places."""

    def outcomes(self) -> pd.DataFrame:
        rows = super().outcomes()
        groups = dict(zip(self.places(), [*AGE_GROUPS, *COMMUNITY_TYPES[:5]], strict=True))
        more = rows[rows["place"].isin(groups)].copy()
        more["place"] = more["place"].map(groups)
        more["level"] = np.where(more["place"].isin(AGE_GROUPS), "age", "community_type")
        return pd.concat([rows, more], ignore_index=True)


def peopled(scenario: Scenario, seed: int, threads: int) -> Peopled:
    return Peopled(scenario, seed, threads)


def study(experiment, directory) -> Study:
    results = run.execute(experiment, directory, 1, peopled, io.StringIO())
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


def over(kind: str, directory, replications: int = 1, **design) -> Study:
    """A study over two uncertainties of the small model."""
    shape = {"kind": kind, "uncertainties": ["revenue_compensation", "needs"]} | design
    ranges = {"needs": [1, 5]}
    experiment = comparison(zh=ZH, design=shape | {"ranges": ranges}, replications=replications)
    return study(experiment, directory)


@pytest.fixture(scope="module")
def sampled(tmp_path_factory) -> Study:
    return over("latin_hypercube", tmp_path_factory.mktemp("sampled"), points=24)


@pytest.fixture(scope="module")
def screened(tmp_path_factory) -> Study:
    return over("morris", tmp_path_factory.mktemp("screened"), trajectories=8)


@pytest.fixture(scope="module")
def turned(tmp_path_factory) -> Study:
    return over("one_at_a_time", tmp_path_factory.mktemp("turned"), replications=3)


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Study:
    steps = [on(m)["reform"][0] for m in ("governance_committee", "satisfaction_assessment")]
    scenarios = {"old": {}, "new": {"reform": steps}}
    experiment = comparison(
        zh=ZH, scenarios=scenarios, design={"kind": "shapley", "of": "new"}, replications=4
    )
    return study(experiment, tmp_path_factory.mktemp("shared"))


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
    "tradeoffs": "compared",
    "flow": "compared",
    "waits": "compared",
    "desks": "compared",
    "distribution": "compared",
    "map": "compared",
    "effects": "crossed",
    "interactions": "crossed",
    "cells": "crossed",
    "groups": "grouped",
    "waterfall": "shared",
    "robustness": "sampled",
    "regret": "sampled",
    "drivers": "sampled",
    "tornado": "turned",
    "indices": "screened",
    "convergence": "screened",
}


def test_every_figure_of_the_schema_is_drawn_and_tested():
    names = set(typing.get_args(Figure))
    pilots = {"power"}  # drawn in tests/test_pilots.py
    assert names == set(figures.FIGURES) == set(STUDIES) | pilots
    designs = typing.get_args(typing.get_args(kinds.Design)[0])
    assert names == set().union(*(design.figures for design in designs))


@pytest.mark.parametrize("zh", [False, True], ids=["en", "zh"])
@pytest.mark.parametrize("name", STUDIES)
def test_figure_is_whole(name, zh, request, city, tmp_path):
    """No glyph is missing, no text lies on another; title, n, units, caveat in one language."""
    subject = request.getfixturevalue(STUDIES[name])
    edition = Edition(subject, zh)
    with style.look(), warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of a missing glyph or a failed layout
        figure = figures.FIGURES[name](edition)
        (png,) = provenance.save(edition, figure, name, tmp_path, ("png",))
        words = whole(edition, figure)
    assert any(unit in words for unit in units(edition, name))
    height, width, _ = imread(png).shape
    assert min(height, width) > 300
    assert imread(png)[..., :3].std() > 0.05, "the picture is blank"


def whole(edition: Telling, figure) -> str:
    """Hold a figure to what all must say, in one language and legibly; return its words."""
    figure = figure.get_figure(root=True)
    assert overlaps(figure) == []
    words = " ".join(text.get_text() for text in texts(figure))
    experiment = edition.told.experiment
    told = (experiment.title_zh, CAVEAT_ZH) if edition.zh else (experiment.title, CAVEAT)
    for part in (*told, edition.counted(), edition.told.config_hash[:12]):
        assert part in words
    assert "n = " in edition.counted()
    assert not re.search("[\u4e00-\u9fff]", words) or edition.zh
    return words


def units(edition: Edition, name: str) -> list[str]:
    """What one of the axes of a figure must be measured in."""
    if name in ("contrasts", "flow", "robustness"):
        return ["%"]
    if name == "drivers":
        return ["correlation", "相关"]
    if name == "curves":
        return ["年" if edition.zh else "year"]
    if name in ("waits", "desks"):
        return ["天" if edition.zh else "days"]
    return [edition.unit(trait.unit) for trait in edition.study.traits.values()]


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


@pytest.mark.parametrize("suffix", provenance.FORMATS)
def test_a_figure_is_the_same_twice_and_carries_its_experiment(compared, suffix, tmp_path):
    edition = Edition(compared, zh=False)
    with style.look():
        first, second = (
            provenance.save(
                edition, figures.FIGURES["contrasts"](edition), "contrasts", tmp_path, (suffix,)
            )[0].read_bytes()
            for _ in range(2)
        )
    assert first == second
    found = provenance.read(tmp_path / f"contrasts.{suffix}")
    assert found == provenance.record(compared, "contrasts", zh=False)
    assert found["config_hash"] == compared.config_hash
    again = Experiment.model_validate(found["experiment"])
    assert digest(plan.written(plan.of(again))) == compared.config_hash


def test_what_is_no_picture_of_ours_is_told(tmp_path):
    Image.new("RGB", (3, 3)).save(tmp_path / "other.png")
    (tmp_path / "other.svg").write_text("<svg", encoding="utf-8")
    (tmp_path / "other.pdf").write_bytes(b"%PDF-1.4 /Keywords (some words)")
    (tmp_path / "other.txt").write_text("x", encoding="utf-8")
    for path in tmp_path.iterdir():
        with pytest.raises(provenance.NoProvenance, match=path.name):
            provenance.read(path)


def test_draw_makes_what_the_experiment_asks_for(compared, tmp_path):
    asked = compared.experiment.model_copy(update={"figures": ("waits",)})
    drawn = figures.draw(Study(asked, compared.results, compared.config_hash), tmp_path)
    assert [path.name for path in drawn.paths] == ["waits.png", "waits.svg"]


def test_pareto_front_of_known_points():
    points = np.array([[1, 5], [2, 4], [3, 3], [2, 2], [3, 3], [9, np.nan]])
    assert compare.pareto(points, ("higher", "higher")) == [0, 1, 2, 4]
    assert compare.pareto(points[:4], ("lower", "higher")) == [0]
    assert compare.pareto(points[:4], ("lower", "lower")) == [0, 3]


def test_every_stage_in_which_days_are_booked_can_be_drawn():
    assert set(flows.STAGES) == set(WAITS)


def test_shares_of_a_flow_add_up_to_one_at_each_step():
    known = {
        "needs": 5.0, "silent_share": 0.6, "self_solved_share": 0.15, "grid_events": 0.1,
        "station_contacts": 0.6, "hotline_contacts": 0.3, "settled_at_intake": 0.7,
        "to_departments": 0.4, "true_solution_rate": 0.8, "sham_share": 0.1, "lost_share": 0.02,
    }  # fmt: skip
    found = flows.shares(known)
    for parts in flows.STEPS.values():
        assert sum(found[part] for part in parts) == pytest.approx(1)
    assert found["rest"] == pytest.approx(0.05)
    assert found["sham"] == pytest.approx(0.098)
    del known["sham_share"]
    assert flows.shares(known) is None


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

    pairs = itertools.pairwise(look.colour for look in style.LOOKS[:5])
    assert all(abs(grey(a) - grey(b)) > 0.07 for a, b in pairs)
    for field in style.Look._fields:
        assert len({getattr(look, field) for look in style.LOOKS}) == len(style.LOOKS)
    markers = [marker for _, marker in style.VERDICT_MARKS.values()]
    assert len(set(markers)) == len(markers)


# ---------------------------------------------------------------------------------------- tables


def written(subject: Study, zh: bool = False) -> str:
    stream = io.StringIO()
    tables.write(subject, Console(file=stream, width=WIDTH), zh)
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
            assert figures.FIGURES[name](Edition(single, zh=False))


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
