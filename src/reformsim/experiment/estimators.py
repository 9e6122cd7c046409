"""Estimators that people use on real panels of units and months: arrays in, an interval out.

A panel ``y`` has shape (units, months), without gaps. ``first`` (units,) is the month of the panel
from which a unit is treated, ``NEVER`` for one that is not; units of one first month are a cohort.
All intervals are two-sided, at 95 %.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from reformsim.experiment.analysis import LEVEL

#: The first treated month of a unit that is never treated: later than any month.
NEVER = 1 << 30


@dataclass(frozen=True, slots=True)
class Fit:
    """What an estimator says of a panel: its value, standard error and interval.

    All NaN where the panel holds nothing to estimate from; error and interval NaN where a cohort
    has one unit, so that nothing tells how much units differ.
    """

    value: float
    error: float = math.nan
    low: float = math.nan
    high: float = math.nan


@dataclass(frozen=True, slots=True)
class Estimator:
    """An estimator by name, with its meaning in both languages."""

    name: str
    meaning: str
    meaning_zh: str
    fit: Callable[[np.ndarray, np.ndarray], Fit]


def treated(first: np.ndarray, months: int) -> np.ndarray:
    """Return which cells of a panel are treated, booleans of shape (units, months)."""
    return np.arange(months) >= first[:, None]


def before_after(y: np.ndarray, first: np.ndarray) -> Fit:
    """Compare treated units with their own past: mean after minus mean before, mean over units.

    The interval is Student's of these differences. Whatever else moves with time is taken for
    an effect.
    """
    after = treated(first, y.shape[1])[first < NEVER]
    y = y[first < NEVER]
    n_after, n_before = after.sum(axis=1), (~after).sum(axis=1)
    if not len(y) or not (n_after.all() and n_before.all()):
        return Fit(math.nan)
    gains = (y * after).sum(axis=1) / n_after - (y * ~after).sum(axis=1) / n_before
    n, value = len(gains), float(gains.mean())
    return _student(value, float(gains.std(ddof=1)) / math.sqrt(n), n - 1) if n > 1 else Fit(value)


def two_way_fixed_effects(y: np.ndarray, first: np.ndarray) -> Fit:
    """Fit β of y_it = α_i + λ_t + β d_it + ε_it by least squares, d = 1 in treated cells.

    With d̃ = d − d̄_i − d̄_t + d̄ in a panel without gaps β = Σ d̃y / Σ d̃² (Frisch & Waugh 1933).
    The error is clustered by unit (Liang & Zeger 1986), √(c Σ_i (Σ_t d̃ε̂)²) / Σ d̃², with the
    factor c = n/(n − 1) · (nT − 1)/(nT − T − 1) for n units and T months, the effects of units
    not counted as they are nested in the clusters (Cameron & Miller 2015, J. Human Resources
    50(2)), and Student's t with n − 1 degrees of freedom.
    """
    n, t = y.shape
    d = _within(treated(first, t).astype(float))
    total = float((d**2).sum())
    if total < 1e-12:
        return Fit(math.nan)
    value = float((d * y).sum()) / total
    scores = (d * (_within(y) - value * d)).sum(axis=1)
    factor = n / (n - 1) * (n * t - 1) / (n * t - t - 1)
    return _student(value, math.sqrt(factor * float((scores**2).sum())) / total, n - 1)


def group_time(y: np.ndarray, first: np.ndarray) -> Fit:
    """Average the effects of cohorts g in months t: Callaway & Sant'Anna (2021).

    ATT(g, t) is the mean of y_t − y_{g−1} in cohort g minus that in units not yet treated in
    month t (without covariates), averaged over t ≥ g and over cohorts by size:
    the mean effect over treated cells (their θ^O_W). Groups that are compared with each other are
    never already treated, so that effects which grow or differ do no harm.

    The estimate is a sum of cohort means of one number for each unit, so that its variance is
    Σ_g s²_g/n_g, and Student's t has Welch's (1947) degrees of freedom. The paper's influence
    function, with sizes of cohorts fixed by design, divides by n_g where s²_g divides by n_g − 1,
    and takes the normal quantile: the same in large cohorts, too narrow in small ones.
    """
    weights = _group_time_weights(first, y.shape[1])
    if weights is None:
        return Fit(math.nan)
    told = (weights * y).sum(axis=1)
    value, variances, freedoms = 0.0, [], []
    for g in np.unique(first):
        z = told[first == g] * (first == g).sum()
        value += float(z.mean())
        if not weights[first == g].any():
            continue
        if len(z) < 2:
            return Fit(float(told.sum()))
        variances.append(float(z.var(ddof=1)) / len(z))
        freedoms.append(len(z) - 1)
    variance = sum(variances)
    if variance == 0:
        return _student(value, 0.0, sum(freedoms))
    welch = variance**2 / sum(v * v / f for v, f in zip(variances, freedoms, strict=True))
    return _student(value, math.sqrt(variance), welch)


def _group_time_weights(first: np.ndarray, months: int) -> np.ndarray | None:
    """Return what each cell counts in the average of group-time effects, (units, months).

    None where no cohort has a month before it or nobody to compare with.
    """
    weights, total = np.zeros((len(first), months)), 0
    for g in np.unique(first[(first > 0) & (first < months)]):
        cohort = first == g
        n = int(cohort.sum())
        for t in range(g, months):
            others = first > t
            if not others.any():
                break
            for rows, sign in ((cohort, 1.0 / n), (others, -1.0 / others.sum())):
                weights[rows, t] += n * sign
                weights[rows, g - 1] -= n * sign
            total += n
    return weights / total if total else None


def _within(x: np.ndarray) -> np.ndarray:
    """Take the means of rows and of columns away."""
    return x - x.mean(axis=1, keepdims=True) - x.mean(axis=0, keepdims=True) + x.mean()


def _student(value: float, error: float, freedom: float) -> Fit:
    half = float(stdtrit(freedom, (1 + LEVEL) / 2)) * error
    return Fit(value, error, value - half, value + half)


ESTIMATORS: tuple[Estimator, ...] = (
    Estimator("before_after", "simple before-after", "简单前后对比", before_after),
    Estimator(
        "two_way", "difference-in-differences, two-way fixed effects",
        "双重差分(双向固定效应)", two_way_fixed_effects,
    ),
    Estimator(
        "group_time", "staggered difference-in-differences (Callaway & Sant'Anna)",
        "交错双重差分(Callaway–Sant'Anna)", group_time,
    ),
)  # fmt: skip
