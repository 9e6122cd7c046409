"""Ten years of all of Chengdu: do they cost ten times the first?

The scenarios are those of experiments/chengdu_decade.yaml.
"""

from benchmarks.frame import Benchmark, Goal, Measured, spread
from benchmarks.whole_city import apart, draw, scenarios, summary, table


def measure(quick: bool) -> Measured:
    """Measure each year of each scenario, once."""
    found = scenarios("chengdu_decade.yaml", {}, quick)
    return {"cells": [summary(5, name, [apart(x)]) for name, x in found.items()]}


def goals(measured: Measured) -> list[Goal]:
    """Return what the years cost together, in first years."""
    found = []
    for cell in measured["cells"]:
        years = [x["median"] for x in cell["years"]]
        what, several = f"{cell['regime']}: years, in first years", float(len(years))
        found.append(Goal(what, several, "years", spread([sum(years) / years[0]])))
    return found


BENCHMARK = Benchmark("decade", ("reformsim", "numpy", "numba"), measure, table, draw, goals)
