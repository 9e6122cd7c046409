"""What a results directory keeps, refuses, finds damaged and makes again; on the small model."""

import errno
import io
import itertools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from fake_model import FakeModel, fake_model
from reformsim.experiment import (
    analysis,
    begin,
    chunks,
    design,
    environment,
    executors,
    files,
    plan,
    run,
)
from reformsim.experiment.rerun import rerun
from reformsim.experiment.run import How
from reformsim.experiment.schema import Experiment
from reformsim.experiment.store import Results, Store, StoreError
from test_experiment import ROOT, comparison, on

#: Files of the report and leftovers that no results depend on.
TOUCHED = ("manifest.json", "design.jsonl", "ledger.jsonl")


def execute(experiment: Experiment, directory: Path, workers: int = 1, **how) -> Results:
    return run.execute(
        experiment, directory, workers, fake_model, stream=io.StringIO(), how=How(**how)
    )


def told(experiment: Experiment, directory: Path) -> tuple[Results, str]:
    """Return results with what was said on the way."""
    stream = io.StringIO()
    return run.execute(experiment, directory, 1, fake_model, stream), stream.getvalue()


def bits(results: Results) -> bytes:
    """Return a results table as bytes: all but the seconds that runs took."""
    tables = [results.runs.drop(columns="seconds"), results.rows]
    sink = pa.BufferOutputStream()
    for frame in tables:
        table = pa.Table.from_pandas(frame, preserve_index=True)
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table.combine_chunks())
    return sink.getvalue().to_pybytes()


def same(a: Results, b: Results) -> None:
    pd.testing.assert_frame_equal(a.rows, b.rows, check_exact=True)
    assert bits(a) == bits(b)


def one_file_each(monkeypatch) -> None:
    monkeypatch.setattr(run, "FILE", 0.0)


def chunk_files(directory: Path) -> list[Path]:
    return sorted((directory / "runs").glob("*.parquet"))


# ------------------------------------------------------------------------------ what is written


def test_a_run_is_a_row_with_what_it_told_within():
    rows = pa.table({name: [None] for name in chunks.FORM.names}, schema=chunks.FORM)
    done, failed = (
        chunks.Record("a", 0, 1, "done", seconds=0.5),
        chunks.Record("b", 3, 4, "failed", "run", "no"),
    )
    packed = chunks.pack([(done, rows), (failed, None), (done, rows)])
    back = chunks.from_bytes(chunks.to_bytes([packed], "c0de"))
    assert back.equals(packed)
    assert chunks.keys(back) == [("a", 0), ("b", 3), ("a", 0)]
    long = chunks.unfold(back, np.array([5, 6, 7]))
    assert long["place_of_run"].to_pylist() == [5, 7]


def test_headlines_are_the_rows_of_everything(tmp_path):
    everything = execute(comparison(), tmp_path / "all")
    headlines = execute(comparison(keep="headlines"), tmp_path / "few")
    there = everything.headlines().drop(columns="place").reset_index(drop=True)
    few = headlines.headlines().drop(columns="place").reset_index(drop=True)
    words = {name: str for name in chunks.WORDS if name != "place"}
    pd.testing.assert_frame_equal(there.astype(words), few.astype(words), check_exact=True)
    assert len(headlines.rows) == len(few)


def test_large_designs_keep_headlines_and_go_on_as_they_began(tmp_path, monkeypatch):
    monkeypatch.setattr(begin, "SWEEP", 8)
    execute(comparison(), tmp_path)
    assert Store(tmp_path).manifest()["keep"] == "all"
    more = execute(comparison(replications=4), tmp_path)
    assert Store(tmp_path).manifest()["keep"] == "all"
    assert len(more.runs) == 8
    execute(comparison(replications=4), tmp_path / "new")
    assert Store(tmp_path / "new").manifest()["keep"] == "headlines"


