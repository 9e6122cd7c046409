"""Choose among bundles: what none of the others beats, the least regret, the order of measures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reformsim.experiment.analysis import Contrast, Trait, contrast
from reformsim.experiment.bundles import NOTHING, Bundle, without
from reformsim.experiment.robustness import Regret, regrets

#: Values of one outcome in each world, (worlds,), by bundle.
ByBundle = Mapping[Bundle, np.ndarray]


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


def order(trait: Trait, bundle: Bundle, run: Callable[[list[Bundle]], ByBundle]) -> list[Place]:
    """Return a greedy order of the measures of a bundle.

    At each place comes the measure with which the worst regret, against the other measures that
    could come, is least. ``run`` returns the values of bundles in the same worlds, of NOTHING
    too. Stops where no world has a value of all.
    """
    levels = dict(bundle.levels)
    held: list[str] = []
    found: list[Place] = []
    before = NOTHING
    while left := without(bundle, held):
        options = {Bundle.of({m: levels[m] for m in (*held, name)}): name for name in left}
        values = run([before, *options])
        by_regret = [b for b, _ in ranked(trait, {b: values[b] for b in options})]
        if not by_regret and len(options) > 1:
            break
        first, *others = by_regret or list(options)
        gain = contrast(trait, first.name, before.name, values[first], values[before])
        lead = None
        if others:
            second = others[0]
            lead = contrast(trait, first.name, second.name, values[first], values[second])
        found.append(
            Place(
                place=len(found) + 1,
                measure=options[first],
                intensity=levels[options[first]],
                gain=gain,
                next=options[others[0]] if others else "",
                lead=lead,
            )
        )
        held.append(options[first])
        before = first
    return found
