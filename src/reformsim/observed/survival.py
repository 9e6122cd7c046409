"""Days to close where some cases are still open: of counts in bins, vectorised over groups."""

from typing import NamedTuple

import numpy as np
from scipy import optimize, special, stats

from reformsim.observed.tally import BINS, EDGES

#: Edges in logarithms; what lies beyond the last finite edge is not interpolated.
LOG_EDGES = np.log(np.maximum(EDGES, 1e-4))
Z = float(stats.norm.isf(0.025))


#: Ends of bins of exact days and of whole days, which may be half a day off, (2, bins).
LOW = np.stack([EDGES[:-1], np.maximum(np.ceil(EDGES[:-1]) - 0.5, 0.0)])
HIGH = np.stack([EDGES[1:], np.maximum(np.ceil(EDGES[1:]) - 0.5, 0.0)])
LOG_LOW, LOG_HIGH = np.log(np.maximum(LOW, 1e-4)), np.log(np.maximum(HIGH, 1e-4))


LOG_AGES = (LOG_EDGES[:-1] + np.minimum(LOG_EDGES[1:], LOG_EDGES[BINS - 1])) / 2


class Survival(NamedTuple):
    """Share of cases open for longer than the upper edge of each bin, (…, bins).

    ``variance`` is Greenwood's (1926), of log open.
    """

    open: np.ndarray
    variance: np.ndarray


def kaplan_meier(closed: np.ndarray, still_open: np.ndarray) -> Survival:
    """Return Kaplan and Meier's (1958) estimate from cases closed and still open, (…, bins).

    Cases still open count in their bin for half: the actuarial form for grouped days.
    """
    left = closed + still_open
    at_risk = np.flip(np.cumsum(np.flip(left, -1), -1), -1) - still_open / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        hazard = np.where(at_risk > 0, closed / at_risk, 0.0)
        term = np.where(closed > 0, closed / (at_risk * (at_risk - closed)), 0.0)
    return Survival(np.cumprod(1 - hazard, -1), np.cumsum(term, -1))


def quantile(open_share: np.ndarray, share: float) -> np.ndarray:
    """Return the days by which ``share`` of the cases are closed, (…); NaN where never reached.

    Within a bin the days are interpolated in logarithms.
    """
    level = 1 - share
    reached = open_share <= level
    at = reached.argmax(-1)
    before = np.take_along_axis(open_share, np.maximum(at - 1, 0)[..., None], -1)[..., 0]
    before = np.where(at == 0, 1.0, before)
    after = np.take_along_axis(open_share, at[..., None], -1)[..., 0]
    part = np.clip((before - level) / np.maximum(before - after, 1e-300), 0, 1)
    upper = np.where(np.isfinite(LOG_EDGES[at + 1]), LOG_EDGES[at + 1], LOG_EDGES[at])
    days = np.exp(LOG_EDGES[at] + part * (upper - LOG_EDGES[at]))
    return np.where(reached.any(-1), days, np.nan)


