"""History matching: which points of the space of uncertainties the targets do not rule out.

After Craig, Goldstein, Seheult & Smith (1997) and Vernon, Goldstein & Bower (2010). A point x is
implausible where for some target z with the emulator E[f(x)]

    I(x) = |z − E[f(x)]| / √(emulator + replication + observation + discrepancy)

exceeds 3, all four being variances: 95 % or more of any unimodal distribution lie within three
standard deviations (Pukelsheim 1994), of a normal one 99.7 %. With Q targets a wave rules out the
true point with probability at most 0.05 Q, or 0.0027 Q if errors are normal.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.stats import qmc, spearmanr

from reformsim.experiment.emulator import Emulator
from reformsim.experiment.sampled import Bounds
from reformsim.experiment.targets import Target

#: Points at which the whole prior is looked at; at most so many are drawn to fill the region.
LOOK, MOST = 1 << 14, 1 << 19

#: Points of the region that are kept.
KEPT = 500

#: Bins along a profile.
BINS = 20


@dataclass(frozen=True)
class Goal:
    """A target with its emulator; ``discrepancy`` is the model's own standard deviation there."""

    target: Target
    emulator: Emulator
    discrepancy: float

    def standardised(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return signed implausibility at points of the unit cube, and the total variance."""
        mean, variance = self.emulator.predict(x)
        total = variance + self.emulator.noise + self.target.sd**2 + self.discrepancy**2
        return (self.target.z - mean) / np.sqrt(total), total


@dataclass(frozen=True)
class Matched:
    """The state after some waves: the goals of each, the cut-off, a seed for what is drawn.

    A goal of a later wave was emulated where no earlier wave rules out, and holds there; a point
    is left where no wave rules it out. Goals whose emulator is not good are not among them.
    """

    bounds: Bounds
    waves: tuple[tuple[Goal, ...], ...]
    cutoff: float
    seed: int

    @cached_property
    def goals(self) -> tuple[Goal, ...]:
        """The latest goal of each target."""
        latest = {goal.target.name: goal for wave in self.waves for goal in wave}
        return tuple(latest.values())

    @cached_property
    def look(self) -> np.ndarray:
        """Points spread over the prior, in the unit cube, (LOOK, uncertainties)."""
        return self._draw(LOOK, 0)

    @cached_property
    def each(self) -> np.ndarray:
        """Implausibility of each of ``goals`` at ``look``, the largest of all waves."""
        return self.implausibility(self.look)

    @cached_property
    def worst(self) -> np.ndarray:
        """Largest implausibility over the targets at ``look``, (LOOK,)."""
        return self.each.max(axis=1)

    @property
    def left(self) -> int:
        """How many points of ``look`` are not ruled out."""
        return int((self.worst <= self.cutoff).sum())

    def implausibility(self, x: np.ndarray) -> np.ndarray:
        """Return that of each of ``goals`` at points of the unit cube, (points, goals)."""
        names = [goal.target.name for goal in self.goals]
        found = np.zeros((len(x), len(names)))
        for wave in self.waves:
            for goal in wave:
                column = found[:, names.index(goal.target.name)]
                np.maximum(column, np.abs(goal.standardised(x)[0]), out=column)
        return found

    def kept(self, x: np.ndarray) -> np.ndarray:
        """Return those of the points that are not ruled out."""
        for wave in self.waves:
            for goal in wave:  # the next one need only look at what this one left
                x = x[np.abs(goal.standardised(x)[0]) <= self.cutoff] if len(x) else x
        return x

    @cached_property
    def region(self) -> np.ndarray:
        """Points not ruled out, spread uniformly over the region, in the unit cube, (n, k).

        Drawn until there are ``KEPT`` or ``MOST`` were looked at.
        """
        found = [self.look[self.worst <= self.cutoff]]
        drawn, batch = LOOK, 1
        while sum(map(len, found)) < KEPT and drawn < MOST:
            x = self._draw(min(LOOK << batch, MOST - drawn), batch)
            drawn, batch = drawn + len(x), batch + 1
            found.append(self.kept(x))
        return np.concatenate(found)

    @cached_property
    def weights(self) -> np.ndarray:
        """Posterior weights of ``region``, (n,), that sum to 1.

        With all errors normal and independent of each other the likelihood of the targets is
        exact, and so is this form of approximate Bayesian computation: Wilkinson (2013).
        """
        if not len(self.region):
            return np.zeros(0)
        log = np.zeros(len(self.region))
        for goal in self.goals:
            standard, total = goal.standardised(self.region)
            log -= (standard**2 + np.log(total)) / 2
        weights = np.exp(log - log.max())
        return weights / weights.sum()

    @property
    def effective(self) -> float:
        """Effective number of points in the posterior: Kish (1965)."""
        return float(1 / np.sum(self.weights**2)) if len(self.weights) else 0.0

    def posterior(self, n: int) -> np.ndarray:
        """Return ``n`` points of the posterior in the unit cube, by systematic resampling."""
        start = np.random.default_rng([self.seed, 7]).random()
        at = np.searchsorted(np.cumsum(self.weights), (start + np.arange(n)) / n)
        rows = np.minimum(at, len(self.weights) - 1)
        return self.region[np.random.default_rng([self.seed, 8]).permutation(rows)]

    def nearest(self, n: int) -> np.ndarray:
        """Return the ``n`` least implausible points of ``look``."""
        return self.look[np.argsort(self.worst, kind="stable")[:n]]

    def propose(self, n: int) -> np.ndarray:
        """Return ``n`` points for the next wave: of the region, else the least implausible."""
        rng = np.random.default_rng([self.seed, 50 + len(self.waves)])
        return np.concatenate([rng.permutation(self.region)[:n], self.nearest(n)])[:n]

    def scaled(self, unit: np.ndarray) -> np.ndarray:
        """Return points of the unit cube in the units of the uncertainties."""
        low, high = np.array(list(self.bounds.values())).T
        return low + unit * (high - low)

    def _draw(self, n: int, number: int) -> np.ndarray:
        rng = np.random.default_rng([self.seed, 100 + number])
        found = qmc.Sobol(len(self.bounds), rng=rng).random_base2(max(n - 1, 1).bit_length())
        return found[:n]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """What the targets say of one uncertainty.

    ``left_low`` and ``left_high`` bound what is not ruled out; ``q05`` to ``q95`` are quantiles of
    the posterior. ``width`` is the width of the central 95 % of the region against that of the
    whole range: below 0.5 the uncertainty is *pinned down*, below 0.9 *narrowed*, else *not pinned
    down*: the data do not tell.
    """

    uncertainty: str
    low: float
    high: float
    left_low: float
    left_high: float
    q05: float
    q50: float
    q95: float
    width: float
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two uncertainties: their rank correlation in the region, and the share of squares left."""

    first: str
    second: str
    correlation: float
    left: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Around one value of an uncertainty: least implausibility, and the share not ruled out."""

    uncertainty: str
    value: float
    least: float
    left: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """What one target does: its least implausibility anywhere, and what it rules out.

    ``alone`` is the share of the prior that it leaves by itself, ``without`` the share that all
    others leave.
    """

    target: str
    least: float
    alone: float
    without: float


PINNED, NARROWED, OPEN = "pinned down", "narrowed", "not pinned down"


def parameters(matched: Matched) -> list[Parameter]:
    """Return what is left of each uncertainty; empty where nothing is."""
    if not len(matched.region):
        return []
    order = np.argsort(matched.region, axis=0)
    found = []
    for i, (name, (low, high)) in enumerate(matched.bounds.items()):
        unit = matched.region[:, i]
        cut = np.quantile(unit, (0.025, 0.975))
        width = float(min(1.0, (cut[1] - cut[0]) / 0.95))
        mass = np.cumsum(matched.weights[order[:, i]])
        at = np.minimum(np.searchsorted(mass, (0.05, 0.5, 0.95)), len(unit) - 1)
        quantiles = unit[order[at, i]]
        values = [low + float(u) * (high - low) for u in (unit.min(), unit.max(), *quantiles)]
        found.append(
            Parameter(
                uncertainty=name,
                low=low,
                high=high,
                **dict(zip(("left_low", "left_high", "q05", "q50", "q95"), values, strict=True)),
                width=width,
                verdict=PINNED if width < 0.5 else NARROWED if width < 0.9 else OPEN,
            )
        )
    return found


def pairs(matched: Matched, cells: int = 10) -> list[Pair]:
    """Return every pair of uncertainties, the most correlated first; empty where nothing is left.

    Of ``cells``² squares of the plane of a pair, those are left that hold a point of the region.
    """
    names, region = list(matched.bounds), matched.region
    if len(region) < 3:
        return []
    found = []
    for i in range(len(names)):
        for j in range(i + 1, len(names)):
            square = np.minimum((region[:, [i, j]] * cells).astype(int), cells - 1)
            found.append(
                Pair(
                    first=names[i],
                    second=names[j],
                    correlation=float(spearmanr(region[:, i], region[:, j]).statistic),
                    left=len(np.unique(square, axis=0)) / cells**2,
                )
            )
    return sorted(found, key=lambda pair: -abs(pair.correlation))


def profiles(matched: Matched) -> list[Profile]:
    """Return the least implausibility in each of ``BINS`` bins along each uncertainty."""
    found = []
    for i, (name, (low, high)) in enumerate(matched.bounds.items()):
        bins = np.minimum((matched.look[:, i] * BINS).astype(int), BINS - 1)
        for b in range(BINS):
            worst = matched.worst[bins == b]
            found.append(
                Profile(
                    uncertainty=name,
                    value=low + (b + 0.5) / BINS * (high - low),
                    least=float(worst.min()),
                    left=float(np.mean(worst <= matched.cutoff)),
                )
            )
    return found


def powers(matched: Matched) -> list[Power]:
    """Return what each target rules out, the strictest first."""
    fine = matched.each <= matched.cutoff
    found = [
        Power(
            target=goal.target.name,
            least=float(matched.each[:, i].min()),
            alone=float(fine[:, i].mean()),
            without=float(np.delete(fine, i, axis=1).all(axis=1).mean()),
        )
        for i, goal in enumerate(matched.goals)
    ]
    return sorted(found, key=lambda power: (power.alone, -power.without))


def culprits(matched: Matched) -> list[Power]:
    """Return the targets that rule out everything alone, else those whose removal leaves most.

    Empty where something is left.
    """
    if len(matched.region):
        return []
    found = powers(matched)
    alone = [power for power in found if power.least > matched.cutoff]
    most = max(power.without for power in found)
    return alone or [power for power in found if power.without == most > 0] or found[:1]
