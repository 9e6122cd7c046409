"""Advice: which few measures for a budget, how sure, who loses, what would change it.

A search in few worlds picks bundles; those that came out best are run again in fresh worlds with
fresh random numbers, since the best of many looks better than it is (the winner's curse). All
that is said comes from the second look. The world is what an interval counts: means over the
replications of each world, paired with doing nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import stdtrit

from reformsim.experiment import aftermath, sampling
from reformsim.experiment.aftermath import GroupContrast, Year
from reformsim.experiment.analysis import LEVEL, Contrast, Trait, contrast, corrected
from reformsim.experiment.bundles import NOTHING, Bundle, Space
from reformsim.experiment.checks import COST
from reformsim.experiment.choice import ByBundle, Place, front, order, ranked, signed
from reformsim.experiment.discovery import Rule, discover
from reformsim.experiment.evaluation import Carry, Evaluation, Found, InWorlds, Quotes
from reformsim.experiment.plan import Keep
from reformsim.experiment.responses import Response
from reformsim.experiment.robustness import Regret, Robustness, robustness
from reformsim.experiment.sampled import Advice, Bounds
from reformsim.experiment.sampling import Sample
from reformsim.experiment.schema import Experiment
from reformsim.experiment.search import Searched, search

#: First stream of random numbers of the second look: no search has so many worlds.
FRESH = 1 << 20

#: Directories of the stages within that of the advice.
STAGES = ("quotes", "search", "confirm", "detail")


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
    interval over the two sets of worlds.
    """

    outcome: str
    unit: str
    bundle: str
    searched: float
    confirmed: float
    drop: float
    low: float
    high: float


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
class Findings:
    """All that is advised, and what it rests on.

    ``advised`` is the bundle with the least worst regret in the first outcome, ``best``, where
    that is shown to be better than nothing in it, and else nothing. Shown means: Holm-corrected
    over all bundles of the second look, at 5 %. What follows ``rivals`` is empty where nothing is
    advised.
    """

    question: Question
    outcomes: dict[str, Trait]
    worlds: int
    searched: Searched
    candidates: list[Candidate]
    contrasts: list[Contrast]
    regrets: list[Regret]
    optimism: list[Optimism]
    best: Bundle
    runner_up: Bundle | None
    advised: Bundle
    rivals: list[Rival]
    order: list[Place]
    groups: list[GroupContrast]
    years: list[Year]

    @property
    def headline(self) -> str:
        """The outcome by which bundles are chosen: the first of the file."""
        return next(iter(self.outcomes))


def worlds(bounds: Bounds, points: int, seed: int, stage: int) -> Sample:
    """Draw a Latin hypercube of worlds; stages have samples of their own."""
    values = sampling.latin_hypercube(points, len(bounds), seed * len(STAGES) + stage)
    return Sample(
        bounds,
        sampling.scaled(values, bounds),
        streams=np.arange(points),
        times=np.ones(points, int),
    )


def advise(experiment: Experiment, question: Question, directory: Path, carry: Carry) -> Findings:
    """Search, look again, and say what follows; resumes in ``directory``.

    Raises StoreError and what ``carry`` raises.
    """
    design = experiment.design
    assert isinstance(design, Advice)
    bounds = experiment.bounds()
    early = worlds(bounds, design.worlds, experiment.seed, 0)
    late = worlds(bounds, design.confirm.worlds, experiment.seed, 1)
    source = InWorlds(experiment)

    def evaluation(stage: str, sample: Sample, stream: int, keep: Keep) -> Evaluation:
        return Evaluation(source, sample.points(), stream, directory / stage, carry, keep)

    quotes = Evaluation(Quotes(experiment), [{}], 0, directory / "quotes", carry)
    searched = search(
        Space(design.candidates(), design.levels, question.at_most),
        experiment.outcomes,
        question.budget,
        design.bundles,
        experiment.seed,
        quotes,
        evaluation("search", early, 0, "headlines"),
    )
    confirm = evaluation("confirm", late, FRESH, "headlines")
    outcomes = (*experiment.outcomes, COST)
    chosen = searched.best(design.confirm.bundles)
    found = confirm([NOTHING, *chosen], outcomes)
    detail = evaluation("detail", late, FRESH, "all")
    return _findings(question, searched, chosen, found, confirm, detail, late)


