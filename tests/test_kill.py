"""kill -9 at every stage of a write and at random moments: nothing lost, nothing doubled.

Processes are killed by SIGKILL, which no program can see coming; the system is not, so that what
had been written but not synced survives here: the order of the calls is what is tested.
"""

import collections
import io
import os
import time
from pathlib import Path

import numpy as np
import pytest

import killing
from killing import PROBLEM, STAGES, sleeping, started
from reformsim.experiment import chunks, executors, plan
from reformsim.experiment.bench import city_model
from reformsim.experiment.chunks import Key
from reformsim.experiment.plan import Plan
from reformsim.experiment.run import carry_out
from reformsim.experiment.store import Store
from test_experiment import comparison
from test_ledger import bits

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")


@pytest.fixture(scope="module")
def context():
    """Return how processes start: as forks of a clean one, so that it takes no time."""
    return executors._context()


def finish(asked: Plan, directory: Path, workers: int, factory) -> bytes:
    """Give the command once more, let it end, and return the table as bytes."""
    carry_out(asked, directory, workers, factory, io.StringIO())
    store = Store(directory)
    assert not list(store.ledger.open(mend=False))
    held = [
        key
        for name in store.ledger.files()
        for key in chunks.keys(chunks.from_bytes(store.ledger.read(name), rows=False))
    ]
    doubled = [key for key, times in collections.Counter(held).items() if times > 1]
    assert not doubled
    assert not [path for path in directory.rglob("*.tmp") if path.parent.name == "runs"]
    return bits(store.results(asked.runs))


def kept(directory: Path) -> set[Key]:
    """Return the runs that are there, as the same command would find them."""
    store = Store(directory)
    list(store.ledger.open(mend=False))
    return set(store.status())


WHOLE = (("design", 1), ("manifest", 1), ("manifest", 2), (".parquet", 1), (".parquet", 3))
WRITES = [
    *((stage, name, nth) for name, nth in WHOLE for stage in STAGES),
    *((stage, "ledger", nth) for nth in (1, 3) for stage in STAGES[:3]),
]


def test_a_kill_at_every_stage_of_a_write_loses_and_doubles_nothing(context, tmp_path):
    """Of design, manifest at begin and end, first and third chunk, first and third ledger line."""
    asked = sleeping(3, 1)
    undisturbed = finish(asked, tmp_path / "undisturbed", 1, PROBLEM)
    for i, write in enumerate(WRITES):
        directory = tmp_path / str(i)
        process = started(context, asked, directory, 1, PROBLEM, write, 0.0)
        process.join(60)
        assert process.exitcode == -9, f"was not killed {write}"
        stage, name, nth = write
        there = len(kept(directory))
        if name == ".parquet":  # a file counts from its rename on
            assert there == nth - (stage != "after the rename"), write
        elif name == "ledger":  # before its line too
            assert there == nth, write
        else:
            assert there == (3 if write[1:] == ("manifest", 2) else 0), write
        assert finish(asked, directory, 1, PROBLEM) == undisturbed, write


def random_kills(context, asked: Plan, folder: Path, moments: int, workers: int, factory) -> int:
    """Kill the command at random moments, again and again; return how many came midway.

    A moment is a random time of up to a run's after a random number of further files is there.
    A directory is gone on with until all is there, and then compared with the undisturbed one.
    """
    rng = np.random.default_rng(9)
    expected = finish(asked, folder / "undisturbed", 1, factory)
    midway = trial = 0
    directory, before = folder / "0", set[Key]()
    for moment in range(moments):
        process = started(context, asked, directory, workers, factory, None, 0.0)
        files = len(before) + rng.integers(0, len(asked.runs) - len(before) + 1)
        while process.is_alive() and len(list(directory.glob("runs/*.parquet"))) < files:
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 3 * killing.SLEEP))
        alive = process.is_alive()
        process.kill()
        process.join()
        assert alive or process.exitcode == 0, "it ended with an error"
        now = kept(directory) if directory.exists() else set()
        assert before <= now, "a run was lost"
        midway += alive and 0 < len(now) < len(asked.runs)
        before = now
        if len(now) == len(asked.runs) or moment == moments - 1:
            assert finish(asked, directory, workers, factory) == expected
            trial += 1
            directory, before = folder / str(trial), set()
    return midway


def test_15_kills_at_random_moments(context, tmp_path):
    midway = random_kills(context, sleeping(5, 2), tmp_path, 15, 1, PROBLEM)
    assert midway >= 5, "hardly any kill came between the first run and the last"


@pytest.mark.slow
def test_300_kills_at_random_moments_with_one_and_two_workers(context, tmp_path):
    for workers in (1, 2):
        folder = tmp_path / str(workers)
        midway = random_kills(context, sleeping(5, 2), folder, 150, workers, PROBLEM)
        assert midway >= 50


@pytest.mark.slow
def test_5_kills_of_the_real_town(context, tmp_path, town):
    asked = plan.of(comparison(city=town().city, warm_up=30, replications=4))
    assert random_kills(context, asked, tmp_path, 5, 2, city_model) >= 1


def test_the_model_of_these_tests_has_chance_in_it():
    assert killing.sleeper({"x": 0.0}, 1) != killing.sleeper({"x": 0.0}, 2)
