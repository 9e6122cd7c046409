"""The design of an experiment: which runs there are. It knows nothing of how they are executed."""

import itertools
from dataclasses import dataclass, field

from reformsim.experiment.schema import Difference, Experiment, Factorial
from reformsim.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Cell:
    """One scenario of the design: its name, its differences on the base, its factor levels."""

    name: str
    differences: tuple[Difference, ...]
    levels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Run:
    """One run to make: ``id`` is its place in the design, ``seed`` that of its replication.

    ``point`` holds the values of a sampled scenario, by name; empty where none are sampled.
    """

    id: int
    scenario: str
    levels: dict[str, str]
    replication: int
    seed: int
    point: dict[str, float] = field(default_factory=dict)


def cells(experiment: Experiment) -> list[Cell]:
    """Return the scenarios to compare, in the order of the experiment file."""
    if not isinstance(experiment.design, Factorial):
        return [Cell(name, (difference,)) for name, difference in experiment.scenarios.items()]
    factors = experiment.design.factors
    found = []
    for labels in itertools.product(*factors.values()):
        levels = dict(zip(factors, labels, strict=True))
        name = " ".join(f"{factor}={label}" for factor, label in levels.items())
        found.append(Cell(name, tuple(factors[f][label] for f, label in levels.items()), levels))
    return found


def scenarios(experiment: Experiment) -> dict[str, Scenario]:
    """Return every cell of the design as the scenario that the model runs, by name."""
    return {
        cell.name: experiment.scenario(cell.name, cell.differences) for cell in cells(experiment)
    }


def scenario_of(experiment: Experiment, run: Run) -> Scenario:
    """Return the scenario of one run, without building those of the others."""
    cell = next(cell for cell in cells(experiment) if cell.name == run.scenario)
    return experiment.scenario(cell.name, cell.differences)


def references(experiment: Experiment) -> dict[str, str]:
    """Return for each scenario the one it is compared with; a reference has no entry.

    In a comparison that is ``baseline``. In a factorial design it is the cell in which every
    factor stands at its first label, except the factors named in ``within``, which stay as
    they are: a layout in a rural city is compared with the first layout in the rural city.
    """
    design = experiment.design
    if not isinstance(design, Factorial):
        baseline = experiment.baseline or ""
        return {name: baseline for name in experiment.scenarios if name != baseline}
    firsts = {name: next(iter(labels)) for name, labels in design.factors.items()}
    by_levels = {tuple(cell.levels.values()): cell.name for cell in cells(experiment)}
    found = {}
    for cell in cells(experiment):
        reference = by_levels[
            tuple(label if f in design.within else firsts[f] for f, label in cell.levels.items())
        ]
        if reference != cell.name:
            found[cell.name] = reference
    return found


def runs(experiment: Experiment) -> list[Run]:
    """Return all runs, replication by replication: a study cut short is still balanced.

    Replication r has the seed ``experiment.seed + r`` in every scenario (common random
    numbers); seeds are hashed before use, so that neighbours are unrelated.
    """
    return [
        Run(i, cell.name, cell.levels, replication, experiment.seed + replication)
        for i, (replication, cell) in enumerate(
            itertools.product(range(experiment.replications), cells(experiment))
        )
    ]
