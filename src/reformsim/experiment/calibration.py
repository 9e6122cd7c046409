"""Calibrate in waves: each goes through the pipeline, into a directory of its own.

A wave's points are written before it runs, so that the same command goes on from where it was
stopped. Single-run figures of a world are compared with the targets, so that chance counts as
one more reason for a difference.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import ClassVar, TextIO

import numpy as np

from reformsim import uncertainties
from reformsim.experiment import plan
from reformsim.experiment.bench import Factory, Model
from reformsim.experiment.emulator import Emulator, fit
from reformsim.experiment.files import StoreError
from reformsim.experiment.matching import Goal, Matched
from reformsim.experiment.plan import Plan
from reformsim.experiment.plugin import Problem, values
from reformsim.experiment.robustness import wilson
from reformsim.experiment.run import AS_USUAL, How, carry_out
from reformsim.experiment.sampled import Bounds, HistoryMatching
from reformsim.experiment.sampling import Sample, latin_hypercube, scaled
from reformsim.experiment.schema import Experiment
from reformsim.experiment.store import Results, Store
from reformsim.experiment.targets import Target
from reformsim.known import Listed
from reformsim.scenario import Scenario

#: Where the runs are kept that check the result of so many waves.
CHECK = "check{}"


def facts_city(scenario: Scenario, seed: int, threads: int) -> Model:
    """Build the city whose headlines tell the facts as well."""
    from reformsim.facts import FactsCity

    return FactsCity(scenario, rng=seed, threads=threads)


@dataclass(frozen=True)
class ExportCities:
    """Builds cities whose headlines tell what is learned from their export besides."""

    listed: Listed
    name: ClassVar[str] = f"{__name__}:export_city"

    def __call__(self, scenario: Scenario, seed: int, threads: int) -> Model:
        """Build the city of a scenario."""
        from reformsim.experiment.own_export import ExportCity

        return ExportCity(scenario, self.listed, rng=seed, threads=threads)


@dataclass(frozen=True)
class Task:
    """What is calibrated: a model, its uncertain inputs, the targets.

    ``plan`` makes the plan of running a sample. ``usual`` is a point to compare with, the
    defaults of a city.
    """

    design: HistoryMatching
    bounds: Bounds
    targets: tuple[Target, ...]
    replications: int
    seed: int
    plan: Callable[[Sample], Plan]
    factory: Factory
    usual: dict[str, float] | None = None

    def sample(self, points: np.ndarray, stage: int) -> Sample:
        """Return points with streams of random numbers that no other stage has."""
        streams = stage * 10_000 + np.arange(len(points))
        return Sample(self.bounds, points, streams, np.full(len(points), self.replications))

    def goals(self) -> list[Target]:
        """Return the targets that may be used."""
        return [target for target in self.targets if target.use == "calibrated"]


def of(experiment: Experiment) -> Task:
    """Return the calibration that an experiment file asks for."""
    assert isinstance(experiment.design, HistoryMatching)
    bounds = experiment.bounds()
    aims = experiment.design.aims()
    listed = experiment.design.listed()
    return Task(
        experiment.design,
        bounds,
        aims,
        experiment.replications,
        experiment.seed,
        lambda sample: replace(plan.of(experiment, sample), keep="headlines"),
        facts_city if listed is None else ExportCities(listed),
        {name: uncertainties.BY_NAME[name].default for name in bounds},
    )


def of_problem(
    problem: Problem,
    targets: tuple[Target, ...],
    design: HistoryMatching,
    replications: int = 1,
    seed: int = 1,
) -> Task:
    """Return the calibration of a plugged-in function; its targets are named by its outputs."""
    return Task(
        design,
        dict(problem.inputs),
        targets,
        replications,
        seed,
        lambda sample: problem.plan(sample.values, replications, seed, sample.streams),
        problem,
    )


@dataclass(frozen=True)
class Wave:
    """One wave: what was run, the emulators (None: too few runs tell it), the state after it.

    ``told`` counts, for each target, the runs that its emulator rests on and those left out.
    """

    results: Results
    x: np.ndarray
    figures: dict[str, np.ndarray]
    emulators: dict[str, Emulator | None]
    told: dict[str, tuple[int, int]]
    matched: Matched


@dataclass(frozen=True)
class Calibration:
    """All waves, and the runs that check the result: ``usual`` first where there is one."""

    task: Task
    waves: list[Wave]
    check: Results

    @property
    def matched(self) -> Matched:
        """The state after the last wave."""
        return self.waves[-1].matched


def calibrate(
    task: Task,
    directory: Path,
    workers: int = 1,
    stream: TextIO | None = None,
    how: How = AS_USUAL,
) -> Calibration:
    """Carry out all waves and the checks that ``directory`` does not hold yet.

    Stops early where two waves in turn leave nothing. Raises what ``carry_out`` does, and
    StoreError where the directory was begun with other settings or no target can be emulated.
    """

    def make(name: str, points: Callable[[], np.ndarray], stage: int) -> tuple[Results, np.ndarray]:
        place = directory / name
        found = _written(task, place)
        found = points() if found is None else found
        sample = task.sample(found, stage)
        asked = task.plan(sample)
        asked = replace(asked, about={**asked.about, **_settings(task)})
        return carry_out(asked, place, workers, task.factory, stream, how), found

    waves: list[Wave] = []
    for number in range(1, task.design.waves + 1):
        last = waves[-1].matched if waves else None
        results, points = make(f"wave{number}", partial(_points, task, last), number - 1)
        waves.append(_wave(task, waves, results, _unit(task.bounds, points)))
        if len(waves) > 1 and not any(len(wave.matched.region) for wave in waves[-2:]):
            break
    # Stage 10 lies beyond the last wave that a design may have: streams of its own.
    name = CHECK.format(len(waves))
    check, _ = make(name, partial(_checks, task, waves[-1].matched), 10)
    return Calibration(task, waves, check)


def _points(task: Task, last: Matched | None) -> np.ndarray:
    n = task.design.points
    if last is None:
        return scaled(latin_hypercube(n, len(task.bounds), task.seed), task.bounds)
    return last.scaled(last.propose(n))


def _checks(task: Task, matched: Matched) -> np.ndarray:
    n = task.design.checks
    unit = matched.posterior(n) if len(matched.region) else matched.nearest(n)
    points = matched.scaled(unit)
    if task.usual is None:
        return points
    return np.vstack([[task.usual[name] for name in task.bounds], points])


def _unit(bounds: Bounds, points: np.ndarray) -> np.ndarray:
    low, high = np.array(list(bounds.values())).T
    return (points - low) / (high - low)


def _wave(task: Task, before: list[Wave], results: Results, x: np.ndarray) -> Wave:
    """Fit emulators to all runs at points that earlier waves left, or to all if these are few."""
    figures = {target.name: values(results, target.name) for target in task.targets}
    inputs = np.concatenate([*(wave.x for wave in before), x])
    state = before[-1].matched if before else None
    inside = np.ones(len(inputs), dtype=bool)
    if state is not None:
        inside = (state.implausibility(inputs) <= state.cutoff).all(axis=1)
        if inside.sum() < 5 * len(task.bounds):
            inside[:] = True
    emulators, told, goals = {}, {}, []
    for target in task.goals():
        every = [*(wave.figures[target.name] for wave in before), figures[target.name]]
        there = np.concatenate(every)[inside]
        missing = int(np.isnan(there).sum())
        told[target.name] = there.size - missing, missing
        emulators[target.name] = found = fit(inputs[inside], there)
        if found is not None and found.good:
            goals.append(Goal(target, found, task.design.deviation(target)))
    earlier = state.waves if state is not None else ()
    matched = Matched(task.bounds, (*earlier, tuple(goals)), task.design.cutoff, task.seed)
    if not matched.goals:
        raise StoreError(
            "no target can be emulated: too few finished runs, or no emulator predicts runs left "
            "out; more points, or narrower ranges"
        )
    return Wave(results, x, figures, emulators, told, matched)


def _settings(task: Task) -> dict:
    """Return what decides the points, for the manifest; waves and checks may be added."""
    return {
        "design": task.design.model_dump(mode="json", exclude={"waves", "checks", "targets"}),
        "targets": [target.model_dump(mode="json") for target in task.targets],
    }


def _written(task: Task, place: Path) -> np.ndarray | None:
    """Return the points of a stage that was begun, None of one that was not.

    So a stage goes on with its points, though an emulator fitted on another machine may differ
    in the last bits. Raises StoreError where it was begun with other settings.
    """
    store = Store(place)
    if not store.design_path.exists() or not store.begun():
        return None
    then, now = store.manifest()["experiment"], _settings(task)
    changed = list(plan.differences({key: then.get(key) for key in now}, now))
    if changed:
        raise StoreError(
            f"{place} was started with other settings; use a new directory (-o) or remove it. "
            f"What differs: {'; '.join(changed[:8])}"
        )
    written = store.design()
    worlds = (written.asked(name)["uncertainties"] for name in written.lines)
    return np.array([[world[name] for name in task.bounds] for world in worlds])


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What a wave left: runs, how many failed, the share of the prior with its interval."""

    wave: int
    runs: int
    failed: int
    targets: int
    left: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """An emulator of one wave, checked by leaving out each run in turn.

    ``n`` is the number of points, ``used`` that of the runs behind them; ``left_out`` runs there
    failed or tell no such figure: a median that was never reached, a share of nothing. Where many
    are, the emulator knows only the worlds that tell it.
    ``explained`` is Q², ``beyond`` the share of left-out runs more than three deviations off,
    ``noise`` the standard deviation between runs of one world. One that is not ``good`` rules
    nothing out in its wave.
    """

    wave: int
    target: str
    n: int
    used: int
    left_out: int
    explained: float
    beyond: float
    inflation: float
    noise: float
    good: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What the calibrated model gives for one figure, beside what is known of it.

    ``mean``, ``q05`` and ``q95`` are of single runs in worlds of the posterior that tell it,
    ``used``; ``left_out`` do not. ``error`` is
    mean − value, ``error_sd`` the same in standard deviations of observation and discrepancy;
    ``inside`` the share of runs within low and high. ``usual`` and ``usual_sd`` are figure and
    error at the defaults; ``prior05`` and ``prior95`` quantiles of the first wave.
    """

    target: str
    use: str
    unit: str
    value: float
    low: float
    high: float
    used: int
    left_out: int
    mean: float
    q05: float
    q95: float
    error: float
    error_sd: float
    inside: float
    usual: float
    usual_sd: float
    prior05: float
    prior95: float


def left(calibration: Calibration) -> list[Left]:
    """Return what each wave left; none of n points found is an upper end of 3.8/n."""
    found = []
    for number, wave in enumerate(calibration.waves, 1):
        matched = wave.matched
        low, high = wilson(matched.left, len(matched.look))
        found.append(
            Left(
                wave=number,
                runs=len(wave.results.runs),
                failed=len(wave.results.failed()),
                targets=len(matched.waves[-1]),
                left=matched.left / len(matched.look),
                low=low,
                high=high,
            )
        )
    return found


def checked(calibration: Calibration) -> list[Checked]:
    """Return the check of every emulator of every wave."""
    return [
        Checked(
            wave=number,
            target=name,
            n=len(e.x) if e else 0,
            used=wave.told[name][0],
            left_out=wave.told[name][1],
            explained=e.explained if e else math.nan,
            beyond=e.beyond if e else math.nan,
            inflation=e.inflation if e else math.nan,
            noise=math.sqrt(e.noise) if e else math.nan,
            good=e is not None and e.good,
        )
        for number, wave in enumerate(calibration.waves, 1)
        for name, e in wave.emulators.items()
    ]


def predictions(calibration: Calibration) -> list[Prediction]:
    """Return calibrated and held-out targets beside what the checking runs gave."""
    task = calibration.task
    first = 0 if task.usual is None else 1
    found = []
    for target in task.targets:
        told = values(calibration.check, target.name)
        runs = told[first:][~np.isnan(told[first:])]
        prior = calibration.waves[0].figures[target.name]
        prior = prior[~np.isnan(prior)]
        usual = float(np.mean(told[0])) if first else math.nan
        sd = math.hypot(target.sd, task.design.deviation(target))
        mean = float(runs.mean()) if len(runs) else math.nan
        found.append(
            Prediction(
                target=target.name, use=target.use, unit=target.unit, value=target.z,
                low=target.low, high=target.high, used=len(runs),
                left_out=told[first:].size - len(runs), mean=mean, q05=_quantile(runs, 0.05),
                q95=_quantile(runs, 0.95), error=mean - target.z,
                error_sd=(mean - target.z) / sd,
                inside=float(np.mean((runs >= target.low) & (runs <= target.high)))
                if len(runs) else math.nan,
                usual=usual, usual_sd=(usual - target.z) / sd,
                prior05=_quantile(prior, 0.05), prior95=_quantile(prior, 0.95),
            )
        )  # fmt: skip
    return found


def _quantile(figures: np.ndarray, q: float) -> float:
    return float(np.quantile(figures, q)) if len(figures) else math.nan
