"""How long a user waits: for help, for a check, for the first result of the small town."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from matplotlib.figure import Figure

from benchmarks.frame import ROOT, Benchmark, Goal, Measured, spread

FIRST = (
    "from reformsim import CityModel, Scenario; s = Scenario.load('docs/examples/town.yaml'); "
    "m = CityModel(s, rng=1); m.run_until(s.days); print(len(m.outcomes()))"
)
CLI = "from reformsim.cli import app; app()"
#: What a user asks for, and the goal in seconds.
WAITS = {
    "`reformsim --help`": ([CLI, "--help"], 0.3),
    "`reformsim check experiments/regimes.yaml`": ([CLI, "check", "experiments/regimes.yaml"], 1.0),
    "first result of the town, kernels compiled": ([FIRST], 3.0),
}
COLD = "first result of the town, nothing compiled"


def seconds(code: list[str], cache: Path | None = None) -> float:
    """Return how long a fresh interpreter takes; with ``cache``, compiled kernels go there."""
    # as on a user's machine: interpreters keep their bytecode
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"NUMBA_CACHE_DIR": str(cache)} if cache else {}
    begun = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", *code], cwd=ROOT, env=environment, check=True, capture_output=True
    )
    return time.perf_counter() - begun


def measure(quick: bool) -> Measured:
    """Time each wait five times, and the cold one once."""
    times = 2 if quick else 5
    waits = {}
    for name, (code, goal) in WAITS.items():
        seconds(code)
        waits[name] = {"goal": goal, **spread([seconds(code) for _ in range(times)])}
    if not quick:
        with tempfile.TemporaryDirectory() as folder:
            waits[COLD] = {"goal": 10.0, **spread([seconds([FIRST], Path(folder))])}
    return {"times": times, "waits": waits}


def table(measured: Measured) -> str:
    """Return the waits against their goals."""
    lines = ["| wait | seconds | goal |", "|---|--:|--:|"]
    lines += [
        f"| {name} | **{x['median']:.2f}** ({x['low']:.2f}–{x['high']:.2f}) | {x['goal']:g} |"
        for name, x in measured["waits"].items()
    ]
    return "\n".join(lines)


def goals(measured: Measured) -> list[Goal]:
    """Return the waits against what was asked."""
    return [Goal(name, x["goal"], "s", x) for name, x in measured["waits"].items()]


def draw(measured: Measured) -> Figure:
    """Draw the waits beside their goals."""
    figure = Figure(figsize=(6.4, 2.0), layout="constrained")
    axes = figure.subplots()
    waits = measured["waits"]
    axes.barh(list(waits), [x["median"] for x in waits.values()], color="#4477aa")
    axes.plot([x["goal"] for x in waits.values()], list(waits), "k|", markersize=12, label="goal")
    axes.set(xscale="log", xlabel="seconds")
    axes.legend(fontsize="small")
    return figure


BENCHMARK = Benchmark("start", ("reformsim", "numba"), measure, table, draw, goals)