def _findings(
    question: Question,
    searched: Searched,
    chosen: list[Bundle],
    found: Found,
    confirm: Evaluation,
    detail: Evaluation,
    sample: Sample,
) -> Findings:
    shown = searched.traits
    headline = next(iter(shown))
    failed = {b: int(np.isnan(found.by_world(headline, b)).sum()) for b in chosen}
    runnable = [NOTHING, *(b for b in chosen if not failed[b])]
    values = {o: {b: found.by_world(o, b) for b in runnable} for o in found.traits}
    compared = _compared(found.traits, values, headline)
    by_regret = ranked(shown[headline], values[headline])
    best = by_regret[0][0] if by_regret else NOTHING
    runner_up = by_regret[1][0] if by_regret else None
    proof = {c.scenario: c for c in compared if c.outcome == headline}
    sure = best != NOTHING and proof[best.name].verdict == "better" and proof[best.name].holds
    advised = best if sure else NOTHING

    def means(bundles: list[Bundle]) -> ByBundle:
        told = confirm(bundles, [headline])
        return {bundle: told.by_world(headline, bundle) for bundle in bundles}

    groups: list[GroupContrast] = []
    years: list[Year] = []
    if advised != NOTHING:
        results = detail.results([NOTHING, advised])
        groups = aftermath.groups(results, advised.name, list(shown))
        years = aftermath.years(
            results, advised.name, shown[headline], detail.source.experiment.warm_up
        )
    return Findings(
        question=question,
        outcomes=shown,
        worlds=len(sample.values),
        searched=searched,
        candidates=_candidates(question, searched, [NOTHING, *chosen], found, failed, values),
        contrasts=compared,
        regrets=[r for o, t in shown.items() for _, r in ranked(t, values[o])],
        optimism=_optimism(searched, shown, values),
        best=best,
        runner_up=runner_up,
        advised=advised,
        rivals=_rivals(shown[headline], best, runner_up, values[headline], sample),
        order=order(shown[headline], advised, means),
        groups=groups,
        years=years,
    )


def _compared(
    traits: dict[str, Trait], values: dict[str, dict[Bundle, np.ndarray]], headline: str
) -> list[Contrast]:
    """Compare every bundle with nothing; verdicts on the headline are corrected together."""
    rows = [
        contrast(trait, bundle.name, NOTHING.name, by_bundle[bundle], by_bundle[NOTHING])
        for bundle in values[headline]
        if bundle != NOTHING
        for trait, by_bundle in ((traits[name], values[name]) for name in values)
    ]
    return corrected(rows, [headline])


def _candidates(
    question: Question,
    searched: Searched,
    bundles: Sequence[Bundle],
    found: Found,
    failed: dict[Bundle, int],
    values: dict[str, dict[Bundle, np.ndarray]],
) -> list[Candidate]:
    headline = next(iter(searched.traits))
    objectives = {
        b: [
            *(float(np.nanmean(signed(t, values[o][b]))) for o, t in searched.traits.items()),
            -searched.costs[b],
        ]
        for b in values[headline]
    }
    best = set(front(objectives))

    def over(bundle: Bundle) -> float:
        cost = found.by_world(COST, bundle) - found.by_world(COST, NOTHING)
        cost = cost[~np.isnan(cost)]
        return float((cost > question.budget).mean()) if len(cost) else math.nan

    return [
        Candidate(
            bundle=b.name,
            levels=dict(b.levels),
            cost=searched.costs[b],
            front=b in best,
            over=over(b),
            failed=failed.get(b, 0),
            why=found.failures.get(b, ""),
        )
        for b in bundles
    ]


def _optimism(
    searched: Searched, traits: dict[str, Trait], values: dict[str, dict[Bundle, np.ndarray]]
) -> list[Optimism]:
    """Compare the gains against nothing in the search with those in the second look."""
    rows = []
    for name, trait in traits.items():
        for bundle, fresh in values[name].items():
            if bundle == NOTHING:
                continue
            early = searched.values[name]
            then = signed(trait, early[bundle] - early[NOTHING])
            now = signed(trait, fresh - values[name][NOTHING])
            then, now = then[~np.isnan(then)], now[~np.isnan(now)]
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
                )
            )
    return rows


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


def _rivals(
    trait: Trait, best: Bundle, runner_up: Bundle | None, values: ByBundle, sample: Sample
) -> list[Rival]:
    """Hold the choice against its runner-up, and against doing nothing."""
    found = []
    for other in dict.fromkeys(b for b in (runner_up, NOTHING) if b is not None and b != best):
        difference = (values[best] - values[other])[:, None]
        response = Response(trait, best.name, other.name, difference)
        rule = discover(response, sample)
        found.append(Rival(bundle=other.name, share=robustness(response), rule=rule))
    return found