def quantile_interval(survival: Survival, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the 95 % interval of a quantile: where that of the open share holds 1 − share.

    Brookmeyer and Crowley (1982), on the scale log(−log) of the open share. The upper end is
    infinite where too many cases are still open.
    """
    s = np.clip(survival.open, 1e-12, 1 - 1e-12)
    with np.errstate(invalid="ignore", over="ignore"):
        # one closed case gives an error of 1; spread over bins, parts of one would give more
        error = np.minimum(np.sqrt(survival.variance) / np.abs(np.log(s)), 1.0)
        lower, upper = (s ** np.exp(sign * Z * error) for sign in (1, -1))
    lower = np.where(survival.open <= 0, 0.0, np.nan_to_num(lower))
    upper = np.where(survival.open >= 1, 1.0, np.nan_to_num(upper, nan=0.0))
    high = quantile(np.minimum.accumulate(upper, -1), share)
    return quantile(np.minimum.accumulate(lower, -1), share), np.where(np.isnan(high), np.inf, high)


class Lognormal(NamedTuple):
    """Mean ``mu`` and standard deviation ``sigma`` of log days; ``errors`` are their own.

    ``variance`` (2, 2) is that of mu and log sigma, the inverse of the observed information.
    """

    mu: float
    sigma: float
    variance: np.ndarray

    @property
    def errors(self) -> np.ndarray:
        """Standard errors of mu and sigma, (2,)."""
        return np.sqrt(np.diag(self.variance)) * [1.0, self.sigma]

    def without(self, closed: np.ndarray, still_open: np.ndarray) -> np.ndarray:
        """Return mu and sigma, (2, groups), as a group at a time is left out of those fitted.

        ``closed`` (groups, 2, bins), ``still_open`` (groups, bins). One step of Newton's method
        from the whole, instead of a fit for each.
        """
        of_closed, of_open = _likelihood(self.mu, self.sigma, LOG_LOW, LOG_HIGH, LOG_AGES)
        score = np.einsum("pwb,gwb->pg", np.where(LOG_HIGH > LOG_LOW, of_closed[1:], 0), closed)
        score += of_open[1:] @ still_open.T
        moved = self.variance @ score
        return np.stack([self.mu - moved[0], self.sigma * np.exp(-moved[1])])


def lognormal(closed: np.ndarray, still_open: np.ndarray) -> Lognormal | None:
    """Fit a lognormal to cases closed, (2, bins), and still open, (bins,): maximum likelihood.

    A closed case says that its days lie in its bin; in the second row those of whole days, from
    half a day less to half a day more. A case still open says that they exceed the middle of its
    bin. None where nothing is to be fitted: fewer than two bins with closed cases, or no maximum.
    """
    rows, bins = np.nonzero(closed)
    if len(bins) < 2:
        return None
    low, high, n = LOG_LOW[rows, bins], LOG_HIGH[rows, bins], closed[rows, bins]
    ages = np.flatnonzero(still_open)
    age, m = LOG_AGES[ages], still_open[ages]
    total = n.sum()

    def loss(x: np.ndarray) -> tuple[float, np.ndarray]:
        of_closed, of_open = _likelihood(x[0], np.exp(x[1]), low, high, age)
        told = -(of_closed @ n + of_open @ m) / total
        return told[0], told[1:]

    middle = (low + np.where(np.isfinite(high), high, low)) / 2
    mean = n @ middle / total
    start = np.array([mean, np.log(max(np.sqrt(n @ (middle - mean) ** 2 / total), 0.05))])
    x = optimize.minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-7}).x
    if not np.all(np.isfinite(x)) or np.abs(loss(x)[1]).max() > 1e-4:
        return None
    shifts = 1e-4 * np.eye(2)
    curvature = np.array([(loss(x + d)[1] - loss(x - d)[1]) / 2e-4 for d in shifts]) * total
    variance = np.linalg.inv((curvature + curvature.T) / 2)
    if not np.all(np.diag(variance) > 0):
        return None
    return Lognormal(float(x[0]), float(np.exp(x[1])), variance)


def _likelihood(
    mu: float, sigma: float, low: np.ndarray, high: np.ndarray, age: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return log likelihood and its slopes by mu and log sigma of one case in each bin.

    (3, …) for cases closed between ``low`` and ``high``, and (3, bins) for those open at ``age``.
    """
    a, b, c = (low - mu) / sigma, (high - mu) / sigma, (age - mu) / sigma
    within, slope_a, slope_b = _between(a, b)
    ends = slope_a * a - slope_b * np.where(np.isfinite(b), b, 0.0)
    beyond = special.log_ndtr(-c)
    hazard = np.exp(-c * c / 2 - beyond) / np.sqrt(2 * np.pi)
    return (
        np.stack([within, (slope_a - slope_b) / sigma, ends]),
        np.stack([beyond, hazard / sigma, hazard * c]),
    )


def _between(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return log(Φ(b) − Φ(a)), and φ(a) and φ(b) over that difference."""
    flip = a > 0  # keep both in the tail where Φ is small and exact
    x, y = np.where(flip, -b, a), np.where(flip, -a, b)
    top = special.log_ndtr(y)
    rest = np.minimum(special.log_ndtr(x) - top, -1e-12)
    difference = np.maximum(top + np.log1p(-np.exp(rest)), -700.0)
    slopes = (np.exp(-z * z / 2 - np.log(2 * np.pi) / 2 - difference) for z in (a, b))
    return difference, *slopes


def misfit(survival: Survival, fit: Lognormal) -> float:
    """Return how far the fitted and the estimated share of open cases lie apart at most."""
    seen = np.flatnonzero(survival.open < 1)
    if not len(seen):
        return 0.0
    edges = LOG_EDGES[1:]
    fitted = stats.norm.sf((edges - fit.mu) / fit.sigma)
    return float(np.abs(survival.open - fitted)[np.isfinite(edges)].max())


def on_one_scale(closed: np.ndarray) -> np.ndarray:
    """Return cases closed after exact and after whole days, (…, 2, bins), by exact days, (…, bins).

    Whole days are spread evenly from half a day less to half a day more.
    """
    return closed[..., 0, :] + closed[..., 1, :].astype(float) @ _SPREAD


def _spread() -> np.ndarray:
    """Return the share of each bin of whole days that falls into each of exact days."""
    edges = np.where(np.isfinite(EDGES), EDGES, 10 * EDGES[-2])
    out = np.zeros((BINS, BINS))
    for b in np.flatnonzero(HIGH[1] > LOW[1]):
        if np.isinf(HIGH[1, b]):
            out[b, b] = 1.0
            continue
        common = np.minimum(edges[1:], HIGH[1, b]) - np.maximum(edges[:-1], LOW[1, b])
        out[b] = np.maximum(common, 0.0) / np.maximum(common, 0.0).sum()
    return out


_SPREAD = _spread()
