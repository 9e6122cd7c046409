"""Ten years of all of Chengdu next to one: does a decade cost ten years?"""

import os

from benchmarks.city_year import YEAR
from benchmarks.frame import Benchmark, Goal, Measured, spread
from benchmarks.whole_city import apart, draw, table


def measure(quick: bool) -> Measured:
    """Measure one year and ten, without a reform."""
    city, threads = ("town" if quick else "chengdu"), os.cpu_count() or 1
    days = 62 if quick else YEAR
    lengths = (days, 10 * days)
    return {"cells": [apart(city, 5, "block-separated", n, threads) for n in lengths]}


def goals(measured: Measured) -> list[Goal]:
    """Return what the long run costs, in years of the short one."""
    short, long = measured["cells"]
    asked = long["days"] / short["days"]
    return [Goal("a decade, in first years", asked, "years", spread([long["run"] / short["run"]]))]


BENCHMARK = Benchmark("decade", ("reformsim", "numpy", "numba"), measure, table, draw, goals)
