"""Faults that a hostile review found once, each as a test that would find it again."""

import ast
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

import reformsim
from reformsim.cases.state import BIN_FIRST, BIN_GROWTH, BINS
from reformsim.chance import Purpose
from reformsim.model import CityModel
from reformsim.outcomes import quantile_days
from reformsim.scenario import Step

CASES = Path(reformsim.__file__).parent / "cases"


def _purposes(path: Path) -> dict[str, str]:
    """Names that stand for a purpose in a module: `Purpose.X` itself and module constants."""
    names = {f"Purpose.{p.name}": p.name for p in Purpose}
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Assign):
            targets = node.targets[0]
            left = targets.elts if isinstance(targets, ast.Tuple) else [targets]
            right = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            for name, value in zip(left, right, strict=False):
                text = ast.unparse(value)
                if text.startswith("int(Purpose."):
                    names[ast.unparse(name)] = text[len("int(Purpose.") : -1]
    return names


def test_every_purpose_is_drawn_for_in_one_place_only():
    """Two decisions that share a stream and a purpose would hang together by one number."""
    places = defaultdict(set)
    for path in sorted(CASES.glob("*.py")):
        if path.name == "route.py":  # a flow of its own, on keys of its own
            continue
        names = _purposes(path)
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(function, ast.FunctionDef):
                continue
            for node in ast.walk(function):
                if isinstance(node, ast.Call):
                    for arg in node.args:
                        purpose = names.get(ast.unparse(arg))
                        if purpose:
                            places[purpose].add((path.name, function.name, node.lineno))
    twice = {p: sorted(where) for p, where in places.items() if len(where) > 1}
    assert len(places) > 25
    assert not twice, twice


def test_measures_are_paid_in_full_whatever_is_realised(sweep):
    steps = [
        Step(measure=name, from_day=60)
        for name in (
            "governance_committee", "district_investment_teams", "social_organisation_support",
        )
    ]  # fmt: skip
    paid = {}
    for share in (0.4, 1.0):
        scenario = sweep(*steps, warm_up=60, days=100, uncertainties={"implementation": share})
        model = CityModel(scenario, rng=3)
        model.run_until(80)
        a, b = model.administration, model.administration.setting.base
        assert (a.paid["hub_capacity"] == a.setting.world["hub_staffing"]).all()
        extra = (a.paid["service_purchasing"] - 1.0) * b.people / 1e4
        assert extra.sum() == pytest.approx(5.0 * b.people.sum() / 1e4)
        hubs = a.districts["hub_heads"] / a.cross
        paid[share] = (hubs, a._team(a.paid), a.rules["joint_dispatch"].mean())
    np.testing.assert_allclose(paid[0.4][0], paid[1.0][0], rtol=0.02)  # attendance differs a little
    np.testing.assert_array_equal(paid[0.4][1], paid[1.0][1])
    assert paid[0.4][2] < 0.7 * paid[1.0][2]  # while less of it is realised


@pytest.mark.parametrize("measure", ["powers_and_responsibilities_list", "convenience_centre"])
def test_a_pilot_in_one_district_leaves_the_other_alone(sweep, measure):
    """To the bit, for measures that do not act through the city as a whole."""
    plain = sweep(warm_up=60, days=200)
    here = plain.city.census()[0].name
    pilot = sweep(Step(measure=measure, from_day=75, where=(here,)), warm_up=60, days=200)
    other = []
    for scenario in (plain, pilot):
        model = CityModel(scenario, rng=4)
        model.run_until(200)
        d, c = model.columns.districts[1], model.columns
        _, m, _, r = c.slices(1)
        other.append((d.waits.tobytes(), c.tally[m].tobytes(), c.residents[r].tobytes()))
        if scenario is pilot:
            assert (model.administration.rules != model.administration.rules[-1]).any()
    assert other[0] == other[1]


def test_open_cases_count_in_the_quantiles_of_days():
    """Half close at about one day, half wait still: the median is where half have closed."""
    days, still_open = np.zeros((2, BINS)), np.zeros((2, BINS))
    days[:, 50] = 100.0
    still_open[1, 120] = 100.0
    at = BIN_FIRST * BIN_GROWTH ** np.array([50, 51, 120, 121])
    plain, censored = quantile_days(days, 0.9, still_open)
    assert at[0] <= plain <= at[1]
    assert at[2] <= censored <= at[3]  # nine in ten have not closed: the longest wait, at least
    assert quantile_days(days, 0.5, still_open)[1] <= at[1]


def test_a_backlog_does_not_hide_problem_days(town):
    """Needs far beyond what staff was sized for: problem-days grow with the open cases."""
    values = {}
    for needs in (5.0, 10.0):
        model = CityModel(town(warm_up=30, days=330, uncertainties={"needs": needs}), rng=2)
        model.run_until(330)
        city = model.outcomes().query("level == 'city' and period == 'after'")
        values[needs] = city.set_index("outcome").value
    assert values[10.0]["open_cases"] > 3 * values[5.0]["open_cases"]
    # silent needs alone double; what is heard and waits comes on top
    assert values[10.0]["problem_days"] > 2.1 * values[5.0]["problem_days"]
