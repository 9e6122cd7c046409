"""The design of an experiment: which runs there are. It knows nothing of how they are executed."""

import itertools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from reformsim.experiment import pilots
from reformsim.experiment.kinds import (
    Apart,
    Difference,
    Factorial,
    Interactions,
    Pilot,
    Shapley,
    Staged,
)
from reformsim.experiment.sampled import Sampled
from reformsim.experiment.sampling import STREAM, Sample
from reformsim.experiment.sampling import sample as draw
from reformsim.experiment.schema import Experiment
from reformsim.scenario import Scenario

#: The name of the only scenario of a design over uncertainties that names none.
BASE = "base"

#: Names of the cells with no part and with all parts of a reform, the levels of a part, and what
#: follows the name of a scenario that is rolled out in waves.
NONE, ALL = "none", "all"
IN, OUT = "in", "out"
STAGED = "staged"


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
    match experiment.design:
        case Factorial() as chosen:
            return [
                Cell(" ".join(f"{f}={label}" for f, label in levels.items()), levels)
                for labels in chosen.combinations()
                for levels in (dict(zip(chosen.factors, labels, strict=True)),)
            ]
        case Interactions():
            parts = list(experiment.parts())
            sets = (c for n in range(3) for c in itertools.combinations(parts, n))
            return [coalition(parts, held) for held in sets]
        case Shapley():
            walks = (c for r in range(experiment.replications) for c in walk(experiment, r))
            return list({cell.name: cell for cell in walks}.values())
        case Staged(of=of):
            return [Cell(name) for name in (*experiment.scenarios, f"{of} {STAGED}")]
        case Pilot():
            return tried(experiment, 0)
        case _:
            return [Cell(name) for name in experiment.scenarios or (BASE,)]


def coalition(parts: Sequence[str], held: Collection[str]) -> Cell:
    """Return the cell in which the parts ``held`` of a reform are in force."""
    levels = {part: IN if part in held else OUT for part in parts}
    if len(held) in (0, len(parts)):
        return Cell(ALL if held else NONE, levels)
    return Cell(" + ".join(part for part in parts if part in held), levels)


def order(experiment: Experiment, replication: int) -> list[str]:
    """Return the random order in which a replication brings the parts of a reform."""
    rng = np.random.default_rng([experiment.seed, replication])
    return [str(part) for part in rng.permutation(list(experiment.parts()))]


def _piloted(experiment: Experiment) -> Iterator[Run]:
    """Yield the runs of a pilot, draw by draw: d has the seed ``experiment.seed + d``.

    Draws go through the worlds in turn, so that more replications leave the runs in their places.
    """
    chosen = pilots.design_of(experiment).worlds
    points: list[dict[str, float]] = [{}]
    if chosen:
        points = draw(chosen, experiment.bounds(), experiment.seed, 1).points()
    count = experiment.replications * len(points)
    there = ((d, cell) for d in range(count) for cell in tried(experiment, d))
    for i, (d, cell) in enumerate(there):
        yield Run(
            id=i,
            scenario=f"{cell.name} @{d}",
            levels=cell.levels,
            replication=d,
            seed=experiment.seed + d,
            cell=cell.name,
            index=d % len(points),
            point=points[d % len(points)],
        )


def tried(experiment: Experiment, number: int) -> list[Cell]:
    """Return the cells of one draw of a pilot: nowhere, everywhere, and every number of units."""
    asked, draw_of = pilots.design_of(experiment), {pilots.DRAW: str(number)}
    whole = [Cell(name, draw_of) for name in experiment.scenarios]
    return whole + [
        Cell(f"{asked.of} in {n}", {pilots.TREATED: str(n)} | draw_of) for n in asked.treated
    ]


def walk(experiment: Experiment, replication: int) -> list[Cell]:
    """Return the coalitions of one replication: one order and its reverse, each once."""
    parts, forth = list(experiment.parts()), order(experiment, replication)
    found = [
        coalition(parts, way[:n]) for way in (forth, forth[::-1]) for n in range(len(parts) + 1)
    ]
    return list({cell.name: cell for cell in found}.values())


def changes(experiment: Experiment, name: str, levels: dict[str, str]) -> tuple[Difference, ...]:
    """Return what a cell of the design changes on the base."""
    match experiment.design:
        case Factorial(factors=factors):
            return tuple(factors[f][label] for f, label in levels.items())
        case Apart():
            parts = experiment.parts()
            held = (step for part, level in levels.items() if level == IN for step in parts[part])
            return (Difference(reform=tuple(held)),)
        case Staged() if name not in experiment.scenarios:
            return (experiment.staged(),)
        case Pilot() if pilots.TREATED in levels:
            treated, number = (int(levels[key]) for key in (pilots.TREATED, pilots.DRAW))
            return (pilots.reform(experiment, treated, number),)
        case _:
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
    with the first layout in the rural city. A staged reform is compared with the same reform all
    at once, a part of a reform, or the whole of it, with none.
    """
    design = experiment.design
    if isinstance(design, Shapley):
        return {ALL: NONE}
    if isinstance(design, Interactions):
        return {part: NONE for part in experiment.parts()}
    if not isinstance(design, Factorial):
        baseline = experiment.baseline
        compared = [name for name in experiment.scenarios if name != baseline]
        found = {name: baseline for name in compared if baseline is not None}
        return found | ({f"{design.of} {STAGED}": design.of} if isinstance(design, Staged) else {})
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


def runs(experiment: Experiment, points: Sample | None = None) -> list[Run]:
    """Return all runs, replication by replication: a study cut short is still balanced.

    ``points`` take the place of those that the design draws: those of a later wave.

    Replication r has the seed ``experiment.seed + r`` in every scenario (common random
    numbers), and at the points of stream k of a sample that seed + k·2²⁰; seeds are hashed
    before use, so that neighbours are unrelated. More replications leave the runs that there
    are in their places, and so do more points of a design with one replication.
    """
    if isinstance(experiment.design, Pilot):
        return list(_piloted(experiment))
    there = cells(experiment)
    points = points or sample(experiment)
    if points is None:
        walks = isinstance(experiment.design, Shapley)
        return [
            Run(i, cell.name, cell.levels, replication, experiment.seed + replication, cell.name)
            for i, (replication, cell) in enumerate(
                (r, cell)
                for r in range(experiment.replications)
                for cell in (walk(experiment, r) if walks else there)
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
