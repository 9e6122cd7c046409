"""Which bundle to try next: all of them where there are few, else by a local search of the front.

Pareto local search (Paquete, Chiarandini & Stützle 2004) after a designed start. Every measure
alone comes first, then pairs, since what two measures do only together no search of neighbours
could see coming; then neighbours of the bundles that none beats.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from reformsim.experiment.bundles import NOTHING, Bundle, Space
from reformsim.experiment.choice import front, in_turn

#: Neighbours proposed at a time, before what came of them is asked for.
GENERATION = 20


class Proposals(Protocol):
    """Proposes bundles, and is told what came of them."""

    def ask(self, most: int) -> list[Bundle]:
        """Return at most ``most`` bundles never proposed before; empty where there are no more."""

    def tell(self, bundle: Bundle, values: Sequence[float]) -> None:
        """Take the objectives of a proposed bundle, each the better the larger."""


def proposals(space: Space, most: int, seed: int) -> Proposals:
    """Return every bundle of the space where they are ``most`` or fewer, else a search.

    The same arguments, told the same values, propose the same bundles.
    """
    return Every(space) if space.size() <= most else LocalSearch(space, most, seed)


class Every:
    """All bundles, once."""

    def __init__(self, space: Space) -> None:
        """Nothing is proposed yet."""
        self.left = list(space.every())

    def ask(self, most: int) -> list[Bundle]:
        """Return the next bundles."""
        found, self.left = self.left[:most], self.left[most:]
        return found

    def tell(self, bundle: Bundle, values: Sequence[float]) -> None:
        """Nothing depends on it."""


class LocalSearch:
    """Measures alone, pairs of them in random order up to half of ``most``, then neighbours.

    Measures alone and in pairs stand at their highest level. A neighbour of a bundle has a
    measure more, less, swapped or at another level. A generation takes those of the best of the
    front in one objective, then of the best in the next, each in random order; the next
    generation begins with the next objective. Where none is left, bundles are drawn at random. A
    bundle of which nothing is told (too dear, or not runnable) has no neighbours.
    """

    def __init__(self, space: Space, most: int, seed: int) -> None:
        """Lay out the start."""
        self.space = space
        self.rng = np.random.default_rng([seed, most])
        self.seen = {NOTHING}
        self.told: dict[Bundle, Sequence[float]] = {}
        self.objectives, self.generation = 1, 0
        full = max(space.levels)
        pairs = list(itertools.combinations(space.measures, 2)) if space.at_most > 1 else []
        order = self.rng.permutation(len(pairs))[: most // 2]
        sets = [*((name,) for name in space.measures), *(pairs[i] for i in order)]
        self.start = [Bundle.of(dict.fromkeys(names, full)) for names in sets]

    def ask(self, most: int) -> list[Bundle]:
        """Return the next of the start, or a generation of neighbours."""
        if self.start:
            found, self.start = self.start[:most], self.start[most:]
            self.seen.update(found)
            return found
        found = []
        for bundle in itertools.chain(self._around(), self._anywhere()):
            if bundle not in self.seen:
                self.seen.add(bundle)
                found.append(bundle)
            if len(found) == min(most, GENERATION):
                break
        return found

    def tell(self, bundle: Bundle, values: Sequence[float]) -> None:
        """Let the neighbours of the bundle be proposed while none beats it."""
        self.told[bundle] = values
        self.objectives = len(values)

    def _around(self) -> Iterator[Bundle]:
        """Yield the neighbours of the front, those of the best in each objective first."""
        best, n = front(self.told), self.objectives
        turns = [(i + self.generation) % n for i in range(n)]
        self.generation += 1
        ranks = [{bundle: self.told[bundle][i] for bundle in best} for i in turns]
        for bundle in in_turn(best, ranks, len(best)):
            near = list(self.neighbours(bundle))
            yield from (near[i] for i in self.rng.permutation(len(near)))

    def neighbours(self, bundle: Bundle) -> Iterator[Bundle]:
        """Yield the bundles that differ in one measure, or in the level of one."""
        levels = dict(bundle.levels)
        fewer = [{m: v for m, v in levels.items() if m != name} for name in levels]
        more = [*fewer, levels] if len(levels) < self.space.at_most else fewer
        yield from map(Bundle.of, fewer)
        for rest in more:
            for name, level in itertools.product(self.space.measures, self.space.levels):
                if name not in rest:
                    yield Bundle.of(rest | {name: level})

    def _anywhere(self) -> Iterator[Bundle]:
        """Yield random bundles, as many as the space has: some come twice, some never."""
        for _ in range(self.space.size()):
            size = int(self.rng.integers(1, self.space.at_most + 1))
            names = self.rng.choice(len(self.space.measures), size, replace=False)
            levels = self.rng.choice(self.space.levels, size)
            yield Bundle.of(
                {self.space.measures[i]: float(v) for i, v in zip(names, levels, strict=True)}
            )
