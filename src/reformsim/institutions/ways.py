"""Ways of working: how well one fits its place, and how units try out others.

A way of working is a point w on a line; each place has a best one w*. Away from it staff is
slower: fit = 1 − loss · (w − w*)². Units climb toward w* by trial and error (March 1991 on
exploration; the one-dimensional form is assumed).
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: However ill a way of working fits, this share of working speed is left (assumed).
LEAST_FIT = 0.5
#: Residents of a unit for which the noise of a trial's result is stated.
NOISE_PEOPLE = 10_000.0


def fit(way: Floats, best: Floats, loss: float) -> Floats:
    """Return the share of working speed that a way of working leaves, (n,) in [LEAST_FIT, 1]."""
    return np.maximum(1.0 - loss * (way - best) ** 2, LEAST_FIT)


def mean_fit(fits: Floats, load: Floats) -> float:
    """Return the speed at which staff of all units together would do ``load`` (n,): harmonic."""
    return float(load.sum() / (load / fits).sum())


def in_force(own: Floats, standard: float, uniformity: Floats) -> Floats:
    """Return the ways of working under a citywide policy, (n,): own ones pulled to a standard."""
    return (1.0 - uniformity) * own + uniformity * standard


def seems_better(
    tried: Floats, kept: Floats, people: Floats, noise: float, z: Floats
) -> NDArray[np.bool_]:
    """Return which trials look like a success, (n,).

    ``tried`` and ``kept`` are the true fits of both ways. What is measured is their difference
    with an error of sd ``noise`` · √(NOISE_PEOPLE / ``people``), ``z`` standard normal: small
    units see few cases.
    """
    return tried - kept + noise * np.sqrt(NOISE_PEOPLE / people) * z > 0.0


def after_trial(
    way: Floats, heading: Floats, step: float, better: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Return ways and headings (±1) after a trial of ``way`` + ``step`` · ``heading``, each (n,).

    A success is kept and the next trial goes on in its direction, a failure is undone and the
    next one turns back.
    """
    return np.where(better, way + step * heading, way), np.where(better, heading, -heading)
