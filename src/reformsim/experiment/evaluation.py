"""Bundles in worlds, through the pipeline: what each does, what it costs, and the looks at them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reformsim.experiment import sampling
from reformsim.experiment.analysis import Trait, traits
from reformsim.experiment.bundles import Bundle
from reformsim.experiment.design import Run
from reformsim.experiment.kinds import Difference
from reformsim.experiment.plan import Keep, Plan
from reformsim.experiment.sampled import Advice, Bounds, Region
from reformsim.experiment.sampling import STREAM, Sample
from reformsim.experiment.schema import Experiment
from reformsim.experiment.store import Results, Store
from reformsim.scenario import Scenario

#: Makes the runs of a plan in a directory; ``run.carry_out`` with all but these two arguments.
Carry = Callable[[Plan, Path], Results]

#: A world: values of uncertainties by name, those of the file and the defaults elsewhere.
World = dict[str, float]

#: Stages that run in worlds of their own, and directories within that of the advice; the quotes
#: are a further one.
STAGES = ("search", "confirm", "report")

#: Streams of random numbers that a stage has for itself: no stage has so many worlds.
STREAMS = 1 << 20

_AT = " @"


@dataclass(frozen=True)
class InWorlds:
    """The scenarios of runs that name a bundle and carry their world."""

    experiment: Experiment

    def scenario(self, run: Run) -> Scenario:
        """Return the base with the bundle of ``run`` from the end of the warm-up, in its world."""
        steps = Bundle.parse(run.cell).steps(self.experiment.warm_up)
        change = Difference(reform=steps, uncertainties=run.point)
        return self.experiment.scenario(run.scenario, (change,))


@dataclass(frozen=True)
class Quotes:
    """The first day of the same scenarios, without a warm-up: what measures cost a year."""

    experiment: Experiment

    def scenario(self, run: Run) -> Scenario:
        """Return one day with all in force that is on the first day after the warm-up."""
        whole = InWorlds(self.experiment).scenario(run)
        steps = (
            step.model_copy(update={"from_day": 0, "until": None})
            for step in whole.reform
            if step.in_force(whole.warm_up)
        )
        change = {"warm_up": 0, "days": 1, "reform": tuple(steps), "years": None}
        return Scenario.model_validate(dict(whole) | change)


@dataclass(frozen=True)
class Found:
    """What came out: values by outcome and bundle, (worlds, replications), NaN where none.

    ``failures`` tells by bundle in how many runs it failed, and why the first one did.
    """

    traits: dict[str, Trait]
    values: dict[tuple[str, Bundle], np.ndarray]
    failures: dict[Bundle, str]

    def by_world(self, outcome: str, bundle: Bundle) -> np.ndarray:
        """Return the mean over the replications of each world, (worlds,), NaN if one is missing."""
        found = self.values.get((outcome, bundle))
        if found is None:
            found = next(v for v in self.values.values())
            return np.full(len(found), np.nan)
        return found.mean(axis=1)


class Evaluation:
    """Runs every bundle it is asked for in the same worlds, with the same random numbers.

    World i has a stream of its own, the same for all bundles; replication r in it the seed
    ``experiment.seed + (stream + i) · 2²⁰ + r``, ``stream`` being that of the first world. All
    runs are kept in one results directory, which grows: bundles asked for by an earlier command
    that was stopped are finished first.
    """

    def __init__(
        self,
        source: InWorlds | Quotes,
        worlds: Sequence[World],
        stream: int,
        directory: Path,
        carry: Carry,
        keep: Keep = "headlines",
    ) -> None:
        """Read which bundles a directory was begun for; nothing is run yet.

        Raises StoreError where its design cannot be read.
        """
        self.source, self.worlds, self.stream = source, worlds, stream
        self.directory, self.carry, self.keep = directory, carry, keep
        self.bundles: dict[str, Bundle] = {}
        store = Store(directory)
        if store.design_path.exists():
            names = dict.fromkeys(line.rpartition(_AT)[0] for line in store.design().lines)
            self.bundles = {name: Bundle.parse(name) for name in names}

    def results(self, bundles: Iterable[Bundle]) -> Results:
        """Make what is missing; return the results of all bundles ever asked for."""
        self.bundles |= {bundle.name: bundle for bundle in bundles}
        experiment = self.source.experiment
        about = experiment.model_dump(mode="json", exclude_defaults=True)
        asked = Plan(experiment.name, self.runs(), self.source, about, self.keep)
        return self.carry(asked, self.directory)

    def runs(self) -> list[Run]:
        """Return all runs, bundle by bundle."""
        experiment = self.source.experiment
        cells = (
            (name, index, replication)
            for name in self.bundles
            for index in range(len(self.worlds))
            for replication in range(experiment.replications)
        )
        return [
            Run(
                id=i,
                scenario=f"{name}{_AT}{index}",
                levels={},
                replication=replication,
                seed=experiment.seed + STREAM * (self.stream + index) + replication,
                cell=name,
                index=index,
                point=self.worlds[index],
            )
            for i, (name, index, replication) in enumerate(cells)
        ]

    def __call__(self, bundles: Sequence[Bundle], outcomes: Sequence[str]) -> Found:
        """Run ``bundles`` and return these outcomes of the whole city after the transition."""
        results = self.results(bundles)
        wanted = {bundle.name: bundle for bundle in bundles}
        runs = self.runs()
        shape = len(self.worlds), self.source.experiment.replications
        values = {(o, b): np.full(shape, np.nan) for o in outcomes for b in bundles}
        rows = results.headlines()
        rows = rows[rows["outcome"].isin(outcomes)]
        for run, outcome, value in zip(rows["run"], rows["outcome"], rows["value"], strict=True):
            at = runs[run]
            if at.cell in wanted:
                values[outcome, wanted[at.cell]][at.index, at.replication] = value
        failures: dict[Bundle, str] = {}
        failed = results.failed()
        for run, message in zip(failed["run"], failed["message"], strict=True):
            at = runs[run]
            if at.cell in wanted:
                failures.setdefault(wanted[at.cell], f"world {at.index}: {message}")
        there = {trait.outcome: trait for trait in traits(results)}
        return Found({name: there[name] for name in outcomes if name in there}, values, failures)


def worlds(bounds: Bounds, points: int, seed: int, stage: int, region: Region = ()) -> Sample:
    """Draw a Latin hypercube of worlds, of a region if one is given.

    Stages have samples of their own. The worlds of a region are those of the full ranges but for
    what was calibrated.
    """
    seed = seed * len(STAGES) + stage
    full = Sample(
        bounds,
        sampling.scaled(sampling.latin_hypercube(points, len(bounds), seed), bounds),
        streams=np.arange(points),
        times=np.ones(points, int),
    )
    if not region:
        return full
    both = sampling.twice(full, region, seed)
    return both.part(np.asarray(both.calibrated))


@dataclass(frozen=True)
class Look:
    """A stage: its worlds, and the runs in them."""

    sample: Sample
    runs: Evaluation

    def by_bundle(self, outcome: str, bundles: list[Bundle]) -> dict[Bundle, np.ndarray]:
        """Return the values of an outcome in each world, (worlds,), by bundle."""
        found = self.runs(bundles, [outcome])
        return {bundle: found.by_world(outcome, bundle) for bundle in bundles}


@dataclass(frozen=True)
class Looks:
    """Makes the looks at bundles in the worlds of each stage."""

    experiment: Experiment
    design: Advice
    directory: Path
    carry: Carry

    def at(self, stage: str, keep: Keep = "headlines", full: bool = False) -> Look:
        """Return a stage over the region, where there is one; ``full``: over the full ranges."""
        design, number = self.design, STAGES.index(stage)
        second = design.confirm.worlds
        points = (design.worlds, second, design.report or second)[number]
        region = () if full else design.region
        sample = worlds(self.experiment.bounds(), points, self.experiment.seed, number, region)
        directory = self.directory / (f"{stage}_full" if full else stage)
        source, stream = InWorlds(self.experiment), number * STREAMS
        runs = Evaluation(source, sample.points(), stream, directory, self.carry, keep)
        return Look(sample, runs)

    def quotes(self) -> Evaluation:
        """Return what quotes the cost of bundles."""
        return Evaluation(Quotes(self.experiment), [{}], 0, self.directory / "quotes", self.carry)
