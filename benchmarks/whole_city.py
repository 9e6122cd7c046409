"""The whole of Chengdu: seconds of a scenario-year, and the memory of the process that makes it.

The scenarios are those of experiments/chengdu_year.yaml. Every run is a process of its own with all
cores, so that its peak of memory is its own; its kernels are compiled before the clock starts.
"""

import os
import subprocess
import sys
from json import loads

from matplotlib.figure import Figure

from benchmarks.frame import ROOT, Benchmark, Goal, Measured, spread
from reformsim import Scenario
from reformsim.experiment import plan
from reformsim.experiment.schema import Experiment

#: Goal in seconds a scenario-year, by needs per resident and year.
SECONDS = {5: 30.0, 1: 6.0}
#: Facts of the world that differ from the experiment's: at one need, staff for three, as measures
#: would cost more than so few people's budget.
FACTS = {5: {}, 1: {"needs": 1.0, "staffing_needs": 3.0, "max_cost_share": 0.6}}
#: Processes for each scenario.
REPEATS = 3


def scenarios(file: str, facts: dict[str, float], short: bool) -> dict[str, Scenario]:
    """Return the scenarios of an experiment's first replication, by name; ``short``, of a town."""
    experiment = Experiment.load(ROOT / "experiments" / file)
    changes = {"uncertainties": {**experiment.uncertainties, **facts}}
    asked = plan.of(experiment.model_copy(update=changes))
    town = Scenario.load(ROOT / "docs" / "examples" / "town.yaml").city
    found = {}
    for run in asked.runs:
        scenario = asked.source.scenario(run)
        assert isinstance(scenario, Scenario)
        found[run.scenario] = scenario.model_copy(update={"city": town} if short else {})
    return found


def apart(scenario: Scenario) -> Measured:
    """Measure a run in a fresh process on all cores."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.city_year", str(os.cpu_count() or 1)],
        cwd=ROOT, input=scenario.model_dump_json(by_alias=True),
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return loads(done.stdout.splitlines()[-1])


def measure(quick: bool) -> Measured:
    """Measure both years of every scenario several times in turn."""
    cells = {
        (needs, name): scenario
        for needs, facts in FACTS.items()
        for name, scenario in scenarios("chengdu_year.yaml", facts, quick).items()
    }
    runs: dict[tuple[int, str], list[Measured]] = {cell: [] for cell in cells}
    for _ in range(1 if quick else REPEATS):
        for cell, scenario in cells.items():
            runs[cell].append(apart(scenario))
    return {"cells": [summary(*cell, several) for cell, several in runs.items()]}


def summary(needs: int, regime: str, runs: list[Measured]) -> Measured:
    """Return the spread over the runs of a cell: seconds by year and a year, memory."""
    years = [x["years"] for x in runs]
    return {
        "needs": needs, "regime": regime,
        **{name: runs[0][name] for name in ("residents", "threads", "communities", "daily_rows")},
        "build": spread([x["build"] for x in runs]),
        "years": [spread(seconds) for seconds in zip(*years, strict=True)],
        "a_year": spread([sum(x) / len(x) for x in years]),
        "ns_per_need": spread([1e9 * sum(x["years"]) / x["needs"] for x in runs]),
        "peak_MB": spread([x["peak_MB"] for x in runs]),
    }  # fmt: skip


def table(measured: Measured) -> str:
    """Return seconds a year and memory, a line for each cell."""
    lines = [
        "| needs a year | regime | building, s | first year, s | last year, s | seconds a year "
        "| ns per need | peak memory, GB |",
        "|--:|---|--:|--:|--:|--:|--:|--:|",
    ]
    for cell in measured["cells"]:
        years, a_year = cell["years"], cell["a_year"]
        lines.append(
            f"| {cell['needs']} | {cell['regime']} | {cell['build']['median']:.1f} "
            f"| {years[0]['median']:.1f} | {years[-1]['median']:.1f} "
            f"| **{a_year['median']:.1f}** ({a_year['low']:.1f}–{a_year['high']:.1f}) "
            f"| {cell['ns_per_need']['median']:.0f} | {cell['peak_MB']['median'] / 1e3:.2f} |"
        )
    first = measured["cells"][0]
    return "\n".join(lines) + (
        f"\n\n{first['residents']:,} residents in {first['communities']:,} communities, "
        f"{len(first['years'])} years, one process with {first['threads']} threads; outcomes of "
        "all communities and of all days are part of the last year. Medians over processes, with "
        "the lowest and the highest."
    )


def goals(measured: Measured) -> list[Goal]:
    """Return the seconds of each cell's dearest year, and its memory, against what was asked."""
    found = []
    for cell in measured["cells"]:
        where = f"Chengdu, {cell['regime']}, needs {cell['needs']}"
        memory = {name: x / 1e3 for name, x in cell["peak_MB"].items()}
        dearest = max(cell["years"], key=lambda year: year["median"])
        found.append(Goal(f"{where}: dearest year", SECONDS[cell["needs"]], "s", dearest))
        found.append(Goal(f"{where}: memory", 1.2, "GB", memory))
    return found


def draw(measured: Measured) -> Figure:
    """Draw the seconds of each year, a line for each cell."""
    figure = Figure(figsize=(6.4, 2.8), layout="constrained")
    axes = figure.subplots()
    for cell in measured["cells"]:
        seconds = [x["median"] for x in cell["years"]]
        label = f"{cell['needs']} needs, {cell['regime']}"
        axes.plot(range(1, len(seconds) + 1), seconds, "o-", label=label)
    most = len(measured["cells"][0]["years"])
    axes.set(xlabel="year", ylabel="seconds", ylim=(0, None), xticks=range(1, most + 1))
    figure.legend(fontsize="small", loc="outside right upper")
    return figure


BENCHMARK = Benchmark("whole_city", ("reformsim", "numpy", "numba"), measure, table, draw, goals)
