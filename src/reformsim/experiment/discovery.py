"""Where a scenario loses, as a short rule: the Patient Rule Induction Method.

Friedman & Fisher (1999); for scenario discovery Bryant & Lempert (2010). A box is found on one
half of the points and judged by the other half, so that a rule is not praised for fitting luck.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binom

from reformsim import uncertainties
from reformsim.declared import plain
from reformsim.experiment.responses import Response
from reformsim.experiment.robustness import wilson
from reformsim.experiment.sampling import Sample

#: Share of the points of a box that one peel removes, and the smallest box, as a share of all.
PEEL, SMALLEST = 0.05, 0.08

#: Points of any box or branch at least, and the levels of the tree that chooses inputs.
FEWEST, DEPTH = 10, 3

#: Restrictions of a rule at most, and their chance of a false alarm for all inputs together.
LONGEST, ALARM = 3, 0.05


@dataclass(frozen=True, slots=True)
class Restriction:
    """One side of a box: an uncertainty above or below a value, in its unit."""

    uncertainty: str
    above: bool
    value: float

    def words(self, zh: bool = False) -> str:
        """Say the restriction in plain words."""
        known = uncertainties.BY_NAME.get(self.uncertainty)
        if zh:
            name = known.meaning_zh if known else self.uncertainty
            return f"{name}{'高于' if self.above else '低于'} {self.value:.3g}"
        name = known.label if known else plain(self.uncertainty)
        return f"{name} {'above' if self.above else 'below'} {self.value:.3g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Worlds in which a scenario does worse than its reference, by the half not used to find it.

    ``density`` is the share of worlds in the box in which it loses, with its Wilson interval;
    ``base`` that of all worlds; ``coverage`` the share of all losses that lie in the box.
    Without ``restrictions`` no rule was found, or none that the other half bears out.
    """

    outcome: str
    scenario: str
    reference: str
    n: int
    restrictions: tuple[Restriction, ...]
    density: float
    density_low: float
    density_high: float
    base: float
    coverage: float

    def words(self, zh: bool = False) -> str:
        """Say the rule in plain words, without the names of outcome and scenario."""
        if not self.restrictions:
            return "未发现规则" if zh else "no rule found"
        where = ("，且" if zh else " and ").join(r.words(zh) for r in self.restrictions)
        if zh:
            return (
                f"当{where}时：此类情景中 {self.density:.0%} 更差（全部情景 {self.base:.0%}），"
                f"涵盖其全部失利的 {self.coverage:.0%}"
            )
        return (
            f"where {where}: worse in {self.density:.0%} of such worlds "
            f"(all worlds: {self.base:.0%}), which hold {self.coverage:.0%} of its losses"
        )


def discover(response: Response, sample: Sample) -> Rule | None:
    """Name where a scenario loses against its reference.

    None where neither direction is better, where nothing is compared, or where fewer than
    twenty points of either half, or none, or all, are lost.
    """
    sign = {"higher": -1.0, "lower": 1.0}.get(response.trait.better)
    y = response.means()
    there = ~np.isnan(y)
    if sign is None or not response.reference or there.sum() < 40:
        return None
    x, lost = sample.values[there], sign * y[there] > 0
    if not 0 < lost[::2].sum() < len(lost[::2]):
        return None
    found = box(x[::2], lost[::2])
    names = list(sample.bounds)
    inside, other = _inside(x[1::2], found), lost[1::2]
    base = float(other.mean())
    hits, n = int(other[inside].sum()), int(inside.sum())
    low, high = wilson(hits, n)
    bears_out = bool(found) and n > 0 and low > base
    return Rule(
        outcome=response.trait.outcome,
        scenario=response.scenario,
        reference=response.reference,
        n=n,
        restrictions=tuple(
            Restriction(names[i], above, value) for i, above, value in found if bears_out
        ),
        density=hits / n if n else np.nan,
        density_low=low,
        density_high=high,
        base=base,
        coverage=hits / int(other.sum()) if other.any() else np.nan,
    )


#: A side of a box: the input, whether values above the bound are inside, and the bound.
Side = tuple[int, bool, float]


