"""Measures that act through people and incentives: each moves its first-order outcome.

The way is the one declared with the measure before any run. Effects are means over paired seeds
with a 95 % t interval, printed (``pytest -rP``); an interval on the right side of 0 would come
about in 2.5 % of tests of a measure without effect (seeds are fixed).
"""

from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML
from scipy import stats

from reformsim import outcomes
from reformsim.measures import BY_NAME
from reformsim.model import CityModel
from reformsim.scenario import Scenario, Step

BACKFIRES = Path(__file__).resolve().parents[1] / "experiments" / "backfires"
START = 60
SEEDS = range(1, 5)

BUSY = {"needs": 6.0}
LEAVING = {"turnover": 0.4, "implementation": 1.0}
#: Where a measure's mechanism can act: facts, and grids of the town (workers to be counted).
WHERE: dict[str, tuple[dict[str, float], int | None]] = {
    "multi_actor_partnership": ({}, None),
    "resident_centred_goal": ({}, None),
    "remove_investment_duty": (BUSY, None),
    "five_subdistrict_functions": (
        BUSY | {"switching_loss": 0.15, "function_growth": 0.0, "implementation": 1.0}, None,
    ),
    "devolved_task_admission": ({}, None),
    "burden_reduction_ten": ({}, None),
    "participation_norms": ({}, None),
    "deliberation_council": ({"never": 0.4, "council_shift": 0.4}, None),
    "courtyard_self_governance": ({}, None),
    "community_role_refocus": ({"routine": 0.4, "intake_hours_grid": 6.0}, 60),
    "social_organisation_support": ({}, None),
    "worker_careers": (LEAVING, 300),
    "promotion_paths": (LEAVING | {"promotion_pull": 12.0}, 300),
    "training_for_all": (LEAVING | {"newcomer_skill": 0.3}, 300),
    "recognition_awards": ({}, None),
    "satisfaction_assessment": ({}, None),
    "remove_economic_assessment": ({}, None),
    "uniform_assessment": ({}, None),
    "leadership_accountability": ({}, None),
}  # fmt: skip


def city_outcomes(scenario: Scenario, seed: int) -> dict[str, float]:
    model = CityModel(scenario, rng=seed)
    model.run_until(scenario.days)
    table = model.outcomes().query("level == 'city' and period == 'after'")
    return dict(zip(table["outcome"], table["value"], strict=True))


def effect(name: str, plain: Scenario, seeds=SEEDS, intensity=1.0) -> dict[str, np.ndarray]:
    """Effects of a measure from the end of the warm-up, by outcome, one for each seed."""
    step = Step(measure=name, from_day=plain.warm_up, intensity=intensity)
    reformed = plain.model_copy(update={"reform": (*plain.reform, step)})
    pairs = [(city_outcomes(plain, seed), city_outcomes(reformed, seed)) for seed in seeds]
    return {key: np.array([b[key] - a[key] for a, b in pairs]) for key in pairs[0][0]}


def interval(name: str, outcome: str, found: np.ndarray) -> tuple[float, float]:
    """Mean and half-width of the 95 % interval, printed."""
    half = found.std(ddof=1) / np.sqrt(len(found)) * stats.t.ppf(0.975, len(found) - 1)
    print(f"{name}: {outcome} {found.mean():+.4g} ± {half:.2g}")
    return float(found.mean()), float(half)


@pytest.mark.parametrize("name", WHERE)
def test_a_measure_moves_its_first_order_outcome(name, town):
    facts, grids = WHERE[name]
    plain = town(warm_up=START, days=START + 365, uncertainties=facts)
    if grids:
        plain = plain.model_copy(update={"city": plain.city.model_copy(update={"grids": grids})})
    measure = BY_NAME[name]
    mean, half = interval(name, measure.outcome, effect(name, plain)[measure.outcome])
    assert (mean if measure.expected == "up" else -mean) > half


def test_self_governance_widens_the_gap_between_types_of_community(sweep):
    """Old courtyards lose the state as owners do and gain less: silence by type of community."""
    facts = {"owners_gain": 3.0, "withdrawal": 2.0, "voice_grid": -1.5, "intake_hours_grid": 0.5}
    plain = sweep(warm_up=START, days=START + 365, uncertainties=facts)
    step = Step(measure="courtyard_self_governance", from_day=START)
    gaps = []
    for seed in SEEDS:
        gap = []
        for reform in ((), (step,)):
            model = CityModel(plain.model_copy(update={"reform": reform}), rng=seed)
            model.run_until(plain.days)
            table = model.outcomes().query("period == 'after' and outcome == 'silent_share'")
            silent = table[table["level"] == "community_type"].set_index("place")["value"]
            gap.append(silent["old_courtyard"] - silent["commercial_estate"])
        gaps.append(gap[1] - gap[0])
    mean, half = interval("courtyard_self_governance", "gap in silent_share", np.array(gaps))
    assert mean > half


@pytest.mark.slow
def test_pressure_has_an_optimum_that_nobody_wrote_down(town):
    """Some accountability raises the true solution rate, all of it lowers it, in one world.

    Half of all hours follow effort, desks are full, pressure distorts a third as much as assumed.
    """
    facts = {
        "implementation": 1.0, "floor": 0.5, "utilisation": 0.95, "pressure_weight": 2.0,
        "sham_pressure": 0.5, "pressure_strain": 0.0, "pressure_inspection": 0.02, "neglect": 0.05,
    }  # fmt: skip
    plain = town(warm_up=365, days=3 * 365, uncertainties=facts)
    for intensity, way in ((0.25, 1), (1.0, -1)):
        found = effect("leadership_accountability", plain, range(1, 9), intensity)[
            "true_solution_rate"
        ]
        mean, half = interval(f"pressure at {intensity}", "true_solution_rate", found)
        assert way * mean > half


@pytest.mark.slow
@pytest.mark.parametrize("side", ["helps", "harms"])
@pytest.mark.parametrize("name", [*WHERE, "district_investment_teams"])
def test_a_measure_helps_and_harms_where_its_experiment_says(name, side, request):
    """Each of `experiments/backfires`: the interval lies on the side of help or of harm."""
    config = YAML(typ="safe").load((BACKFIRES / f"{name}.yaml").read_text("utf-8"))
    plan = request.getfixturevalue(config["city"])
    block = config[side]
    plain = plan(
        warm_up=365, days=365 * (1 + config["years"]), uncertainties=block["uncertainties"]
    )
    outcome = block.get("outcome", config["outcome"])
    mean, half = interval(
        f"{name} {side}", outcome,
        effect(name, plain, range(1, 9), block.get("intensity", 1.0))[outcome],
    )  # fmt: skip
    better = outcomes.BY_NAME[outcome].better
    assert better in ("higher", "lower")
    assert (mean if (better == "higher") == (side == "helps") else -mean) > half


def test_goals_are_the_means_of_their_scaled_components(town):
    found = city_outcomes(town(warm_up=30, days=90), 1)
    for goal in outcomes.GOALS:
        parts = [
            min(max((found[name] - worst) / (best - worst), 0.0), 1.0)
            for name, worst, best in goal.components
            if name in found
        ]
        assert parts and found[goal.name] == pytest.approx(np.mean(parts))


def test_theil_of_the_city_is_the_sum_of_its_parts(sweep):
    found = city_outcomes(sweep(warm_up=30, days=60), 1)
    between, within = found["theil_between_districts"], found["theil_within_districts"]
    assert found["satisfaction_theil"] == pytest.approx(between + within, rel=1e-12)
    assert between > 0 and within > 0
