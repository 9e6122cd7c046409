"""Territory and structure: first-order effects, and where each measure backfires.

Runs are pairs, with and without the measure, on fixed seeds, under the conditions declared in
`experiments/backfires/`, but shorter; effects are printed with their 95 % interval (Student's t
over `SEEDS` pairs, ``pytest -rP``). An effect must lie on its side of 0 with all of that
interval: with no effect at all, each test would pass by chance in 2.5 % of cities drawn anew.
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

ROOT = Path(__file__).resolve().parents[1]
BACKFIRES = ROOT / "experiments" / "backfires"
CITIES = ROOT / "configs" / "cities"
#: Warm-up and all days of a run; pairs of runs.
WARM_UP, DAYS, SEEDS = 30, 330, 3
MEASURES = (
    "citywide_policy", "local_adaptation", "five_plus_x_offices", "extra_offices_for_large_units",
    "convenience_centre", "service_stations", "boundary_adjustment", "community_premises",
    "fifteen_minute_circle",
)  # fmt: skip


def load(path: Path) -> dict:
    return YAML(typ="safe").load(path.read_text("utf-8"))


def effect(name: str, side: str, outcome: str) -> tuple[float, float]:
    """Mean and half of the 95 % interval of an outcome's change, under one of the conditions."""
    declared = load(BACKFIRES / f"{name}.yaml")
    condition = declared[side]
    step = Step(measure=name, intensity=condition.get("intensity", 1.0), from_day=WARM_UP)
    changes = []
    for seed in range(SEEDS):
        found = []
        for reform in ((), (step,)):
            scenario = Scenario(
                name="pair", warm_up=WARM_UP, days=DAYS, reform=reform,
                city=load(CITIES / f"{condition.get('city', declared['city'])}.yaml"),
                uncertainties=condition["uncertainties"],
            )  # fmt: skip
            model = CityModel(scenario, rng=seed)
            model.run_until(DAYS)
            table = model.outcomes().query("level == 'city' and period == 'after'")
            found.append(float(table.set_index("outcome").value[outcome]))
        changes.append(found[1] - found[0])
    half = stats.t.ppf(0.975, SEEDS - 1) * np.std(changes, ddof=1) / np.sqrt(SEEDS)
    return float(np.mean(changes)), float(half)


def moves(name: str, side: str, outcome: str, up: bool) -> bool:
    mean, half = effect(name, side, outcome)
    print(f"{name}: {outcome} {mean:+.5f} ± {half:.5f}, expected {'up' if up else 'down'}")
    return (mean if up else -mean) > half


@pytest.mark.parametrize("name", MEASURES)
def test_where_it_can_act_it_moves_its_first_order_outcome(name):
    measure = BY_NAME[name]
    assert moves(name, "helps", measure.outcome, measure.expected == "up")


@pytest.mark.parametrize("name", MEASURES)
def test_where_it_backfires_its_outcome_is_worse(name):
    declared = load(BACKFIRES / f"{name}.yaml")
    outcome = declared["harms"].get("outcome", declared["outcome"])
    assert moves(name, "harms", outcome, OUTCOMES[outcome].better == "lower")
