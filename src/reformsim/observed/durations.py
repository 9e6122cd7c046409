"""Days to close of an export: overall, by category, by number of departments."""

from dataclasses import dataclass

import numpy as np

from reformsim import categories
from reformsim.observed.faults import Words
from reformsim.observed.intervals import Estimate, leave_out, widest
from reformsim.observed.survival import (
    Lognormal,
    Z,
    kaplan_meier,
    lognormal,
    misfit,
    on_one_scale,
    quantile,
    quantile_interval,
)
from reformsim.observed.tally import BINS, EDGES, GROUPS, MOST, UNKNOWN, Tally, group_of

#: Departments that a ratio needs this many closed cases for, on both sides.
ENOUGH = 30


@dataclass(frozen=True, slots=True)
class Days:
    """Days to close of some cases; estimates are None where too few are closed.

    ``median`` is Kaplan and Meier's, ``mu`` and ``sigma`` are those of a censored lognormal,
    ``misfit`` the greatest distance between the two curves. ``p90`` is NaN where never reached.
    """

    of: Words
    closed: int
    open: int
    median: Estimate | None
    p90: float
    mu: Estimate | None = None
    sigma: Estimate | None = None
    misfit: float = np.nan
    departments: int = 0
    against_one: Estimate | None = None


def lengths(tally: Tally, end: float) -> list[Days]:
    """Return the days of all cases, of each category, of dispatched cases, by departments.

    The first row is there even where no case tells its days, others only where one does.
    """
    closed = tally.closed
    waiting = _ages(tally, end)
    sent = slice(1, UNKNOWN)
    rows = [_days(Words("all", "全部"), closed.sum((2, 3)), waiting.sum((1, 2)))]
    for i, c in enumerate(categories.CATEGORIES):
        words = Words(c.name, c.name_zh)
        rows.append(_days(words, closed[:, :, i].sum(2), waiting[:, i].sum(1)))
    several = closed[:, :, :, sent].sum((2, 3))
    if several.any():
        words = Words("dispatched", "派单事项")
        rows.append(_days(words, several, waiting[:, :, sent].sum((1, 2))))
        one = closed[:, :, :, 1].sum(2), waiting[:, :, 1].sum(1)
        for k in range(1, MOST + 1):
            more = " or more" if k == MOST else ""
            words = Words(f"{k} departments{more}", f"{k} 个{'及以上' if more else ''}部门")
            these = closed[:, :, :, k].sum(2), waiting[:, :, k].sum(1)
            rows.append(_days(words, *these, departments=k, one=one if k > 1 else None))
    return rows[:1] + [row for row in rows[1:] if row.closed + row.open]


def _ages(tally: Tally, end: float) -> np.ndarray:
    """Return open cases by group of weeks, category, departments and bin of their age."""
    day, kind, several = np.nonzero(tally.open)
    ages = np.maximum(end - day - 0.5, 0.01)
    bins = np.searchsorted(EDGES, ages, side="right") - 1
    out = np.zeros((GROUPS, *tally.open.shape[1:], BINS), np.int32)
    np.add.at(out, (group_of(day), kind, several, bins), tally.open[day, kind, several])
    return out


def _days(
    of: Words,
    closed: np.ndarray,
    waiting: np.ndarray,
    departments: int = 0,
    one: tuple[np.ndarray, np.ndarray] | None = None,
) -> Days:
    """Return the days of cases closed, (groups, 2, bins), and open, (groups, bins)."""
    n, still_open = int(closed.sum()), int(waiting.sum())
    on_scale = on_one_scale(closed)
    survival = kaplan_meier(on_scale.sum(0), waiting.sum(0))
    median = float(quantile(survival.open, 0.5))
    p90 = float(quantile(survival.open, 0.9))
    if np.isnan(median) or n < 2:
        return Days(of, n, still_open, None, p90, departments=departments)
    low, high = map(float, quantile_interval(survival, 0.5))
    alone = Estimate(median, low if np.isfinite(low) else 0.0, high, n)
    found = _by_weeks_in_logs(alone, on_scale, waiting)
    fit = lognormal(closed.sum(0), waiting.sum(0))
    mu = sigma = None
    if fit is not None:
        mu, sigma = _parameters(fit, closed, waiting, n)
    return Days(
        of=of,
        closed=n,
        open=still_open,
        median=found,
        p90=p90,
        mu=mu,
        sigma=sigma,
        misfit=misfit(survival, fit) if fit else np.nan,
        departments=departments,
        against_one=_against(closed, waiting, one) if one else None,
    )


def _sizes(closed: np.ndarray, waiting: np.ndarray) -> np.ndarray:
    return closed.reshape(GROUPS, -1).sum(1) + waiting.sum(1)


def _by_weeks_in_logs(alone: Estimate, on_scale: np.ndarray, waiting: np.ndarray) -> Estimate:
    """Widen the interval of a median where weeks differ more than independent cases would."""

    def medians(kept: np.ndarray) -> np.ndarray:
        return np.log(quantile(kaplan_meier(kept[0], kept[1]).open, 0.5))

    half = float(leave_out(medians, np.stack([on_scale, waiting]), _sizes(on_scale, waiting)))
    low, high = alone.value * np.exp(-half), alone.value * np.exp(half)
    return alone._replace(low=float(min(low, alone.low)), high=float(max(high, alone.high)))


def _parameters(
    fit: Lognormal, closed: np.ndarray, waiting: np.ndarray, n: int
) -> tuple[Estimate, Estimate]:
    """Return mean and standard deviation of log days, widened where weeks differ."""
    both = np.concatenate([closed, waiting[:, None]], axis=1)[None]

    def without(kept: np.ndarray) -> np.ndarray:
        left_out = both[0].sum(axis=0) - kept[0]
        return fit.without(left_out[:, :2], left_out[:, 2])

    halves = np.broadcast_to(leave_out(without, both, _sizes(closed, waiting)), 2)
    values, errors = (fit.mu, fit.sigma), Z * fit.errors
    mu, sigma = (
        widest(Estimate(value, value - error, value + error, n), float(half))
        for value, error, half in zip(values, errors.tolist(), halves, strict=True)
    )
    return mu, sigma._replace(low=max(sigma.low, 0.0))


def _against(
    closed: np.ndarray, waiting: np.ndarray, one: tuple[np.ndarray, np.ndarray]
) -> Estimate | None:
    """Return the ratio of medians to that of cases of one department."""
    if min(closed.sum(), one[0].sum()) < ENOUGH:
        return None
    pairs = [(on_one_scale(closed), waiting), (on_one_scale(one[0]), one[1])]
    medians, errors = [], []
    for on_scale, still_open in pairs:
        survival = kaplan_meier(on_scale.sum(0), still_open.sum(0))
        low, high = quantile_interval(survival, 0.5)
        medians.append(float(np.log(quantile(survival.open, 0.5))))
        errors.append(float(np.log(high) - np.log(low)) / (2 * Z))
    ratio, error = medians[0] - medians[1], float(np.linalg.norm(errors))
    if not np.isfinite(ratio + error):
        return None

    def ratios(kept: np.ndarray) -> np.ndarray:
        logs = [np.log(quantile(kaplan_meier(kept[i], kept[i + 1]).open, 0.5)) for i in (0, 2)]
        return logs[0] - logs[1]

    stacked = np.stack([part for pair in pairs for part in pair])
    half = max(Z * error, float(leave_out(ratios, stacked, _sizes(closed, waiting))))
    low, high = np.exp(ratio - half), np.exp(ratio + half)
    return Estimate(float(np.exp(ratio)), float(low), float(high), int(closed.sum()))
