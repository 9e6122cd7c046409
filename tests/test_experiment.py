"""The path design → runs → store on a small model: what is run, kept, resumed and refused."""

import io
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fake_model import BOTH, COMPENSATION, EFFECTS, FakeModel, fake_model
from reformsim import outcomes
from reformsim.config import ConfigError
from reformsim.experiment import analysis, design, run
from reformsim.experiment.schema import Experiment
from reformsim.experiment.store import Results, Store, StoreError, config_hash

ROOT = Path(__file__).parents[1]
OUTCOMES = [outcome.name for outcome in outcomes.OUTCOMES if outcome.headline][:4]


def on(measure: str) -> dict:
    return {"reform": [{"measure": measure}]}


def comparison(**changes) -> Experiment:
    base = {
        "name": "comparison",
        "title": "A comparison",
        "title_zh": "比较",
        "question": "Which?",
        "city": {"name": "x"},
        "years": 1,
        "replications": 3,
        "outcomes": OUTCOMES,
        "scenarios": {"old": {}, "new": on("governance_committee")},
        "baseline": "old",
    }
    return Experiment.model_validate(base | changes)


def factorial(**changes) -> Experiment:
    factors = {
        "duty": {"kept": {}, "removed": on("remove_investment_duty")},
        "a2": {"low": {}, "high": on("satisfaction_assessment")},
        "paid": {
            "none": {"uncertainties": {"revenue_compensation": 0}},
            "full": {"uncertainties": {"revenue_compensation": 1}},
        },
    }
    shape = {"kind": "factorial", "factors": factors} | changes.pop("design", {})
    return comparison(scenarios={}, baseline=None, design=shape, **changes)


def execute(experiment: Experiment, directory: Path, workers: int = 1, **more) -> Results:
    return run.execute(experiment, directory, workers, fake_model, io.StringIO(), **more)


# ---------------------------------------------------------------------------------------- design


@pytest.mark.parametrize(
    ("name", "cells"), [("regimes", 2), ("investment_duty", 32), ("station_layouts", 15)]
)
def test_shipped_experiments_are_valid(name, cells):
    experiment = Experiment.load(ROOT / "experiments" / f"{name}.yaml")
    assert experiment.name == name
    assert len(design.cells(experiment)) == cells
    assert len(design.runs(experiment)) == cells * experiment.replications


def test_all_scenarios_of_a_replication_share_its_seed():
    runs = design.runs(comparison(seed=7))
    assert [run.id for run in runs] == list(range(6))
    assert [run.seed for run in runs] == [7, 7, 8, 8, 9, 9]
    assert [run.scenario for run in runs] == ["old", "new"] * 3


def test_factorial_has_every_combination_of_labels_and_their_differences():
    experiment = factorial()
    scenarios = design.scenarios(experiment)
    assert len(scenarios) == 8
    for labels in itertools.product(("kept", "removed"), ("low", "high"), ("none", "full")):
        scenario = scenarios["duty={} a2={} paid={}".format(*labels)]
        assert [step.measure for step in scenario.reform] == [
            *(["remove_investment_duty"] if labels[0] == "removed" else []),
            *(["satisfaction_assessment"] if labels[1] == "high" else []),
        ]
        assert scenario.uncertainties == {"revenue_compensation": float(labels[2] == "full")}


def test_references_stay_within_their_group():
    found = design.references(factorial(design={"within": ["paid"]}))
    assert found == {
        f"duty={duty} a2={a2} paid={paid}": f"duty=kept a2=low paid={paid}"
        for duty, a2, paid in itertools.product(
            ("kept", "removed"), ("low", "high"), ("none", "full")
        )
        if (duty, a2) != ("kept", "low")
    }


def test_differences_add_steps_and_replace_values():
    experiment = comparison(
        reform=[{"measure": "joint_conference"}],
        uncertainties={"needs": 3.0, "p_mis": 0.1},
        scenarios={
            "old": {},
            "new": {**on("governance_committee"), "uncertainties": {"needs": 4.0}},
        },
    )
    new = design.scenarios(experiment)["new"]
    assert [step.measure for step in new.reform] == ["joint_conference", "governance_committee"]
    assert new.uncertainties == {"needs": 4.0, "p_mis": 0.1}
    assert new.days == 2 * 365


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("reform: systemic", "reform: systematic", "scenarios.systemic.reform", "systemic"),
        ("reform: systemic", "uncertainties: {needs: 99}", "uncertainties.needs", "[0.5, 12]"),
        ("reform: systemic", "reform: [{measure: nope}]", "reform.0.measure", "nope"),
        ("baseline: block", "baseline: blok", "baseline", "block_separated, systemic"),
        ("figures: [curves", "figures: [cells", "figures", "factorial"),
        ("- satisfaction", "- satisfacton", "outcomes.0", "did you mean satisfaction?"),
        ("seed", "sed", "", ""),
    ],
)
def test_faults_are_told_at_their_place(tmp_path, old, new, place, words):
    text = (ROOT / "experiments/regimes.yaml").read_text(encoding="utf-8")
    if old == "seed":
        text, place, words = f"{text}\nsed: 3\n", "sed", "unknown key"
    file = tmp_path / "x.yaml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    with pytest.raises(ConfigError) as caught:
        Experiment.load(file)
    (line,) = caught.value.lines
    assert "x.yaml:" in line and place in line and words in line


