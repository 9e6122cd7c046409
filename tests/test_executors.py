"""Inline, processes and Dask give the same bits; stops, dead workers, progress, the dry run."""

import io
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from fake_model import FakeModel, fake_model
from reformsim.experiment import executors, ledger, plan, run
from reformsim.experiment.forecast import forecast
from reformsim.experiment.progress import Progress
from reformsim.experiment.run import How
from reformsim.experiment.store import Results, Store
from test_experiment import ROOT, comparison
from test_ledger import bits, chunk_files, execute, one_file_each

# -------------------------------------------------------------------------------- the same bits


@pytest.fixture(scope="module")
def inline(tmp_path_factory) -> Results:
    """Return an experiment made in this process."""
    return execute(comparison(), tmp_path_factory.mktemp("inline") / "results")


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_processes_give_the_bits_of_inline(inline, tmp_path, workers):
    results = execute(comparison(), tmp_path, workers, executor="processes")
    assert bits(results) == bits(inline)


def test_the_order_in_which_runs_end_changes_nothing(inline, tmp_path, monkeypatch):
    one_file_each(monkeypatch)
    asked = plan.of(comparison())
    for seed in range(3):
        runs = random.Random(seed).sample(asked.runs, len(asked.runs))
        directory = tmp_path / str(seed)
        run.carry_out(replace(asked, runs=runs), directory, 1, fake_model, io.StringIO())
        order = Store(directory)
        list(order.ledger.open())
        made = [key for key in order.status()]
        assert made == [(r.scenario, r.replication) for r in runs]
        assert bits(order.results(asked.runs)) == bits(inline)


def test_threads_change_no_bit_of_the_real_town(tmp_path, town):
    experiment = comparison(city=town().city, replications=1, warm_up=30, keep="headlines")
    results = {
        threads: run.execute(
            experiment, tmp_path / str(threads), stream=io.StringIO(), how=How(threads=threads)
        )
        for threads in (1, 2)
    }
    assert bits(results[1]) == bits(results[2])


def test_unknown_and_absent_executors_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(executors, "TIMEOUT", 0.5)
    with pytest.raises(executors.ExecutorError, match="inline, processes or dask://"):
        execute(comparison(), tmp_path, executor="slurm")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(executors.ExecutorError, match=f"no Dask scheduler answers at .*{port}"):
        execute(comparison(), tmp_path, executor=f"dask://127.0.0.1:{port}")
    assert len(execute(comparison(), tmp_path).runs) == 6


# ----------------------------------------------------------------------------------------- dask


