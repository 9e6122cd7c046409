"""Points of the space of uncertainties, and which points share their random numbers.

SALib draws the points of its methods. It is imported where it is used: that takes seconds.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from reformsim import uncertainties
from reformsim.experiment.sampled import (
    Bounds,
    Fast,
    HistoryMatching,
    LatinHypercube,
    Morris,
    OneAtATime,
    Region,
    Sampled,
    Sobol,
)

#: Seeds of one stream: replication r of stream k has the seed ``experiment.seed + k·2²⁰ + r``.
STREAM = 1 << 20

#: Streams that chance as an input of a Sobol design chooses from.
CHANCES = 1 << 40

#: Its name among the inputs.
CHANCE = "chance"

#: Harmonics that FAST sums: SALib's default.
HARMONICS = 4


@dataclass(frozen=True)
class Sample:
    """The points of a design over uncertainties.

    ``values`` has shape (points, uncertainties), in the units of ``bounds``. ``streams`` (points,)
    numbers the random numbers: points of one stream share those of each replication, as scenarios
    at one point always do. ``times`` (points,) says how often a point is run. ``chance`` (points,)
    is the input in [0, 1] that chose the stream, where the design has chance as an input.
    ``calibrated`` (points,) marks the points that lie in a calibrated region, where there is one.
    """

    bounds: Bounds
    values: np.ndarray
    streams: np.ndarray
    times: np.ndarray
    chance: np.ndarray | None = None
    calibrated: np.ndarray | None = None

    def part(self, rows: np.ndarray) -> "Sample":
        """Return the points that ``rows``, booleans of shape (points,), marks."""
        chance = None if self.chance is None else self.chance[rows]
        return Sample(self.bounds, self.values[rows], self.streams[rows], self.times[rows], chance)

    def points(self) -> list[dict[str, float]]:
        """Return each point as values by name."""
        return [dict(zip(self.bounds, row, strict=True)) for row in self.values.tolist()]

    def problem(self) -> dict[str, Any]:
        """Return the inputs as SALib wants them, chance the last where it is one."""
        return problem(self.bounds, self.chance is not None)

    def inputs(self) -> np.ndarray:
        """Return the values of all inputs, shape (points, inputs)."""
        return self.values if self.chance is None else np.column_stack([self.values, self.chance])


def problem(bounds: Bounds, chance: bool) -> dict[str, Any]:
    """Return uncertainties, and chance if wanted, as a problem of SALib."""
    inputs = bounds | {CHANCE: (0.0, 1.0)} if chance else bounds
    return {
        "num_vars": len(inputs),
        "names": list(inputs),
        "bounds": [list(pair) for pair in inputs.values()],
    }


def sample(design: Sampled, bounds: Bounds, seed: int, replications: int) -> Sample:
    """Draw the points of a design; the same arguments give the same points."""
    chance = None
    match design:
        case LatinHypercube() | HistoryMatching():
            values = scaled(latin_hypercube(design.points, len(bounds), seed), bounds)
            if isinstance(design, LatinHypercube):
                values = values[: design.first]
            streams = np.arange(len(values))
        case OneAtATime():
            values = one_at_a_time(bounds)
            streams = np.zeros(len(values), int)
        case Morris():
            values, chance = morris(design, bounds, seed)
            trajectory = np.arange(len(values)) // (len(bounds) + 2)
            level = np.rint(chance * (design.levels - 1)).astype(int)
            streams = trajectory * design.levels + level
        case Sobol():
            values, chance = sobol(design, bounds, seed)
            streams = (chance * CHANCES).astype(np.int64)
        case Fast():
            values = fast(design, bounds, seed)
            streams = np.arange(len(values)) // design.points
        case _:
            raise TypeError(f"no sample for a design of kind {type(design).__name__}")
    times = np.full(len(values), replications)
    if isinstance(design, LatinHypercube) and design.repeat:
        first = slice(design.repeat.points)
        times[first] = np.maximum(times[first], design.repeat.times)
    if isinstance(design, LatinHypercube) and design.region:
        return twice(Sample(bounds, values, streams, times), design.region, seed)
    return Sample(bounds, values, streams, times, chance)


def twice(full: Sample, region: Region, seed: int) -> Sample:
    """Return each point followed by itself with the values of a row of ``region`` in it.

    The rows are used equally often; both points share their random numbers. So what differs
    between the two halves is the calibration alone.
    """
    row = latin_hypercube(len(full.values), 1, seed + STREAM)[:, 0]
    inside = full.values.copy()
    for name in region[0]:
        column = np.array([world[name] for world in region])
        inside[:, list(full.bounds).index(name)] = column[(row * len(region)).astype(int)]
    values = np.stack([full.values, inside], axis=1).reshape(-1, len(full.bounds))
    marks = np.tile([False, True], len(inside))
    return Sample(
        full.bounds, values, full.streams.repeat(2), full.times.repeat(2), calibrated=marks
    )


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


def one_at_a_time(bounds: Bounds) -> np.ndarray:
    """Return the defaults, then the low and the high end of each uncertainty in turn.

    A default outside of a narrowed range is moved to its nearer end.
    """
    low, high = np.array(list(bounds.values())).T
    centre = np.clip([uncertainties.BY_NAME[name].default for name in bounds], low, high)
    found = np.tile(centre, (1 + 2 * len(bounds), 1))
    for i in range(len(bounds)):
        found[1 + 2 * i, i], found[2 + 2 * i, i] = low[i], high[i]
    return found


def morris(design: Morris, bounds: Bounds, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return values and chance along the trajectories, one drawn after the other by its number.

    So more trajectories leave those that are there as they are.
    """
    from SALib.sample.morris import sample

    inputs = problem(bounds, chance=True)
    found = np.concatenate(
        [
            sample(inputs, 1, design.levels, seed=np.random.default_rng([seed, i]))
            for i in range(design.trajectories)
        ]
    )
    return found[:, :-1], found[:, -1]


def sobol(design: Sobol, bounds: Bounds, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return values and chance of Saltelli's rows, block by block."""
    from SALib.sample.sobol import sample

    found = sample(
        problem(bounds, chance=True),
        design.points,
        calc_second_order=design.second_order,
        seed=np.random.default_rng([seed, 0]),
    )
    return found[:, :-1], found[:, -1]


def fast(design: Fast, bounds: Bounds, seed: int) -> np.ndarray:
    """Return the points of all search curves: curve by curve, of each uncertainty in turn."""
    from SALib.sample.fast_sampler import sample

    inputs = problem(bounds, chance=False)
    return np.concatenate(
        [
            sample(inputs, design.points, HARMONICS, seed=np.random.default_rng([seed, i]))
            for i in range(design.curves)
        ]
    )
