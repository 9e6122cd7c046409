"""A year of a city in a process of its own, which loads what a run needs and nothing else."""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from reformsim import CityModel, Scenario
from reformsim.cases.state import Count
from reformsim.experiment import environment

YEAR = 365
ROOT = Path(__file__).resolve().parents[1]


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


def one(told: str, threads: int) -> dict[str, Any]:
    """Build a city and run a scenario, in JSON, year by year; seconds, memory, and what came of it.

    The outcomes of all communities and of all days are part of the last year.
    """
    scenario = Scenario.model_validate_json(told)
    warm = CityModel(regime_in_force("town", 5.0, "systemic", YEAR), 0, threads)
    warm.run_until(YEAR)
    warm.communities()
    begun = time.perf_counter()
    model = CityModel(scenario, 0, threads)
    built = time.perf_counter()
    years = []
    for day in range(YEAR, scenario.days + 1, YEAR):
        start = time.perf_counter()
        model.run_until(day)
        if day == scenario.days:
            communities, daily = model.communities(), model.daily()
        years.append(time.perf_counter() - start)
    needs = float(model.columns.tally[:, :, Count.NEEDS].sum())
    return {
        "residents": len(model.city.people), "threads": threads, "needs": needs,
        "build": built - begun, "years": years, "peak_MB": environment.peak_memory() / 1e6,
        "daily_rows": len(daily), "communities": communities["place"].nunique(),
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(one(sys.stdin.read(), int(sys.argv[1]))))
