"""A toy on which the best bundle is known: gains of measures, what pairs add, prices, noise."""

import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from reformsim.declared import Outcome
from reformsim.experiment import run
from reformsim.experiment.advice import Findings, Question, advise
from reformsim.experiment.schema import Experiment
from reformsim.outcomes import BY_NAME
from reformsim.scenario import Scenario
from toys import experiment, intensities

#: Measures of the toys, and an uncertainty in [0, 1] that decides how some of them do.
A, B, C, D, E, F = (
    "governance_committee", "joint_conference", "convenience_centre",
    "service_stations", "unified_grid_linkage", "worker_careers",
)  # fmt: skip
KNOWN = (A, B, C, D, E, F)
WORLD = "utilisation"

Levels = Mapping[str, float]


@dataclass(frozen=True)
class City:
    """A formula with the contract of a model: two outcomes, a cost, two groups, four years.

    ``gains`` gives satisfaction and problem days from intensities and the world's position in
    the range of ``WORLD``; ``prices`` the cost. Noise of standard deviation ``noise`` differs
    between bundles, as chance in the city does.
    """

    gains: Callable[[Levels, float], tuple[float, float]]
    prices: Levels = field(default_factory=dict)
    noise: float = 0.0
    name: str = "toy"

    def __call__(self, scenario: Scenario, seed: int, threads: int) -> "Model":
        return Model(self, scenario, seed)


class Model:
    def __init__(self, city: City, scenario: Scenario, seed: int) -> None:
        self.city = city
        self.reset(scenario, seed)

    def reset(self, scenario: Scenario, rng: int) -> None:
        self.scenario, self.seed = scenario, rng

    def run_until(self, day: float) -> None:
        levels = intensities(self.scenario)
        x = position(self.scenario)
        text = f"{sorted(levels.items())} {self.seed}"
        rng = np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]))
        more, fewer = self.city.gains(levels, x)
        chance = self.city.noise * rng.normal(size=2)
        self.values = {
            "satisfaction": 0.5 + more + chance[0],
            "problem_days": 300.0 - fewer + 100 * chance[1],
            "measures_cost": sum(self.city.prices.get(m, 0.0) * v for m, v in levels.items()),
        }

    def headlines(self) -> list[tuple[Outcome, float]]:
        return [(BY_NAME[name], value) for name, value in self.values.items()]

    def outcomes(self) -> pd.DataFrame:
        """The young gain double, the older lose as much as all gain."""
        gain = self.values["satisfaction"] - 0.5
        rows = [("city", "", name, value) for name, value in self.values.items()]
        rows += [("age", "young", "satisfaction", 0.5 + 2 * gain)]
        rows += [("age", "older", "satisfaction", 0.5 - gain)]
        table = pd.DataFrame(rows, columns=["level", "place", "outcome", "value"])
        declared = [BY_NAME[name] for name in table["outcome"]]
        return table.assign(
            unit=[o.unit for o in declared], better=[o.better for o in declared], period="after"
        )

    def curves(self) -> pd.DataFrame:
        """The gain comes in the third year; cost from the first day."""
        rows = []
        for month in range(12 * 4):
            grown = self.values["satisfaction"] if month >= 24 else 0.5 - 0.01 * (month < 12)
            day = 365 * (month + 1) // 12
            rows.append((month, day, "satisfaction", grown))
            rows.append((month, day, "measures_cost", self.values["measures_cost"]))
        return pd.DataFrame(rows, columns=["month", "day", "outcome", "value"])

    def waits(self) -> pd.DataFrame:
        return pd.DataFrame({"kind": [], "outcome": [], "value": [], "period": []})


def position(scenario: Scenario) -> float:
    from reformsim.uncertainties import BY_NAME as FACTS

    fact = FACTS[WORLD]
    return (scenario.uncertainties.get(WORLD, fact.default) - fact.low) / (fact.high - fact.low)


def question_file(design: dict | None = None, **changes) -> Experiment:
    """An experiment on the toy: six measures, all bundles tried unless ``design`` says less."""
    chosen = {
        "kind": "advice", "measures": KNOWN, "uncertainties": [WORLD], "worlds": 4,
        "confirm": {"bundles": 6, "worlds": 40},
    }  # fmt: skip
    base = {"years": 4, "warm_up": 0, "outcomes": ["satisfaction", "problem_days"]}
    return experiment(**(base | changes), design=chosen | (design or {}))


def ask(
    city: City,
    directory: Path,
    budget: float = 1.0,
    at_most: int = 3,
    asked: Experiment | None = None,
) -> Findings:
    """Ask for advice on a toy, in this process."""

    def carry(plan, where):
        where.mkdir(parents=True, exist_ok=True)
        return run.carry_out(plan, where, 1, city, io.StringIO())

    question = Question(budget=budget, at_most=at_most)
    return advise(asked or question_file(), question, directory, carry)
