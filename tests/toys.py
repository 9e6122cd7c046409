"""Models by formula for tests of designs: known answers, with or without chance.

``simulate`` makes the runs of an experiment in memory; ``Toy`` is the same formula with the
contract of ``CityModel``, for the whole path through the store.
"""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from reformsim.declared import Outcome
from reformsim.experiment import design, run
from reformsim.experiment.schema import Experiment
from reformsim.experiment.store import FORM, Results
from reformsim.outcomes import BY_NAME
from reformsim.scenario import Scenario
from reformsim.uncertainties import UNCERTAINTIES

#: The outcome that a toy reports, and one of which less is better.
OUTCOME, LESS = "satisfaction", "problem_days"
#: Uncertainties that stand for the inputs x1, x2, … of a formula.
INPUTS = [x.name for x in UNCERTAINTIES[:8]]

Formula = Callable[[Scenario, int], float]


def unit(scenario: Scenario, inputs: int) -> np.ndarray:
    """Return the first inputs of a scenario, each stretched from its declared range to [0, 1]."""
    declared = UNCERTAINTIES[:inputs]
    values = np.array([scenario.uncertainties.get(x.name, x.default) for x in declared])
    low, high = np.array([(x.low, x.high) for x in declared]).T
    return (values - low) / (high - low)


def ishigami(x: np.ndarray) -> float:
    """Ishigami & Homma (1990), with a = 7 and b = 0.1, of three inputs in [0, 1]."""
    a, b, c = np.pi * (2 * x - 1)
    return np.sin(a) + 7 * np.sin(b) ** 2 + 0.1 * c**4 * np.sin(a)


def sobol_g(x: np.ndarray) -> float:
    """Sobol's G with a = (0, 1, 4.5, 9, 99, 99, 99, 99): Saltelli & Sobol (1995)."""
    a = np.array([0, 1, 4.5, 9, 99, 99, 99, 99])
    return float(np.prod((np.abs(4 * x - 2) + a) / (1 + a)))


def intensities(scenario: Scenario) -> dict[str, float]:
    """Return the measures of a scenario and their intensities."""
    return {step.measure: step.intensity for step in scenario.reform}


class Toy:
    """A formula as a model: what it gives is the outcome of the city after the transition."""

    def __init__(self, formula: Formula, scenario: Scenario, seed: int) -> None:
        self.formula = formula
        self.reset(scenario, seed)

    def reset(self, scenario: Scenario, rng: int) -> None:
        self.scenario, self.seed = scenario, rng

    def run_until(self, day: float) -> None:
        self.value = self.formula(self.scenario, self.seed)

    def outcomes(self) -> pd.DataFrame:
        return pd.DataFrame([_row(BY_NAME[OUTCOME], self.value)])

    def curves(self) -> pd.DataFrame:
        return pd.DataFrame({"month": [], "day": [], "outcome": [], "value": []})

    def waits(self) -> pd.DataFrame:
        return pd.DataFrame({"kind": [], "outcome": [], "value": [], "period": []})


def _row(outcome: Outcome, value: float) -> dict:
    return {
        "outcome": outcome.name,
        "value": value,
        "unit": outcome.unit,
        "better": outcome.better,
        "level": "city",
        "place": "x",
        "period": "after",
    }


def execute(experiment: Experiment, formula: Formula, directory: Path) -> Results:
    """Run an experiment on a formula by the whole path."""

    def factory(scenario: Scenario, seed: int, threads: int) -> Toy:
        return Toy(formula, scenario, seed)

    return run.execute(experiment, directory, 1, factory, io.StringIO())


def simulate(experiment: Experiment, formula: Formula, outcome: str = OUTCOME) -> Results:
    """Make the runs of an experiment in memory; a formula that raises is a failed run."""
    records, rows = [], []
    for job in design.runs(experiment):
        fact = {"run": job.id, "scenario": job.scenario, "replication": job.replication}
        record = {**fact, "seed": job.seed, "status": "done", "stage": "", "message": ""}
        levels = {f"factor:{name}": label for name, label in job.levels.items()}
        try:
            value = formula(design.scenario_of(experiment, job), job.seed)
        except ValueError as error:
            record |= {"status": "failed", "stage": "run", "message": str(error)}
        else:
            rows.append({**fact, "kind": "outcome", **_row(BY_NAME[outcome], value)})
        records.append({**record, **levels})
    columns = ["run", "scenario", "replication", *FORM.names]
    return Results(pd.DataFrame(records), pd.DataFrame(rows).reindex(columns=columns))


def experiment(**changes) -> Experiment:
    """Return an experiment on toys: by default one scenario, to be given a design."""
    base = {
        "name": "toy",
        "title": "A toy",
        "title_zh": "玩具",
        "question": "Which?",
        "city": {"name": "x"},
        "years": 1,
        "outcomes": [OUTCOME],
    }
    return Experiment.model_validate(base | changes)
