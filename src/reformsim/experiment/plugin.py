"""Other models through the same path: any function of named numbers and a seed.

A model with the contract of ``bench.Model`` needs nothing of this: pass what builds it as
``factory`` to ``run.execute``. A plain function becomes one by a ``Problem``, which says what
goes in and what comes out.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd

from reformsim.declared import Outcome
from reformsim.experiment.bench import Model
from reformsim.experiment.design import Run
from reformsim.experiment.plan import Asked, Plan
from reformsim.experiment.run import AS_USUAL, How, carry_out
from reformsim.experiment.sampling import STREAM
from reformsim.experiment.store import Results

#: From the values of the inputs, by name, and a seed to the values of the outputs, by name.
Function = Callable[[dict[str, float], int], Mapping[str, float]]


@dataclass(frozen=True)
class Point:
    """What a plugged-in function is asked: the value of each input."""

    values: dict[str, float]
    days: int = 0

    def resolved(self) -> dict[str, Any]:
        """Return all that repeats it."""
        return {"uncertainties": self.values}

    @classmethod
    def of(cls, resolved: dict[str, Any]) -> "Point":
        """Read back what ``resolved`` returned, for ``rerun``."""
        return cls(resolved["uncertainties"])


@dataclass(frozen=True)
class FromPoints:
    """The scenarios of runs that carry their point."""

    def scenario(self, run: Run) -> Asked:
        """Return the point of ``run``."""
        return Point(run.point)


@dataclass(frozen=True)
class Problem:
    """A function as a model: its inputs with their bounds, its outputs, and a factory of models.

    ``function`` must be one of a module, so that worker processes can import it. A run fails
    where an output is missing or is no finite number: no NaN comes as far as an analysis.
    """

    name: str
    inputs: dict[str, tuple[float, float]]
    outputs: tuple[Outcome, ...]
    function: Function

    def __call__(self, asked: Point, seed: int, threads: int) -> Model:
        """Build the model of a point."""
        return _Evaluation(self, asked, seed)

    def plan(
        self,
        points: np.ndarray,
        replications: int = 1,
        seed: int = 1,
        streams: np.ndarray | None = None,
    ) -> Plan:
        """Return the plan of running every point, rows of shape (points, inputs).

        Scenarios are named by their row, p00000 and so on; replication r has the seed
        ``seed + r`` at every point, or with ``streams`` (points,) that of its stream. Raises
        ValueError for another shape and outside the bounds.
        """
        points = np.asarray(points, float)
        if points.ndim != 2 or points.shape[1] != len(self.inputs):
            raise ValueError(f"points: shape {points.shape}, needs (n, {len(self.inputs)})")
        low, high = np.array(list(self.inputs.values())).T
        if not ((points >= low) & (points <= high)).all():
            raise ValueError("points: outside the bounds of the inputs")
        n = len(points)
        seeds = [seed] * n if streams is None else [seed + STREAM * int(k) for k in streams]
        runs = [
            Run(
                id=replication * n + i,
                scenario=f"p{i:05d}",
                levels={},
                replication=replication,
                seed=seeds[i] + replication,
                point=dict(zip(self.inputs, row.tolist(), strict=True)),
            )
            for replication in range(replications)
            for i, row in enumerate(points)
        ]
        about = {"inputs": self.inputs, "outputs": [outcome.name for outcome in self.outputs]}
        return Plan(self.name, runs, FromPoints(), about, keep="headlines")

    def run(
        self,
        points: np.ndarray,
        directory: Path,
        replications: int = 1,
        seed: int = 1,
        workers: int = 1,
        stream: TextIO | None = None,
        how: How = AS_USUAL,
    ) -> Results:
        """Run every point in a results directory; as ``run.carry_out``."""
        plan = self.plan(points, replications, seed)
        return carry_out(plan, directory, workers, self, stream, how)


def values(results: Results, outcome: str) -> np.ndarray:
    """Return one outcome of all finished runs by point and replication, NaN for failed runs.

    Shape (points, replications), in the order of the design.
    """
    rows = results.headlines()
    rows = rows[rows["outcome"] == outcome]
    table = rows.pivot(index="scenario", columns="replication", values="value")
    runs = results.runs
    return table.reindex(
        index=pd.unique(runs["scenario"]), columns=pd.unique(runs["replication"])
    ).to_numpy(float)


class _Evaluation:
    """One evaluation of a function, in the contract of a model."""

    def __init__(self, problem: Problem, asked: Point, seed: int) -> None:
        self.problem = problem
        self.reset(asked, seed)

    def reset(self, scenario: Point, rng: int) -> None:
        self.asked, self.seed = scenario, rng
        self.found: Mapping[str, float] = {}

    def run_until(self, day: float) -> None:
        self.found = self.problem.function(dict(self.asked.values), self.seed)

    def headlines(self) -> list[tuple[Outcome, float]]:
        named = {outcome.name: outcome for outcome in self.problem.outputs}
        if self.found.keys() != named.keys():
            raise ValueError(f"returned {sorted(self.found)}, declared {sorted(named)}")
        for name, value in self.found.items():
            if not math.isfinite(value):
                raise ValueError(f"{name} is {value}")
        return [(outcome, float(self.found[name])) for name, outcome in named.items()]

    def outcomes(self) -> pd.DataFrame:
        rows = [
            (outcome.name, value, outcome.unit, outcome.better, "city", "", "after")
            for outcome, value in self.headlines()
        ]
        names = ["outcome", "value", "unit", "better", "level", "place", "period"]
        return pd.DataFrame(rows, columns=names)

    def curves(self) -> pd.DataFrame:
        return pd.DataFrame(columns=["month", "day", "outcome", "value"])

    def waits(self) -> pd.DataFrame:
        return pd.DataFrame(columns=["kind", "outcome", "value", "period"])


def output(name: str, unit: str = "1") -> Outcome:
    """Declare an output of a plugged-in function of which neither way is better."""
    return Outcome(name, unit, "neither", name, name, True)
