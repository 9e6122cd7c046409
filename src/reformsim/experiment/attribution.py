"""Which part of a reform does what: Shapley shares, and interactions of pairs."""

from dataclasses import dataclass

import numpy as np

from reformsim.experiment import design
from reformsim.experiment.analysis import Effect, Estimate, Trait, by_replication, estimate, traits
from reformsim.experiment.schema import Experiment
from reformsim.experiment.store import Results

#: The row of the whole reform among the shares.
TOTAL = "total"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share(Estimate):
    """A part's share of the total effect of a reform; those of all parts add up to the total.

    ``base`` is the mean without any part. ``n`` counts replications of which every run is there.
    """

    part: str


def shapley(experiment: Experiment, results: Results) -> list[Share]:
    """Share out the effect of a reform among its parts, for every headline.

    In a replication a part adds the difference between the coalition with it and the one before
    it came; its share is the mean over an order and its reverse, and the intervals are those of
    a mean over replications, so that they hold chance and the order alike. In each replication
    the shares telescope to the total. A replication that misses a run is left out.
    """
    parts = list(experiment.parts())
    values = by_replication(results)
    found = []
    for trait in traits(results):
        rows = [
            row
            for r in range(experiment.replications)
            if (row := _walked(experiment, parts, r, values, trait)) is not None
        ]
        if not rows:
            continue
        bases, shares = np.array([b for b, _ in rows]), np.array([s for _, s in rows])
        base = float(bases.mean())
        for part, column in zip(parts, shares.T, strict=True):
            found.append(Share(**estimate(trait, column, base), part=part))
        found.append(Share(**estimate(trait, shares.sum(axis=1), base), part=TOTAL))
    return found


def _walked(
    experiment: Experiment,
    parts: list[str],
    replication: int,
    values: dict[tuple[str, str], np.ndarray],
    trait: Trait,
) -> tuple[float, list[float]] | None:
    """Return the value without any part, and each part's share, in one replication."""
    shares = dict.fromkeys(parts, 0.0)
    base = np.nan
    forth = design.order(experiment, replication)
    for way in (forth, forth[::-1]):
        before = base = _value(values, trait, design.NONE, replication)
        for n, part in enumerate(way, 1):
            name = design.coalition(parts, way[:n]).name
            after = _value(values, trait, name, replication)
            shares[part] += (after - before) / 2
            before = after
    found = list(shares.values())
    return None if np.isnan(found).any() else (base, found)


def _value(
    values: dict[tuple[str, str], np.ndarray], trait: Trait, cell: str, replication: int
) -> float:
    column = values.get((trait.outcome, cell))
    return np.nan if column is None or replication >= len(column) else float(column[replication])


def interactions(experiment: Experiment, results: Results) -> list[Effect]:
    """Estimate what each part does alone, and what each pair does beyond the sum of the two.

    Positive where the pair raises an outcome by more than its parts do.
    """
    parts = list(experiment.parts())
    values = by_replication(results)
    found = []
    for trait in traits(results):
        columns = {cell.name: values.get((trait.outcome, cell.name)) for cell in _few(parts)}
        there = {name: column for name, column in columns.items() if column is not None}
        none = there.get(design.NONE)
        if none is None:
            continue
        base = float(np.nanmean(none))
        for i, part in enumerate(parts):
            if part in there:
                found.append(Effect(**estimate(trait, there[part] - none, base), factors=(part,)))
            for other in parts[i + 1 :]:
                pair = design.coalition(parts, (part, other)).name
                if {part, other, pair} <= there.keys():
                    beyond = there[pair] - there[part] - there[other] + none
                    found.append(Effect(**estimate(trait, beyond, base), factors=(part, other)))
    return found


def _few(parts: list[str]) -> list[design.Cell]:
    singles = [design.coalition(parts, (part,)) for part in parts]
    pairs = [design.coalition(parts, (a, b)) for i, a in enumerate(parts) for b in parts[i + 1 :]]
    return [design.coalition(parts, ()), *singles, *pairs]
