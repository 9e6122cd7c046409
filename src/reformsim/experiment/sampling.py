"""Points of the space of uncertainties, and which points share their random numbers."""

from dataclasses import dataclass

import numpy as np

from reformsim.experiment.kinds import Bounds, LatinHypercube, Sampled

#: Seeds of one stream: replication r of stream k has the seed ``experiment.seed + k·2²⁰ + r``.
STREAM = 1 << 20


@dataclass(frozen=True)
class Sample:
    """The points of a design over uncertainties.

    ``values`` has shape (points, uncertainties), in the units of ``bounds``. ``streams`` (points,)
    numbers the random numbers: points of one stream share those of each replication, as scenarios
    at one point always do. ``times`` (points,) says how often a point is run.
    """

    bounds: Bounds
    values: np.ndarray
    streams: np.ndarray
    times: np.ndarray

    def points(self) -> list[dict[str, float]]:
        """Return each point as values by name."""
        return [dict(zip(self.bounds, row, strict=True)) for row in self.values.tolist()]


def sample(design: Sampled, bounds: Bounds, seed: int, replications: int) -> Sample:
    """Draw the points of a design; the same arguments give the same points."""
    match design:
        case LatinHypercube():
            values = latin_hypercube(design.points, len(bounds), seed)
            times = np.full(design.points, replications)
            if design.repeat:
                first = slice(design.repeat.points)
                times[first] = np.maximum(times[first], design.repeat.times)
            return Sample(bounds, scaled(values, bounds), np.arange(design.points), times)
        case _:
            raise TypeError(f"no sample for a design of kind {type(design).__name__}")


def latin_hypercube(points: int, dimensions: int, seed: int) -> np.ndarray:
    """Return a Latin hypercube in the unit cube, shape (points, dimensions).

    Each of ``points`` equal slices of each axis holds one point. The odd part of ``points`` is
    drawn first and then doubled: every slice is halved and the empty halves get the new points,
    in random order (Sallaberry, Helton & Hora 2008, for independent inputs). So the hypercube of
    twice as many points begins with this one.
    """
    n = points // (points & -points)
    rng = np.random.default_rng([seed, n])
    order = rng.permuted(np.tile(np.arange(n), (dimensions, 1)), axis=1).T
    found = (order + rng.random(order.shape)) / n
    while n < points:
        empty = np.ones((2 * n, dimensions), dtype=bool)
        np.put_along_axis(empty, np.minimum((found * 2 * n).astype(int), 2 * n - 1), False, axis=0)
        free = rng.permuted(np.nonzero(empty.T)[1].reshape(dimensions, n), axis=1).T
        found = np.concatenate([found, (free + rng.random(free.shape)) / (2 * n)])
        n *= 2
    return found


def scaled(unit: np.ndarray, bounds: Bounds) -> np.ndarray:
    """Stretch points of the unit cube, shape (points, uncertainties), to the bounds."""
    low, high = np.array(list(bounds.values())).T
    return np.clip(low + unit * (high - low), low, high)
