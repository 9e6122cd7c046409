"""Where the measures on cases help and where they harm, each in the condition declared for it.

The conditions are those of ``experiments/backfires``; pairs share their seeds. Effects are held
to a 95 % interval on the expected side of 0: with no effect at all, 2.5 % false alarms each. The
seeds are fixed, so that the tests do not flicker.
"""

from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML
from scipy import stats

from reformsim.measures import BY_NAME
from reformsim.model import CityModel
from reformsim.outcomes import BY_NAME as OUTCOMES
from reformsim.scenario import Step

CONDITIONS = Path(__file__).parents[1] / "experiments" / "backfires"
MEASURES = (
    "four_level_linkage", "rule_of_law_methods", "delegate_powers", "business_environment",
    "powers_and_responsibilities_list", "governance_committee", "joint_conference",
    "safe_community", "unified_grid_linkage", "consultation_platforms",
    "internet_plus_community",
)  # fmt: skip
SEEDS = range(4)
START, END = 90, 90 + 365


def effects(town, name: str, side: str) -> tuple[dict, dict]:
    """Change of each outcome by seed under one side's condition; and the file itself."""
    file = YAML(typ="safe").load((CONDITIONS / f"{name}.yaml").read_text("utf-8"))
    facts = file[side]["uncertainties"]
    changes = []
    for seed in SEEDS:
        found = []
        for steps in ((), (Step(measure=name, from_day=START),)):
            scenario = town(*steps, warm_up=START, days=END, uncertainties=facts)
            model = CityModel(scenario, rng=seed)
            model.run_until(END)
            table = model.outcomes().query("level == 'city' and period == 'after'")
            found.append(table.set_index("outcome").value)
        changes.append(found[1] - found[0])
    return {outcome: np.array([c[outcome] for c in changes]) for outcome in changes[0].index}, file


def t_value(name: str, change: np.ndarray) -> float:
    """Student's t of a change, printed with its 95 % interval (``pytest -rP``)."""
    error = change.std(ddof=1) / np.sqrt(len(change))
    half = stats.t.ppf(0.975, len(change) - 1) * error
    print(f"{name}: {change.mean():+.4g} ± {half:.2g}")
    return float(change.mean() / error)


LIMIT = stats.t.ppf(0.975, len(SEEDS) - 1)


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_moves_its_first_order_outcome(town, name):
    changes, file = effects(town, name, "helps")
    measure = BY_NAME[name]
    sign = 1.0 if measure.expected == "up" else -1.0
    assert sign * t_value(f"{name}: {measure.outcome}", changes[measure.outcome]) > LIMIT
    outcome = file["helps"].get("outcome", file["outcome"])
    better = 1.0 if OUTCOMES[outcome].better == "higher" else -1.0
    assert better * t_value(f"{name}: {outcome}", changes[outcome]) > 0


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_backfires_where_it_was_said_to(town, name):
    changes, file = effects(town, name, "harms")
    outcome = file["harms"].get("outcome", file["outcome"])
    worse = -1.0 if OUTCOMES[outcome].better == "higher" else 1.0
    assert worse * t_value(f"{name}: {outcome}", changes[outcome]) > LIMIT
