"""The commands `reformsim plot` and `provenance`: every figure there can be, or the reason."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reformsim import outcomes
from reformsim.cli import app
from reformsim.experiment.schema import Experiment
from reformsim.experiment.store import Store
from reformsim.report.chinese import chinese
from reformsim.report.edition import Edition
from reformsim.report.study import Study
from test_experiment import comparison, execute


def call(*arguments: object):
    return CliRunner().invoke(app, [*map(str, arguments)])


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    """Return a directory of which only headlines were kept: the quickest to draw."""
    directory = tmp_path_factory.mktemp("plot") / "kept"
    execute(comparison(keep="headlines"), directory)
    return directory


def test_plot_draws_what_it_can_and_tells_the_rest(results, tmp_path):
    done = call("plot", results, "-o", tmp_path / "new", "--format", "svg")
    assert done.exit_code == 0, done.output
    drawn = [Path(line).name for line in done.stdout.splitlines()]
    assert drawn == ["contrasts.svg", "tradeoffs.svg", "flow.svg"]
    assert {path.name for path in (tmp_path / "new").iterdir()} == set(drawn)
    for name in ("curves", "waits", "distribution", "map"):
        assert f"{name}: not drawn: runs kept the outcomes of the city only" in done.stderr


def test_the_same_directory_gives_the_same_bytes_and_its_experiment_again(results, tmp_path):
    for suffix in ("png", "svg", "pdf"):
        name = f"contrasts.zh.{suffix}"
        for folder in ("a", "b"):
            done = call("plot", results, "--only", "contrasts", "--zh", "--format", suffix,
                        "-o", tmp_path / folder)  # fmt: skip
            assert done.exit_code == 0, done.output
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
        told = json.loads(call("provenance", tmp_path / "a" / name).stdout)
        assert told["config_hash"] == Store(results).manifest()["config_hash"]
        assert (told["figure"], told["language"]) == ("contrasts", "zh")
        again = tmp_path / "again.yaml"
        again.write_text(call("provenance", tmp_path / "a" / name, "--experiment").stdout, "utf-8")
        assert Experiment.load(again) == comparison(keep="headlines")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--only", "sobol"], "no 'sobol' of a compare design; there are curves, contrasts"),
        (["--format", "png,gif"], "no 'gif'; there are png, svg, pdf"),
    ],
)
def test_a_wrong_option_is_a_users_mistake(results, arguments, words):
    done = call("plot", results, *arguments)
    assert done.exit_code == 2
    assert words in done.stderr


def test_a_figure_asked_for_that_cannot_be_drawn_ends_in_code_1(results, tmp_path):
    done = call("plot", results, "--only", "map", "-o", tmp_path, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["refused"].keys() == {"map"}


def test_what_is_no_results_directory_is_refused(tmp_path, results):
    assert call("plot", tmp_path).exit_code == 2
    assert call("provenance", results / "manifest.json").exit_code == 2
    broken = {"uncertainties": {"needs": 12}}
    execute(comparison(scenarios={"old": broken, "new": broken}, replications=1), tmp_path / "x")
    done = call("plot", tmp_path / "x")
    assert done.exit_code == 2
    assert "no finished run" in done.stderr


def test_a_directory_of_another_version_says_that_it_is_not_understood(tmp_path):
    execute(comparison(keep="headlines", replications=1), tmp_path)
    store = Store(tmp_path)
    manifest = store.manifest()
    manifest["experiment"]["of_later"] = 1
    store.write_manifest(manifest)
    done = call("plot", tmp_path)
    assert done.exit_code == 2
    assert "not an experiment that reformsim" in done.stderr


def test_failed_and_missing_runs_are_said_on_the_figure(tmp_path):
    scenarios = {"old": {}, "new": {"uncertainties": {"needs": 12}}}
    execute(comparison(scenarios=scenarios), tmp_path)
    study = Study.load(tmp_path)
    assert "2 of 6 runs failed" in Edition(study, zh=False).counted()
    assert "6 次运行中 2 次失败" in Edition(study, zh=True).counted()
    longer = study.experiment.model_copy(update={"replications": 5})
    told = Edition(Study(longer, study.results, study.config_hash), zh=False).counted()
    assert "4 of 10 runs not made yet" in told


def test_every_unit_of_an_outcome_is_said_in_chinese():
    alike = {"0–1"}
    units = {outcome.unit for outcome in outcomes.OUTCOMES} - alike
    assert [unit for unit in sorted(units) if chinese(unit) == unit] == []
