"""The frame of every benchmark: alternating timed runs, a record of them, and what it holds."""

import gc
import importlib.metadata
import json
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from matplotlib.figure import Figure

from benchmarks.city_year import ROOT
from reformsim.experiment import environment

RECORDS = ROOT / "docs" / "performance"

#: What one benchmark found, fit for JSON.
type Measured = dict[str, Any]
#: Sets a run up for a seed, and returns what runs it.
type Contestant[T] = Callable[[int], Callable[[], T]]


@dataclass(frozen=True)
class Goal:
    """What a benchmark is held against: at most ``limit``, or at least that many ``times``.

    ``reached`` is a spread, of which the median counts.
    """

    what: str
    limit: float
    unit: str
    reached: dict[str, float]

    @property
    def met(self) -> bool:
        """Whether the goal is reached."""
        median = self.reached["median"]
        return median >= self.limit if self.unit == TIMES else median <= self.limit


#: The unit of a goal of which more is better: how many times faster.
TIMES = "times"


def _no_goals(_: Measured) -> list[Goal]:
    return []


@dataclass(frozen=True)
class Benchmark:
    """One benchmark: how it is measured, how its record is shown, what it is held against.

    ``measure`` takes whether to be quick, which is for trying out and not for the record;
    ``table`` returns Markdown.
    """

    name: str
    packages: tuple[str, ...]
    measure: Callable[[bool], Measured]
    table: Callable[[Measured], str]
    draw: Callable[[Measured], Figure]
    goals: Callable[[Measured], list[Goal]] = _no_goals


@dataclass(frozen=True)
class Timed[T]:
    """One run: seconds to set it up and to run it, and what it returned."""

    set_up: float
    run: float
    told: T


def alternate[T](contestants: Mapping[str, Contestant[T]], pairs: int) -> dict[str, list[Timed[T]]]:
    """Time every contestant ``pairs`` times in turn, in this process; the seed is the pair.

    The order is reversed in every other pair, so that what slows the machine down for a while
    falls on all of them.
    """
    times: dict[str, list[Timed[T]]] = {name: [] for name in contestants}
    for pair in range(pairs):
        for name in list(contestants)[:: 1 if pair % 2 == 0 else -1]:
            gc.collect()
            begun = time.perf_counter()
            run = contestants[name](pair)
            ready = time.perf_counter()
            told = run()
            times[name].append(Timed(ready - begun, time.perf_counter() - ready, told))
            del run
    return times


def timed(function: Callable[..., Any], spent: dict[str, float], part: str) -> Callable[..., Any]:
    """Return ``function`` that adds the seconds it takes to a part."""

    def clocked(*arguments: Any) -> Any:
        begun = time.perf_counter()
        try:
            return function(*arguments)
        finally:
            spent[part] += time.perf_counter() - begun

    return clocked


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return the median of paired runs, the smallest and the largest."""
    return {"median": median(values), "low": min(values), "high": max(values)}


def written(x: dict[str, float]) -> str:
    """Write a spread in whole numbers: the median, and from the smallest to the largest."""
    return f"{x['median']:.0f} ({x['low']:.0f}–{x['high']:.0f})"


def ratios(slow: Sequence[float], fast: Sequence[float]) -> dict[str, float]:
    """Return the spread of the ratios of paired runs."""
    return spread([a / b for a, b in zip(slow, fast, strict=True)])


def record(benchmark: Benchmark, quick: bool, command: str) -> dict[str, Any]:
    """Measure a benchmark; returns what it found, and where and how."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    begun = time.perf_counter()
    measured = benchmark.measure(quick)
    return {
        "benchmark": benchmark.name,
        "command": command,
        "quick": quick,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.perf_counter() - begun, 1),
        "commit": environment.commit(),
        "machine": {
            **environment.machine(),
            "processor": _line_of("/proc/cpuinfo", "model name") or platform.processor(),
            "memory": _line_of("/proc/meminfo", "MemTotal"),
            "load_before": load,
        },
        "versions": {
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in benchmark.packages},
        },
        "measured": measured,
    }


def keep(told: dict[str, Any], benchmark: Benchmark) -> None:
    """Store a record and its picture, in place of the one before."""
    RECORDS.mkdir(exist_ok=True)
    path = RECORDS / f"{benchmark.name}.json"
    path.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    figure = benchmark.draw(told["measured"])
    figure.savefig(RECORDS / f"{benchmark.name}.png", dpi=120, metadata={"Software": None})


def kept(name: str) -> dict[str, Any] | None:
    """Return the record of a benchmark, or None where there is none."""
    path = RECORDS / f"{name}.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else None


def _line_of(file: str, key: str) -> str | None:
    """Return the value of a line ``key: value`` of a file of /proc, None where there is none."""
    try:
        for line in Path(file).read_text("ascii", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == key:
                return value.strip()
    except OSError:
        pass
    return None