def box(x: np.ndarray, y: np.ndarray) -> list[Side]:
    """Return the sides of a box of ``x`` (points, inputs) dense in ``y`` (points,), booleans.

    Only inputs that a small tree splits on are looked at: with many idle inputs a peel of 5 %
    would follow luck. Every side must then be needed: those without which the box is not
    significantly less dense are dropped, and the least significant beyond three, until the box
    of the inputs that are left has no such side.
    """
    inputs = _split_on(x, y, DEPTH)
    while True:
        sides = _significant(x, y, _prim(x, y, sorted(inputs)))
        left = {i for i, _, _ in sides}
        if left == inputs:
            return sides
        inputs = left


def _prim(x: np.ndarray, y: np.ndarray, inputs: list[int]) -> list[Side]:
    """Peel 5 % at a time off the side of the box that leaves the densest rest.

    Of all boxes on the way that with the best harmonic mean of density and coverage is returned.
    """
    sides: dict[tuple[int, bool], float] = {}
    best, score = dict(sides), 0.0
    inside = np.ones(len(y), dtype=bool)
    while inputs:
        now = 2 * y[inside].sum() / (inside.sum() + y.sum())
        if now > score:
            best, score = dict(sides), now
        i, above, value = _peel(x[np.ix_(inside, inputs)], y[inside])
        i = inputs[i]
        left = inside & (x[:, i] > value if above else x[:, i] < value)
        if left.sum() < max(SMALLEST * len(y), FEWEST) or left.sum() == inside.sum():
            break
        sides[i, above], inside = value, left
    return [(i, above, value) for (i, above), value in best.items()]


def _split_on(x: np.ndarray, y: np.ndarray, depth: int) -> set[int]:
    """Return the inputs that a classification tree splits on: Breiman et al. (1984).

    Splits where the Gini impurity falls most, leaving at least ten points on either side.
    """
    n, hits = len(y), y.sum()
    if depth == 0 or n < 2 * FEWEST or not 0 < hits < n:
        return set()
    order = np.argsort(x, axis=0, kind="stable")
    left = np.cumsum(y[order], axis=0)[FEWEST - 1 : n - FEWEST]
    size = np.arange(FEWEST, n - FEWEST + 1)[:, None]
    # n times the impurity, less what does not depend on the split
    purity = left**2 / size + (hits - left) ** 2 / (n - size)
    row, i = np.unravel_index(int(np.argmax(purity)), purity.shape)
    low = np.zeros(n, dtype=bool)
    low[order[: row + FEWEST, i]] = True
    parts = (_split_on(x[half], y[half], depth - 1) for half in (low, ~low))
    return {int(i)}.union(*parts)


def _peel(x: np.ndarray, y: np.ndarray) -> Side:
    """Return the side to cut off that leaves the densest rest."""
    cuts = []
    for above, q in ((True, PEEL), (False, 1 - PEEL)):
        bound = np.quantile(x, q, axis=0)
        rest = x > bound if above else x < bound
        n = rest.sum(axis=0)
        density = np.divide((rest & y[:, None]).sum(axis=0), n, out=np.zeros(len(n)), where=n > 0)
        i = int(np.argmax(density))
        cuts.append((float(density[i]), i, above, float(bound[i])))
    _, i, above, bound = max(cuts)
    return i, above, bound


def _significant(x: np.ndarray, y: np.ndarray, sides: list[Side]) -> list[Side]:
    """Drop sides, the least significant first, until all are needed and three are left."""
    while sides:
        chances = []
        for side in sides:
            without = _inside(x, [other for other in sides if other != side])
            within = _inside(x, sides)
            hits, n = int(y[within].sum()), int(within.sum())
            # the quasi-p-value of Bryant & Lempert (2010)
            chances.append(float(binom.sf(hits - 1, n, y[without].mean())))
        worst = int(np.argmax(chances))
        if chances[worst] < ALARM / (2 * x.shape[1]) and len(sides) <= LONGEST:
            return sides
        sides = [side for i, side in enumerate(sides) if i != worst]
    return []


def _inside(x: np.ndarray, sides: list[Side]) -> np.ndarray:
    inside = np.ones(len(x), dtype=bool)
    for i, above, value in sides:
        inside &= x[:, i] > value if above else x[:, i] < value
    return inside
