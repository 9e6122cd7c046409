"""Carry out a plan: what is missing is made, and kept as soon as it is there."""

import sys
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO
from uuid import uuid4

import pyarrow as pa

from reformsim.experiment import begin, environment, plan
from reformsim.experiment.bench import Batch, Factory, Made, city_model, work
from reformsim.experiment.design import Run
from reformsim.experiment.executors import Crew, ExecutorError, WorkerDied, crew
from reformsim.experiment.plan import Plan
from reformsim.experiment.progress import Progress
from reformsim.experiment.schema import Experiment
from reformsim.experiment.store import Results, Store

__all__ = ["ExecutorError", "How", "Interrupted", "WorkerDied", "carry_out", "execute"]

#: A batch of runs that goes to another process takes about this long, in seconds.
BATCH = 0.5
#: Finished runs wait at most so long, in seconds, or for so many others, to be one file.
FILE = 2.0
FILE_RUNS = 1000


class Interrupted(RuntimeError):
    """The user stopped the experiment; what was finished is kept."""


@dataclass(frozen=True, kw_only=True)
class How:
    """How runs are made; none of it changes their results.

    ``executor``: inline, processes or ``dask://host:port``; None chooses by the workers.
    ``threads``: for each run; None is all cores inline, else 1. ``retry_failed`` makes failed
    runs again. ``other_code`` goes on though the code has changed since the directory was begun.
    """

    executor: str | None = None
    threads: int | None = None
    retry_failed: bool = False
    other_code: bool = False


AS_USUAL = How()


def execute(
    experiment: Experiment,
    directory: Path,
    workers: int = 1,
    factory: Factory = city_model,
    stream: TextIO | None = None,
    how: How = AS_USUAL,
) -> Results:
    """Make the runs of ``experiment`` that ``directory`` does not hold yet; return all results.

    As ``carry_out``.
    """
    return carry_out(plan.of(experiment), directory, workers, factory, stream, how)


def carry_out(
    asked: Plan,
    directory: Path,
    workers: int = 1,
    factory: Factory = city_model,
    stream: TextIO | None = None,
    how: How = AS_USUAL,
) -> Results:
    """Make the runs of a plan that ``directory`` does not hold yet; return all results.

    Progress, and what was found damaged, goes to ``stream``, standard error if None. The results
    depend neither on ``workers`` and ``how`` nor on the order in which runs end. A run that fails
    becomes a record with its stage and message. Raises StoreError where the directory cannot take
    the plan, ExecutorError, Interrupted after Ctrl-C, WorkerDied.
    """
    out = stream or sys.stderr

    def tell(message: str) -> None:
        print(f"note: {message}", file=out, flush=True)

    store = Store(directory)
    code = environment.code(factory)
    with store.locked():
        manifest = begin.begin(store, asked, code)
        design = begin.settle_design(store, asked, manifest, tell)
        for damage in store.ledger.open():
            tell(damage)
        todo = missing(asked.runs, store, how.retry_failed)
        begin.settle_code(store, manifest, code, len(todo), how.other_code, tell)
        begin.write(store, asked, manifest, design)
        mark = environment.mark(code)
        progress = Progress(len(asked.runs), len(asked.runs) - len(todo), out)
        try:
            if todo:
                with crew(how.executor, workers, len(todo)) as hands:
                    threads = how.threads or hands.threads
                    proto = Batch(
                        uuid4().hex, asked.source, factory, threads, manifest["keep"], (),
                    )  # fmt: skip
                    make(todo, proto, hands, Shelf(store, mark), progress)
        except KeyboardInterrupt as error:
            for damage in store.ledger.open():  # it may have come between a file and its line
                tell(damage)
            left = len(missing(asked.runs, store, retry_failed=False))
            raise Interrupted(
                f"stopped: {len(asked.runs) - left} of {len(asked.runs)} runs are kept in "
                f"{directory}; the same command goes on from there"
            ) from error
        finally:
            progress.close()
        results = store.results(asked.runs)
        store.finish(finished=begin.now(), failed=len(results.failed()))
    return results


def missing(runs: Sequence[Run], store: Store, retry_failed: bool) -> list[Run]:
    """Return the runs that are not there, and those that failed if they are to be tried again."""
    there = store.status()
    kept = {key for key, status in there.items() if status == "done" or not retry_failed}
    return [run for run in runs if (run.scenario, run.replication) not in kept]


class Shelf:
    """Where finished runs wait for a moment, to go into one file together."""

    def __init__(self, store: Store, code: str) -> None:
        """Start empty; ``code`` is the mark of the code that must have made the runs."""
        self.store, self.code = store, code
        self.waiting: list[pa.Table] = []
        self.since = -float("inf")

    def add(self, made: Made) -> None:
        """Take a chunk. Raises ExecutorError, and StoreError where it had to be written."""
        if made.code != self.code:
            raise ExecutorError(
                "the workers run another state of the code or of its packages than this process: "
                "install the same on both sides"
            )
        self.waiting.append(made.chunk)
        if sum(map(len, self.waiting)) >= FILE_RUNS:
            self.empty()

    def patience(self) -> float | None:
        """Return for how many seconds what waits may go on to wait; None where nothing does."""
        return max(0.0, self.since + FILE - time.monotonic()) if self.waiting else None

    def empty(self) -> None:
        """Write what waits; where a stop comes in between, it still waits."""
        if self.waiting:
            self.store.add(self.waiting, self.code)
            self.waiting = []
            self.since = time.monotonic()


def make(todo: Sequence[Run], proto: Batch, hands: Crew, shelf: Shelf, progress: Progress) -> None:
    """Hand out ``todo`` in batches, a bounded number at a time, and shelve what comes back.

    What is finished is kept however this ends.
    """
    queue, pending = deque(todo), set[Future[Made]]()
    pace = 0.0  # seconds of a run, a moving mean

    def take(future: Future[Made]) -> None:
        nonlocal pace
        pending.remove(future)
        made = future.result()
        shelf.add(made)
        progress.step(len(made.chunk))
        seconds = sum(made.chunk["seconds"].to_pylist()) / len(made.chunk)
        pace = 0.8 * pace + 0.2 * seconds if pace else seconds

    try:
        while queue or pending:
            while queue and len(pending) < hands.slots * (1 + hands.ahead):
                size = _size(pace, len(queue), hands)
                runs = tuple(queue.popleft() for _ in range(size))
                pending.add(hands.executor.submit(work, replace(proto, runs=runs)))
            for future in wait(pending, shelf.patience(), FIRST_COMPLETED).done:
                take(future)
            if shelf.patience() == 0:
                shelf.empty()
    finally:
        for future in [f for f in pending if f.done() and not f.cancelled() and not f.exception()]:
            take(future)
        shelf.empty()


def _size(pace: float, left: int, hands: Crew) -> int:
    """Return how many runs to hand out at once: one where none has to travel or none is known."""
    if not hands.ahead or not pace:
        return 1
    fair = left // (2 * hands.slots)
    return max(1, min(int(BATCH / pace), fair, FILE_RUNS // 4))
