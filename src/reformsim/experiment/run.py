"""Carry out a design: runs in worker processes, each result kept as soon as it is there."""

import importlib.metadata
import multiprocessing
import os
import platform
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, TextIO

import pandas as pd
from tqdm import tqdm

import reformsim
from reformsim.experiment import design
from reformsim.experiment.schema import Experiment
from reformsim.experiment.store import FORM, Record, Results, Store
from reformsim.scenario import Scenario

_PACKAGES = ("numpy", "numba", "scipy", "pandas", "pyarrow", "mesa", "pydantic")


class Model(Protocol):
    """What the pipeline needs of a model; ``reformsim.model.CityModel`` is one."""

    def reset(self, scenario: Scenario, rng: int) -> None:
        """Go back to day 0 with another scenario and seed on the same city."""

    def run_until(self, day: float) -> None:
        """Run to the end of ``day``."""

    def outcomes(self) -> pd.DataFrame:
        """Return outcome, value, unit, better, level, place, period."""

    def curves(self) -> pd.DataFrame:
        """Return month, day, outcome, value, for the whole city."""

    def waits(self) -> pd.DataFrame:
        """Return stage, days, period."""


#: Builds a model from a scenario, a seed and a number of threads; a module's function, so that
#: worker processes can import it.
Factory = Callable[[Scenario, int, int], Model]


class Interrupted(RuntimeError):
    """The user stopped the experiment; what was finished is kept."""


class WorkerDied(RuntimeError):
    """A worker process ended without a word: out of memory, or killed."""


def city_model(scenario: Scenario, seed: int, threads: int) -> Model:
    """Build the model of the project."""
    from reformsim.model import CityModel

    return CityModel(scenario, rng=seed, threads=threads)


def execute(
    experiment: Experiment,
    directory: Path,
    workers: int = 1,
    factory: Factory = city_model,
    stream: TextIO | None = None,
) -> Results:
    """Make the runs of ``experiment`` that ``directory`` does not hold yet; return all results.

    Progress goes to ``stream``, standard error if None.
    The results do not depend on ``workers`` or on the order in which runs end. A run that fails
    becomes a record with its stage and message, and is tried again next time. Raises StoreError
    for a directory of another experiment, Interrupted after Ctrl-C, WorkerDied.
    """
    scenarios = design.scenarios(experiment)
    runs = design.runs(experiment)
    store = Store(directory)
    store.start(_manifest(experiment, scenarios, runs))
    kept = {i for i, record in store.records(runs).items() if record.status == "done"}
    todo = [run for run in runs if run.id not in kept]
    jobs = [(directory, design.scenario_of(experiment, run), run) for run in todo]
    progress = Progress(len(runs), len(kept), stream or sys.stderr)
    try:
        if workers == 1 or len(jobs) <= 1:
            bench = Bench(factory, os.cpu_count() or 1)
            for job in jobs:
                _make(bench, *job)
                progress.step()
        else:
            _spread(jobs, min(workers, len(jobs)), factory, progress)
    except KeyboardInterrupt as error:
        done = len(store.records(runs))
        raise Interrupted(
            f"stopped: {done} of {len(runs)} runs are kept in {directory}; "
            "the same command goes on from there"
        ) from error
    finally:
        progress.close()
    results = store.results(runs)
    store.finish(finished=_now(), failed=len(results.failed()))
    return results


class Bench:
    """The models of one process, one per city, set back between runs instead of built anew."""

    most = 4  # cities kept at a time

    def __init__(self, factory: Factory, threads: int) -> None:
        """Keep the factory; models are built at their first use."""
        self.factory = factory
        self.threads = threads
        self.models: dict[str, Model] = {}

    def model(self, scenario: Scenario, seed: int) -> Model:
        """Return a model at day 0 of ``scenario``."""
        city = f"{scenario.city_seed} {scenario.city.model_dump_json()}"
        model = self.models.pop(city, None)
        if model is None:
            while len(self.models) >= self.most:
                self.models.pop(next(iter(self.models)))
            model = self.factory(scenario, seed, self.threads)
        else:
            model.reset(scenario, seed)
        self.models[city] = model
        return model

    def run(self, scenario: Scenario, run: design.Run) -> tuple[Record, pd.DataFrame | None]:
        """Make one run; a failure is returned as a record, never raised."""
        facts = (run.id, run.scenario, run.replication, run.seed)
        start = time.perf_counter()
        stage = "build"
        try:
            model = self.model(scenario, run.seed)
            stage = "run"
            model.run_until(scenario.days)
            stage = "outcomes"
            rows = collect(model)
        except Exception as error:
            self.models.clear()  # a model that broke half-way is not set back but thrown away
            return Record(*facts, "failed", stage, f"{type(error).__name__}: {error}"), None
        return Record(*facts, "done", seconds=round(time.perf_counter() - start, 3)), rows


