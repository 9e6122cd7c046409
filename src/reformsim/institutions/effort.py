"""Effort of a subdistrict office on two tasks, and the hours that follow from it.

Task 1 is attracting investment, task 2 is serving residents. Sources: Holmström & Milgrom
(1991), "Multitask principal-agent analyses", J. Law, Econ. & Org. 7, for the two-task problem;
the floor of case hours and the rate of adjustment are assumed.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def best_effort(
    a1: ArrayLike, a2: ArrayLike, gamma: ArrayLike, intrinsic: ArrayLike = 0.0
) -> tuple[Floats, Floats]:
    """Return the efforts (e1, e2) that maximise a1·e1 + w2·e2 − ½(e1² + e2²) − γ·e1·e2.

    Here w2 = ``a2`` + ``intrinsic``. Inside, e1 = (a1 − γw2)/(1 − γ²) and
    e2 = (w2 − γa1)/(1 − γ²); where one of them is cut at 0 the other equals its own weight
    (Holmström & Milgrom 1991).

    All arguments broadcast: weights ≥ 0 without unit, ``gamma`` the substitution between the
    tasks. Efforts are ≥ 0 and share the weights' scale; 1 is the energy of a full working day.

    Raises:
        ValueError: ``gamma`` outside [0, 1) or a negative weight.
    """
    a1, w2 = np.asarray(a1, float), np.add(a2, intrinsic, dtype=float)
    gamma = np.asarray(gamma, float)
    if not np.all((gamma >= 0) & (gamma < 1)):
        raise ValueError("gamma must lie in [0, 1): at 1 the two tasks are one")
    if not (np.all(a1 >= 0) and np.all(w2 >= 0)):
        raise ValueError("the weights a1 and a2 + intrinsic must not be negative")
    e1 = (a1 - gamma * w2) / (1 - gamma**2)
    e2 = (w2 - gamma * a1) / (1 - gamma**2)
    return np.where(e2 <= 0, a1, np.maximum(e1, 0)), np.where(e1 <= 0, w2, np.maximum(e2, 0))


def adjust(effort: ArrayLike, target: ArrayLike, rate: ArrayLike) -> Floats:
    """Move ``effort`` toward ``target`` by the share ``rate`` (0–1 per quarter) of the gap."""
    return np.asarray((1 - np.asarray(rate, float)) * effort + np.multiply(rate, target))


def imitate(effort: ArrayLike, score: ArrayLike, peer_group: ArrayLike, rate: float) -> Floats:
    """Move each office toward the mean effort of the peers that scored better than it did.

    ``effort``, ``score`` and ``peer_group`` (the district) have shape (n,); ``rate`` is the share
    of the gap closed in a quarter. The best of a group, and whoever ties with it, stays. Assumed.
    """
    effort, score, peer_group = np.asarray(effort, float), np.asarray(score), np.asarray(peer_group)
    better = (peer_group[:, None] == peer_group) & (score > score[:, None])
    count = better.sum(axis=1)
    mean = np.where(better, effort, 0.0).sum(axis=1) / np.maximum(count, 1)
    return np.where(count > 0, adjust(effort, mean, rate), effort)


def hours_split(
    net: ArrayLike, floor: ArrayLike, e1: ArrayLike, e2: ArrayLike
) -> tuple[Floats, Floats, Floats]:
    """Split net hours into (cases, investment, slack), in the unit of ``net``.

    The statutory ``floor`` (share of ``net``) goes to cases whatever the incentives. Of the
    rest, the share min(1, e1 + e2) is worked and split e1 : e2; what remains is slack. For
    ``floor`` ≥ 0.5, its declared range, cases + investment + slack equals ``net`` to the bit
    when added in this order; below it, to the last bit.
    """
    net, e1, e2 = np.asarray(net, float), np.asarray(e1, float), np.asarray(e2, float)
    energy = e1 + e2
    # Dividing by max(1, energy) is min(1, e1 + e2)·e/(e1 + e2) without the case 0/0.
    worked = (1 - np.asarray(floor, float)) * net / np.maximum(1.0, energy)
    cases = np.minimum(np.asarray(floor) * net + worked * e2, net)
    investment = np.minimum(worked * e1, net - cases)
    return cases, investment, np.maximum(net - (cases + investment), 0.0)


def overload(e1: ArrayLike, e2: ArrayLike) -> Floats:
    """Return the energy above a full day, max(0, e1 + e2 − 1): it wears people, it is not hours."""
    return np.maximum(0.0, np.add(e1, e2) - 1.0)
