"""Which bundle to try next: all of them where there are few, else by a search with a model.

A designed start screens every measure alone, then pairs of them, since what two do only together no
search of neighbours could see coming. Then come, by turns, what a model of measures alone and in
pairs expects to be best, and neighbours of the bundles that none beats (Pareto local search:
Paquete, Chiarandini & Stützle 2004), which go on where the model is wrong.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from reformsim.experiment.bundles import NOTHING, Bundle, Space
from reformsim.experiment.choice import front, in_turn

#: Bundles proposed at a time after the start, before what came of them is asked for.
GENERATION = 20

#: Bundles that the model is asked about at a time.
CANDIDATES = 20_000

#: Up to so many times the budget a bundle is proposed by the cost that the model expects.
SLACK = 1.1

#: Shrinkage of the model to choose from, as shares of the variance of what was told.
RIDGES = (0.01, 0.1, 1.0)


class Proposals(Protocol):
    """Proposes bundles, and is told what came of them."""

    def ask(self, most: int) -> list[Bundle]:
        """Return at most ``most`` bundles never proposed before; empty where there are no more."""

    def tell(self, bundle: Bundle, values: Sequence[float]) -> None:
        """Take the objectives of a bundle, each the better the larger, the cost last, negative."""


def proposals(space: Space, budget: float, most: int, seed: int) -> Proposals:
    """Return every bundle of the space where they are ``most`` or fewer, else a search.

    The same arguments, told the same values, propose the same bundles.
    """
    return Every(space) if space.size() <= most else Search(space, budget, most, seed)


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


class Search:
    """Measures alone, pairs in random order up to half of ``most``, then generations.

    A measure alone stands at its highest level of which anything is told: too dear, or not
    runnable, it comes again at the next lower one. A pair stands at the highest levels whose
    costs alone add up to the ``budget`` at most. A generation alternates between what ``expected``
    ranks first, by each outcome in turn, and neighbours of the front: a measure more, less,
    swapped or at another level, those of the best in one objective first, the next generation
    beginning with the next objective. Where none is left, bundles are drawn at random. NOTHING is
    to be told first.
    """

    def __init__(self, space: Space, budget: float, most: int, seed: int) -> None:
        """Nothing is proposed yet."""
        self.space, self.budget, self.most = space, budget, most
        self.rng = np.random.default_rng([seed, most])
        self.seen = {NOTHING}
        self.told: dict[Bundle, Sequence[float]] = {}
        self.start, self.queue, self.generation = self._start(), list[Bundle](), 0
        self.every = list(space.every()) if space.size() <= CANDIDATES else None

    def ask(self, most: int) -> list[Bundle]:
        """Return the next of the start, or a generation."""
        while not self.queue and (layer := next(self.start, None)) is not None:
            self.queue = layer
        if self.queue:
            found, self.queue = self.queue[:most], self.queue[most:]
            self.seen.update(found)
            return found
        ways = (self._expected(), itertools.chain(self._around(), self._anywhere()))
        new = [(bundle for bundle in way if bundle not in self.seen) for way in ways]
        found = []
        for bundle in itertools.chain.from_iterable(itertools.zip_longest(*new)):
            if bundle is not None and bundle not in self.seen:
                self.seen.add(bundle)
                found.append(bundle)
            if len(found) == min(most, GENERATION):
                break
        return found

    def tell(self, bundle: Bundle, values: Sequence[float]) -> None:
        """Let the model learn from it, and its neighbours be proposed while none beats it."""
        self.told[bundle] = values

    def _start(self) -> Iterator[list[Bundle]]:
        for level in sorted(self.space.levels, reverse=True):
            alone = self._alone()
            yield [Bundle.of({m: level}) for m in self.space.measures if m not in alone]
        if self.space.at_most > 1:
            pairs = list(filter(None, itertools.starmap(self._pair, self._pairs_of_told())))
            yield [pairs[i] for i in self.rng.permutation(len(pairs))[: self.most // 2]]

    def _alone(self) -> dict[str, float]:
        """Return what each measure of which something is told costs alone at full intensity."""
        alone = [(b.levels[0], values[-1]) for b, values in self.told.items() if len(b.levels) == 1]
        return {measure: -value / level for (measure, level), value in alone}

    def _pairs_of_told(self) -> Iterator[tuple[tuple[str, float], tuple[str, float]]]:
        return itertools.combinations(self._alone().items(), 2)

    def _pair(self, a: tuple[str, float], b: tuple[str, float]) -> Bundle | None:
        """Return two measures, with their costs, at the highest levels within the budget."""
        levels = [
            (x + y, x, y)
            for x, y in itertools.product(self.space.levels, repeat=2)
            if x * a[1] + y * b[1] <= self.budget * SLACK
        ]
        return Bundle.of(dict(zip((a[0], b[0]), max(levels)[1:], strict=True))) if levels else None

    def _expected(self) -> Iterator[Bundle]:
        """Yield bundles, the best first by each outcome in turn, that might be in the budget."""
        candidates = self.every
        if candidates is None:
            candidates = list(itertools.islice(self._anywhere(), CANDIDATES))
        known = list(self.told)
        values = np.array([self.told[bundle] for bundle in known], float)
        base = values[known.index(NOTHING)]
        found = base + expected(self._rows(known), values - base, self._rows(candidates))
        within = np.flatnonzero(-found[:, -1] <= self.budget * SLACK)
        orders = [within[np.argsort(-column, kind="stable")] for column in found[within, :-1].T]
        for i in itertools.chain.from_iterable(zip(*orders, strict=True)):
            yield candidates[i]

    def _rows(self, bundles: Sequence[Bundle]) -> np.ndarray:
        """Return the intensities of bundles, (bundles, measures)."""
        rows = np.zeros((len(bundles), len(self.space.measures)))
        at = {name: i for i, name in enumerate(self.space.measures)}
        for row, bundle in zip(rows, bundles, strict=True):
            for name, level in bundle.levels:
                row[at[name]] = level
        return rows

    def _around(self) -> Iterator[Bundle]:
        """Yield the neighbours of the front, those of the best in each objective first."""
        best, n = front(self.told), len(self.told[NOTHING])
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


def expected(known: np.ndarray, values: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Return what bundles are expected to do, (asked, objectives), from what others did.

    ``known`` and ``asked`` hold intensities (bundles, measures), ``values`` (known, objectives).
    The model is Σ a_m x_m + Σ_{m<n} b_mn x_m x_n with all coefficients shrunk alike: ridge
    regression in its dual form (Saunders, Gammerman & Vovk 1998) with the kernel
    x·x' + ((x·x')² − Σ x_m² x'_m²)/2. The ridge is the one of ``RIDGES`` with the least squared
    error in values that were left out, one by one.
    """
    scale = values.std(axis=0)
    scale[scale == 0] = 1.0
    within = _kernel(known, known)
    fits = []
    for ridge in RIDGES:
        inverse = np.linalg.inv(within + ridge * np.eye(len(known)))
        weights = inverse @ (values / scale)
        fits.append((float(((weights.T / np.diag(inverse)) ** 2).sum()), ridge, weights))
    return _kernel(asked, known) @ min(fits, key=lambda fit: fit[:2])[2] * scale


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    linear = x @ y.T
    return linear + (linear**2 - x**2 @ (y**2).T) / 2
