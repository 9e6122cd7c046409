"""Comparison 3: the cost of a need against the memory that it has to touch.

A simulation whose residents do not fit a cache must fetch each record that a need moves. How many
is counted from the layout of the columns and from what happened in the run; what a fetch costs is
measured in the same process, by independent reads at random places of an array as large as the
column, less what the same loop takes in the nearest cache. Records count as fetched whole. Their
product is a limit: no program that fetches these records at these events could be faster. What of a
fetch hides behind the loop is not in it, so that it is rather too low. What is above it is told by
switching off, not guessed.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numba import njit

from benchmarks.frame import Benchmark, Goal, Measured, alternate, spread, timed, written
from reformsim import CityModel, Scenario
from reformsim.cases import arrivals
from reformsim.cases import state as s
from reformsim.cases.state import Count
from reformsim.city import CityConfig

LINE = 64
DAYS, WARM_UP = 365, 30
PAIRS, QUICK_PAIRS = 5, 2
#: A whole central district of Chengdu, which is what one thread works on at a time.
LARGE: dict[str, Any] = {
    "name": "Large",
    "units": ["Jinjiang"],
    "subdistricts": {"count": 9, "mean": 105_000, "sigma": 0.6},
    "towns": {"count": 0, "mean": 40_000, "sigma": 0.6},
    "communities": 130,
    "grids": 680,
}
SMALL: dict[str, Any] = {
    "name": "Small",
    "units": [{"name": "Town", "name_zh": "镇", "population": 20_000, "area_km2": 20}],
    "subdistricts": {"count": 1, "mean": 12_000, "sigma": 0.2},
    "towns": {"count": 1, "mean": 8_000, "sigma": 0.2},
    "communities": 5,
    "grids": 15,
}
#: Nobody voices anything: what is left is that needs arise and are borne.
SILENT = {
    name: -8.0
    for name in ("voice_grid", "voice_station", "voice_hotline", "voice_neighbours", "voice_market")
}


#: Bytes of an array that lies in the nearest cache: what a read costs there is the loop's own time.
NEAREST = 4096
#: Nanoseconds that no read takes less than: two a cycle at 5 GHz.
FASTEST = 0.1


@njit
def _touch(values, reads, seed):
    """Read ``reads`` values at random places, each known without the one before; their sum."""
    length = np.uint64(len(values))
    word = np.uint64(seed)
    total = values[0] - values[0]
    for _ in range(reads):
        word = word * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
        total += values[((word >> np.uint64(32)) * length) >> np.uint64(32)]
    return total


def _read(size: int, item: int, reads: int) -> float:
    values = np.ones(max(size // item, 1), f"f{item}")
    _touch(values, 1, 1)
    best = np.inf
    for seed in range(3):
        begun = time.perf_counter()
        _touch(values, reads, seed)
        best = min(best, time.perf_counter() - begun)
    return float(1e9 * best / reads)


def touch_cost(size: int, item: int, reads: int = 20_000_000) -> float:
    """Return nanoseconds of one random read of ``item`` bytes in an array of ``size`` bytes.

    Beyond the nearest cache, whose reads take no longer than the loop; the best of three passes.
    """
    return max(_read(size, item, reads) - _read(NEAREST, item, reads), FASTEST)


def lines(record: np.dtype) -> float:
    """Return how many lines of memory a record of a packed column lies on, on average."""
    size = record.itemsize
    first = np.arange(LINE) * size
    return float(np.mean((first + size - 1) // LINE - first // LINE + 1))


def _model(city: dict[str, Any], facts: dict[str, float], seed: int) -> CityModel:
    scenario = Scenario(
        name="limit", city=CityConfig.model_validate(city), warm_up=WARM_UP, days=DAYS,
        uncertainties=facts,
    )  # fmt: skip
    return CityModel(scenario, seed)


def _contestant(
    city: dict[str, Any], facts: dict[str, float], seed: int
) -> Callable[[], dict[str, Any]]:
    model = _model(city, facts, seed)
    parts = {"cases": (model, "_catch_up"), "institutions": (model.administration, "act"),
             "records": (model.history, "flush")}  # fmt: skip
    spent = dict.fromkeys(parts, 0.0)
    for part, (owner, method) in parts.items():
        setattr(owner, method, timed(getattr(owner, method), spent, part))

    def run() -> dict[str, Any]:
        model.run_until(DAYS)
        return told(model) | {"spent": spent}

    return run


def told(model: CityModel) -> dict[str, Any]:
    """Return what a run touched, per need, and how large the columns are, in bytes."""
    columns = model.columns
    count = columns.tally.sum(axis=(0, 1))
    needs = count[Count.NEEDS]
    candidates = 0.0
    for d in columns.districts:
        share = np.diff(d.category_cut, prepend=0.0)
        passing = d.lift[0] * (share * arrivals.most_accepted(d.accept)).sum()
        candidates += d.grids["weight"].sum() * d.world["needs"][0] / 365.0 * DAYS * passing
    intakes = count[Count.VOICED] + count[Count.FOUND]
    dispatched = count[Count.VISITS] + count[Count.TRANSFERS] + count[Count.DISPATCHED]
    people, cases = model.city.people, sum(len(d.cases) for d in columns.districts)
    return {
        "needs": float(needs),
        "residents": len(people),
        "touches": {
            "alias tables": candidates / needs * (2.0 - float(people.alias["cut"].mean())),
            # chosen, then doing something about it, then living through the end
            "residents": (candidates + needs + count[Count.FELT]) / needs * lines(s.RESIDENT),
            # of needs that somebody hears of: filed, then an event at the end of each stage
            "cases": (2.0 * intakes + dispatched) / needs * lines(s.CASE),
        },
        "bytes": {
            "alias tables": people.alias.nbytes,
            "residents": columns.residents.nbytes,
            "cases": cases * s.CASE.itemsize,
        },
    }


def measure(quick: bool) -> Measured:
    """Time the engine where it fits a cache and where not, with and without cases."""
    large = SMALL if quick else LARGE
    runs = {
        "large": partial(_contestant, large, {}),
        "large, nothing voiced": partial(_contestant, large, SILENT),
        "small": partial(_contestant, SMALL, {}),
    }
    _contestant(SMALL, {}, 0)()
    pairs = QUICK_PAIRS if quick else PAIRS
    times = alternate(runs, pairs)
    found = times["large"][0].told
    reads = 200_000 if quick else 20_000_000
    cost = {
        name: touch_cost(size, 4 if name == "alias tables" else 8, reads)
        for name, size in found["bytes"].items()
    }
    limit = sum(found["touches"][name] * cost[name] for name in cost)
    cells = {
        name: {
            "residents": several[0].told["residents"],
            "ns_per_need": spread([1e9 * x.run / x.told["needs"] for x in several]),
        }
        | {
            part: spread([1e9 * x.told["spent"][part] / x.told["needs"] for x in several])
            for part in several[0].told["spent"]
        }
        for name, several in times.items()
    }
    per_limit = [1e9 / x.told["needs"] / limit for x in times["large"]]
    spent = [x.told["spent"]["cases"] for x in times["large"]]
    ratio = spread([a * x.run for a, x in zip(per_limit, times["large"], strict=True)])
    of_cases = spread([a * b for a, b in zip(per_limit, spent, strict=True)])
    return {
        "pairs": pairs, "touches": found["touches"], "bytes": found["bytes"],
        "ns_per_touch": cost, "limit": limit, "ratio": ratio,
        "ratio_of_cases": of_cases, "cells": cells,
    }  # fmt: skip


def table(measured: Measured) -> str:
    """Return two tables: the limit, and the cost of a need with parts switched off."""
    touched = [
        "| column | MB | lines touched per need | ns each | ns per need |",
        "|---|--:|--:|--:|--:|",
    ]
    for name, touches in measured["touches"].items():
        each = measured["ns_per_touch"][name]
        touched.append(
            f"| {name} | {measured['bytes'][name] / 1e6:.1f} | {touches:.2f} | {each:.2f} "
            f"| {touches * each:.0f} |"
        )
    touched.append(f"| **limit** | | | | **{measured['limit']:.0f}** |")
    rows = [
        "| run | residents | ns per need | of them cases | institutions | records |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for name, cell in measured["cells"].items():
        parts = " | ".join(f"{cell[x]['median']:.0f}" for x in ("cases", "institutions", "records"))
        rows.append(
            f"| {name} | {cell['residents']:,} | {written(cell['ns_per_need'])} | {parts} |"
        )
    return "\n".join(
        [
            *touched, "", *rows,
            f"\nA need costs **{measured['ratio']['median']:.3g}** times the limit "
            f"({measured['ratio']['low']:.3g}–{measured['ratio']['high']:.3g}, "
            f"{measured['pairs']} runs), in the case engine alone "
            f"{measured['ratio_of_cases']['median']:.3g} times. {_rest(measured)}",
        ]
    )  # fmt: skip


def goals(measured: Measured) -> list[Goal]:
    """Return how near a need's cost comes to the limit of memory."""
    return [Goal("cost of a need, in limits of memory", 4.0, "limits", measured["ratio"])]


