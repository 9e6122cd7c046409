"""Advice: which few measures for a budget, how sure, who loses, what would change it.

Three samples of worlds, each with random numbers of its own. A search in few worlds picks
bundles; among those that came out best a second look chooses; a third, by which nothing is chosen,
tells what the choice does, since the best of many looks better than it is wherever it was found to
be the best (the winner's curse). The world is what an interval counts: means over the replications
of each world, paired with doing nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from scipy.special import stdtrit

from reformsim.experiment import aftermath
from reformsim.experiment.aftermath import GroupContrast, Year
from reformsim.experiment.analysis import LEVEL, Contrast, Trait
from reformsim.experiment.bundles import NOTHING, Bundle, Space
from reformsim.experiment.checks import COST
from reformsim.experiment.choice import (
    ByBundle,
    Choice,
    Place,
    against_nothing,
    choose,
    front,
    order,
    ranked,
    signed,
)
from reformsim.experiment.discovery import Rule, discover
from reformsim.experiment.evaluation import Carry, Found, Looks
from reformsim.experiment.responses import Response
from reformsim.experiment.robustness import Regret, Robustness, robustness
from reformsim.experiment.sampled import Advice
from reformsim.experiment.sampling import Sample
from reformsim.experiment.schema import Experiment
from reformsim.experiment.search import Searched, search


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked: at most so many measures, for at most such a share of the transfer a year."""

    budget: float
    at_most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A bundle of the second look.

    ``cost`` is its quote: what it takes of the yearly transfer, beyond doing nothing. ``over`` is
    the share of worlds in which what it costs in the end exceeds the budget. ``failed`` counts
    worlds in which it could not be run, ``why`` says why in the first; such a bundle is not
    chosen. ``front`` marks those that no other beats in the means of all outcomes and cost.
    """

    bundle: str
    levels: dict[str, float]
    cost: float
    front: bool
    over: float
    failed: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimism:
    """How much better a bundle looked in the search than in the second look, against nothing.

    ``drop`` is positive where the search promised more, in the outcome's unit, with Welch's 95 %
    interval over the two sets of worlds. ``reported`` is its gain in the third look, NaN where it
    was not run there.
    """

    outcome: str
    unit: str
    bundle: str
    searched: float
    confirmed: float
    drop: float
    low: float
    high: float
    reported: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """The choice against another bundle: over what share of the worlds it is better, and where not.

    ``rule`` names the worlds in which the other is better; None where there are too few worlds
    (40 are needed) or none is lost.
    """

    bundle: str
    share: Robustness
    rule: Rule | None


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the best, its runner-up and nothing do in the worlds of the third look.

    ``values`` are those of the outcomes and the cost by bundle; ``contrasts`` are against nothing.
    ``failed`` counts worlds in which the best could not be run, ``over`` is the share of the others
    in which it costs more than the budget in the end.
    """

    worlds: int
    values: dict[str, dict[Bundle, np.ndarray]]
    contrasts: list[Contrast]
    rivals: list[Rival]
    failed: int
    over: float


@dataclass(frozen=True, kw_only=True)
class Full:
    """What holds over the full ranges, beside a calibrated region.

    ``choice`` and its ``regrets``: what would be chosen there among the same bundles; ``told``:
    what the choice over the region does there. Worlds share their random numbers with those of
    the region, so that what differs is the calibration alone.
    """

    choice: Choice
    regrets: list[Regret]
    told: Told


@dataclass(frozen=True, kw_only=True)
class Findings:
    """All that is advised, and what it rests on.

    ``choice`` was made in the second look, among ``candidates`` and by ``regrets``; ``told``,
    ``order``, ``groups`` and ``years`` are of the third, and empty where nothing is advised.
    With a calibrated region all this is over that region, and ``full`` is told beside it.
    """

    question: Question
    outcomes: dict[str, Trait]
    searched: Searched
    worlds: int
    candidates: list[Candidate]
    regrets: list[Regret]
    optimism: list[Optimism]
    choice: Choice
    told: Told
    full: Full | None
    order: list[Place]
    groups: list[GroupContrast]
    years: list[Year]

    @property
    def headline(self) -> str:
        """The outcome by which bundles are chosen: the first of the file."""
        return next(iter(self.outcomes))


def advise(experiment: Experiment, question: Question, directory: Path, carry: Carry) -> Findings:
    """Search, choose, look again, and say what follows; resumes in ``directory``.

    Raises StoreError and what ``carry`` raises.
    """
    design = experiment.design
    assert isinstance(design, Advice)
    looks = Looks(experiment, design, directory, carry)
    searched = search(
        Space(design.candidates(), design.levels, question.at_most),
        experiment.outcomes,
        question.budget,
        design.bundles,
        experiment.seed,
        looks.quotes(),
        looks.at("search").runs,
    )
    outcomes = (*experiment.outcomes, COST)
    bundles = searched.best(design.confirm.bundles)
    confirm, report = looks.at("confirm"), looks.at("report", "all")
    found = confirm.runs([NOTHING, *bundles], outcomes)
    choice = choose(experiment.outcomes[0], bundles, found)
    told = tell(question, choice, report.runs(choice.finalists(), outcomes), report.sample)
    shown, advised = searched.traits, choice.advised
    headline = shown[experiment.outcomes[0]]
    groups: list[GroupContrast] = []
    years: list[Year] = []
    if advised != NOTHING:
        results = report.runs.results([NOTHING, advised])
        groups = aftermath.groups(results, advised.name, list(shown))
        years = aftermath.years(results, advised.name, headline, experiment.warm_up)
    return Findings(
        question=question,
        outcomes=shown,
        searched=searched,
        worlds=len(confirm.sample.values),
        candidates=_candidates(question, searched, [NOTHING, *bundles], found, choice),
        regrets=_regrets(shown, choice),
        optimism=_optimism(searched, choice, told),
        choice=choice,
        told=told,
        full=_beside(looks, question, bundles, choice) if design.region else None,
        order=order(
            headline,
            advised,
            partial(confirm.by_bundle, headline.outcome),
            partial(report.by_bundle, headline.outcome),
        ),
        groups=groups,
        years=years,
    )


