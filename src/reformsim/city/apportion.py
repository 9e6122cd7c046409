"""Whole numbers in proportion to weights, with the total kept exactly."""

import numpy as np


def apportion(total: int, weights: np.ndarray, at_least: int | np.ndarray = 0) -> np.ndarray:
    """Split ``total`` in proportion to ``weights``, shape (n,), by largest remainders.

    Each share is at least ``at_least`` (a number, or one for each); ties go to the earlier one.
    Returns int64 shares that sum to ``total``. Raises ValueError if the total cannot meet the
    minima, or if something remains and no weight is positive.
    """
    shares = np.broadcast_to(np.asarray(at_least, dtype=np.int64), weights.shape).copy()
    if total < shares.sum():
        raise ValueError(f"{total} cannot be split into shares of at least {shares.tolist()}")
    if total == shares.sum():
        return shares
    if not np.any(weights > 0):
        raise ValueError(f"{total} cannot be split: no weight is positive")
    free = np.ones(len(weights), dtype=bool)
    while True:  # those below their minimum keep it, the others share what is left
        rest = total - shares[~free].sum()
        quota = weights * (rest / weights[free].sum())
        short = free & (quota < shares)
        if not short.any():
            break
        free &= ~short
    shares[free] = np.floor(quota[free])
    order = np.flatnonzero(free)
    order = order[np.argsort(shares[order] - quota[order], kind="stable")]
    shares[order[: total - shares.sum()]] += 1
    return shares
