"""Assessment of units: a survey of finite size, a weighted score, a rank, and what pressure does.

Pressure (0 = none, 1 = strong) raises the weight of what is assessed; it costs hours in
inspections, wears people, makes offices close cases that are not solved and look away from what
assessment does not see. No optimum is written down; whether there is one, and where, follows
from these. All forms and magnitudes are assumed.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reformsim import rules as levers
from reformsim.chance import Purpose, mix, normal
from reformsim.kernels import njit

Floats = NDArray[np.float64]


def survey(mean: ArrayLike, sd: ArrayLike, n: ArrayLike, key: np.uint64, unit: ArrayLike) -> Floats:
    """Return the mean answer of a random sample of ``n`` residents in each unit, on 0–1.

    mean + sd/√n · a standard normal draw keyed by the permanent id ``unit`` and by ``key``
    (run and quarter), cut at the ends of the scale. Shapes (m,) or broadcasting to it; ``unit``
    integers of shape (m,).
    """
    stream = np.uint64(mix(np.uint64(key), int(Purpose.SURVEY)))
    noise = _normals(stream, np.atleast_1d(np.asarray(unit, np.int64)))
    return np.clip(mean + np.asarray(sd, float) / np.sqrt(n) * noise, 0.0, 1.0)


@njit(cache=True)
def _normals(stream, unit):
    values = np.empty(unit.size)
    for i in range(unit.size):
        values[i] = normal(stream, unit[i])
    return values


def score(measures: ArrayLike, weights: ArrayLike) -> Floats:
    """Return the weighted mean of k measures for each of n units, shape (n,).

    ``measures`` (n, k), all with high as good and on one scale; ``weights`` ≥ 0 of shape (k,),
    the same for all, or (n, k), each unit's own.

    Raises:
        ValueError: the weights of a unit are negative or sum to 0.
    """
    measures = np.asarray(measures, float)
    weights = np.broadcast_to(np.asarray(weights, float), measures.shape)
    total = weights.sum(axis=1)
    if np.any(weights < 0) or not np.all(total > 0):
        raise ValueError("weights must not be negative and must not all be 0")
    return np.asarray((measures * weights).sum(axis=1) / total)


def rank(score: ArrayLike) -> NDArray[np.int64]:
    """Return each unit's place in the city, 1 the best; who ties shares the better place."""
    score = np.asarray(score, float)
    return 1 + score.size - np.searchsorted(np.sort(score), score, side="right")


def sample_size(mean: float, people: ArrayLike, uniform: ArrayLike) -> Floats:
    """Return the residents surveyed in each unit, (n,), ``mean`` of them on average.

    As many everywhere where each unit is judged by itself, in proportion to its residents
    ``people`` (n,) where one citywide standard is in force to the share ``uniform`` (n,).
    """
    people, uniform = np.asarray(people, float), np.asarray(uniform, float)
    return np.asarray(mean * (1.0 + uniform * (people / people.mean() - 1.0)))


def allowed_for(served: ArrayLike, usual: ArrayLike, allowance: ArrayLike) -> Floats:
    """Return what a unit achieved, less the share ``allowance`` of what its place usually gives.

    served − allowance · (usual − mean usual), all (n,): at 1 a unit is held against its own
    past alone, at 0 against all others as they are.
    """
    served, usual = np.asarray(served, float), np.asarray(usual, float)
    return np.asarray(served - np.asarray(allowance, float) * (usual - usual.mean()))


def spirit(rank: ArrayLike, uniform: ArrayLike, discouragement: float) -> Floats:
    """Return the share of its effort that a unit keeps at its place in a citywide ranking.

    1 − discouragement · uniform · (rank − 1)/(n − 1): the first loses nothing, the last
    ``discouragement``.
    """
    place = (np.asarray(rank, float) - 1.0) / max(np.size(rank) - 1, 1)
    return np.asarray(1.0 - discouragement * np.asarray(uniform, float) * place)


def neglect(rules: np.ndarray, world: np.record) -> Floats:
    """Return the attention that silent and hard cases lose to what assessment sees, (units,).

    ``neglect`` · ½ (publish_results + pressure above that before the reform, as a share of the
    most there could be). ``rules`` has dtype RULES.
    """
    before = levers.BY_NAME["assessment_pressure"].default
    pressed = np.maximum(rules["assessment_pressure"] - before, 0.0) / (1.0 - before)
    return np.asarray(world["neglect"] * 0.5 * (rules["publish_results"] + pressed))


def pressure_to_inspection(
    pressure: ArrayLike, base: ArrayLike, per_pressure: float, maximum: float = 0.5
) -> Floats:
    """Return the share of paid hours spent on being inspected.

    min(maximum, base + per_pressure · pressure). The maximum of one half is what communities in
    Hebei reported before burdens were reduced.
    """
    wanted = np.asarray(base, float) + per_pressure * np.asarray(pressure, float)
    return np.minimum(wanted, maximum)


def sham_probability(
    base: float,
    pressure: ArrayLike,
    load: ArrayLike,
    oversight: ArrayLike,
    *,
    slope: float,
    load_slope: float,
    seen: float,
) -> Floats:
    """Return the probability that an office closes a case it did not solve, (n,).

    logit p = logit ``base`` + ``slope`` · pressure + ``load_slope`` · load, with pressure and
    ``load`` (utilisation) as differences from where the probability is ``base``; of what would
    be closed so, higher levels prevent the share ``seen`` · ``oversight`` (1 at ``base``). No
    sham closing anywhere where ``base`` is 0. Assumed.
    """
    if base <= 0:
        return np.zeros(np.broadcast_shapes(np.shape(pressure), np.shape(load)))
    odds = np.log(base / (1 - base)) + slope * np.asarray(pressure, float)
    odds = odds + load_slope * np.asarray(load, float)
    let_pass = (1 - seen * np.asarray(oversight, float)) / (1 - seen)
    return np.minimum(let_pass / (1 + np.exp(-odds)), 1.0)