# ------------------------------------------------------------------------------------------ runs


def same(a: Results, b: Results) -> None:
    pd.testing.assert_frame_equal(a.rows, b.rows, check_exact=True)
    timing = ["seconds"]
    pd.testing.assert_frame_equal(a.runs.drop(columns=timing), b.runs.drop(columns=timing))


def test_results_do_not_depend_on_workers(tmp_path):
    experiment = comparison()
    one = execute(experiment, tmp_path / "one", 1)
    two = execute(experiment, tmp_path / "two", 2)
    assert list(one.runs["run"]) == list(range(6))
    same(one, two)


def test_the_path_recovers_known_effects(tmp_path):
    """Noise of 0.3 % a run, 4 × 8 runs: 2 % of the base is more than ten standard errors."""
    results = execute(factorial(replications=4), tmp_path)
    found = {
        (e.outcome, e.factors): e.value / (1 + len(e.outcome) / 10)
        for e in analysis.effects(results, {"duty": ("kept", "removed"), "a2": ("low", "high"),
                                            "paid": ("none", "full")})
    }  # fmt: skip
    for outcome in OUTCOMES:
        duty = EFFECTS["remove_investment_duty"] + BOTH / 2
        assert found[outcome, ("duty",)] == pytest.approx(duty, abs=0.02)
        assert found[outcome, ("duty", "a2")] == pytest.approx(BOTH, abs=0.02)
        assert found[outcome, ("paid",)] == pytest.approx(COMPENSATION, abs=0.02)
        assert found[outcome, ("duty", "paid")] == pytest.approx(0, abs=0.02)


def test_models_are_set_back_not_built_anew():
    built = []

    def factory(scenario, seed, threads):
        built.append(scenario.city.name)
        return FakeModel(scenario, seed, threads)

    experiment = comparison(scenarios={"old": {}, "new": {"city": {"name": "y"}}})
    scenarios = design.scenarios(experiment)
    bench = run.Bench(factory, threads=1)
    for job in design.runs(experiment):
        bench.run(scenarios[job.scenario], job)
    assert built == ["x", "y"]


def test_progress_off_a_terminal_is_a_line_every_tenth():
    stream = io.StringIO()
    progress = run.Progress(50, 0, stream)
    for _ in range(50):
        progress.step()
    progress.close()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 10
    assert lines[0].startswith(" 10 %: 5 of 50 runs")


def test_failed_runs_are_recorded_excluded_and_tried_again(tmp_path):
    scenarios = {"old": {}, "new": {"uncertainties": {"needs": 12}}}
    experiment = comparison(scenarios=scenarios, replications=5)
    results = execute(experiment, tmp_path)
    failed = results.failed()
    assert list(failed["seed"]) == [1, 3, 5]
    assert set(failed["stage"]) == {"run"}
    assert set(failed["message"]) == {"RuntimeError: this run fails on purpose"}
    assert {c.n for c in analysis.contrasts(results, {"new": "old"})} == {2}
    assert Store(tmp_path).manifest()["failed"] == 3

    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "runs").iterdir()}
    same(execute(experiment, tmp_path), results)
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "runs").iterdir()}
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {f"{run:06d}.parquet" for run in failed["run"]}


# ----------------------------------------------------------------------------------------- store