def collect(model: Model) -> pd.DataFrame:
    """Return everything a finished run tells, in the columns of ``store.FORM``."""
    parts = [
        model.outcomes().assign(kind="outcome"),
        model.curves().assign(kind="curve"),
        model.waits().rename(columns={"stage": "outcome", "days": "value"}).assign(kind="wait"),
    ]
    rows = pd.concat([part.reindex(columns=FORM.names) for part in parts], ignore_index=True)
    return rows.astype({"month": "Int32"})


class Progress:
    """A bar with an estimate on a terminal; elsewhere a line at every tenth of the runs."""

    def __init__(self, total: int, done: int, stream: TextIO) -> None:
        """Start at ``done`` of ``total`` runs."""
        self.total, self.done, self.stream = total, done, stream
        self.first, self.start = done, time.monotonic()
        self.bar = (
            tqdm(total=total, initial=done, file=stream, unit="run", smoothing=0.1)
            if stream.isatty()
            else None
        )
        if self.bar is None and done:
            print(f"{done} of {total} runs are there already", file=stream, flush=True)

    def step(self) -> None:
        """Count one run."""
        self.done += 1
        if self.bar is not None:
            self.bar.update()
        elif self.done * 10 // self.total > (self.done - 1) * 10 // self.total:
            rate = (time.monotonic() - self.start) / (self.done - self.first)
            left = rate * (self.total - self.done)
            print(
                f"{100 * self.done // self.total:3d} %: {self.done} of {self.total} runs, "
                f"about {left:.0f} s left",
                file=self.stream,
                flush=True,
            )

    def close(self) -> None:
        """Leave the terminal tidy."""
        if self.bar is not None:
            self.bar.close()


@lru_cache(maxsize=1)
def _bench(factory: Factory) -> Bench:
    """Return the bench of this worker process: one thread, the other cores have workers too."""
    return Bench(factory, threads=1)


def _work(factory: Factory, directory: Path, scenario: Scenario, run: design.Run) -> None:
    _make(_bench(factory), directory, scenario, run)


def _make(bench: Bench, directory: Path, scenario: Scenario, run: design.Run) -> None:
    record, rows = bench.run(scenario, run)
    Store(directory).write_run(record, rows)


def _follow_parent() -> None:
    """Leave Ctrl-C to the parent, which ends the workers, and end with a parent that is killed.

    Files are whole or absent either way.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _spread(
    jobs: list[tuple[Path, Scenario, design.Run]],
    workers: int,
    factory: Factory,
    progress: Progress,
) -> None:
    others = set(multiprocessing.active_children())
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, spawn, _follow_parent) as pool:
        futures = [pool.submit(_work, factory, *job) for job in jobs]
        try:
            for future in as_completed(futures):
                future.result()
                progress.step()
        except BrokenProcessPool as error:
            raise WorkerDied(
                "a worker process died, perhaps out of memory; finished runs are kept, "
                "try again with fewer --workers"
            ) from error
        except BaseException:
            for future in futures:
                future.cancel()
            for child in set(multiprocessing.active_children()) - others:
                child.terminate()
            raise


def _manifest(
    experiment: Experiment, scenarios: dict[str, Scenario], runs: list[design.Run]
) -> dict[str, Any]:
    """Return the manifest: ``config`` is what decides the results, the rest is for the reader."""
    return {
        "config": {
            "name": experiment.name,
            "seed": experiment.seed,
            "replications": experiment.replications,
            "scenarios": {name: scenario.resolved() for name, scenario in scenarios.items()},
        },
        "experiment": experiment.model_dump(mode="json", exclude_defaults=True),
        "runs": [asdict(run) for run in runs],
        "versions": {
            "reformsim": reformsim.__version__,
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in _PACKAGES},
        },
        "platform": {"system": platform.platform(), "cores": os.cpu_count()},
        "started": _now(),
        "finished": None,
        "failed": None,
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
