"""Where runs are made: in this process, in local processes, or on a Dask cluster that is there.

All three are executors as in ``concurrent.futures`` and do the same work on the same batches, so
that results are the same to the bit.
"""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from typing import Any

DASK = "dask://"
#: How long to wait for an answer of a Dask scheduler, in seconds.
TIMEOUT = 10.0
CHOICES = f"inline, processes or {DASK}host:port"


class ExecutorError(ValueError):
    """An executor that cannot be had: unknown, not installed, or not there."""


class WorkerDied(RuntimeError):
    """A worker process ended without a word: out of memory, or killed."""


@dataclass(frozen=True, slots=True)
class Crew:
    """An executor, how many runs it makes at a time, and with how many threads each."""

    executor: Executor
    slots: int
    threads: int
    ahead: int  # batches to have waiting for each slot, so that none stands idle


class Here(Executor):
    """The calling thread: a batch is made while it is handed in."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future:
        """Make it now; what it raises, Ctrl-C too, is raised at once."""
        done: Future = Future()
        done.set_result(fn(*args, **kwargs))
        return done


@contextmanager
def crew(where: str | None, workers: int, runs: int) -> Iterator[Crew]:
    """Open an executor: ``inline``, ``processes`` or ``dask://host:port``.

    None is ``processes``, or ``inline`` where there is one worker or run. Leaving by an
    exception ends local workers at once. Raises ExecutorError; WorkerDied where one died.
    """
    if where is None:
        where = "inline" if min(workers, runs) <= 1 else "processes"
    if where == "inline":
        yield Crew(Here(), slots=1, threads=os.cpu_count() or 1, ahead=0)
    elif where == "processes":
        with _processes(max(1, min(workers, runs))) as found:
            yield found
    elif where.startswith(DASK):
        with _dask(where.removeprefix(DASK)) as found:
            yield found
    else:
        raise ExecutorError(f"no executor {where!r}: {CHOICES}")


@contextmanager
def _processes(workers: int) -> Iterator[Crew]:
    others = set(multiprocessing.active_children())
    with ProcessPoolExecutor(workers, _context(), follow_parent) as pool:
        try:
            yield Crew(pool, slots=workers, threads=1, ahead=1)
        except BrokenProcessPool as error:
            raise WorkerDied(
                "a worker process died, perhaps out of memory; finished runs are kept, "
                "try again with fewer --workers"
            ) from error
        except BaseException:
            for child in set(multiprocessing.active_children()) - others:
                child.terminate()
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _context() -> BaseContext:
    """Return how processes start: on Linux as forks of one clean process that has imported all.

    A fork of this process itself might copy threads half-way; elsewhere each starts from nothing.
    """
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(["reformsim.experiment.bench", "reformsim.model"])
    return found


@contextmanager
def _dask(address: str) -> Iterator[Crew]:
    try:
        from distributed import Client, KilledWorker
    except ImportError:
        raise ExecutorError(
            "a Dask cluster needs the optional extra: pip install 'reformsim[dask]'"
        ) from None
    try:
        client = Client(f"tcp://{address}", timeout=TIMEOUT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ExecutorError(f"no Dask scheduler answers at {address} ({error})") from None
    with client:
        slots = sum(client.ncores().values())
        if not slots:
            raise ExecutorError(f"the Dask scheduler at {address} has no workers")
        # A batch whose worker dies goes to another one. `pure` would key it by its content and
        # so spend time on hashing it; every batch is its own.
        executor = client.get_executor(pure=False)
        try:
            yield Crew(executor, slots, threads=1, ahead=1)
        except KilledWorker as error:
            raise WorkerDied(
                f"several Dask workers died over the same runs; finished ones are kept ({error})"
            ) from error
        except CancelledError as error:
            raise WorkerDied(
                f"the Dask scheduler at {address} is gone; finished runs are kept"
            ) from error
        finally:
            executor.shutdown(wait=False)


def follow_parent() -> None:
    """Leave Ctrl-C to the parent, which ends the workers, and end with a parent that is killed.

    Only the parent writes files, so that a worker can be ended at any moment.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