def test_resume_makes_only_what_is_missing_or_damaged(tmp_path):
    experiment = comparison()
    whole = execute(experiment, tmp_path)
    files = sorted((tmp_path / "runs").iterdir())
    files[1].unlink()
    data = bytearray(files[3].read_bytes())
    data[len(data) // 3] ^= 0xFF
    files[3].write_bytes(data)
    files[4].write_bytes(files[4].read_bytes()[:-20])
    before = {path: path.stat().st_mtime_ns for path in files if path.exists()}
    same(execute(experiment, tmp_path), whole)
    changed = [i for i, p in enumerate(files) if before.get(p) != p.stat().st_mtime_ns]
    assert changed == [1, 3, 4]
    assert not [path for path in (tmp_path / "runs").iterdir() if path.name.startswith(".")]


def test_a_changed_config_is_refused_with_the_keys_that_differ(tmp_path):
    execute(comparison(), tmp_path)
    with pytest.raises(StoreError) as caught:
        execute(comparison(replications=4, uncertainties={"needs": 6.0}), tmp_path)
    told = str(caught.value)
    assert "config.replications: 3 -> 4" in told
    assert "config.scenarios.new.uncertainties.needs: 5.0 -> 6.0" in told


def test_what_is_only_shown_may_change(tmp_path):
    execute(comparison(), tmp_path)
    started = Store(tmp_path).manifest()["started"]
    execute(comparison(title="Another title", outcomes=OUTCOMES[:1]), tmp_path)
    manifest = Store(tmp_path).manifest()
    assert manifest["experiment"]["title"] == "Another title"
    assert manifest["started"] == started


def test_a_directory_of_something_else_is_refused(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(StoreError, match="not empty"):
        execute(comparison(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_manifest_says_all_that_repeats_the_experiment(tmp_path):
    experiment = comparison()
    execute(experiment, tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["config_hash"] == config_hash(manifest["config"])
    assert manifest["config"]["scenarios"]["new"]["uncertainties"]["needs"] == 5
    assert [(r["scenario"], r["seed"]) for r in manifest["runs"][:2]] == [("old", 1), ("new", 1)]
    assert {"reformsim", "python", "numpy", "numba"} <= manifest["versions"].keys()
    assert manifest["started"] <= manifest["finished"]
    again = Experiment.model_validate(manifest["experiment"])
    assert design.scenarios(again) == design.scenarios(experiment)


def test_the_manifest_is_written_before_the_first_run(tmp_path):
    seen = []

    def factory(scenario, seed, threads):
        seen.append((tmp_path / "manifest.json").exists())
        raise RuntimeError("no model")

    results = run.execute(comparison(), tmp_path, 1, factory, io.StringIO())
    assert seen == [True] * 6
    assert set(results.failed()["stage"]) == {"build"}


def test_hash_does_not_depend_on_the_order_of_keys():
    assert config_hash({"a": 1, "b": [2]}) == config_hash({"b": [2], "a": 1})
    assert config_hash({"a": 1}) != config_hash({"a": 1.5})


# ----------------------------------------------------------------------------------- interruption


def test_interruption_in_one_process_keeps_what_is_done(tmp_path):
    def factory(scenario, seed, threads):
        return Stubborn(scenario, seed, threads)

    class Stubborn(FakeModel):
        def run_until(self, day):
            if self.seed == 2:
                raise KeyboardInterrupt
            super().run_until(day)

    with pytest.raises(run.Interrupted, match="2 of 6 runs are kept"):
        run.execute(comparison(), tmp_path, 1, factory, io.StringIO())
    assert len(execute(comparison(), tmp_path).runs) == 6


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from fake_model import fake_model
from reformsim.experiment import run

if __name__ == "__main__":
    from test_experiment import comparison

    waits = {"uncertainties": {"needs": 11}}
    experiment = comparison(scenarios={"old": {}, "new": waits}, replications=2)
    try:
        run.execute(experiment, Path(sys.argv[2]), 2, fake_model)
    except run.Interrupted as error:
        print(error)
        sys.exit(130)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")
def test_interrupting_the_parent_ends_its_workers_and_keeps_finished_runs(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    directory = tmp_path / "results"
    command = [sys.executable, str(script), str(ROOT / "tests"), str(directory)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 60
        while len(list(directory.glob("runs/0*.parquet"))) < 2:
            assert time.monotonic() < deadline, "the two quick runs never ended"
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        told, _ = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "2 of 4 runs are kept" in told


@pytest.mark.slow
def test_a_worker_that_dies_is_told_and_finished_runs_are_kept(tmp_path):
    scenarios = {"old": {}, "new": {"uncertainties": {"needs": 10}}}
    experiment = comparison(scenarios=scenarios, replications=1)
    with pytest.raises(run.WorkerDied, match="fewer --workers"):
        execute(experiment, tmp_path, workers=2)
    assert all(
        r.status == "done" for r in Store(tmp_path).records(design.runs(experiment)).values()
    )


def test_fake_model_shares_chance_between_scenarios():
    """The tests above rest on it: pairing must matter."""
    scenarios = design.scenarios(comparison())
    values = {
        name: np.array([FakeModel(s, seed).outcomes()["value"].iloc[0] for seed in range(40)])
        for name, s in scenarios.items()
    }
    assert analysis.variance_reduction(values["new"], values["old"]) > 3
