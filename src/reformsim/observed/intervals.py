"""Intervals of 95 %: as if cases were independent, and as weeks differ; the wider one counts."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import stats

from reformsim.observed.survival import Z

#: Groups of weeks below which their differences say too little.
FEWEST = 5


class Estimate(NamedTuple):
    """A value, its 95 % interval, and the number of cases behind it."""

    value: float
    low: float
    high: float
    n: int

    def times(self, factor: float) -> "Estimate":
        """Return the estimate in another unit."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor, self.n)


def share(hits: np.ndarray, of: np.ndarray) -> Estimate | None:
    """Return a share from hits and trials by group of weeks, (groups,); None without trials.

    Wilson's interval (1927), or Student's from leaving out a group at a time.
    """
    total, n = float(hits.sum()), float(of.sum())
    if n <= 0:
        return None
    p = total / n
    middle = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * np.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    low, high = max(float(middle - half), 0.0), float(middle + half)
    alone = Estimate(p, low if total else 0.0, high, round(n))
    return widest(alone, _of_ratio(hits, of))


def rate(count: np.ndarray, of: np.ndarray) -> Estimate | None:
    """Return events for each unit of exposure, both by group of weeks, (groups,).

    The interval is that of a Poisson count (Garwood 1936), or Student's over groups.
    """
    total, exposure = float(count.sum()), float(of.sum())
    if exposure <= 0:
        return None
    low = stats.chi2.ppf(0.025, 2 * total) / 2 / exposure if total else 0.0
    high = stats.chi2.ppf(0.975, 2 * total + 2) / 2 / exposure
    alone = Estimate(total / exposure, float(low), float(high), round(total))
    return widest(alone, _of_ratio(count, of))


def _of_ratio(over: np.ndarray, under: np.ndarray) -> float:
    counts = np.stack([over, under])
    return float(leave_out(lambda kept: kept[0] / kept[1], counts, under))


def leave_out(
    statistic: Callable[[np.ndarray], np.ndarray], counts: np.ndarray, sizes: np.ndarray
) -> np.ndarray:
    """Return half the width of a 95 % interval from leaving out a group at a time, (…).

    ``counts`` (k, groups, …) go to ``statistic`` as (k, groups, …), each group's place holding
    the sum of all others; it returns (…, groups). ``sizes`` (groups,) tells which groups are
    empty. Delete-a-group jackknife: Kott (2001). 0 with too few groups, or where a group cannot
    be left out.
    """
    there = sizes > 0
    groups = int(there.sum())
    if groups < FEWEST:
        return np.zeros(())
    counts = counts[:, there]
    with np.errstate(divide="ignore", invalid="ignore"):
        values = statistic(counts.sum(axis=1, keepdims=True) - counts)
    off = values - values.mean(axis=-1, keepdims=True)
    variance = (groups - 1) / groups * np.sum(off**2, axis=-1)
    return np.nan_to_num(stats.t.isf(0.025, groups - 1) * np.sqrt(variance))


def widest(alone: Estimate, half: float) -> Estimate:
    """Return the wider of an interval and value ± ``half``, which keeps to the first's sign."""
    if 2 * half <= alone.high - alone.low:
        return alone
    low = alone.value - half
    return alone._replace(low=max(low, 0.0) if alone.low >= 0 else low, high=alone.value + half)
