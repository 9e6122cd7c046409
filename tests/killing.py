"""A sleeping model, and processes that are killed while they run it; for ``test_kill``."""

import io
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from reformsim.experiment import run
from reformsim.experiment.plan import Plan
from reformsim.experiment.plugin import Problem, output
from reformsim.experiment.run import carry_out

SLEEP = 0.005

#: Where a write can be cut off: the call of the operating system, and what is done of it.
STAGES = ("before the file", "mid-write", "before fsync", "before the rename", "after the rename")


def sleeper(x: dict[str, float], seed: int) -> dict[str, float]:
    time.sleep(SLEEP)
    return {"y": x["x"] + np.random.default_rng(seed).normal(), "z": 3 * x["x"]}


PROBLEM = Problem("sleeper", {"x": (0.0, 1.0)}, (output("y"), output("z")), sleeper)


def sleeping(points: int, replications: int) -> Plan:
    return PROBLEM.plan(np.linspace(0, 1, points)[:, None], replications)


def die(*_) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(stage: str, name: str, nth: int) -> None:
    """Have this process killed at a stage of the ``nth`` write of a file whose name has ``name``.

    Works on the calls that ``reformsim.experiment.files`` makes.
    """
    opened, written, synced, renamed = os.open, os.write, os.fsync, os.replace
    files: dict[int, str] = {}
    seen = 0

    def meant(path: object) -> bool:
        return name in Path(str(path)).name

    def open_(path, flags, *mode):
        nonlocal seen
        if flags & os.O_CREAT and meant(path):
            seen += 1
            if stage == "before the file" and seen == nth:
                die()
        file = opened(path, flags, *mode)
        files[file] = str(path)
        return file

    def write(file, data):
        if meant(files.get(file, "")) and seen == nth and stage == "mid-write":
            written(file, bytes(data)[: len(data) // 2])
            die()
        return written(file, data)

    def fsync(file):
        if meant(files.get(file, "")) and seen == nth and stage == "before fsync":
            die()
        return synced(file)

    def replace(source, target):
        if meant(target) and seen == nth and stage == "before the rename":
            die()
        renamed(source, target)
        if meant(target) and seen == nth and stage == "after the rename":
            die()

    os.open, os.write, os.fsync, os.replace = open_, write, fsync, replace  # type: ignore


def make(
    plan: Plan, directory: Path, workers: int, factory: Callable, arms: tuple | None, file: float
) -> None:
    """Carry out a plan in this process, armed or not."""
    run.FILE = file
    if arms:
        arm(*arms)
    carry_out(plan, directory, workers, factory, io.StringIO())


def started(context, *arguments) -> multiprocessing.Process:
    process = context.Process(target=make, args=arguments)
    process.start()
    return process
