"""What came out at each point of a design over uncertainties, with what is missing, by name."""

from dataclasses import dataclass

import numpy as np

from reformsim.experiment import design
from reformsim.experiment.analysis import Trait, traits
from reformsim.experiment.sampling import Sample
from reformsim.experiment.schema import Experiment
from reformsim.experiment.store import Results


@dataclass(frozen=True)
class Response:
    """One headline of one scenario at every point, or its paired contrast with a reference.

    ``values`` has shape (points, replications), NaN where there is no run or no value.
    ``reference`` is empty where the scenario is compared with nothing.
    """

    trait: Trait
    scenario: str
    reference: str
    values: np.ndarray

    def means(self) -> np.ndarray:
        """Return the mean over the replications of each point, (points,), NaN without any."""
        there = ~np.isnan(self.values)
        n = there.sum(axis=1)
        total = np.where(there, self.values, 0.0).sum(axis=1)
        return np.divide(total, n, out=np.full(len(n), np.nan), where=n > 0)


@dataclass(frozen=True)
class Failure:
    """A run that failed: which, where in the space of uncertainties, and why."""

    run: int
    scenario: str
    index: int
    replication: int
    stage: str
    message: str


def values(experiment: Experiment, results: Results) -> dict[tuple[str, str], np.ndarray]:
    """Return the headlines of each (outcome, scenario), each of shape (points, replications)."""
    sample = _sample(experiment)
    shape = len(sample.values), int(sample.times.max())
    runs = {run.id: run for run in design.runs(experiment)}
    found: dict[tuple[str, str], np.ndarray] = {}
    rows = results.headlines()
    for run, outcome, value in zip(rows["run"], rows["outcome"], rows["value"], strict=True):
        at = runs[run]
        key = str(outcome), at.cell
        if key not in found:
            found[key] = np.full(shape, np.nan)
        found[key][at.index, at.replication] = value
    return found


def responses(experiment: Experiment, results: Results) -> list[Response]:
    """Return each headline as the design is to explain it.

    With several scenarios these are their contrasts with the reference, paired by point and
    replication; with one scenario, its values.
    """
    table = values(experiment, results)
    against = design.references(experiment)
    found = []
    for trait in traits(results):
        if not against:
            (cell,) = design.cells(experiment)
            found.append(Response(trait, cell.name, "", table[trait.outcome, cell.name]))
        for scenario, reference in against.items():
            a, b = table.get((trait.outcome, scenario)), table.get((trait.outcome, reference))
            if a is not None and b is not None:
                found.append(Response(trait, scenario, reference, a - b))
    return found


def failures(experiment: Experiment, results: Results) -> list[Failure]:
    """Return the runs that failed."""
    runs = {run.id: run for run in design.runs(experiment)}
    told = ["run", "replication", "stage", "message"]
    return [
        Failure(
            scenario=runs[row["run"]].cell,
            index=runs[row["run"]].index,
            **{str(k): x for k, x in row.items()},
        )
        for row in results.failed()[told].to_dict(orient="records")
    ]


def _sample(experiment: Experiment) -> Sample:
    sample = design.sample(experiment)
    if sample is None:
        raise ValueError("the experiment has no design over uncertainties")
    return sample
