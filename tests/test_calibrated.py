"""The command on the town, and what later experiments say of a calibrated region."""

import io
import json

import numpy as np
import pytest
from matplotlib.text import Text
from rich.console import Console
from typer.testing import CliRunner

from reformsim.cli import app
from reformsim.config import ConfigError
from reformsim.experiment import calibration, design, matching
from reformsim.experiment.schema import Experiment
from reformsim.facts import FactsCity, figures
from reformsim.known import BY_NAME
from reformsim.report import data, robust, style, tables
from reformsim.report.edition import Edition
from reformsim.report.figures import draw
from reformsim.report.study import Study
from test_experiment import ROOT
from toys import execute, experiment

REGION = [{"p_mis": 0.1 + 0.01 * i, "sham": 0.3} for i in range(8)]


def sampled(**changes) -> Experiment:
    chosen = {"kind": "latin_hypercube", "points": 16, "uncertainties": "calibrated"}
    return experiment(
        scenarios={"x": {}, "y": {"reform": [{"measure": "governance_committee"}]}},
        baseline="x",
        design=chosen | {"region": REGION} | changes,
    )


def better_where_few_go_wrong(scenario, seed: int) -> float:
    return (0.25 - scenario.uncertainties["p_mis"]) * len(scenario.reform)


def test_points_come_twice_with_the_same_chance_and_other_values():
    found = design.sample(sampled(uncertainties=["p_mis", "sham", "needs"]))
    full, inside = found.values[~found.calibrated], found.values[found.calibrated]
    assert np.array_equal(found.streams[~found.calibrated], found.streams[found.calibrated])
    assert np.array_equal(full[:, 2], inside[:, 2])
    assert set(inside[:, 1]) == {0.3} and len(set(full[:, 1])) == 16
    values, times = np.unique(inside[:, 0], return_counts=True)
    assert len(values) == 8 and set(times) == {2}
    more = design.sample(sampled(uncertainties=["p_mis", "sham", "needs"], points=32))
    assert np.array_equal(more.values[:32], found.values)


def test_headlines_are_given_over_the_full_ranges_and_over_the_region(tmp_path):
    asked = sampled()
    study = Study(asked, execute(asked, better_where_few_go_wrong, tmp_path), "0" * 64)
    (full,), (inside,) = study.worlds.robustness, study.calibrated.robustness
    assert full.n == inside.n == 16
    share = np.mean(design.sample(asked).values[::2, 0] < 0.25)
    assert full.share == share < inside.share == 1.0
    screen = Console(file=io.StringIO(), width=100)
    tables.write(study, screen)
    tables.write(study, screen, zh=True)
    text = screen.file.getvalue()
    assert "Full ranges" in text and "Calibrated region" in text and "校准后的区域" in text
    rows = data.summary(study, [])["robustness"]
    assert [row["within"] for row in rows] == ["full", "calibrated"]
    assert "n = 16 points of the full ranges" in Edition(study, zh=False).counted()
    assert "n = 16 个情景点（原范围" in Edition(study, zh=True).counted()


def test_figures_are_drawn_over_both_and_say_which(tmp_path):
    asked = sampled()
    study = Study(asked, execute(asked, better_where_few_go_wrong, tmp_path / "r"), "0" * 64)
    drawn = draw(study, tmp_path, ["robustness"], ("svg",))
    assert [path.stem for path in drawn.paths] == ["robustness", "robustness_calibrated"]
    with style.look():
        for worlds, told, share in (
            (study.worlds, "full ranges, not calibrated", study.worlds.robustness[0].share),
            (study.calibrated, "of the calibrated region", 1.0),
        ):
            figure = robust.robustness(Edition(study, False, worlds))
            words = [text.get_text() for text in figure.figure.findobj(Text)]
            assert any(told in word for word in words)
            marks = [line.get_xdata() for line in figure.axes[0].lines]
            assert any(len(x) == 1 and x[0] == 100 * share for x in marks)


FILE = """
name: t
title: T
title_zh: 题
question: Q?
city: {name: x}
design: {kind: latin_hypercube, points: 8, %s}
outcomes: [walk]
"""


