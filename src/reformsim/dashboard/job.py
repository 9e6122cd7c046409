"""The experiment at work: one at a time, told month by month, stopped when asked."""

import io
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from reformsim import outcomes
from reformsim.declared import Outcome
from reformsim.experiment import design, environment, run
from reformsim.experiment.bench import city_model
from reformsim.experiment.design import Run
from reformsim.experiment.schema import Experiment
from reformsim.experiment.store import Store, StoreError
from reformsim.model import CityModel
from reformsim.report import data
from reformsim.scenario import Scenario, month_of, month_start

State = Literal["running", "done", "stopped", "failed"]


class Stopped(KeyboardInterrupt):
    """The user stopped the job: the pipeline then keeps what is finished, as after Ctrl-C."""


class Job:
    """Makes the runs of an experiment in a thread of its own, by the same pipeline as `run`."""

    def __init__(self, experiment: Experiment, directory: Path) -> None:
        """Prepare; nothing is run or written yet."""
        self.experiment, self.directory = experiment, directory
        self.state: State = "running"
        self.message = ""
        self._runs = {(run.scenario, run.seed): run for run in design.runs(experiment)}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._version = 0
        self._now: Run | None = None
        self._day, self._days = 0, 1
        self._monthly = [x for x in experiment.outcomes if x not in outcomes.OF_LONG_PERIODS]
        self._curves: dict[str, list[dict[str, float | None]]] = {}
        self._maps: dict[str, list[list[float | None]]] = {}
        self._thread = threading.Thread(target=self._work, name="reformsim job", daemon=True)

    def start(self) -> None:
        """Begin to run."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the job to stop at the end of the month that it is in."""
        self._stop.set()

    def wait(self, seconds: float | None = None) -> None:
        """Wait for the job to end, at most so many seconds."""
        self._thread.join(seconds)

    def snapshot(self) -> dict[str, Any]:
        """Return how far it is and what has been seen, fit for JSON.

        ``curves``: values by outcome and scenario, a month each; ``map``: residents'
        satisfaction by scenario and subdistrict, at the last month that all of them have seen: a
        difference between two months would be none of the bundle's. Both are of the replication
        under way.
        """
        with self._lock:
            there = list(self._runs)
            at = there.index((self._now.scenario, self._now.seed)) if self._now else 0
            seen = min((len(months) for months in self._maps.values()), default=0)
            share = (at + self._day / self._days) / len(there) if self._now else 0.0
            return {
                "version": self._version,
                "state": self.state,
                "message": self.message,
                "share": 1.0 if self.state == "done" else round(share, 4),
                "run": at + 1,
                "runs": len(there),
                "replication": self._now.replication + 1 if self._now else 0,
                "replications": self.experiment.replications,
                "scenario": self._now.scenario if self._now else "",
                "day": self._day,
                "curves": {
                    name: {s: [month[name] for month in m] for s, m in self._curves.items()}
                    for name in self._monthly
                },
                "map": {s: m[seen - 1] for s, m in self._maps.items() if seen},
            }

    def begin_run(self, scenario: Scenario, seed: int) -> None:
        """Take note of a run that starts; what was seen of another replication is dropped."""
        with self._lock:
            before, self._now = self._now, self._runs[scenario.name, seed]
            if before is None or before.replication != self._now.replication:
                self._curves, self._maps = {}, {}
            self._day, self._days = 0, scenario.days
            self._curves[scenario.name] = []
            self._maps[scenario.name] = []
            self._version += 1

    def end_month(self, model: CityModel) -> None:
        """Take note of a month that ended. Raises Stopped where the user asked for it."""
        if self._stop.is_set():
            raise Stopped
        values = outcomes.of_month(model.history.months[-1])
        people = model.residents
        sums, heads = (
            np.bincount(people.get("subdistrict"), weights, len(model.city.subdistricts))
            for weights in (people.get("satisfaction_now"), None)
        )
        with self._lock:
            name = model.scenario.name
            self._day = int(model.time)
            self._curves[name].append({k: _json(values[k]) for k in self._monthly})
            self._maps[name].append([_json(x) for x in sums / np.maximum(heads, 1)])
            self._version += 1

    def _work(self) -> None:
        try:
            how = run.How(executor="inline")
            run.execute(
                self.experiment, self.directory, 1, Watching(self), io.StringIO(), how
            )  # fmt: skip
            self._save()
            self._end("done")
        except run.Interrupted:
            self._save()
            self._end("stopped")
        except Exception as error:  # whatever it is, the page must tell it: no one waits here
            told = isinstance(error, StoreError | run.ExecutorError)
            self._end("failed", str(error) if told else f"{type(error).__name__}: {error}")

    def _save(self) -> None:
        """Put the experiment file beside its results."""
        store = Store(self.directory)
        name = f"{self.experiment.name}.yaml"
        store.write_text(name, data.yaml(store.manifest()["experiment"]))

    def _end(self, state: State, message: str = "") -> None:
        with self._lock:
            self.state, self.message = state, message
            self._version += 1


@dataclass(frozen=True)
class Watching:
    """Builds the model of the project for the pipeline, and has a job told of every month.

    Its results are those of ``city_model`` to the bit, so that it bears its name.
    """

    job: Job
    name = environment.name_of(city_model)
    function = staticmethod(city_model)

    def __call__(self, scenario: Scenario, seed: int, threads: int) -> "Watched":
        """Build a model that is watched."""
        self.job.begin_run(scenario, seed)
        return Watched(CityModel(scenario, rng=seed, threads=threads), self.job)


class Watched:
    """A model as the pipeline knows it, which runs from month to month."""

    def __init__(self, model: CityModel, job: Job) -> None:
        """Take a model at day 0."""
        self.model, self.job = model, job

    def reset(self, scenario: Scenario, rng: int) -> None:
        """Go back to day 0 with another scenario and seed on the same city."""
        self.job.begin_run(scenario, rng)
        self.model.reset(scenario, rng)

    def run_until(self, day: float) -> None:
        """Run to the start of ``day``; the job hears of every month. Raises Stopped."""
        starts = (month_start(m) for m in range(1, month_of(int(day)) + 1))
        for end in [*(start for start in starts if start < day), day]:
            self.model.run_until(end)
            self.job.end_month(self.model)

    def headlines(self) -> list[tuple[Outcome, float]]:
        """Return what the model does."""
        return self.model.headlines()

    def outcomes(self) -> pd.DataFrame:
        """Return what the model does."""
        return self.model.outcomes()

    def curves(self) -> pd.DataFrame:
        """Return what the model does."""
        return self.model.curves()

    def waits(self) -> pd.DataFrame:
        """Return what the model does."""
        return self.model.waits()


def _json(value: float) -> float | None:
    return float(f"{value:.5g}") if np.isfinite(value) else None
