"""The bench on which a process makes its runs: models set back between runs, results packed."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa

from reformsim.declared import Outcome
from reformsim.experiment import environment
from reformsim.experiment.chunks import FORM, Record, pack
from reformsim.experiment.design import Run
from reformsim.experiment.plan import Asked, Keep, Source
from reformsim.scenario import Scenario


class Model(Protocol):
    """What the pipeline needs of a model; ``reformsim.model.CityModel`` is one."""

    def reset(self, scenario: Any, rng: int) -> None:
        """Go back to day 0 with another scenario and seed on the same city."""

    def run_until(self, day: float) -> None:
        """Run to the end of ``day``."""

    def headlines(self) -> list[tuple[Outcome, float]]:
        """Return the outcomes of the whole city after the transition; NaN where there is none."""

    def outcomes(self) -> pd.DataFrame:
        """Return outcome, value, unit, better, level, place, period."""

    def curves(self) -> pd.DataFrame:
        """Return month, day, outcome, value, for the whole city."""

    def waits(self) -> pd.DataFrame:
        """Return kind, outcome, value, period."""


class Detailed(Model, Protocol):
    """What ``keep: detail`` needs besides."""

    def communities(self) -> pd.DataFrame:
        """Return outcome, value, unit, better, level, place, period."""

    def daily(self) -> pd.DataFrame:
        """Return day, district, and a column for each count."""


class Panelled(Model, Protocol):
    """What a pilot needs besides."""

    def panel(self) -> pd.DataFrame:
        """Return month, day, level, place, outcome, value, cases."""


#: Builds a model from a scenario, a seed and a number of threads; a module's function, so that
#: worker processes can import it, or an object that can be pickled.
Factory = Callable[[Any, int, int], Model]


def city_model(scenario: Scenario, seed: int, threads: int) -> Model:
    """Build the model of the project."""
    from reformsim.model import CityModel

    return CityModel(scenario, rng=seed, threads=threads)


class Bench:
    """The models of one thread, one per city, set back between runs instead of built anew."""

    most = 4  # cities kept at a time

    def __init__(self, factory: Factory, threads: int, keep: Keep = "all") -> None:
        """Keep the factory; models are built at their first use."""
        self.factory = factory
        self.threads = threads
        self.collect = COLLECT[keep]
        self.models: dict[str, Model] = {}

    def model(self, asked: Asked, seed: int) -> Model:
        """Return a model at day 0 of what is asked."""
        place = ""
        if isinstance(asked, Scenario):
            place = f"{asked.city_seed} {asked.city.model_dump_json()}"
        model = self.models.pop(place, None)
        if model is None:
            while len(self.models) >= self.most:
                self.models.pop(next(iter(self.models)))
            model = self.factory(asked, seed, self.threads)
        else:
            model.reset(asked, seed)
        self.models[place] = model
        return model

    def run(self, source: Source, run: Run) -> tuple[Record, pa.Table | None]:
        """Make one run; a failure is returned as a record, never raised."""
        facts = (run.scenario, run.replication, run.seed)
        start = time.perf_counter()
        stage = "build"
        try:
            asked = source.scenario(run)
            model = self.model(asked, run.seed)
            stage = "run"
            model.run_until(asked.days)
            stage = "outcomes"
            rows = self.collect(model)
        except Exception as error:
            self.models.clear()  # a model that broke half-way is not set back but thrown away
            return Record(*facts, "failed", stage, f"{type(error).__name__}: {error}"), None
        return Record(*facts, "done", seconds=round(time.perf_counter() - start, 3)), rows


def everything(model: Model) -> pa.Table:
    """Return all that a finished run tells, in the columns of ``FORM``."""
    parts = [
        model.outcomes().assign(kind="outcome"),
        model.curves().assign(kind="curve"),
        model.waits(),
    ]
    return _packed(parts)


def detail(model: Detailed) -> pa.Table:
    """Return everything, the outcomes of every community, and what was counted day by day."""
    days = model.daily().melt(["day", "district"], var_name="outcome")
    days = days.rename(columns={"district": "place"}).assign(kind="daily", level="district")
    parts = [model.communities().assign(kind="community"), days]
    return pa.concat_tables([everything(model), _packed(parts)])


def panels(model: Panelled) -> pa.Table:
    """Return the headlines of the city, and the panel of the scenario with its cases."""
    told = model.panel()
    cases = told.assign(kind="cases", value=told["cases"])
    values = told.assign(kind="panel")
    return pa.concat_tables([headlines(model), _packed([values, cases[cases["value"].notna()]])])


def _packed(parts: list[pd.DataFrame]) -> pa.Table:
    frames = [part.reindex(columns=FORM.names) for part in parts if len(part)]
    if not frames:
        return FORM.empty_table()
    rows = pd.concat(frames, ignore_index=True).astype({"month": "Int32"})
    return pa.Table.from_pandas(rows, schema=FORM, preserve_index=False).replace_schema_metadata()


def headlines(model: Model) -> pa.Table:
    """Return the same rows as ``everything`` for the whole city after the transition, no other."""
    found = [(outcome, value) for outcome, value in model.headlines() if np.isfinite(value)]
    n = len(found)
    columns = {
        "kind": ["outcome"] * n,
        "outcome": [outcome.name for outcome, _ in found],
        "value": [value for _, value in found],
        "unit": [outcome.unit for outcome, _ in found],
        "better": [outcome.better for outcome, _ in found],
        "level": ["city"] * n,
        "place": [""] * n,
        "period": ["after"] * n,
        "month": [None] * n,
        "day": [None] * n,
    }
    return pa.table(columns, schema=FORM)


#: What is taken of a finished run.
COLLECT: dict[Keep, Callable[[Any], pa.Table]] = {
    "all": everything,
    "detail": detail,
    "headlines": headlines,
    "panel": panels,
}


@dataclass(frozen=True)
class Batch:
    """Runs to make one after the other, with all that a process needs to make them.

    ``order`` is a name that the batches of one command share, so that a process keeps its models
    from one batch to the next.
    """

    order: str
    source: Source
    factory: Factory
    threads: int
    keep: Keep
    runs: Sequence[Run]


@dataclass(frozen=True)
class Made:
    """A batch that was made: a chunk, the mark of the code that made it, the memory it took."""

    chunk: pa.Table
    code: str
    memory: int  # most bytes that the process held so far, 0 where the system does not say


_here = threading.local()


def work(batch: Batch) -> Made:
    """Make the runs of a batch; models stay in the thread for the next batch of the order."""
    if getattr(_here, "order", None) != batch.order:
        _here.bench = Bench(batch.factory, batch.threads, batch.keep)
        _here.code = environment.mark(environment.code(batch.factory))
        _here.order = batch.order
    made = [_here.bench.run(batch.source, run) for run in batch.runs]
    return Made(pack(made), _here.code, environment.peak_memory())