@pytest.mark.parametrize(
    ("more", "table", "words"),
    [
        ("uncertainties: calibrated", "", "region: `uncertainties: calibrated` needs a table"),
        ("region: r.csv", "p_mis\n0.2\n0.9\n", r"r.csv:3:1: .*must be in \[0.05, 0.38\]"),
        ("region: r.csv", "p_mos\n0.2\n", "r.csv:2:1: .*did you mean p_mis"),
        ("region: r.csv", "p_mis,sham\n0.2,0.1\n0.2,\n", "r.csv:3:1: .*a value in every column"),
        ("region: r.csv, uncertainties: [sham]", "p_mis\n0.2\n", "p_mis of the region is not"),
        ("region: nowhere", "", "no 'nowhere' in configs/regions"),
    ],
)
def test_a_region_that_cannot_be_used_is_told_with_its_place(tmp_path, more, table, words):
    (tmp_path / "r.csv").write_text(table, encoding="utf-8")
    (tmp_path / "e.yaml").write_text(FILE % more, encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        Experiment.load(tmp_path / "e.yaml")


def test_the_region_that_is_kept_is_named_after_its_city(tmp_path):
    (tmp_path / "e.yaml").write_text(FILE % "uncertainties: calibrated, region: default", "utf-8")
    varied = Experiment.load(tmp_path / "e.yaml").bounds()
    assert list(varied) == list(Experiment.load(ROOT / "experiments/calibration.yaml").bounds())


# ------------------------------------------------------------------------ the town

TOWN = """
name: town
title: A town
title_zh: 小城
question: Which worlds?
city: {city}
warm_up: 30
years: 1
design:
  kind: history_matching
  targets: own.csv
  discrepancy: 0.02
  waves: 1
  points: 16
  checks: 2
  uncertainties: [voice_hotline, delay_local]
  ranges: {{voice_hotline: [-4, 1], delay_local: [0.2, 6]}}
outcomes: [walk]
"""
TRUTH = {"voice_hotline": -1.0, "delay_local": 3.0}
AIMED = ("hotline contacts per resident-year", "median days, all contacts")


def prepare(directory, names=AIMED, truth=TRUTH, seeds=(91, 92), text=TOWN):
    """Write an experiment aimed at what runs of the town in a known world gave."""
    path = directory / "town.yaml"
    path.write_text(text.format(city=ROOT / "configs/cities/town.yaml"), encoding="utf-8")
    (directory / "own.csv").write_text("name,low,high\nwalk,0,1\n", encoding="utf-8")
    asked = Experiment.load(path).model_copy(update={"uncertainties": truth})
    model, got = FactsCity(asked.scenario("true", ()), rng=seeds[0], threads=1), []
    for seed in seeds:
        model.reset(asked.scenario("true", ()), seed)
        model.run_until(asked.scenario("true", ()).days)
        got.append(figures(model))
    rows = ["name,low,high,use"]
    for name in names:
        middle = np.mean([figure[name] for figure in got])
        rows.append(f'"{name}",{0.95 * middle},{1.05 * middle},calibrated')
    held = np.mean([figure["answered at intake"] for figure in got])
    rows.append(f"answered at intake,{0.9 * held},{1.1 * held},held out")
    (directory / "own.csv").write_text("\n".join(rows), encoding="utf-8")
    return path


def test_a_known_world_of_the_town_is_found_again(tmp_path):
    """From its own runs through the command: the truth inside, its rival values ruled out."""
    path, out = prepare(tmp_path), tmp_path / "out"
    done = CliRunner().invoke(app, ["calibrate", str(path), "-o", str(out), "--workers", "1"])
    assert done.exit_code == 0, done.output
    assert "Pinned down" in done.output and "Held out, and hit: 1 of 1" in done.output
    asked = Experiment.load(path)
    found = calibration.calibrate(calibration.of(asked), out, stream=io.StringIO())
    for p in matching.parameters(found.matched):
        assert p.left_low < TRUTH[p.uncertainty] < p.left_high and p.width < 0.9
    written = {file.name for file in out.iterdir()}
    assert {
        "region.csv",
        "posterior.csv",
        "profiles.png",
        "pairs.svg",
        "predictions.csv",
    } <= written
    command = ["calibrate", str(path), "-o", str(out), "--json"]
    told = json.loads(CliRunner().invoke(app, command).stdout)
    assert not told["nothing_left"] and len(told["said_zh"]) == len(told["said"])
    assert "calibrate" in CliRunner().invoke(app, ["run", str(path)]).output
    other = ["calibrate", str(ROOT / "experiments/uncertainty_sweep.yaml")]
    assert CliRunner().invoke(app, other).exit_code == 2
    later = FILE % f"uncertainties: calibrated, region: {out / 'region.csv'}"
    (tmp_path / "later.yaml").write_text(later, encoding="utf-8")
    assert Experiment.load(tmp_path / "later.yaml").bounds().keys() == TRUTH.keys()


@pytest.mark.slow
def test_known_worlds_of_the_town_are_found_again(tmp_path):
    """Five worlds, four uncertainties, three waves: each true value is left in each of them.

    Three targets, three waves, normal errors: a false alarm in at most 12 % of all tries.
    """
    text = TOWN.replace("waves: 1", "waves: 3").replace("points: 16", "points: 40")
    text = text.replace("[voice_hotline, delay_local]", "[voice_hotline, delay_local, p_mis, sham]")
    rng = np.random.default_rng(11)
    names = (*AIMED, "visits to departments")
    for i in range(5):
        truth = {"voice_hotline": rng.uniform(-3, 0.5), "delay_local": rng.uniform(0.5, 5)}
        truth |= {"p_mis": rng.uniform(0.05, 0.38), "sham": rng.uniform(0, 0.5)}
        where = tmp_path / str(i)
        where.mkdir()
        path = prepare(where, names, truth, (91, 92, 93, 94), text)
        task = calibration.of(Experiment.load(path))
        found = calibration.calibrate(task, where / "out", stream=io.StringIO())
        low, high = np.array(list(task.bounds.values())).T
        unit = (np.array([truth[name] for name in task.bounds]) - low) / (high - low)
        assert found.matched.implausibility(unit[None, :]).max() <= 3


def test_every_figure_of_a_fact_is_told_by_a_run(town):
    model = FactsCity(town(warm_up=30, days=395), rng=1, threads=1)
    model.run_until(395)
    told = {outcome.name: value for outcome, value in model.headlines()}
    assert told.keys() >= BY_NAME.keys()