def shares(measured: Measured) -> dict[str, float]:
    """Return where a need's nanoseconds go in the large city, by differences between runs."""
    large, silent = (measured["cells"][name] for name in ("large", "large, nothing voiced"))
    parts = {part: large[part]["median"] for part in ("cases", "institutions", "records")}
    begin = silent["cases"]["median"]
    rest = large["ns_per_need"]["median"] - sum(parts.values())
    return {
        "needs arise": begin,
        "cases go their way": parts["cases"] - begin,
        "institutions": parts["institutions"],
        "records": parts["records"],
        "Mesa and the rest": rest,
    }


def _rest(measured: Measured) -> str:
    parts = ", ".join(f"{name} {ns:.0f} ns" for name, ns in shares(measured).items())
    small = measured["cells"]["small"]["cases"]["median"]
    return (
        f"Of it: {parts}. In the small town, whose columns fit a cache, the case engine takes "
        f"{small:.0f} ns per need: that is arithmetic (keyed hashes, logits, logarithms, heaps), "
        "which the limit does not count. Institutions act and records are taken each month for "
        "each place, however many needs there are."
    )


def draw(measured: Measured) -> Figure:
    """Draw the limit and the parts of the cost as two stacked bars."""
    figure = Figure(figsize=(6.4, 2.4), layout="constrained")
    axes = figure.subplots()
    bars = {
        "limit": {n: x * measured["ns_per_touch"][n] for n, x in measured["touches"].items()},
        "measured": shares(measured),
    }
    for bar, parts in bars.items():
        left = 0.0
        for name, width in parts.items():
            axes.barh(bar, width, left=left, label=name, edgecolor="white")
            left += width
    axes.set_xlabel("nanoseconds per need")
    figure.legend(fontsize="small", loc="outside right upper")
    return figure


BENCHMARK = Benchmark("limit", ("reformsim", "numpy", "numba"), measure, table, draw, goals)
