"""What an experiment will take: runs, time, memory and disk, from a few runs made to try."""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from reformsim.experiment import begin, chunks, environment
from reformsim.experiment.bench import Batch, Factory, Made, city_model, work
from reformsim.experiment.design import Run
from reformsim.experiment.executors import Crew, crew
from reformsim.experiment.plan import Plan
from reformsim.experiment.progress import duration
from reformsim.experiment.run import AS_USUAL, How, missing
from reformsim.experiment.store import Store
from reformsim.scenario import available_memory

#: A second round of trial runs is made where the first took no longer, in seconds.
PATIENCE = 60.0


@dataclass(frozen=True)
class Forecast:
    """Runs in all, there already, tried; seconds of set-up, of a run, in all; bytes."""

    runs: int
    there: int
    memory_free: int | None
    disk_free: int
    notes: list[str]
    tried: int = 0
    at_a_time: int = 0
    set_up: float = 0.0
    run: float = 0.0
    seconds: float = 0.0
    memory: int = 0
    disk: int = 0

    def told(self) -> str:
        """Return it in words."""
        todo = self.runs - self.there
        lines = [f"{self.runs} runs, {self.there} there already, {todo} to make"]
        if todo:
            free = "?" if self.memory_free is None else _size(self.memory_free)
            lines += [
                f"time: about {duration(self.seconds)}, {self.at_a_time} at a time, from "
                f"{self.tried} tried: {self.run:.3g} s a run, {self.set_up:.2g} s to set up",
                f"memory: about {_size(self.memory)}, {free} free here",
                f"disk: about {_size(self.disk)}, {_size(self.disk_free)} free",
            ]
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes), "nothing was kept"])


def forecast(
    asked: Plan,
    directory: Path,
    workers: int = 1,
    factory: Factory = city_model,
    how: How = AS_USUAL,
) -> Forecast:
    """Try a few runs of a plan, spread over its design, and tell what the rest will take.

    Whole runs are tried, as many at a time as there will be: once to set up, and again to take
    the time unless the first round was long. Nothing is written. Raises what
    ``run.carry_out`` does.
    """
    store = Store(directory)
    notes = list(store.ledger.open(mend=False))
    manifest = begin.begin(store, asked, environment.code(factory))
    begin.settle_design(store, asked, manifest, notes.append)
    todo = missing(asked.runs, store, how.retry_failed)
    told = Forecast(
        runs=len(asked.runs),
        there=len(asked.runs) - len(todo),
        memory_free=available_memory(),
        disk_free=_free(directory.absolute()),
        notes=notes,
    )
    if not todo:
        return told
    with crew(how.executor, workers, len(todo)) as hands:
        threads = how.threads or hands.threads
        proto = Batch(uuid4().hex, asked.source, factory, threads, manifest["keep"], ())
        chosen = todo[:: max(1, len(todo) // (2 * hands.slots))][: 2 * hands.slots]
        made, once = _tried(hands, proto, chosen[: hands.slots])
        took = once
        if once < PATIENCE:
            more, took = _tried(hands, proto, chosen[hands.slots :] or chosen)
            made += more
    heads = [m.chunk.select(["scenario", "status", "message"]).to_pylist()[0] for m in made]
    failed = {f"{h['scenario']} failed: {h['message']}" for h in heads if h["status"] == "failed"}
    size = len(chunks.to_bytes([m.chunk for m in made], "")) / len(made)
    return replace(
        told,
        tried=len(made),
        at_a_time=hands.slots,
        set_up=max(0.0, once - took),
        run=took,
        seconds=max(0.0, once - took) + took * len(todo) / hands.slots,
        memory=hands.slots * max(m.memory for m in made),
        disk=round(size * len(todo)),
        notes=[*notes, *sorted(failed)],
    )


def _tried(hands: Crew, proto: Batch, runs: Sequence[Run]) -> tuple[list[Made], float]:
    """Make runs at the same time; return them and the seconds until the last was done."""
    start = time.monotonic()
    futures = [hands.executor.submit(work, replace(proto, runs=(run,))) for run in runs]
    made = [future.result() for future in futures]
    return made, time.monotonic() - start


def _free(directory: Path) -> int:
    """Return the free bytes of the disk on which ``directory`` is or will be."""
    there = next(path for path in (directory, *directory.parents) if path.exists())
    return shutil.disk_usage(there).free


def _size(number: int) -> str:
    """Write a number of bytes."""
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number / 1e3:.3g} kB"
