"""Residents' participation: thresholds, a tipping point, and councils captured below it.

Source: Granovetter (1978), "Threshold models of collective behavior", Am. J. Sociology 83. The
share that never joins, dropping out, and the effect of councils are assumed.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reformsim import rules as levers
from reformsim.chance import normal_quantile
from reformsim.kernels import njit

Floats = NDArray[np.float64]

#: How easily compounds of each community type govern themselves, of 1 (assumed): old courtyard,
#: commercial estate, resettlement area, urban village, new estate, village. Owners who pay for a
#: property company organise; tenants who will move on do not.
ORGANISABILITY = np.array([0.4, 1.0, 0.4, 0.1, 0.8, 0.5])


def threshold_shift(rules: np.ndarray, world: np.record) -> Floats:
    """Return what the rules in force add to every threshold, negative where joining is easier.

    −``council_shift`` · council − ``norm_effect`` · (1 − cost) + ``mobilised_crowding`` ·
    (mobilised − before): volunteers whom the party brings out make others feel less needed.
    ``rules`` has dtype RULES, shape (n,).
    """
    before = levers.BY_NAME["party_mobilisation"].default
    return np.asarray(
        world["mobilised_crowding"] * (rules["party_mobilisation"] - before)
        - world["council_shift"] * rules["council_strength"]
        - world["norm_effect"] * (1.0 - rules["participation_cost"])
    )


def own_affairs(
    share: ArrayLike, kind: NDArray[np.integer], self_solving: ArrayLike, world: np.record
) -> Floats:
    """Return what self-governing compounds add to the factor of self-solving, shape (n,).

    ``owners_gain`` · self_solving · `ORGANISABILITY` of the type · the share of those who may
    take part that does. Where few take part or nobody can be organised, little. Assumed.
    """
    taking_part = np.asarray(share, float) / (1.0 - world["never"])
    return np.asarray(world["owners_gain"] * self_solving * ORGANISABILITY[kind] * taking_part)


def participation_step(
    share: ArrayLike,
    thresholds: ArrayLike,
    first: ArrayLike,
    never: ArrayLike,
    dropout: ArrayLike,
    shift: ArrayLike,
    rate: ArrayLike,
) -> Floats:
    """Move the share taking part in each community on by one month.

    x' = (1 − dropout) · [(1 − rate)·x + rate · (1 − never) · F(x − shift)], where F(y) is the
    share of a community's thresholds ≤ y. At never = dropout = shift = 0 and rate = 1 this is
    Granovetter's map x' = F(x).

    Args:
        share: (n,) share of all residents of the community that takes part, x, in [0, 1].
        thresholds: flat, community after community, ascending within each; on the scale of x. A
            threshold ≤ 0 joins unconditionally.
        first: (n + 1,) integer offsets: community c owns thresholds[first[c]:first[c + 1]].
        never: (n,) or scalar, share of residents who do not take part whatever others do.
        dropout: share of participants who leave in a month and draw a threshold anew.
        shift: added to every threshold of the community: negative where norms or a council
            make taking part cheaper.
        rate: share of residents who reconsider in a month.

    Returns:
        (n,) shares in [0, 1].

    Raises:
        ValueError: a community without a threshold.
    """
    share, first = np.asarray(share, float), np.asarray(first, np.int64)
    if np.any(np.diff(first) < 1):
        raise ValueError("every community needs at least one threshold")
    level = np.ascontiguousarray(share - shift)
    joined = _share_below(np.ascontiguousarray(thresholds, float), first, level)
    willing = (1 - np.asarray(never, float)) * joined
    # Weights rather than a step along the gap: at rate 1 the map is exact to the bit.
    mixed = (1 - np.asarray(rate, float)) * share + np.asarray(rate) * willing
    return np.asarray((1 - np.asarray(dropout, float)) * mixed)


@njit(cache=True)
def _share_below(thresholds, first, level):
    share = np.empty(level.size)
    for c in range(level.size):
        own = thresholds[first[c] : first[c + 1]]
        share[c] = np.searchsorted(own, level[c], side="right") / own.size
    return share


def participation(thresholds: ArrayLike, start: float = 0.0, max_steps: int = 100_000) -> float:
    """Iterate `participation_step` of one group to rest and return its share taking part.

    ``thresholds`` need not be sorted. The map is monotone, so the share moves one way only and
    comes to rest after at most one step per person.

    Raises:
        RuntimeError: not at rest after ``max_steps``.
    """
    ordered = np.sort(np.asarray(thresholds, float))
    share, first = np.array([start]), np.array([0, ordered.size])
    for _ in range(max_steps):
        moved = participation_step(
            share, ordered, first, never=0.0, dropout=0.0, shift=0.0, rate=1.0
        )
        if moved[0] == share[0]:
            return float(share[0])
        share = moved
    raise RuntimeError(f"participation still moves after {max_steps} steps")


def normal_thresholds(
    mean: ArrayLike, sd: ArrayLike, per_community: int
) -> tuple[Floats, NDArray[np.int64]]:
    """Return (thresholds, first) of communities with normally distributed thresholds.

    Each community is represented by ``per_community`` stratified quantiles, at probabilities
    (i + ½)/per_community. ``mean`` has shape (n,), ``sd`` ≥ 0 broadcasts to it; both are shares.
    The result has the layout `participation_step` takes.
    """
    mean = np.atleast_1d(np.asarray(mean, float))
    sd = np.broadcast_to(np.asarray(sd, float), mean.shape)
    grid = mean[:, None] + sd[:, None] * _normal_grid(per_community)
    return grid.ravel(), np.arange(mean.size + 1) * per_community


@njit(cache=True)
def _normal_grid(n):
    grid = np.empty(n)
    for i in range(n):
        grid[i] = normal_quantile((i + 0.5) / n)
    return grid


def tipping_point(never: ArrayLike) -> Floats:
    """Return the share at which half of those who may take part do: (1 − never)/2.

    A dividing line between the low and the high state. The unstable rest point of a
    community's own map lies between the two as well, but moves with every shift of its thresholds
    and does not exist where they are widely spread, so it cannot serve as a common measure.
    """
    return np.asarray((1 - np.asarray(never, float)) / 2)


def tipped(share: ArrayLike, never: ArrayLike) -> NDArray[np.bool_]:
    """Return which communities take part at or above their `tipping_point`, shape (n,)."""
    return np.asarray(share) >= tipping_point(never)


def council_effect(
    share: ArrayLike, strength: ArrayLike, tipping: ArrayLike
) -> tuple[Floats, Floats]:
    """Return (supervision, fit) of a council of ``strength`` in [0, 1], each shape (n,).

    fit = strength · (share − tipping)/tipping, within ± strength: with many behind it the
    council makes decisions fit what residents want, below the ``tipping`` share a narrow group
    captures it and the fit is negative. Supervision is the positive part: a captured council
    sees no waste and no sham closing. Assumed.

    Raises:
        ValueError: ``tipping`` not positive.
    """
    tipping = np.asarray(tipping, float)
    if not np.all(tipping > 0):
        raise ValueError("the tipping point must be above 0")
    fit = np.asarray(strength, float) * np.clip((share - tipping) / tipping, -1, 1)
    return np.maximum(fit, 0.0), fit