class Cluster:
    """A Dask scheduler and two workers on loopback, each a process of its own."""

    def __init__(self, folder: Path) -> None:
        path = os.pathsep.join([str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")])
        self.env = os.environ | {"PYTHONPATH": path, "DASK_LOGGING__DISTRIBUTED": "error"}
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        host, port = self.address.split(":")
        self.processes = [
            self._start("scheduler", "--host", host, "--port", port, "--no-dashboard")
        ]
        options = ["--nthreads", "1", "--no-nanny", "--no-dashboard"]
        for name in ("one", "two"):
            place = ["--name", name, "--local-directory", str(folder / name)]
            self.processes.append(self._start("worker", f"tcp://{self.address}", *options, *place))

    def _start(self, *command: str) -> subprocess.Popen:
        whole = [sys.executable, "-m", "distributed.cli.dask_" + command[0], *command[1:]]
        return subprocess.Popen(
            whole, env=self.env, cwd=self.folder, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def wait(self) -> None:
        """Wait until both workers are there."""
        from distributed import Client

        with Client(f"tcp://{self.address}", timeout=60, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Start a cluster; skipped where the optional extra is not installed."""
    pytest.importorskip("distributed")
    found = Cluster(tmp_path_factory.mktemp("dask"))
    try:
        found.wait()
        yield found
    finally:
        found.stop()


def test_a_dask_cluster_gives_the_bits_of_inline_though_a_worker_is_killed(
    inline, cluster, tmp_path, monkeypatch
):
    """One of the two workers is killed when a third of the runs are there."""
    where = f"dask://{cluster.address}"
    assert bits(execute(comparison(), tmp_path / "undisturbed", executor=where)) == bits(inline)

    one_file_each(monkeypatch)
    experiment = comparison(replications=12, keep="headlines")
    killed: list[int] = []

    def watch() -> None:
        while len(chunk_files(tmp_path / "killed")) < 8:
            time.sleep(0.005)
        killed.append(len(chunk_files(tmp_path / "killed")))
        cluster.processes[-1].kill()

    threading.Thread(target=watch, daemon=True).start()
    monkeypatch.setattr(run, "BATCH", 0.0)  # run by run, so that some are left to be lost
    results = execute(experiment, tmp_path / "killed", executor=where)
    assert killed and killed[0] < 24, "the worker was killed too late"
    assert bits(results) == bits(execute(experiment, tmp_path / "here"))


def test_workers_with_other_code_are_refused(tmp_path):
    """As the mark of the code comes back with every chunk."""
    shelf = run.Shelf(Store(tmp_path), "this")
    with pytest.raises(executors.ExecutorError, match="install the same on both sides"):
        shelf.add(run.Made(plan, "that", 0))  # type: ignore[arg-type]


# ------------------------------------------------------------------------------- interruption


def test_interruption_in_one_process_keeps_what_is_done(tmp_path):
    class Stubborn(FakeModel):
        def run_until(self, day):
            if self.seed == 2:
                raise KeyboardInterrupt
            super().run_until(day)

    def stubborn(scenario, seed, threads):
        return Stubborn(scenario, seed, threads)

    stubborn.name = "fake_model:fake_model"  # type: ignore[attr-defined]
    with pytest.raises(run.Interrupted, match="2 of 6 runs are kept"):
        run.execute(comparison(), tmp_path, 1, stubborn, io.StringIO())
    how = How(other_code=True)  # this file, not that of the fake model
    assert len(run.execute(comparison(), tmp_path, 1, fake_model, io.StringIO(), how).runs) == 6


@pytest.mark.parametrize("step", ["replace", "append"])
@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_an_interruption_while_a_file_is_kept_loses_no_run(tmp_path, monkeypatch, step, done):
    """Between the file and its line, or either and the end of the call; it is counted as well."""
    true, left = getattr(ledger, step), [KeyboardInterrupt]

    def stopped(path, data):
        if done or not left:
            true(path, data)
        if left:
            raise left.pop()

    monkeypatch.setattr(ledger, step, stopped)
    with pytest.raises(run.Interrupted, match="1 of 6 runs are kept"):
        run.execute(comparison(), tmp_path, 1, fake_model, io.StringIO())
    text = io.StringIO()
    assert len(run.execute(comparison(), tmp_path, 1, fake_model, text).runs) == 6
    assert "1 of 6 runs are there already" in text.getvalue()


def test_what_a_stop_left_without_its_line_is_counted(tmp_path, monkeypatch):
    """Where the stop comes in the very last file, which nothing writes again."""
    true, written = ledger.append, []

    def stopped(path, data):
        written.append(data)
        if len(written) == 2:
            raise KeyboardInterrupt
        true(path, data)

    monkeypatch.setattr(ledger, "append", stopped)
    with pytest.raises(run.Interrupted, match="6 of 6 runs are kept"):
        run.execute(comparison(), tmp_path, 1, fake_model, io.StringIO())


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


def hear_interrupts() -> None:
    """Hear SIGINT even where the tests themselves run in the background of a shell."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")
def test_interrupting_the_parent_ends_its_workers_and_keeps_finished_runs(tmp_path):
    """Of four runs two never end; the second quick one may still wait to be written.

    What is kept is told from the ledger, whose line follows the file: so the line is waited for.
    """

    def told_in_ledger() -> bool:
        ledger = directory / "ledger.jsonl"
        return ledger.exists() and ".parquet" in ledger.read_text("utf-8")

    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    directory = tmp_path / "results"
    command = [sys.executable, str(script), str(ROOT / "tests"), str(directory)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, preexec_fn=hear_interrupts
    )
    try:
        deadline = time.monotonic() + 60
        while not told_in_ledger():
            assert time.monotonic() < deadline, "no quick run ever ended"
            time.sleep(0.05)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        process.send_signal(signal.SIGINT)
        told, _ = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "1 of 4 runs are kept" in told or "2 of 4 runs are kept" in told
    assert children
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in children):
        assert time.monotonic() < deadline, "a worker outlived its parent"
        time.sleep(0.05)


@pytest.mark.slow
def test_a_worker_that_dies_is_told_and_finished_runs_are_kept(tmp_path):
    scenarios = {"old": {}, "new": {"uncertainties": {"needs": 10}}}
    experiment = comparison(scenarios=scenarios, replications=1)
    with pytest.raises(run.WorkerDied, match="fewer --workers"):
        execute(experiment, tmp_path, workers=2)
    store = Store(tmp_path)
    list(store.ledger.open())
    assert set(store.status().values()) <= {"done"}


def test_the_number_of_batches_under_way_is_bounded(tmp_path, monkeypatch):
    """Memory must not grow with the design: what is handed out is, at most, two for each slot."""
    most, under_way = 0, set()

    class Counting(executors.Here):
        def submit(self, fn, /, *args, **kwargs):
            nonlocal most
            under_way.add(future := super().submit(fn, *args, **kwargs))
            most = max(most, len(under_way))
            return future

    class Shelf(run.Shelf):
        def add(self, made):
            under_way.difference_update([f for f in under_way if f.result() is made])
            super().add(made)

    monkeypatch.setattr(run, "BATCH", 0.0)
    store = Store(tmp_path)
    with store.locked():
        asked = plan.of(comparison(replications=20, keep="headlines"))
        hands = executors.Crew(Counting(), slots=3, threads=1, ahead=1)
        proto = run.Batch("bounded", asked.source, fake_model, 1, "headlines", ())
        progress = Progress(40, 0, io.StringIO())
        run.make(asked.runs, proto, hands, Shelf(store, run.work(proto).code), progress)
        assert len(store.status()) == 40
    assert most == 6


# --------------------------------------------------------------------------- progress, dry run


def test_progress_off_a_terminal_is_a_line_every_tenth():
    stream = io.StringIO()
    progress = Progress(50, 0, stream)
    for _ in range(50):
        progress.step()
    progress.close()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 10
    assert lines[0].startswith(" 10 %: 5 of 50 runs")


def test_the_estimate_follows_the_pace_and_forgets_the_start():
    """The first run takes 30 s with its compilation, the next 1 s each, later ones 2 s each."""
    now = 0.0
    progress = Progress(100, 0, io.StringIO(), clock=lambda: now)
    now = 30.0
    progress.step()
    assert progress.left() == pytest.approx(99 * 30)
    for _ in range(19):
        now += 1.0
        progress.step()
    assert progress.left() == pytest.approx(80.0)
    for _ in range(40):
        now += 2.0
        progress.step()
    assert progress.left() == pytest.approx(2 * 40.0)


def test_a_dry_run_tells_what_it_takes_and_keeps_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(FakeModel, "run_until", lambda self, day: time.sleep(0.1))
    directory = tmp_path / "results"
    experiment = comparison(replications=5)
    foreseen = forecast(plan.of(experiment), directory, 1, fake_model)
    assert not directory.exists()
    assert (foreseen.runs, foreseen.there, foreseen.tried, foreseen.at_a_time) == (10, 0, 2, 1)
    assert foreseen.run > 0.1 and foreseen.seconds > 1.0
    assert foreseen.memory > 5e7
    execute(experiment, directory)
    size = sum(path.stat().st_size for path in chunk_files(directory))
    assert size / 3 < foreseen.disk < 3 * size
    before = {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}
    more = forecast(plan.of(comparison(replications=6)), directory, 1, fake_model)
    assert (more.runs, more.there) == (12, 10)
    assert "12 runs, 10 there already, 2 to make" in more.told()
    assert before == {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}
