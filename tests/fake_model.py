"""A small model with the contract of ``CityModel`` and known answers, for tests of the pipeline.

Each outcome is base + sum of the effects of the measures in force + chance; chance has a part
that scenarios of one seed share and a part of their own.
"""

import os
import time

import numpy as np
import pandas as pd

from reformsim.cases.state import DESK_KINDS
from reformsim.declared import Outcome
from reformsim.outcomes import BY_NAME
from reformsim.scenario import Scenario

SUBDISTRICTS = 8
STAGES = (
    "intake_wait", "intake_work", "transfer", "hub", "conference",
    "desk_wait", "desk_work", "part_delay", "common_delay", "local_delay",
)  # fmt: skip

#: Effect of a measure at full intensity on every outcome, as a share of its base.
EFFECTS = {
    "remove_investment_duty": 0.04,
    "remove_economic_assessment": -0.02,
    "satisfaction_assessment": 0.05,
    "governance_committee": 0.03,
}
BOTH = 0.06  # remove_investment_duty with satisfaction_assessment
COMPENSATION = 0.01  # of revenue_compensation at 1 against 0


class FakeModel:
    """Outcomes by formula. Needs of 12 make odd seeds fail, of 11 wait, of 10 kill the process."""

    def __init__(self, scenario: Scenario, rng: int, threads: int = 1) -> None:
        self.threads = threads
        self.reset(scenario, rng)

    def reset(self, scenario: Scenario, rng: int) -> None:
        self.scenario, self.seed, self.day = scenario, rng, 0.0

    def run_until(self, day: float) -> None:
        if self.scenario.uncertainties.get("needs") == 12 and self.seed % 2:
            raise RuntimeError("this run fails on purpose")
        if self.scenario.uncertainties.get("needs") == 11:
            time.sleep(60)
        if self.scenario.uncertainties.get("needs") == 10:
            os._exit(3)
        self.day = day

    def effect(self) -> float:
        force = {step.measure: step.intensity for step in self.scenario.reform}
        both = force.get("remove_investment_duty", 0) * force.get("satisfaction_assessment", 0)
        paid = self.scenario.world()["revenue_compensation"]
        return (
            sum(EFFECTS.get(m, 0.0) * i for m, i in force.items())
            + BOTH * both
            + COMPENSATION * paid
        )

    def outcomes(self) -> pd.DataFrame:
        common = np.random.default_rng(self.seed)
        own = np.random.default_rng([self.seed, round(1e6 * self.effect()) % 2**31])
        places = [("city", self.scenario.city.name)]
        places += [("subdistrict", name) for name in self.places()]
        shape = len(BY_NAME), len(places)
        noise = 0.01 * common.normal(size=shape) + 0.003 * own.normal(size=shape)
        share = self.effect() * np.array([0.0, 0.5, 1.0])
        base = np.array([1.0 + len(name) / 10 for name in BY_NAME])
        values = base[:, None, None] * (1 + share + noise[:, :, None])
        rows = [
            (name, declared.unit, declared.better, level, place, period)
            for name, declared in BY_NAME.items()
            for level, place in places
            for period in ("warm_up", "transition", "after")
        ]
        columns = ["outcome", "unit", "better", "level", "place", "period"]
        return pd.DataFrame(rows, columns=columns).assign(value=values.ravel())

    def headlines(self) -> list[tuple[Outcome, float]]:
        rows = self.outcomes()
        rows = rows[(rows["level"] == "city") & (rows["period"] == "after")]
        return [(BY_NAME[name], v) for name, v in zip(rows["outcome"], rows["value"], strict=True)]

    def places(self) -> list[str]:
        return [f"Subdistrict {i}" for i in range(SUBDISTRICTS)]

    def curves(self) -> pd.DataFrame:
        common = np.random.default_rng([self.seed, 1])
        months = np.arange(int(self.day // 30))
        force = (months * 30 >= self.scenario.warm_up) * self.effect()
        noise = 0.01 * common.normal(size=(len(BY_NAME), len(months)))
        base = np.array([1.0 + len(name) / 10 for name in BY_NAME])
        return pd.DataFrame(
            {
                "month": np.tile(months, len(BY_NAME)),
                "day": np.tile(months * 30.0 + 15, len(BY_NAME)),
                "outcome": np.repeat(list(BY_NAME), len(months)),
                "value": (base[:, None] * (1 + force + noise)).ravel(),
            }
        )

    def waits(self) -> pd.DataFrame:
        common = np.random.default_rng([self.seed, 2])
        rows = [
            (kind, name, (1 + i % 3) * (1 - self.effect()) + 0.05 * common.random(), period)
            for period in ("warm_up", "transition", "after")
            for kind, names in (("wait", STAGES), ("desk", DESK_KINDS), ("visits", DESK_KINDS))
            for i, name in enumerate(names)
        ]
        return pd.DataFrame(rows, columns=["kind", "outcome", "value", "period"])


def fake_model(scenario: Scenario, seed: int, threads: int) -> FakeModel:
    return FakeModel(scenario, seed, threads)
