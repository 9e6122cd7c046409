"""The structure of subdistricts: who serves which community, and who gets extra offices."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: A subdistrict has its full number of extra offices from (1 + this) × the threshold (assumed).
OFFICE_RAMP = 0.5


def rebalance(
    unit: Ints,
    district: Ints,
    work: Floats,
    posts: Floats,
    balance: Floats,
    borders: Ints,
    fixed: NDArray[np.bool_],
) -> Ints:
    """Move communities to neighbouring subdistricts until no allowed move evens loads out.

    A community may go to a less loaded subdistrict of its district where it borders on one of
    its communities. Moving work x from u to v narrows their gap where x < 2 (L_u − L_v) / (1/H_u +
    1/H_v), with loads L = work per post; up to ``balance`` of that is allowed. Of all allowed
    moves that which lowers Σ H L² most comes first, ties to the lowest rows, so the order is
    fixed; since that sum falls with each move, it ends.

    Args:
        unit: subdistrict of each community, (m,).
        district: district of each subdistrict, (n,).
        work: expected hours of work that each community brings, (m,).
        posts: heads of each subdistrict, (n,), which stay where they are.
        balance: share of the excess that the giving subdistrict may move, (n,) in [0, 1].
        borders: pairs of communities that border on each other, both ways, (k, 2), sorted.
        fixed: communities that must not move, (m,): the seats.

    Returns:
        The new ``unit``, (m,).
    """
    unit = unit.copy()
    a, b = borders[:, 0], borders[:, 1]
    while True:
        hours = np.bincount(unit, weights=work, minlength=len(posts))
        load = hours / posts
        u, v, x = unit[a], unit[b], work[a]
        stiff = 1.0 / posts[u] + 1.0 / posts[v]
        narrows = 2.0 * (load[u] - load[v]) / stiff
        allowed = (u != v) & (district[u] == district[v]) & ~fixed[a]
        allowed &= (x > 0.0) & (x < balance[u] * narrows * (1.0 - 1e-9))
        if not allowed.any():
            return unit
        gain = np.where(allowed, x * stiff * (narrows - x), -np.inf)
        move = int(np.argmax(gain))
        unit[a[move]] = v[move]


def extra_offices(people: Floats, threshold: float, inflation: float, offices: Floats) -> Floats:
    """Return the extra offices of each subdistrict, (n,).

    ``people`` are residents, ``threshold`` the counted residents above which a subdistrict is
    large. What is counted is ``inflation`` more than what there is: counts decide about posts,
    and nobody counts but the subdistricts. ``offices`` (n,) is the full number, reached at
    (1 + OFFICE_RAMP) × the threshold.
    """
    counted = people * (1.0 + inflation)
    return offices * np.clip((counted / threshold - 1.0) / OFFICE_RAMP, 0.0, 1.0)
