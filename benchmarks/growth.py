"""How the cost grows: with residents, with needs, with residents who need nothing, with threads."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks.frame import (
    TIMES,
    Benchmark,
    Goal,
    Measured,
    alternate,
    ratios,
    spread,
    written,
)
from reformsim import CityModel, Scenario
from reformsim.city import CityConfig

WARM_UP, DAYS = 31, 62
#: Residents of a district, a subdistrict, a community and a grid, as in Chengdu (rounded).
DISTRICT, UNIT, COMMUNITY, GRID = 1_000_000, 80_000, 5_000, 1_330
SIZES = (20_000, 100_000, 1_000_000, 5_000_000, 21_000_000)
NEEDS = (0.5, 1.0, 2.0, 5.0, 12.0)
OF_NEEDS = 500_000
PAIRS = 5


def city(residents: int) -> CityConfig:
    """Return a city of so many residents, built of like districts."""
    districts = max(residents // DISTRICT, 1)
    people = residents // districts
    units = [
        {"name": f"D{k}", "name_zh": f"区{k}", "population": people, "area_km2": people / 1000.0}
        for k in range(districts)
    ]
    number = max(residents // UNIT, 2 * districts)
    mean = residents / number
    return CityConfig.model_validate(
        {
            "name": "Growing",
            "units": units,
            "subdistricts": {"count": number - districts, "mean": mean, "sigma": 0.3},
            "towns": {"count": districts, "mean": mean, "sigma": 0.3},
            "communities": max(residents // COMMUNITY, 2 * number),
            "grids": max(residents // GRID, 4 * number),
        }
    )


def run_of(residents: int, needs: float, threads: int, seed: int) -> Any:
    """Set up a city past its first month; returns what runs the next."""
    facts = {"needs": needs, "staffing_needs": needs}
    scenario = Scenario(
        name="growth", city=city(residents), warm_up=0, days=DAYS, uncertainties=facts
    )
    model = CityModel(scenario, seed, threads)
    model.run_until(WARM_UP)
    before = float(model.columns.tally[:, :, 0].sum())

    def run() -> Measured:
        model.run_until(DAYS)
        columns = model.columns
        held = [columns.residents, columns.grids]
        held += [model.city.people.alias, model.city.people.age]
        held += [d.cases for d in columns.districts] + [d.needs for d in columns.districts]
        return {
            "needs": float(columns.tally[:, :, 0].sum()) - before,
            "bytes": float(sum(a.nbytes for a in held)),
        }

    return run


def measure(quick: bool) -> Measured:
    """Time a month of cities that differ in one thing at a time, in one thread."""
    pairs = 2 if quick else PAIRS
    sizes = SIZES[:2] if quick else SIZES
    base = 20_000 if quick else OF_NEEDS
    largest = sizes[-1]
    run_of(sizes[0], 5.0, 1, 0)()
    by_size = alternate({str(n): partial(run_of, n, 5.0, 1) for n in sizes}, pairs)
    by_needs = alternate({str(x): partial(run_of, base, x, 1) for x in NEEDS}, pairs)
    idle = alternate({str(k): partial(run_of, base * k, 5.0 / k, 1) for k in (1, 2, 5, 10)}, pairs)
    threads = alternate({str(n): partial(run_of, largest, 5.0, n) for n in (1, 2)}, pairs)
    return {
        "pairs": pairs,
        "residents": [cell(n, several) for n, several in by_size.items()],
        "needs": [cell(x, several) for x, several in by_needs.items()],
        "idle": [cell(k, several) for k, several in idle.items()],
        "threads": ratios([x.run for x in threads["1"]], [x.run for x in threads["2"]]),
        "largest": largest, "of_needs": base,
        "large_to_small": ratios(
            [x.run / x.told["needs"] for x in by_size[str(largest)]],
            [x.run / x.told["needs"] for x in by_size[str(sizes[1])]],
        ),
    }  # fmt: skip


def cell(of: str, several: Sequence[Any]) -> Measured:
    """Return what runs of one cell took."""
    return {
        "of": float(of),
        "seconds": spread([x.run for x in several]),
        "ns_per_need": spread([1e9 * x.run / x.told["needs"] for x in several]),
        "bytes": several[0].told["bytes"],
    }


def exponent(cells: Sequence[Measured], first: int = 0) -> float:
    """Return the slope of log seconds on log size, by least squares, from cell ``first`` on."""
    x = np.log([c["of"] for c in cells[first:]])
    return float(np.polyfit(x, np.log([c["seconds"]["median"] for c in cells[first:]]), 1)[0])


def table(measured: Measured) -> str:
    """Return one table for each thing that grows."""
    lines = ["| residents | a month, s | ns per need | bytes per resident |", "|--:|--:|--:|--:|"]
    lines += [
        f"| {c['of']:,.0f} | {c['seconds']['median']:.3g} | {written(c['ns_per_need'])} "
        f"| {c['bytes'] / c['of']:.0f} |"
        for c in measured["residents"]
    ]
    of = measured["of_needs"]
    lines += [
        "",
        f"| needs a year ({of:,} residents) | a month, s | ns per need |",
        "|--:|--:|--:|",
    ]
    lines += [
        f"| {c['of']:g} | {c['seconds']['median']:.3g} | {written(c['ns_per_need'])} |"
        for c in measured["needs"]
    ]
    lines += ["", "| residents for the same needs | a month, s | ns per need |", "|--:|--:|--:|"]
    lines += [
        f"| {c['of'] * of:,.0f} | {c['seconds']['median']:.3g} | {written(c['ns_per_need'])} |"
        for c in measured["idle"]
    ]
    large, threads = measured["large_to_small"], measured["threads"]
    small = measured["residents"][1]["of"]
    return "\n".join(lines) + (
        f"\n\nSeconds grow with residents to the power {exponent(measured['residents'], 1):.2f} "
        f"(from {small:,.0f} on), with needs to the power {exponent(measured['needs']):.2f}, with "
        f"residents who need nothing to the power {exponent(measured['idle']):.2f}. A need of "
        f"{measured['largest']:,} residents costs **{large['median']:.2f}** "
        f"({large['low']:.2f}–{large['high']:.2f}) times one of {small:,.0f}; two threads are "
        f"**{threads['median']:.2f}** ({threads['low']:.2f}–{threads['high']:.2f}) times as fast "
        "as one, institutions and records included; all else was run in one. "
        f"{measured['pairs']} runs of each."
    )


def goals(measured: Measured) -> list[Goal]:
    """Return the growth from a small city to the largest, and what a second thread brings."""
    small, large = measured["residents"][1]["of"], measured["largest"]
    what = f"a need of {large:,} residents, in needs of {small:,.0f}"
    return [
        Goal(what, 2.0, "needs", measured["large_to_small"]),
        Goal("two threads against one", 1.6, TIMES, measured["threads"]),
    ]


def draw(measured: Measured) -> Figure:
    """Draw nanoseconds per need against residents and needs."""
    figure = Figure(figsize=(6.4, 2.6), layout="constrained")
    for axes, name, label in zip(
        figure.subplots(1, 2, sharey=True), ("residents", "needs"),
        ("residents, 5 needs a year", f"needs a year, {measured['of_needs']:,} residents"),
        strict=True,
    ):  # fmt: skip
        cells = measured[name]
        x, y = [c["of"] for c in cells], [c["ns_per_need"] for c in cells]
        low = [c["median"] - c["low"] for c in y]
        high = [c["high"] - c["median"] for c in y]
        axes.errorbar(x, [c["median"] for c in y], [low, high], fmt="o-", color="#4477aa")
        axes.set(xscale="log", xlabel=label, ylim=(0, None))
    figure.axes[0].set_ylabel("ns per need")
    return figure


BENCHMARK = Benchmark("growth", ("reformsim", "numpy", "numba"), measure, table, draw, goals)
