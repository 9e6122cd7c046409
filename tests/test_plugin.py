"""Other models through the path, and the city driven by another workbench."""

import importlib.util
import io
import math
import pickle
import runpy
import subprocess
import sys
import types
from dataclasses import dataclass

import numpy as np
import pytest

from reformsim.experiment.ema import Evaluate, connect
from reformsim.experiment.plugin import Point, Problem, output, values
from reformsim.experiment.rerun import rerun
from reformsim.experiment.run import How
from reformsim.experiment.store import StoreError
from reformsim.model import CityModel
from reformsim.scenario import Step
from test_experiment import ROOT
from test_ledger import bits

EXAMPLES = ROOT / "docs" / "examples"


def example(name: str) -> types.ModuleType:
    """Import an example by its file, as a user's module that workers can import too."""
    if str(EXAMPLES) not in sys.path:
        sys.path.append(str(EXAMPLES))
    return importlib.import_module(name)


def linear(x: dict[str, float], seed: int) -> dict[str, float]:
    return {"y": 2 * x["a"] + x["b"] + np.random.default_rng(seed).normal()}


def faulty(x: dict[str, float], seed: int) -> dict[str, float]:
    found = {"y": math.nan if x["a"] > 0.5 else 1.0}
    return found if x["b"] < 0.5 else found | {"z": 0.0}


UNIT = {"a": (0.0, 1.0), "b": (0.0, 1.0)}
LINEAR = Problem("linear", UNIT, (output("y"),), linear)


def test_a_function_runs_through_the_path_by_point_and_replication(tmp_path):
    points = np.array([[0.0, 1.0], [0.5, 0.25], [1.0, 0.0]])
    results = LINEAR.run(points, tmp_path, replications=2, seed=5, stream=io.StringIO())
    noise = [np.random.default_rng(seed).normal() for seed in (5, 6)]
    expected = (2 * points[:, 0] + points[:, 1])[:, None] + noise
    assert np.array_equal(values(results, "y"), expected)
    assert list(results.runs["point:a"]) == [0.0, 0.5, 1.0] * 2
    more = np.vstack([points, [[0.1, 0.1]]])
    grown = LINEAR.run(more, tmp_path, replications=3, seed=5, stream=io.StringIO())
    assert values(grown, "y").shape == (4, 3)
    assert np.array_equal(values(grown, "y")[:3, :2], expected)
    with pytest.raises(StoreError, match=r"uncertainties\.a: 0\.5 -> 0\.6"):
        LINEAR.run(np.array([[0, 1], [0.6, 0.25], *more[2:]]), tmp_path, 3, seed=5)
    found = rerun(tmp_path, "p00001/1", LINEAR, Point.of)
    assert found.same and found.seed == 6


def test_processes_give_a_function_the_same_bits(tmp_path):
    points = np.random.default_rng(1).uniform(size=(20, 2))
    one = LINEAR.run(points, tmp_path / "one", stream=io.StringIO())
    how = How(executor="processes")
    two = LINEAR.run(points, tmp_path / "two", workers=2, stream=io.StringIO(), how=how)
    assert bits(one) == bits(two)


def test_no_nan_and_no_undeclared_output_comes_into_the_results(tmp_path):
    problem = Problem("faulty", UNIT, (output("y"),), faulty)
    points = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    results = problem.run(points, tmp_path, stream=io.StringIO())
    assert list(results.failed()["message"]) == [
        "ValueError: y is nan",
        "ValueError: returned ['y', 'z'], declared ['y']",
    ]
    assert np.isfinite(results.rows["value"]).all()
    assert np.array_equal(values(results, "y")[:, 0], [1.0, np.nan, np.nan], equal_nan=True)


@pytest.mark.parametrize("points", [np.zeros((3, 1)), np.zeros(2), np.full((1, 2), 1.5)])
def test_points_of_another_shape_or_outside_the_bounds_are_refused(points):
    with pytest.raises(ValueError, match="points: "):
        LINEAR.plan(points)


@pytest.mark.parametrize("name", ["ishigami", "sobol_g"])
def test_examples_have_the_mean_and_variance_that_they_state(name):
    """Of 2^14 points of a fixed Sobol' sequence: the mean within 0.2 %, the variance 0.5 %."""
    from scipy.stats import qmc

    module = example(name)
    low, high = np.array(list(module.PROBLEM.inputs.values())).T
    points = qmc.scale(qmc.Sobol(len(low), rng=1).random_base2(14), low, high)
    names = list(module.PROBLEM.inputs)
    y = np.array(
        [module.PROBLEM.function(dict(zip(names, x, strict=True)), 0)["y"] for x in points]
    )
    assert y.mean() == pytest.approx(module.MEAN, rel=2e-3)
    assert y.var() == pytest.approx(module.VARIANCE, rel=5e-3)
    total = sum(module.FIRST.values()) + sum(module.SECOND.values())
    assert total <= 1 + 1e-12 and all(module.FIRST[n] <= module.TOTAL[n] for n in module.FIRST)


