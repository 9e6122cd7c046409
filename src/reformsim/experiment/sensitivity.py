"""Sensitivity indices with intervals, what chance alone would show, and how far they converged.

The mathematics is SALib's. What is done here is what SALib does not: it never sees a missing
value (one NaN makes its Sobol indices 0.0 without a word), replications are averaged first, and
every index is held against what chance does.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from reformsim.experiment.analysis import LEVEL, interval
from reformsim.experiment.responses import Response
from reformsim.experiment.sampled import Fast, Morris, OneAtATime, Pawn, Sampled, Sobol
from reformsim.experiment.sampling import CHANCE, HARMONICS, Sample, problem

RESAMPLES = 200
Z = float(ndtri((1 + LEVEL) / 2))

#: Fewer blocks (rows, trajectories) than this give no indices.
FEWEST = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """One index of one uncertainty, or of two, for one headline.

    ``n`` counts blocks: rows of Sobol, trajectories of Morris, curves of FAST, points of PAWN,
    replications of one at a time. ``floor`` is what chance shows in the same unit: the index of
    chance as an input (Morris, Sobol), the 95 % quantile of inputs that do nothing (PAWN), the
    share of a curve's variance that is noise (FAST); NaN where it is not known. ``below`` says
    that the index does not exceed it, or that its interval holds 0 where there is none.
    """

    outcome: str
    unit: str
    scenario: str
    reference: str
    method: str
    index: str
    uncertainty: str
    other: str = ""
    n: int
    value: float
    low: float
    high: float
    floor: float
    below: bool


@dataclass(frozen=True, slots=True)
class Loss:
    """What failed or missing runs cost a method: blocks left out of those there were."""

    outcome: str
    scenario: str
    lost: int
    blocks: int
    points: tuple[int, ...]
    consequence: str
    consequence_zh: str


def indices(design: Sampled, sample: Sample, response: Response) -> list[Index]:
    """Return the indices of a response by the method of its design.

    Empty for a response that does not vary, for a Latin hypercube, which has
    ``robustness.drivers``, and where missing runs leave fewer than four blocks.
    """
    return _METHODS[type(design)](design, sample, response) if type(design) in _METHODS else []


def losses(design: Sampled, sample: Sample, response: Response) -> Loss | None:
    """Say what missing values cost a response, None where nothing is missing."""
    missing = np.isnan(response.means())
    if not missing.any():
        return None
    there = _whole(_blocks(design, sample, response.means()))
    lost, blocks = int((~there).sum()), len(there)
    unit, why, unit_zh, why_zh = _LOSS.get(type(design), _ALONE)
    return Loss(
        response.trait.outcome,
        response.scenario,
        lost,
        blocks,
        tuple(np.flatnonzero(missing).tolist()),
        f"{lost} of {blocks} {unit}s left out: {why}. What is said holds for the worlds that "
        "could be run.",
        f"{blocks} {unit_zh}中有 {lost} {unit_zh}未计入：{why_zh}。结论只适用于能够运行的情景。",
    )


def convergence(design: Sampled, sample: Sample, response: Response) -> list[Index]:
    """Return the indices from the first eighth, quarter and half of the blocks, and from all.

    Only for methods whose samples begin with smaller samples of the same kind.
    """
    if not isinstance(design, Morris | Sobol | Pawn):
        return []
    blocks = len(_blocks(design, sample, response.means()))
    found: list[Index] = []
    for part in (8, 4, 2, 1):
        first = slice(blocks // part * (len(sample.values) // blocks))
        cut = replace(
            sample,
            values=sample.values[first],
            chance=None if sample.chance is None else sample.chance[first],
        )
        found += indices(design, cut, replace(response, values=response.values[first]))
    return found


def noise_of_means(values: np.ndarray) -> float:
    """Return the share of the variance between the means of points that is chance.

    ``values`` has shape (points, replications), whole. What a replication adds to all points is
    not counted, since points that share random numbers share it: the residual mean square of the
    two-way layout of points and replications, over replications, against the variance of the
    means. NaN with one replication.
    """
    points, n = values.shape
    means = values.mean(axis=1)
    if n < 2 or points < 2 or not np.ptp(means):
        return np.nan
    residual = values - means[:, None] - values.mean(axis=0) + values.mean()
    square = float((residual**2).sum()) / ((points - 1) * (n - 1))
    return square / n / float(means.var(ddof=1))


def _sobol(design: Sobol, sample: Sample, response: Response) -> list[Index]:
    from SALib.analyze.sobol import analyze

    rows = _blocks(design, sample, response.means())
    rows = rows[_whole(rows)]
    if len(rows) < FEWEST or not np.ptp(rows):
        return []
    inputs = sample.problem()
    found = analyze(
        inputs, rows.ravel(), design.second_order, num_resamples=RESAMPLES, conf_level=LEVEL, seed=1
    )
    names = inputs["names"]
    floor = float(found["ST"][-1])
    make = _maker(response, "sobol", len(rows), floor)
    made = [
        make(kind, name, float(value), float(value - half), float(value + half))
        for kind in ("S1", "ST")
        for name, value, half in zip(names, found[kind], found[f"{kind}_conf"], strict=True)
    ]
    if design.second_order:
        for i, name in enumerate(names):
            for j in range(i + 1, len(names)):
                value, half = float(found["S2"][i, j]), float(found["S2_conf"][i, j])
                made.append(make("S2", name, value, value - half, value + half, names[j]))
    return made


def _morris(design: Morris, sample: Sample, response: Response) -> list[Index]:
    from SALib.analyze.morris import analyze

    rows = _blocks(design, sample, response.means())
    there = _whole(rows)
    rows = rows[there]
    if len(rows) < FEWEST or not np.ptp(rows):
        return []
    inputs = sample.problem()
    found = analyze(
        inputs,
        sample.inputs()[np.repeat(there, rows.shape[1])],
        rows.ravel(),
        num_resamples=RESAMPLES,
        conf_level=LEVEL,
        num_levels=design.levels,
        seed=1,
    )
    make = _maker(response, "morris", len(rows), float(found["mu_star"][-1]))
    made = []
    for i, name in enumerate(inputs["names"]):
        value, half = float(found["mu_star"][i]), float(found["mu_star_conf"][i])
        made.append(make("mu_star", name, value, value - half, value + half))
        for kind in ("mu", "sigma"):
            index = make(kind, name, float(found[kind][i]), np.nan, np.nan)
            made.append(replace(index, floor=np.nan, below=False))
    return made


def _pawn(design: Pawn, sample: Sample, response: Response) -> list[Index]:
    from SALib.analyze.pawn import analyze

    y = response.means()
    there = ~np.isnan(y)
    x, y = sample.values[there], y[there]
    if len(y) < 5 * design.slices or not np.ptp(y):
        return []
    found = analyze(problem(sample.bounds, chance=False), x, y, S=design.slices)["median"]
    rng = np.random.default_rng(1)
    floor = float(np.quantile(pawn(rng.random((len(y), RESAMPLES)), y, design.slices), LEVEL))
    drawn = np.empty((RESAMPLES, x.shape[1]))
    for row in drawn:
        again = rng.integers(len(y), size=len(y))
        row[:] = pawn(x[again], y[again], design.slices)
    # As SALib does for its other methods: resampling lifts the index, its spread can be used.
    half = Z * drawn.std(axis=0, ddof=1)
    make = _maker(response, "pawn", len(y), floor)
    return [
        make("pawn", name, float(found[i]), float(found[i] - half[i]), float(found[i] + half[i]))
        for i, name in enumerate(sample.bounds)
    ]


def pawn(x: np.ndarray, y: np.ndarray, slices: int) -> np.ndarray:
    """Return the median PAWN index of each column of ``x``, (inputs,): as SALib, but by sorting.

    A bootstrap calls it thousands of times.
    """
    order = np.argsort(y, kind="stable")
    x, y = x[order], y[order]
    last = np.append(y[1:] != y[:-1], True)
    whole = np.arange(1, len(y) + 1)[last, None] / len(y)
    found = np.empty(x.shape[1])
    for i, column in enumerate(x.T):
        edges = np.quantile(column, np.linspace(0, 1, slices + 1))
        inside = (column[:, None] >= edges[:-1]) & (column[:, None] < edges[1:])
        counts = np.cumsum(inside, axis=0)
        counts = counts[:, counts[-1] > 0]
        found[i] = np.median(np.abs(counts[last] / counts[-1] - whole).max(axis=0))
    return found


def _fast(design: Fast, sample: Sample, response: Response) -> list[Index]:
    from SALib.analyze.fast import compute_orders

    curves = _blocks(design, sample, response.means()).reshape(
        design.curves, len(sample.bounds), design.points
    )
    several = response.values.reshape(-1, design.points, response.values.shape[1])
    noise = [noise_of_means(curve) for curve in several if not np.isnan(curve).any()]
    make = _maker(response, "fast", design.curves, float(np.mean(noise)) if noise else np.nan)
    made = []
    omega = (design.points - 1) // (2 * HARMONICS)
    for i, name in enumerate(sample.bounds):
        whole = [y for y in curves[:, i] if not np.isnan(y).any() and np.ptp(y)]
        if not whole:
            continue
        orders = [compute_orders(y, design.points, HARMONICS, omega) for y in whole]
        for kind, values in zip(("S1", "ST"), np.array(orders, float).T, strict=True):
            n, value, low, high = (x.item() for x in interval(values))
            made.append(replace(make(kind, name, value, low, high), n=n))
    return made


def _one_at_a_time(design: OneAtATime, sample: Sample, response: Response) -> list[Index]:
    effects = response.values[1:] - response.values[0]
    make = _maker(response, "one_at_a_time", 0, np.nan)
    made = []
    for i, name in enumerate(sample.bounds):
        for kind, values in zip(("low", "high"), effects[2 * i : 2 * i + 2], strict=True):
            n, value, low, high = (x.item() for x in interval(values))
            if n:
                made.append(replace(make(kind, name, value, low, high), n=n))
    return made


_METHODS: dict[type, Callable[..., list[Index]]] = {
    Sobol: _sobol,
    Morris: _morris,
    Pawn: _pawn,
    Fast: _fast,
    OneAtATime: _one_at_a_time,
}

#: What a method loses with one missing point, and why.
#: What is left out with a missing value, and why; then in Chinese.
_ALONE = ("point", "each stands for itself", "个情景点", "各点互不依赖")
_LOSS = {
    Sobol: ("row", "an index needs all points of a row", "行", "指数需要整行的情景点"),
    Morris: ("trajectory", "each step needs both of its points", "条轨迹", "每一步需要前后两点"),
    Fast: ("curve", "a Fourier series needs the whole curve", "条曲线", "傅里叶级数需要整条曲线"),
    OneAtATime: (
        "point", "its effect is not known, without the first point none is",
        "个情景点", "该事实的效应未知；缺首点则全部未知",
    ),
}  # fmt: skip


def _blocks(design: Sampled, sample: Sample, y: np.ndarray) -> np.ndarray:
    """Return values by block, shape (blocks, points of a block): what must be whole to count."""
    inputs = len(sample.bounds) + 1  # with chance
    match design:
        case Sobol():
            return y.reshape(-1, (2 if design.second_order else 1) * inputs + 2)
        case Morris():
            return y.reshape(-1, inputs + 1)
        case Fast():
            return y.reshape(-1, design.points)
        case _:
            return y.reshape(-1, 1)


def _whole(blocks: np.ndarray) -> np.ndarray:
    return ~np.isnan(blocks).any(axis=1)


def _maker(response: Response, method: str, n: int, floor: float) -> Callable[..., Index]:
    def make(
        index: str, uncertainty: str, value: float, low: float, high: float, other: str = ""
    ) -> Index:
        below = bool(low <= 0 <= high) if np.isnan(floor) else abs(value) <= floor
        return Index(
            outcome=response.trait.outcome,
            unit=response.trait.unit,
            scenario=response.scenario,
            reference=response.reference,
            method=method,
            index=index,
            uncertainty=uncertainty,
            other=other,
            n=n,
            value=value,
            low=low,
            high=high,
            floor=floor,
            below=below and uncertainty != CHANCE,
        )

    return make
