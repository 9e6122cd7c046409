"""The whole of Chengdu: seconds of a scenario-year, and the memory of the process that makes it.

Every cell is a process of its own with all cores, so that its peak of memory is its own; its
kernels are compiled before the clock starts.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time

from matplotlib.figure import Figure

from benchmarks.frame import ROOT, Benchmark, Measured
from reformsim import CityModel, Scenario

YEAR = 365
#: Needs per resident and year, and regimes.
CELLS = [(needs, regime) for needs in (1, 5) for regime in ("block-separated", "systemic")]


def regime_in_force(city: str, needs: float, regime: str, days: int) -> Scenario:
    """Return a scenario of a named city whose measures are all in force from the first day on."""
    text = f"name: bench\ncity: {city}\nreform: {regime}\nyears: 1\n"
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", dir=ROOT / "experiments") as file:
        file.write(text)
        file.flush()
        read = Scenario.load(file.name)
    reform = tuple(step.model_copy(update={"from_day": 0}) for step in read.reform)
    facts = {"needs": needs, "staffing_needs": max(needs, 3.0), "max_cost_share": 0.6}
    return Scenario(
        name="bench", city=read.city, warm_up=0, days=days, uncertainties=facts, reform=reform
    )


def one(city: str, needs: float, regime: str, days: int, threads: int) -> Measured:
    """Build a city, run ``days`` of a regime in force from the first day; seconds and memory."""
    scenario = regime_in_force(city, needs, regime, days)
    CityModel(regime_in_force("town", needs, regime, 62), 0, threads).run_until(62)
    begun = time.perf_counter()
    model = CityModel(scenario, 0, threads)
    built = time.perf_counter()
    model.run_until(days)
    run = time.perf_counter() - built
    needs_met = float(model.columns.tally[:, :, 0].sum())
    return {
        "residents": len(model.city.people), "needs": needs, "regime": regime, "days": days,
        "threads": threads, "build": built - begun, "run": run,
        "ns_per_need": 1e9 * run / needs_met,
        "peak_MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
        "daily_rows": len(model.daily()), "communities": len(model.city.communities),
    }  # fmt: skip


def apart(city: str, needs: float, regime: str, days: int, threads: int) -> Measured:
    """Measure ``one`` in a fresh process."""
    arguments = json.dumps([city, needs, regime, days, threads])
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.whole_city", arguments],
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


def draw(measured: Measured) -> Figure:
    """Draw seconds a scenario-year."""
    figure = Figure(figsize=(6.4, 2.4), layout="constrained")
    axes = figure.subplots()
    cells = measured["cells"]
    names = [f"{x['needs']} needs, {x['regime']}, {x['days'] / YEAR:.3g} a" for x in cells]
    axes.barh(names, [x["run"] / x["days"] * YEAR for x in cells], color="#4477aa")
    axes.set_xlabel("seconds a scenario-year")
    return figure


BENCHMARK = Benchmark("whole_city", ("reformsim", "numpy", "numba"), measure, table, draw)

if __name__ == "__main__":
    print(json.dumps(one(*json.loads(sys.argv[1]))))
