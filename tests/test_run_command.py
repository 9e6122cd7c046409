"""The command `reformsim run`: table, files, exit codes; on the small model."""

import json
import re
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fake_model import FakeModel, fake_model
from reformsim.cli import app
from reformsim.experiment import forecast, rerun, run
from test_experiment import OUTCOMES, ROOT

EXPERIMENT = f"""
name: small
title: A small comparison
title_zh: 小比较
question: Which?
city: town
years: 1
replications: 2
scenarios:
  old: {{}}
  new: {{reform: [{{measure: governance_committee}}]}}
baseline: old
outcomes: {json.dumps(OUTCOMES)}
figures: [waits]
"""


@pytest.fixture
def file(tmp_path, monkeypatch) -> Path:
    """Return an experiment file, with the small model in place of the large one."""
    monkeypatch.setattr(run, "execute", partial(run.execute, factory=fake_model))
    monkeypatch.setattr(forecast, "forecast", partial(forecast.forecast, factory=fake_model))
    monkeypatch.setattr(rerun, "rerun", partial(rerun.rerun, factory=fake_model))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    path = tmp_path / "small.yaml"
    path.write_text(EXPERIMENT, encoding="utf-8")
    return path


def call(*arguments: object):
    return CliRunner().invoke(app, ["run", *map(str, arguments), "--workers", "1"])


def test_table_then_paths_of_files_that_exist(file):
    done = call(file)
    assert done.exit_code == 0, done.output
    assert "A small comparison" in done.stdout and "new − old" in done.stdout
    paths = [line for line in done.stdout.splitlines() if line.startswith("results/small/")]
    names = ["manifest.json", "waits.png", "waits.svg", "runs.csv", "means.csv", "contrasts.csv"]
    assert [Path(path).name for path in paths] == names
    assert all(Path(path).is_file() for path in paths)
    assert "100 %: 4 of 4 runs" in done.stderr


def test_json_is_all_there_is_on_stdout(file):
    done = call(file, "--json", "-o", "elsewhere", "--replications", "3")
    summary = json.loads(done.stdout)
    assert summary["replications"] == 3
    assert {row["scenario"] for row in summary["contrasts"]} == {"new"}


def test_chinese(file):
    assert "小比较" in call(file, "--zh").stdout


def test_a_started_directory_of_another_config_is_a_users_mistake(file):
    call(file)
    file.write_text(EXPERIMENT.replace("years: 1", "years: 2"), encoding="utf-8")
    done = call(file)
    assert done.exit_code == 2
    assert "days: 730 -> 1095" in done.stderr
    done = call(file, "--executor", "slurm", "-o", "elsewhere")
    assert done.exit_code == 2
    assert "no executor 'slurm'" in done.stderr


def test_more_replications_are_added(file):
    call(file)
    done = call(file, "--replications", "3")
    assert done.exit_code == 0
    assert "4 of 6 runs are there already" in done.stderr


def test_dry_run_tells_and_keeps_nothing(file, tmp_path):
    done = call(file, "--dry-run")
    assert done.exit_code == 0, done.output
    for word in ("4 runs, 0 there already", "time: about", "memory: about", "disk: about"):
        assert word in done.stdout
    assert json.loads(call(file, "--dry-run", "--json").stdout)["runs"] == 4
    assert not (tmp_path / "results").exists()


def test_rerun_says_the_same_to_the_bit_or_ends_in_code_1(file, monkeypatch):
    call(file)
    done = CliRunner().invoke(app, ["rerun", "results/small", "--run", "new/1"])
    assert done.exit_code == 0, done.output
    told = r"run 3: new, replication 1, seed 2: done, \d{4} rows, the same to the bit"
    assert re.search(told, done.stdout)
    monkeypatch.setattr(FakeModel, "effect", lambda model: 0.5)
    done = CliRunner().invoke(app, ["rerun", "results/small", "--run", "3", "--json"])
    assert done.exit_code == 1
    assert json.loads(done.stdout)["same"] is False
    done = CliRunner().invoke(app, ["rerun", "results/small", "--run", "4"])
    assert done.exit_code == 2
    assert "no run '4'" in done.stderr


def test_a_wrong_file_is_told_with_its_line(file):
    file.write_text(EXPERIMENT.replace("years: 1", "years: 0"), encoding="utf-8")
    done = call(file)
    assert done.exit_code == 2
    assert "small.yaml:7:8: years: must be in [1, 99]" in done.stderr


def test_failed_runs_end_in_code_1_and_the_rest_is_shown(file, monkeypatch):
    broken = EXPERIMENT.replace("new: {", "new: {uncertainties: {needs: 12}, ")
    file.write_text(broken, encoding="utf-8")
    done = call(file)
    assert done.exit_code == 1
    assert "failed: run 1" in done.stdout and "contrasts.csv" in done.stdout
    monkeypatch.setattr(FakeModel, "run_until", lambda model, day: setattr(model, "day", day))
    assert call(file).exit_code == 1
    assert call(file, "--retry-failed").exit_code == 0


def test_interruption_ends_in_code_130(file, monkeypatch):
    def stop(model, day):
        raise KeyboardInterrupt

    monkeypatch.setattr(FakeModel, "run_until", stop)
    done = call(file)
    assert done.exit_code == 130
    assert "0 of 4 runs are kept in results/small" in done.stderr