def test_an_example_runs_as_its_text_says(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["ishigami.py", str(tmp_path / "x")])
    runpy.run_path(str(EXAMPLES / "ishigami.py"), run_name="__main__")
    assert "exactly 13.84" in capsys.readouterr().out


def test_memory_hardly_grows_with_the_number_of_runs(tmp_path):
    """Peak memory of a process of its own: 200 runs first, then 2,000; 10 kB a run at most."""
    command = [sys.executable, "-c", GROWTH, str(EXAMPLES), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    few, many = map(int, done.stdout.split())
    assert many - few < 10_000 * 1_800


GROWTH = """
import io, resource, sys
from pathlib import Path
sys.path.append(sys.argv[1])
import numpy as np
from sobol_g import PROBLEM
for n in (200, 2000):
    points = np.random.default_rng(1).uniform(size=(n, 6))
    PROBLEM.run(points, Path(sys.argv[2]) / str(n), stream=io.StringIO())
    print(1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


# ------------------------------------------------------------------------ the other way round


@dataclass
class _Parameter:
    name: str
    lower_bound: float = 0.0
    upper_bound: float = 0.0


class _Model:
    """As much of EMA's model as the connector uses: calls its function by keyword."""

    def __init__(self, name, function):
        assert name.isalnum()  # EMA takes no other names
        self.name, self.function = name, function

    def run(self, **point: float) -> dict[str, float]:
        found = self.function(**point)
        return {outcome.name: found[outcome.name] for outcome in self.outcomes}


@pytest.fixture
def workbench(monkeypatch) -> None:
    """Put a stub in the place of EMA Workbench, which is not installed for the tests."""
    stub = types.ModuleType("ema_workbench")
    stub.Model, stub.RealParameter, stub.ScalarOutcome = _Model, _Parameter, _Parameter
    monkeypatch.setitem(sys.modules, "ema_workbench", stub)


def test_the_connector_drives_the_city(workbench, town):
    base = town(warm_up=30, days=120, uncertainties={"p_mis": 0.2})
    model = connect(base, ["needs"], ["governance_committee"], ["satisfaction", "walk"], 2, seed=7)
    assert [(x.lower_bound, x.upper_bound) for x in model.uncertainties] == [(0.5, 12.0)]
    assert [(x.lower_bound, x.upper_bound) for x in model.levers] == [(0.0, 1.0)]
    found = model.run(needs=4.0, governance_committee=0.5)
    step = Step(measure="governance_committee", intensity=0.5, from_day=30)
    asked = town(step, warm_up=30, days=120, uncertainties={"p_mis": 0.2, "needs": 4.0})
    there = []
    for seed in (7, 8):
        city = CityModel(asked, seed)
        city.run_until(120)
        there.append({outcome.name: value for outcome, value in city.headlines()})
    assert found["satisfaction"] == np.mean([row["satisfaction"] for row in there])
    assert found.keys() == {"satisfaction", "walk"}


def test_the_connector_can_travel_and_tells_unknown_names(workbench, town):
    base = town(warm_up=30, days=120)
    function = Evaluate(base)
    assert pickle.loads(pickle.dumps(function)) == function
    for names in (["nope"], [], []), ([], ["nope"], []), ([], [], ["nope"]):
        with pytest.raises(ValueError, match=r"no .* 'nope'"):
            connect(base, *names)
    with pytest.raises(RuntimeError, match="needs"):
        function(needs=99.0)


def test_headlines_are_those_of_all_outcomes(town):
    """To the bit, before the transition is over (where there are none) and after."""
    model = CityModel(town(warm_up=30, days=120), 3)
    model.run_until(20)
    assert all(math.isnan(value) for _, value in model.headlines())
    model.run_until(120)
    rows = model.outcomes()
    rows = rows[(rows["level"] == "city") & (rows["period"] == "after")]
    found = {outcome.name: value for outcome, value in model.headlines() if math.isfinite(value)}
    assert found == dict(zip(rows["outcome"], rows["value"], strict=True))