def _beside(looks: Looks, question: Question, bundles: list[Bundle], choice: Choice) -> Full:
    """Choose among the same bundles over the full ranges; tell of ``choice`` there."""
    outcomes = looks.experiment.outcomes
    confirm, report = looks.at("confirm", full=True), looks.at("report", full=True)
    there = choose(outcomes[0], bundles, confirm.runs([NOTHING, *bundles], outcomes))
    found = report.runs(choice.finalists(), (*outcomes, COST))
    told = tell(question, choice, found, report.sample)
    return Full(choice=there, regrets=_regrets(found.traits, there), told=told)


def _regrets(traits: dict[str, Trait], choice: Choice) -> list[Regret]:
    """Return the regrets of all bundles by outcome, the least worst regret first."""
    return [
        regret
        for name, values in choice.values.items()
        if name != COST
        for _, regret in ranked(traits[name], values)
    ]


def tell(question: Question, choice: Choice, found: Found, sample: Sample) -> Told:
    """Say what was found of a choice in the worlds of ``sample``, by which it was not made."""
    best = choice.best
    values = {o: {b: found.by_world(o, b) for b in choice.finalists()} for o in found.traits}
    headline = next(iter(values))
    return Told(
        worlds=len(sample.values),
        values=values,
        contrasts=against_nothing(found.traits, values, headline),
        rivals=_rivals(found.traits[headline], choice, values[headline], sample),
        failed=int(np.isnan(values[headline][best]).sum()),
        over=_over(question, found, best),
    )


def _over(question: Question, found: Found, bundle: Bundle) -> float:
    """Return the share of worlds in which a bundle costs more than the budget in the end."""
    cost = found.by_world(COST, bundle) - found.by_world(COST, NOTHING)
    cost = cost[~np.isnan(cost)]
    return float((cost > question.budget).mean()) if len(cost) else math.nan


def _candidates(
    question: Question, searched: Searched, bundles: Sequence[Bundle], found: Found, choice: Choice
) -> list[Candidate]:
    values = choice.values
    objectives = {
        b: [
            *(float(np.nanmean(signed(t, values[o][b]))) for o, t in searched.traits.items()),
            -searched.costs[b],
        ]
        for b in values[next(iter(searched.traits))]
    }
    best = set(front(objectives))
    return [
        Candidate(
            bundle=b.name,
            levels=dict(b.levels),
            cost=searched.costs[b],
            front=b in best,
            over=_over(question, found, b),
            failed=choice.failed.get(b, 0),
            why=found.failures.get(b, ""),
        )
        for b in bundles
    ]


def _optimism(searched: Searched, choice: Choice, told: Told) -> list[Optimism]:
    """Compare the gains against nothing in the three looks."""
    rows = []
    for name, trait in searched.traits.items():
        early, second, third = (
            _gains(trait, values[name]) for values in (searched.values, choice.values, told.values)
        )
        for bundle, now in second.items():
            then, last = early[bundle], third.get(bundle, np.zeros(0))
            drop, half = welch(then, now)
            rows.append(
                Optimism(
                    outcome=name,
                    unit=trait.unit,
                    bundle=bundle.name,
                    searched=float(then.mean()),
                    confirmed=float(now.mean()),
                    drop=drop,
                    low=drop - half,
                    high=drop + half,
                    reported=float(last.mean()) if len(last) else math.nan,
                )
            )
    return rows


def _gains(trait: Trait, values: ByBundle) -> dict[Bundle, np.ndarray]:
    """Return what each bundle gains over nothing in the worlds that both could be run in."""
    gains = {b: signed(trait, v - values[NOTHING]) for b, v in values.items() if b != NOTHING}
    return {bundle: gain[~np.isnan(gain)] for bundle, gain in gains.items()}


def welch(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Return mean a − mean b and the half-width of its 95 % interval: Welch (1947).

    The half-width is NaN with fewer than two values of either.
    """
    difference = float(a.mean() - b.mean())
    if min(len(a), len(b)) < 2:
        return difference, math.nan
    parts = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    error2 = sum(parts)
    if error2 == 0:
        return difference, 0.0
    freedom = error2**2 / (parts[0] ** 2 / (len(a) - 1) + parts[1] ** 2 / (len(b) - 1))
    return difference, float(stdtrit(freedom, (1 + LEVEL) / 2) * math.sqrt(error2))


def _rivals(trait: Trait, choice: Choice, values: ByBundle, sample: Sample) -> list[Rival]:
    """Hold the choice against its runner-up, and against doing nothing."""
    found = []
    for other in reversed(choice.finalists()):
        if other == choice.best:
            continue
        difference = (values[choice.best] - values[other])[:, None]
        response = Response(trait, choice.best.name, other.name, difference)
        rule = discover(response, sample)
        found.append(Rival(bundle=other.name, share=robustness(response), rule=rule))
    return found
