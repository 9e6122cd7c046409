"""Firms and market services: what they make of how they are served, and of their demand."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

#: Least supply of market services, against before: somebody always tries (assumed).
LEAST_SUPPLY = 0.05


def content(
    satisfaction: ArrayLike, served: ArrayLike, requests: ArrayLike, weight: float
) -> Floats:
    """Return firms' satisfaction after a month's requests, (n,).

    Each request moves it by ``weight`` toward its performance: after r requests of mean
    performance ``served`` the share (1 − weight)^r of the gap is left. Assumed.
    """
    served = np.asarray(served, float)
    left = (1.0 - weight) ** np.asarray(requests, float)
    return np.asarray(served + (np.asarray(satisfaction, float) - served) * left)


def exit_rate(satisfaction: ArrayLike, before: float, annual: float, log_odds: float) -> Floats:
    """Return the chance that a firm closes in a month, (n,).

    It is that of ``annual`` at the satisfaction ``before``; its odds fall by the factor
    exp(``log_odds`` · (satisfaction − before)). Assumed.
    """
    monthly = 1.0 - (1.0 - annual) ** (1.0 / 12.0)
    odds = monthly / (1.0 - monthly)
    odds = odds * np.exp(-log_odds * (np.asarray(satisfaction, float) - before))
    return np.asarray(odds / (1.0 + odds))


def turn_over(firms: ArrayLike, exit: ArrayLike, entry: float) -> Floats:
    """Return firms after a month in which the share ``exit`` closes and ``entry`` open, (n,).

    At rest there are entry/exit of them. Assumed: as many open as before the reform.
    """
    return np.asarray(np.asarray(firms, float) * (1.0 - np.asarray(exit)) + entry)


def enter_and_leave(
    supply: ArrayLike, demand: ArrayLike, break_even: ArrayLike, rate: float
) -> Floats:
    """Return the supply of market services after a month, (n,).

    Services enter where demand for each is above ``break_even`` and leave where it is below, so
    that the share ``rate`` of the gap to demand/break-even closes. Where there is no demand to
    break even on, supply stays. Assumed.
    """
    supply, demand = np.asarray(supply, float), np.asarray(demand, float)
    goal = np.divide(demand, break_even, out=supply.copy(), where=np.asarray(break_even) > 0)
    return np.maximum(supply + rate * (goal - supply), LEAST_SUPPLY)


def climate(satisfaction: ArrayLike, firms: ArrayLike, before: float, pull: float) -> float:
    """Return the business environment, 1 where the mean firm is as content as before the reform.

    It moves by ``pull`` for each unit of the mean satisfaction of firms. Assumed.
    """
    mean = np.average(np.asarray(satisfaction, float), weights=np.asarray(firms, float))
    return float(max(1.0 + pull * (mean - before), 0.0))
