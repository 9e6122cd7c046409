"""Past the city: a province of cities, one after another, and what a country would take.

Measured: four whole Chengdus, each drawn with its own seed, 84 million residents, a year each in
one process. Projected from it: time and memory in proportion to residents, and the traffic between
partitions, which is the cases that climb above their district, up and down.
"""

import json
import os
import subprocess
import sys
import time

from matplotlib.figure import Figure

from benchmarks.city_year import YEAR, regime_in_force
from benchmarks.frame import ROOT, Benchmark, Goal, Measured, spread
from reformsim import CityModel
from reformsim.cases.state import CASE, Count
from reformsim.experiment import environment

CITIES = 4
#: Residents: Sichuan, of which Chengdu is the capital, and China, census of 2020.
PLACES = {"province (84 million)": 83_674_866, "country (1.41 billion)": 1_411_778_724}


def one_after_another(city: str, cities: int, needs: float, days: int, threads: int) -> Measured:
    """Run so many cities, each with another seed, keeping one at a time; totals and the peak."""
    base = regime_in_force(city, needs, "systemic", days)
    total = {"residents": 0, "needs": 0.0, "climbed": 0.0, "subdistricts": 0}
    begun = time.perf_counter()
    model = None
    for seed in range(1, cities + 1):
        scenario = base.model_copy(update={"city_seed": seed})
        if model is None:
            model = CityModel(scenario, seed, threads)
        else:
            model.reset(scenario, seed)  # lets go of the columns before it makes others
        model.run_until(days)
        counted = model.columns.tally.sum(axis=(0, 1))
        total["residents"] += len(model.city.people)
        total["subdistricts"] += len(model.city.subdistricts)
        total["needs"] += float(counted[Count.NEEDS])
        total["climbed"] += float(counted[Count.ESCALATED])
    return total | {
        "seconds": time.perf_counter() - begun, "cities": cities, "days": days, "threads": threads,
        "peak_MB": environment.peak_memory() / 1e6,
    }  # fmt: skip


def measure(quick: bool) -> Measured:
    """Measure a province of cities with one need per resident and year, in a fresh process."""
    arguments = ["town" if quick else "chengdu", CITIES, 1, 31 if quick else YEAR]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.beyond", json.dumps([*arguments, os.cpu_count() or 1])],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def table(measured: Measured) -> str:
    """Return what was measured, and what follows for a province and a country."""
    m, years = measured, measured["days"] / YEAR
    people = m["residents"]
    core_seconds = m["seconds"] * m["threads"] / years / people
    bytes_a_year = 2 * m["climbed"] * CASE.itemsize / years / people
    lines = [
        "| | residents | core-hours a scenario-year, 1 need | the same, five times the needs "
        "| traffic between partitions, MB a year |",
        "|---|--:|--:|--:|--:|",
    ]
    rows = {f"measured: {m['cities']} cities": people} | PLACES
    for name, residents in rows.items():
        hours = core_seconds * residents / 3600
        lines.append(
            f"| {name} | {residents:,} | {hours:.3g} | {5 * hours:.3g} "
            f"| {bytes_a_year * residents / 1e6:.3g} |"
        )
    return "\n".join(lines) + (
        f"\n\nMeasured: {people:,} residents in {m['subdistricts']:,} subdistricts, drawing the "
        f"cities included, **{m['seconds']:.0f} s** for {m['days']} days on {m['threads']} "
        f"threads, peak of memory **{m['peak_MB'] / 1e3:.2f} GB**: the residents of one city, and "
        "the plans of two, which are kept. The rest is in proportion: a city's districts only meet "
        "at its table for cases that climb, and cities not at all; five needs are taken as five "
        "times one, which is too much, since drawing cities and institutions do not grow with "
        "needs. A process needs the memory of its city, whatever the country."
    )


def goals(measured: Measured) -> list[Goal]:
    """Return the memory of a province of cities against what was asked."""
    what = f"{measured['residents'] / 1e6:.0f} million residents: memory"
    return [Goal(what, 4.0, "GB", spread([measured["peak_MB"] / 1e3]))]


def draw(measured: Measured) -> Figure:
    """Draw core-hours against residents."""
    figure = Figure(figsize=(6.4, 2.4), layout="constrained")
    axes = figure.subplots()
    people = measured["residents"]
    rate = measured["seconds"] * measured["threads"] / measured["days"] * YEAR / people / 3600
    axes.plot([people], [rate * people], "o", label="measured")
    axes.plot(list(PLACES.values()), [rate * n for n in PLACES.values()], "s", label="projected")
    axes.set(xscale="log", yscale="log", xlabel="residents", ylabel="core-hours a scenario-year")
    axes.legend(fontsize="small")
    return figure


BENCHMARK = Benchmark("beyond", ("reformsim", "numpy", "numba"), measure, table, draw, goals)

if __name__ == "__main__":
    print(json.dumps(one_after_another(*json.loads(sys.argv[1]))))
