"""Choose among bundles: what none of the others beats, the least regret, the order of measures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reformsim.experiment.analysis import Contrast, Trait, contrast, corrected
from reformsim.experiment.bundles import NOTHING, Bundle, without
from reformsim.experiment.evaluation import Found
from reformsim.experiment.robustness import Regret, regrets

#: Values of one outcome in each world, (worlds,), by bundle.
ByBundle = Mapping[Bundle, np.ndarray]

#: Returns the values of bundles in the same worlds.
Look = Callable[[list[Bundle]], ByBundle]


def signed(trait: Trait, values: np.ndarray) -> np.ndarray:
    """Return values so that more is better."""
    return -values if trait.better == "lower" else values


def front(objectives: Mapping[Bundle, Sequence[float]]) -> list[Bundle]:
    """Return the bundles that no other beats: as good in all objectives and better in one.

    Objectives are the better the larger. Of bundles that are equal in all the first stays.
    """
    table = np.array(list(objectives.values()), float)
    kept = []
    for i, (bundle, row) in enumerate(zip(objectives, table, strict=True)):
        least = (table >= row).all(axis=1)
        better = least & (table > row).any(axis=1)
        equal = least & ~better
        if not better.any() and not equal[:i].any():
            kept.append(bundle)
    return kept


def in_turn(
    bundles: Sequence[Bundle], ranks: Sequence[Mapping[Bundle, float]], most: int
) -> list[Bundle]:
    """Return at most ``most`` bundles: the best by each rank in turn, then the second best, ...

    Ranks are the better the larger.
    """
    left = list(bundles)
    found: list[Bundle] = []
    while left and len(found) < most:
        rank = ranks[len(found) % len(ranks)]
        best = max(left, key=lambda bundle: rank[bundle])
        found.append(best)
        left.remove(best)
    return found


def ranked(trait: Trait, values: ByBundle) -> list[tuple[Bundle, Regret]]:
    """Return bundles with their regrets, that with the least worst regret first: Savage (1951).

    A tie goes to the bundle that comes first. Empty where no two bundles share a world.
    """
    names = {bundle.name: bundle for bundle in values}
    found = regrets(trait, {name: values[bundle] for name, bundle in names.items()})
    return sorted(((names[r.scenario], r) for r in found), key=lambda pair: pair[1].worst)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What is chosen among bundles in the worlds of one sample.

    ``best`` has the least worst regret in the first outcome, ``runner_up`` the next, which may be
    NOTHING. ``advised`` is the best where it is shown to be better than nothing: its mean gain
    holds at 5 % after Holm's correction over all bundles; else NOTHING. ``failed`` counts by
    bundle the worlds in which it could not be run: such a bundle is not chosen, and has no
    ``values`` (by outcome and bundle) nor ``contrasts`` against nothing.
    """

    values: dict[str, dict[Bundle, np.ndarray]]
    failed: dict[Bundle, int]
    contrasts: list[Contrast]
    best: Bundle
    runner_up: Bundle | None
    advised: Bundle

    def finalists(self) -> list[Bundle]:
        """Return nothing, the best and its runner-up, each once."""
        named = (NOTHING, self.best, self.runner_up)
        return list(dict.fromkeys(bundle for bundle in named if bundle is not None))


def choose(headline: str, bundles: Sequence[Bundle], found: Found) -> Choice:
    """Choose among ``bundles`` and NOTHING by what was found of them in ``headline``."""
    failed = {b: int(np.isnan(found.by_world(headline, b)).sum()) for b in bundles}
    runnable = [NOTHING, *(b for b in bundles if not failed[b])]
    values = {o: {b: found.by_world(o, b) for b in runnable} for o in found.traits}
    contrasts = against_nothing(found.traits, values, headline)
    by_regret = ranked(found.traits[headline], values[headline])
    best = by_regret[0][0] if by_regret else NOTHING
    proof = {c.scenario: c for c in contrasts if c.outcome == headline}
    sure = best != NOTHING and proof[best.name].verdict == "better" and proof[best.name].holds
    return Choice(
        values=values,
        failed=failed,
        contrasts=contrasts,
        best=best,
        runner_up=by_regret[1][0] if by_regret else None,
        advised=best if sure else NOTHING,
    )


def against_nothing(
    traits: Mapping[str, Trait], values: Mapping[str, ByBundle], headline: str
) -> list[Contrast]:
    """Compare every bundle with nothing; verdicts on the headline are corrected together."""
    rows = [
        contrast(trait, bundle.name, NOTHING.name, by_bundle[bundle], by_bundle[NOTHING])
        for bundle in values[headline]
        if bundle != NOTHING
        for trait, by_bundle in ((traits[name], values[name]) for name in values)
    ]
    return corrected(rows, [headline])


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place in the order of introduction: which measure comes then, and how sure that is.

    ``gain`` is what it adds to those before it; ``lead`` what it is ahead of the next best
    measure at this place, ``next``, empty at the last. Where the interval of the lead holds zero
    the two are not told apart.
    """

    place: int
    measure: str
    intensity: float
    gain: Contrast
    next: str
    lead: Contrast | None


def order(trait: Trait, bundle: Bundle, choose: Look, tell: Look) -> list[Place]:
    """Return a greedy order of the measures of a bundle.

    At each place comes the measure with which the worst regret, against the other measures that
    could come, is least in the worlds of ``choose``; gain and lead are those in the worlds of
    ``tell``, by which nothing is chosen. Stops where no world has a value of all.
    """
    levels = dict(bundle.levels)
    held: list[str] = []
    found: list[Place] = []
    before = NOTHING
    while left := without(bundle, held):
        options = {Bundle.of({m: levels[m] for m in (*held, name)}): name for name in left}
        by_regret = [b for b, _ in ranked(trait, choose(list(options)))]
        if not by_regret and len(options) > 1:
            break
        first, *others = by_regret or list(options)
        second = others[0] if others else None
        values = tell([b for b in (before, first, second) if b is not None])
        gain = contrast(trait, first.name, before.name, values[first], values[before])
        lead = None
        if second is not None:
            lead = contrast(trait, first.name, second.name, values[first], values[second])
        found.append(
            Place(
                place=len(found) + 1,
                measure=options[first],
                intensity=levels[options[first]],
                gain=gain,
                next="" if second is None else options[second],
                lead=lead,
            )
        )
        held.append(options[first])
        before = first
    return found
