"""The design of an experiment: which runs there are. It knows nothing of how they are executed."""

import itertools
from dataclasses import dataclass, field

from reformsim.experiment.kinds import Difference, Factorial, Sampled
from reformsim.experiment.sampling import STREAM, Sample
from reformsim.experiment.sampling import sample as draw
from reformsim.experiment.schema import Experiment
from reformsim.scenario import Scenario

#: The name of the only scenario of a design over uncertainties that names none.
BASE = "base"


@dataclass(frozen=True, slots=True)
class Cell:
    """One scenario of the design: its name and its factor levels."""

    name: str
    levels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Run:
    """One run to make: ``id`` is its place in the design, ``seed`` that of its replication.

    ``cell`` names the cell of the design. In a design over uncertainties ``index`` numbers the
    point of the world and ``point`` holds its values; the scenario is then a cell at a point.
    Scenario and replication name a run, whatever is added to the design.
    """

    id: int
    scenario: str
    levels: dict[str, str]
    replication: int
    seed: int
    cell: str = ""
    index: int = 0
    point: dict[str, float] = field(default_factory=dict)


def cells(experiment: Experiment) -> list[Cell]:
    """Return the scenarios to compare, in the order of the experiment file."""
    if not isinstance(experiment.design, Factorial):
        return [Cell(name) for name in experiment.scenarios or (BASE,)]
    factors = experiment.design.factors
    found = []
    for labels in itertools.product(*factors.values()):
        levels = dict(zip(factors, labels, strict=True))
        found.append(Cell(" ".join(f"{f}={label}" for f, label in levels.items()), levels))
    return found


def changes(experiment: Experiment, name: str, levels: dict[str, str]) -> tuple[Difference, ...]:
    """Return what a cell of the design changes on the base."""
    if isinstance(experiment.design, Factorial):
        return tuple(experiment.design.factors[f][label] for f, label in levels.items())
    return (experiment.scenarios[name],) if experiment.scenarios else ()


def scenarios(experiment: Experiment) -> dict[str, Scenario]:
    """Return every cell of the design as the scenario that the model runs, by name."""
    return {
        cell.name: experiment.scenario(cell.name, changes(experiment, cell.name, cell.levels))
        for cell in cells(experiment)
    }


def references(experiment: Experiment) -> dict[str, str]:
    """Return for each scenario the one it is compared with; a reference has no entry.

    In a comparison, and at every point of a design over uncertainties, that is ``baseline``. In
    a factorial design it is the cell in which every factor stands at its first label, except the
    factors named in ``within``, which stay as they are: a layout in a rural city is compared
    with the first layout in the rural city.
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


def scenario_of(experiment: Experiment, run: Run) -> Scenario:
    """Return what the model runs for ``run``: its cell, in the world of its point."""
    world = (Difference(uncertainties=run.point),) if run.point else ()
    found = changes(experiment, run.cell, run.levels)
    return experiment.scenario(run.scenario, found + world)


def sample(experiment: Experiment) -> Sample | None:
    """Return the points of a design over uncertainties, None of any other."""
    design = experiment.design
    if not isinstance(design, Sampled):
        return None
    return draw(design, experiment.bounds(), experiment.seed, experiment.replications)


def runs(experiment: Experiment) -> list[Run]:
    """Return all runs, replication by replication: a study cut short is still balanced.

    Replication r has the seed ``experiment.seed + r`` in every scenario (common random
    numbers), and at the points of stream k of a sample that seed + k·2²⁰; seeds are hashed
    before use, so that neighbours are unrelated. More replications leave the runs that there
    are in their places, and so do more points of a design with one replication.
    """
    there = cells(experiment)
    points = sample(experiment)
    if points is None:
        return [
            Run(i, cell.name, cell.levels, replication, experiment.seed + replication, cell.name)
            for i, (replication, cell) in enumerate(
                itertools.product(range(experiment.replications), there)
            )
        ]
    worlds = points.points()
    seeds = experiment.seed + STREAM * points.streams.astype(object)
    order = (
        (replication, index, cell)
        for replication in range(points.times.max())
        for index in range(len(worlds))
        if replication < points.times[index]
        for cell in there
    )
    return [
        Run(
            id=i,
            scenario=f"{cell.name} @{index}",
            levels=cell.levels,
            replication=r,
            seed=seeds[index] + r,
            cell=cell.name,
            index=index,
            point=worlds[index],
        )
        for i, (r, index, cell) in enumerate(order)
    ]
