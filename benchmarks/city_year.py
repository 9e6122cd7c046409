"""A year of a city in a process of its own, which loads what a run needs and nothing else."""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from reformsim import CityModel, Scenario

YEAR = 365
ROOT = Path(__file__).resolve().parents[1]


def peak_memory() -> int:
    """Return the most memory that this process has held so far, bytes, on Linux."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


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


def one(city: str, needs: float, regime: str, days: int, threads: int) -> dict[str, Any]:
    """Build a city, run ``days`` of a regime in force from the first day; seconds and memory.

    The outcomes of all communities and of all days are part of the run.
    """
    scenario = regime_in_force(city, needs, regime, days)
    CityModel(regime_in_force("town", needs, regime, 62), 0, threads).run_until(62)
    begun = time.perf_counter()
    model = CityModel(scenario, 0, threads)
    built = time.perf_counter()
    model.run_until(days)
    communities, daily = model.communities(), model.daily()
    run = time.perf_counter() - built
    needs_met = float(model.columns.tally[:, :, 0].sum())
    return {
        "residents": len(model.city.people), "needs": needs, "regime": regime, "days": days,
        "threads": threads, "build": built - begun, "run": run,
        "ns_per_need": 1e9 * run / needs_met, "peak_MB": peak_memory() / 1e6,
        "daily_rows": len(daily), "communities": communities["place"].nunique(),
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(one(*json.loads(sys.argv[1]))))