def test_manifest_and_design_say_all_that_repeats_the_experiment(tmp_path):
    experiment = comparison()
    execute(experiment, tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    (code,) = manifest["codes"].values()
    assert {"reformsim", "python", "numpy", "numba"} <= code["versions"].keys()
    assert code["model"]["name"] == "fake_model:fake_model" and code["model"]["source"]
    assert {"chance.py", "experiment/design.py", "model/orders.py"} <= code["sources"].keys()
    assert not {"cli/run.py", "report/study.py"} & code["sources"].keys()
    assert manifest["started"] <= manifest["finished"]
    assert {"system", "machine", "cores"} <= manifest["machine"].keys()
    assert Experiment.model_validate(manifest["experiment"]) == experiment
    written = Store(tmp_path).design()
    assert written.asked("new")["uncertainties"]["needs"] == 5
    assert written.seeds("new") == {0: 1, 1: 2, 2: 3}
    assert manifest["config_hash"] == files.digest((tmp_path / "design.jsonl").read_bytes())
    scenarios = design.scenarios(experiment)
    for name, scenario in scenarios.items():
        assert type(scenario).model_validate(written.asked(name)).resolved() == scenario.resolved()


def test_manifest_and_design_are_written_before_the_first_run(tmp_path):
    seen = []

    def factory(scenario, seed, threads):
        seen.append((tmp_path / "manifest.json").exists() and (tmp_path / "design.jsonl").exists())
        raise RuntimeError("no model")

    results = run.execute(comparison(), tmp_path, 1, factory, io.StringIO())
    assert seen == [True] * 6
    assert set(results.failed()["stage"]) == {"build"}


# ------------------------------------------------------------------------------- what is refused


def test_a_changed_config_is_refused_with_field_before_and_after(tmp_path):
    execute(comparison(), tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in TOUCHED}
    with pytest.raises(StoreError) as caught:
        execute(comparison(uncertainties={"needs": 6.0}, replications=4), tmp_path)
    assert "What differs: uncertainties.needs: 5.0 -> 6.0" in str(caught.value)
    with pytest.raises(StoreError, match=r"scenarios\.new\.uncertainties\.needs: 5\.0 -> 4\.0"):
        changed = {"old": {}, "new": on("governance_committee") | {"uncertainties": {"needs": 4.0}}}
        execute(comparison(scenarios=changed), tmp_path)
    with pytest.raises(StoreError, match="seed of replication 0: 1 -> 9"):
        execute(comparison(seed=9), tmp_path)
    with pytest.raises(StoreError, match="replications: 3 -> 2"):
        execute(comparison(replications=2), tmp_path)
    with pytest.raises(StoreError, match=r"scenarios\.new: not asked for any more"):
        execute(comparison(scenarios={"old": {}, "newer": on("joint_conference")}), tmp_path)
    with pytest.raises(StoreError, match="keep: all -> headlines"):
        execute(comparison(keep="headlines"), tmp_path)
    with pytest.raises(StoreError, match="model: fake_model:fake_model -> "):
        run.execute(comparison(), tmp_path, stream=io.StringIO())
    assert before == {name: (tmp_path / name).read_bytes() for name in TOUCHED}


def test_more_replications_and_scenarios_are_taken_and_equal_a_fresh_experiment(tmp_path):
    execute(comparison(replications=2), tmp_path / "grown")
    made = {path: path.stat().st_mtime_ns for path in chunk_files(tmp_path / "grown")}
    execute(comparison(replications=3), tmp_path / "grown")
    scenarios = {"first": on("joint_conference"), "old": {}, "new": on("governance_committee")}
    larger = comparison(replications=4, scenarios=scenarios)
    grown = execute(larger, tmp_path / "grown")
    same(grown, execute(larger, tmp_path / "fresh"))
    assert len(grown.runs) == 12
    assert all(path.stat().st_mtime_ns == then for path, then in made.items())
    held = [
        key
        for path in chunk_files(tmp_path / "grown")
        for key in chunks.keys(chunks.from_bytes(path.read_bytes(), rows=False))
    ]
    assert len(held) == len(set(held)) == 12


def test_what_is_only_shown_may_change(tmp_path):
    execute(comparison(), tmp_path)
    started = Store(tmp_path).manifest()["started"]
    execute(comparison(title="Another title", outcomes=comparison().outcomes[:1]), tmp_path)
    manifest = Store(tmp_path).manifest()
    assert manifest["experiment"]["title"] == "Another title"
    assert manifest["started"] == started


def test_changed_code_is_refused_where_runs_would_mix_and_told_where_not(tmp_path, monkeypatch):
    execute(comparison(), tmp_path)
    sources = environment.sources() | {"model/orders.py": "0" * 16}
    monkeypatch.setattr(environment, "sources", lambda: sources)
    _, said = told(comparison(), tmp_path)
    assert "made with other code (sources.model/orders.py" in said
    with pytest.raises(StoreError, match=r"2 further runs.*sources\.model/orders\.py"):
        execute(comparison(replications=4), tmp_path)
    assert len(execute(comparison(replications=4), tmp_path, other_code=True).runs) == 8
    assert len(Store(tmp_path).manifest()["codes"]) == 2
    assert "2 states of code" in told(comparison(replications=4), tmp_path)[1]


def test_a_directory_of_something_else_is_refused_and_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(StoreError, match="not empty"):
        execute(comparison(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("name", ["runs", "manifest.json", "ledger.jsonl", ".lock", "runs/x.tmp"])
def test_nothing_is_written_through_links_that_lead_outside(tmp_path, name):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    execute(comparison(), inside)
    if (inside / name).exists():
        (inside / name).rename(outside)
    else:
        outside.write_text("mine")
    (inside / name).symlink_to(outside)
    before = sorted(outside.iterdir()) if outside.is_dir() else outside.read_bytes()
    with pytest.raises(StoreError, match="link"):
        execute(comparison(replications=4), inside)
    assert before == (sorted(outside.iterdir()) if outside.is_dir() else outside.read_bytes())


def test_a_ledger_that_names_files_elsewhere_is_refused(tmp_path):
    execute(comparison(), tmp_path)
    line = {"file": "../../secret-0000000000000000.parquet", "sha256": "0" * 64, "runs": 1}
    files.append(tmp_path / "ledger.jsonl", files.seal(line).encode())
    with pytest.raises(StoreError, match="no name of a chunk"):
        execute(comparison(), tmp_path)


def test_the_second_of_two_commands_on_a_directory_is_refused(tmp_path):
    def factory(scenario, seed, threads):
        with pytest.raises(StoreError, match="another command is at work"):
            execute(comparison(), tmp_path)
        command = [sys.executable, "-c", SECOND, str(tmp_path)]
        other = subprocess.run(command, capture_output=True, text=True)
        refused.append(other.stdout)
        return FakeModel(scenario, seed, threads)

    refused: list[str] = []
    results = run.execute(comparison(replications=1), tmp_path, 1, factory, io.StringIO())
    assert len(results.runs) == 2
    assert len(refused) == 1 and "another command is at work" in refused[0]


SECOND = """
import sys
from pathlib import Path
from reformsim.experiment.files import StoreError, lock
try:
    with lock(Path(sys.argv[1])):
        print("taken")
except StoreError as error:
    print(error)
"""


# ---------------------------------------------------------------------------------- failed runs


def test_failed_runs_are_rows_excluded_and_tried_again_only_on_request(tmp_path, monkeypatch):
    one_file_each(monkeypatch)
    scenarios = {"old": {}, "new": {"uncertainties": {"needs": 12}}}
    experiment = comparison(scenarios=scenarios, replications=5)
    results = execute(experiment, tmp_path)
    failed = results.failed()
    assert list(failed["seed"]) == [1, 3, 5]
    assert set(failed["stage"]) == {"run"}
    assert set(failed["message"]) == {"RuntimeError: this run fails on purpose"}
    assert not set(failed["run"]) & set(results.rows["run"])
    assert {c.n for c in analysis.contrasts(results, {"new": "old"})} == {2}
    assert Store(tmp_path).manifest()["failed"] == 3

    there = chunk_files(tmp_path)
    same(execute(experiment, tmp_path), results)
    assert chunk_files(tmp_path) == there
    same(execute(experiment, tmp_path, retry_failed=True), results)
    assert len(chunk_files(tmp_path)) == len(there) + 3

    monkeypatch.setattr(FakeModel, "run_until", lambda self, day: setattr(self, "day", day))
    mended = execute(experiment, tmp_path, retry_failed=True)
    assert not len(mended.failed()) and len(mended.runs) == 10
    assert Store(tmp_path).manifest()["failed"] == 0


# -------------------------------------------------------------------------------- what is damaged


def test_resume_makes_only_what_is_missing_or_damaged_and_names_it(tmp_path, monkeypatch):
    one_file_each(monkeypatch)
    experiment = comparison()
    whole = execute(experiment, tmp_path)
    paths = chunk_files(tmp_path)
    assert len(paths) == 6
    paths[1].unlink()
    data = bytearray(paths[3].read_bytes())
    data[len(data) // 3] ^= 1
    paths[3].write_bytes(data)
    paths[4].write_bytes(paths[4].read_bytes()[:-20])
    before = {path: path.stat().st_mtime_ns for path in chunk_files(tmp_path)}
    results, said = told(experiment, tmp_path)
    same(results, whole)
    for path, fault in ((paths[1], "missing"), (paths[3], "damaged"), (paths[4], "damaged")):
        assert f"{path}: {fault}" in said
    assert "3 of 6 runs are there already" in said
    left = chunk_files(tmp_path)
    assert len(left) == 6 and len(set(left) & set(paths)) == 3
    assert all(path.stat().st_mtime_ns == before[path] for path in set(left) & set(paths))
    assert "note" not in told(experiment, tmp_path)[1]


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[Experiment, Path, bytes]:
    """Return a finished experiment of small files, and its table as bytes."""
    experiment = comparison(keep="headlines", replications=2)
    directory = tmp_path_factory.mktemp("whole") / "results"
    with pytest.MonkeyPatch.context() as patch:
        one_file_each(patch)
        results = execute(experiment, directory)
    return experiment, directory, bits(results)


def stored(directory: Path) -> list[Path]:
    return [*chunk_files(directory), *(directory / name for name in TOUCHED)]


@pytest.mark.parametrize("kind", ["flip", "cut"])
def test_none_of_300_damages_passes_silently(whole, tmp_path, kind, monkeypatch):
    """Every stored file, at random places: told by name; the same command makes it good.

    A damaged manifest is refused instead. The whole command is given after every tenth damage.
    """
    monkeypatch.setattr(os, "fsync", lambda file: None)  # of speed, not of what is tested
    experiment, pristine, expected = whole
    rng = np.random.default_rng(300)
    silent = []
    for trial, original in zip(range(300), itertools.cycle(stored(pristine)), strict=False):
        directory = shutil.copytree(pristine, tmp_path / str(trial))
        path = directory / original.relative_to(pristine)
        data = bytearray(path.read_bytes())
        if kind == "flip":
            bit = int(rng.integers(8 * len(data)))
            data[bit // 8] ^= 1 << bit % 8
        else:
            data = data[: int(rng.integers(len(data)))]
        path.write_bytes(data)
        said = "\n".join(damages(Store(directory)))
        if trial % 10 == 0 and path.name != "manifest.json":
            results, said = told(experiment, directory)
            assert bits(results) == expected
            assert not damages(Store(directory))
        if str(path) not in said:
            silent.append((path.name, bytes(data)))
        shutil.rmtree(directory)
    assert not silent


def damages(store: Store) -> list[str]:
    """Return what is said of a directory, nothing being mended."""
    found = list(store.ledger.open(mend=False))
    for read in (store.manifest, store.design):
        try:
            read()
        except StoreError as error:
            found.append(str(error))
    return found


def test_a_damaged_manifest_is_refused(whole, tmp_path):
    experiment, pristine, _ = whole
    directory = shutil.copytree(pristine, tmp_path / "x")
    path = directory / "manifest.json"
    path.write_text(path.read_text("utf-8").replace("headlines", "Headlines"), "utf-8")
    with pytest.raises(StoreError, match=r"manifest\.json.*damaged"):
        execute(experiment, directory)
    path.unlink()
    with pytest.raises(StoreError, match=r"manifest\.json: missing, though there are results"):
        execute(experiment, directory)


def test_a_lost_ledger_is_made_again_from_the_files(whole, tmp_path):
    experiment, pristine, expected = whole
    shutil.copytree(pristine, tmp_path / "x")
    (tmp_path / "x" / "ledger.jsonl").unlink()
    results, said = told(experiment, tmp_path / "x")
    assert bits(results) == expected
    assert "4 of 4 runs are there already" in said


def test_damage_that_comes_while_the_command_runs_is_found_at_the_end(tmp_path, monkeypatch):
    one_file_each(monkeypatch)

    def factory(scenario, seed, threads):
        for path in chunk_files(tmp_path):
            path.write_bytes(b"PAR1")
        return Breaking(scenario, seed, threads)

    class Breaking(FakeModel):
        def run_until(self, day):
            if self.seed == 2:
                for path in chunk_files(tmp_path):
                    path.write_bytes(b"PAR1")
            super().run_until(day)

    with pytest.raises(StoreError, match="damaged"):
        run.execute(comparison(), tmp_path, 1, factory, io.StringIO())


def test_nothing_is_unpickled():
    """Neither the store nor what it calls can load a pickle, but for the processes' own pipes."""
    for path in (ROOT / "src/reformsim/experiment").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "pickle" not in text.replace("can be pickled", "").replace("is executed", ""), path
        assert "yaml.load" not in text and "eval(" not in text


# ------------------------------------------------------------------- disks that do not take it


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_disk_that_takes_no_more_is_a_clear_error_and_earlier_runs_are_intact(
    tmp_path, monkeypatch, code
):
    one_file_each(monkeypatch)
    write, left = os.write, 60

    def full(file, data):
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(code, os.strerror(code))
        return write(file, data[: max(1, len(data) // 2)])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StoreError) as caught:
        execute(comparison(), tmp_path)
    assert os.strerror(code) in str(caught.value) and str(tmp_path) in str(caught.value)
    monkeypatch.setattr(os, "write", write)
    assert not list(tmp_path.rglob("*.tmp"))
    kept = chunk_files(tmp_path)
    assert 0 < len(kept) < 6
    results, said = told(comparison(), tmp_path)
    assert f"{len(kept)} of 6 runs are there already" in said
    same(results, execute(comparison(), tmp_path / "fresh"))


@pytest.mark.skipif(os.name != "posix", reason="limits as on POSIX")
def test_a_limit_of_the_system_on_file_size_is_a_clear_error(tmp_path, monkeypatch):
    one_file_each(monkeypatch)
    execute(comparison(), tmp_path / "fresh")
    largest = max(path.stat().st_size for path in stored(tmp_path / "fresh"))
    directory = tmp_path / "limited"
    context = executors._context()
    told = context.Queue()
    process = context.Process(target=limited, args=(directory, largest - 1, told))
    process.start()
    message = told.get(timeout=60)
    process.join()
    assert "File too large" in message and str(directory) in message
    assert not list(directory.rglob("*.tmp"))
    same(execute(comparison(), directory), execute(comparison(), tmp_path / "fresh"))


def limited(directory: Path, size: int, told) -> None:
    """Run in a process that may write no file larger than ``size``."""
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    run.FILE = 0.0
    try:
        execute(comparison(), directory)
    except StoreError as error:
        told.put(str(error))
    else:
        told.put("all of it was written")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_directory_is_a_clear_error(tmp_path):
    execute(comparison(), tmp_path)
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StoreError, match="Permission denied"):
            execute(comparison(replications=4), tmp_path)
    finally:
        tmp_path.chmod(0o700)


# ------------------------------------------------------------------------------ one run again


@pytest.mark.parametrize("keep", ["all", "headlines"])
def test_rerun_repeats_one_run_to_the_bit_and_says_so(tmp_path, keep):
    results = execute(comparison(keep=keep), tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for name in ("3", "new/1"):
        found = rerun(tmp_path, name, fake_model)
        assert (found.run, found.scenario, found.replication, found.seed) == (3, "new", 1, 2)
        assert found.same and not found.differences and not found.notes
        assert found.rows == int((results.rows["run"] == 3).sum())
        assert "the same to the bit" in found.told()
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(StoreError, match="no run '6'"):
        rerun(tmp_path, "6", fake_model)
    with pytest.raises(StoreError, match="made with the model fake_model:fake_model"):
        rerun(tmp_path, "3")


def test_rerun_tells_what_is_not_the_same(tmp_path, monkeypatch):
    execute(comparison(), tmp_path)
    monkeypatch.setitem(sys.modules["fake_model"].EFFECTS, "governance_committee", 0.031)
    sources = environment.sources() | {"model/orders.py": "0" * 16}
    monkeypatch.setattr(environment, "sources", lambda: sources)
    found = rerun(tmp_path, "new/1", fake_model)
    assert not found.same
    assert found.differences[0].startswith("outcome satisfaction ")
    assert "sources.model/orders.py" in found.notes[0]
    assert "NOT the same" in found.told()


def test_rerun_of_a_failed_run_fails_the_same(tmp_path):
    scenarios = {"old": {}, "new": {"uncertainties": {"needs": 12}}}
    execute(comparison(scenarios=scenarios), tmp_path)
    found = rerun(tmp_path, "new/0", fake_model)
    assert found.same and found.status == "failed"


def test_two_runs_of_one_name_are_refused():
    asked = plan.of(comparison())
    with pytest.raises(ValueError, match="two runs have the same"):
        plan.Plan("x", [*asked.runs, asked.runs[0]], asked.source, {})
