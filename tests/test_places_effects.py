"""Measures of places: each moves its first-order outcome the declared way, helps and harms.

All contrasts are paired by seed, measure against none, in the conditions of
``experiments/backfires``; what is printed is the mean difference and its 95 % interval. Paired
runs share all chance that the measure does not touch, so that most intervals are narrow; a sign
is asserted where the interval excludes 0, a false alarm in 2.5 % at no effect. Seeds are fixed.
"""

from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML
from scipy import stats

from reformsim.measures import BY_NAME
from reformsim.model import CityModel
from reformsim.outcomes import BY_NAME as OUTCOMES
from reformsim.scenario import Scenario, Step

EXPERIMENTS = Path(__file__).resolve().parents[1] / "experiments" / "backfires"
MEASURES = (
    "development_governance_planning", "community_planner", "characteristic_towns",
    "housing_renewal", "street_improvement", "service_standards", "simultaneous_facilities",
)  # fmt: skip
SEEDS = range(3)


def condition(measure: str) -> dict:
    return YAML(typ="safe").load((EXPERIMENTS / f"{measure}.yaml").read_text("utf-8"))


@pytest.fixture(scope="module")
def dense() -> dict:
    """Return the city of ``dense``, 80,000 residents."""
    text = (EXPERIMENTS.parents[1] / "configs" / "cities" / "dense.yaml").read_text("utf-8")
    return YAML(typ="safe").load(text)


def contrast(city: dict, measure: str, years: int, facts: dict) -> np.ndarray:
    """Differences of all outcomes by seed, (seeds, outcomes in order of their names)."""
    found = []
    for seed in SEEDS:
        values = []
        for steps in ((), (Step(measure=measure),)):
            scenario = Scenario.model_validate(
                dict(name="pair", city=city, years=years, uncertainties=facts, reform=steps)
            )
            model = CityModel(scenario, rng=seed)
            model.run_until(scenario.days)
            table = model.outcomes().query("level == 'city' and period == 'after'")
            values.append(table.set_index("outcome").value)
        found.append((values[1] - values[0]).reindex(sorted(OUTCOMES)))
    return np.array(found)


def interval(name: str, differences: np.ndarray) -> tuple[float, float]:
    mean = differences.mean()
    half = differences.std(ddof=1) / np.sqrt(len(differences))
    half *= stats.t.isf(0.025, len(differences) - 1)
    print(f"{name}: {mean:+.5g} [{mean - half:+.5g}, {mean + half:+.5g}]")
    return mean - half, mean + half


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_helps_first_order_and_harms_elsewhere(dense, name):
    plan, measure = condition(name), BY_NAME[name]
    order = sorted(OUTCOMES)
    for side, way in (("helps", 1), ("harms", -1)):
        outcome = plan[side].get("outcome", plan["outcome"])
        seen = contrast(dense, name, plan["years"], plan[side]["uncertainties"])
        better = OUTCOMES[outcome].better
        assert better != "neither"
        low, high = interval(f"{name} {side}: {outcome}", seen[:, order.index(outcome)])
        sign = way if better == "higher" else -way
        assert sign * (low if sign > 0 else high) > 0
        if side == "helps":
            first = seen[:, order.index(measure.outcome)]
            low, high = interval(f"{name}: first-order {measure.outcome}", first)
            assert low > 0 if measure.expected == "up" else high < 0
