"""The whole of Chengdu: seconds of a scenario-year, and the memory of the process that makes it.

Every cell is a process of its own with all cores, so that its peak of memory is its own; its
kernels are compiled before the clock starts.
"""

import json
import os
import subprocess
import sys

from matplotlib.figure import Figure

from benchmarks.city_year import YEAR
from benchmarks.frame import ROOT, Benchmark, Goal, Measured, spread

#: Goal in seconds a scenario-year, by needs per resident and year.
SECONDS = {1: 6.0, 5: 30.0}
#: Needs per resident and year, and regimes.
CELLS = [(needs, regime) for needs in SECONDS for regime in ("block-separated", "systemic")]


def apart(city: str, needs: float, regime: str, days: int, threads: int) -> Measured:
    """Measure a run in a fresh process."""
    arguments = json.dumps([city, needs, regime, days, threads])
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.city_year", arguments],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def measure(quick: bool) -> Measured:
    """Measure a year of every cell."""
    city, threads = ("town" if quick else "chengdu"), os.cpu_count() or 1
    days = 62 if quick else YEAR
    cells = [apart(city, needs, regime, days, threads) for needs, regime in CELLS]
    return {"cells": cells}


def table(measured: Measured) -> str:
    """Return seconds a year and memory, a line for each cell."""
    lines = [
        "| needs a year | regime | years | building, s | running, s a year | ns per need "
        "| peak memory, GB |",
        "|--:|---|--:|--:|--:|--:|--:|",
    ]
    for cell in measured["cells"]:
        years = cell["days"] / YEAR
        lines.append(
            f"| {cell['needs']} | {cell['regime']} | {years:.3g} | {cell['build']:.1f} "
            f"| **{cell['run'] / years:.1f}** | {cell['ns_per_need']:.0f} "
            f"| {cell['peak_MB'] / 1e3:.2f} |"
        )
    first = measured["cells"][0]
    return "\n".join(lines) + (
        f"\n\n{first['residents']:,} residents in {first['communities']:,} communities, one "
        f"process with {first['threads']} threads; outcomes of all communities and of all days "
        "included."
    )


def goals(measured: Measured) -> list[Goal]:
    """Return seconds and memory of each cell against what was asked."""
    found = []
    for cell in measured["cells"]:
        where = f"Chengdu, needs {cell['needs']}, {cell['regime']}"
        seconds, memory = cell["run"] / cell["days"] * YEAR, cell["peak_MB"] / 1e3
        found.append(Goal(f"{where}: a year", SECONDS[cell["needs"]], "s", spread([seconds])))
        found.append(Goal(f"{where}: memory", 1.2, "GB", spread([memory])))
    return found


def draw(measured: Measured) -> Figure:
    """Draw seconds a scenario-year."""
    figure = Figure(figsize=(6.4, 2.4), layout="constrained")
    axes = figure.subplots()
    cells = measured["cells"]
    names = [f"{x['needs']} needs, {x['regime']}, {x['days'] / YEAR:.3g} a" for x in cells]
    axes.barh(names, [x["run"] / x["days"] * YEAR for x in cells], color="#4477aa")
    axes.set_xlabel("seconds a scenario-year")
    return figure


BENCHMARK = Benchmark("whole_city", ("reformsim", "numpy", "numba"), measure, table, draw, goals)
