"""A connector with which EMA Workbench (the optional extra ``ema``) drives ``CityModel``.

    from ema_workbench import SequentialEvaluator
    from reformsim.experiment.ema import connect

    model = connect(scenario, ["needs", "p_mis"], ["governance_committee"], ["satisfaction"])
    with SequentialEvaluator(model) as evaluator:
        experiments, outcomes = evaluator.perform_experiments(scenarios=100, policies=4)

Kwakkel (2017), The Exploratory Modeling Workbench, Environmental Modelling & Software 96.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reformsim import measures, outcomes, uncertainties
from reformsim.experiment.bench import Batch, city_model, work
from reformsim.experiment.design import Run
from reformsim.experiment.plan import Asked
from reformsim.scenario import Scenario, Step

if TYPE_CHECKING:
    from ema_workbench import Model


@dataclass(frozen=True)
class Evaluate:
    """A city under a base scenario as a function of named numbers; it can be pickled.

    Names of uncertainties give facts of the world, names of measures their intensities from the
    end of the warm-up. Outcomes are means over the replications, which have the seeds ``seed``,
    ``seed + 1``, … at every point, so that points differ by what is asked and not by chance.
    """

    base: Scenario
    replications: int = 1
    seed: int = 1

    def scenario(self, run: Run) -> Asked:
        """Return the base with the point of ``run`` on it."""
        facts = {name: value for name, value in run.point.items() if name in uncertainties.BY_NAME}
        steps = [
            Step(measure=name, intensity=value, from_day=self.base.warm_up)
            for name, value in run.point.items()
            if name in measures.BY_NAME
        ]
        changes = {
            "uncertainties": self.base.uncertainties | facts,
            "reform": (*self.base.reform, *steps),
        }
        return Scenario.model_validate(dict(self.base) | {"years": None} | changes)

    def __call__(self, **point: float) -> dict[str, float]:
        """Return every outcome of the city after the transition, NaN where there is none.

        Raises RuntimeError where a run fails.
        """
        runs = [
            Run(i, "point", {}, i, self.seed + i, point=dict(point))
            for i in range(self.replications)
        ]
        made = work(Batch("ema", self, city_model, 1, "headlines", runs)).chunk
        for message in made["message"].to_pylist():
            if message:
                raise RuntimeError(message)
        found = [
            {row["outcome"]: row["value"] for row in rows} for rows in made["rows"].to_pylist()
        ]
        return {
            name: float(np.mean([values.get(name, np.nan) for values in found]))
            for name in outcomes.BY_NAME
        }


def connect(
    base: Scenario,
    uncertain: Sequence[str],
    levers: Sequence[str],
    shown: Sequence[str] = outcomes.HEADLINES,
    replications: int = 1,
    seed: int = 1,
) -> "Model":
    """Return EMA's model of a city: uncertainties in their declared ranges, measures as levers.

    Raises ImportError without EMA Workbench, ValueError for names that are not declared.
    """
    for kind, names, declared in (
        ("uncertainty", uncertain, set(uncertainties.BY_NAME)),
        ("measure", levers, set(measures.BY_NAME)),
        ("outcome", shown, set(outcomes.BY_NAME)),
    ):
        if unknown := set(names) - declared:
            raise ValueError(f"no {kind} {min(unknown)!r}")
    from ema_workbench import Model, RealParameter, ScalarOutcome

    model = Model("CityModel", function=Evaluate(base, replications, seed))
    ranges = [uncertainties.BY_NAME[name] for name in uncertain]
    model.uncertainties = [RealParameter(x.name, x.low, x.high) for x in ranges]
    model.levers = [RealParameter(name, 0.0, 1.0) for name in levers]
    model.outcomes = [ScalarOutcome(name) for name in shown]
    return model
