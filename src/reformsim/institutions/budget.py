"""The money of a unit and year: opening + transfer + revenue = spending + closing."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


class Account(NamedTuple):
    """A year's account of n units, in money except ``heads``, each of shape (n,).

    opening + transfer + revenue = measures + bids + wages + closing.
    """

    heads: Floats
    measures: Floats
    bids: Floats
    wages: Floats
    closing: Floats

    @property
    def spending(self) -> Floats:
        """All that was spent, shape (n,)."""
        return self.measures + self.bids + self.wages


def settle(
    opening: ArrayLike,
    transfer: ArrayLike,
    revenue: ArrayLike,
    *,
    measure_costs: ArrayLike,
    wage: ArrayLike,
    heads_wanted: ArrayLike,
    max_cost_share: float,
    bids: ArrayLike = 0.0,
    heads_needed: ArrayLike = 0.0,
) -> Account:
    """Settle a year's money: measures first, then bids for projects, then staff at one wage.

    The recurrent budget a bundle of measures is held against is the ``transfer``, the same in
    every scenario, so that what is allowed does not depend on what happens. Bids come out of the
    unit's own money (opening + revenue). What remains buys heads, up to ``heads_wanted``; heads
    are not rounded (the fraction is a part-time server); the rest is carried over.

    Args:
        opening: (n,) money carried over, ≥ 0.
        transfer: (n,) recurrent transfer of the year.
        revenue: (n,) own revenue of the year, after the pool (`share_revenue`).
        measure_costs: (n,) recurrent cost of the measures in force, or (n, k) by measure.
        wage: money per head and year.
        heads_wanted: (n,) heads the unit would employ.
        max_cost_share: largest share of the transfer that measures may take.
        bids: (n,) money spent in the year's contests.
        heads_needed: (n,) heads that are at their posts whatever there is, and must be paid.

    Raises:
        ValueError: measures above their share of the transfer, bids above own money, or wages of
            the heads needed above what is left. Nothing is cut silently.
    """
    opening, transfer, revenue = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(money, float)) for money in (opening, transfer, revenue))
    )
    costs = np.asarray(measure_costs, float)
    measures = np.broadcast_to(costs.sum(axis=1) if costs.ndim == 2 else costs, transfer.shape)
    bids = np.broadcast_to(np.asarray(bids, float), transfer.shape)
    _hold("recurrent cost of the measures", measures, max_cost_share * transfer)
    _hold("bids for projects", bids, opening + revenue)
    left = opening + transfer + revenue - measures - bids
    needed = np.broadcast_to(wage * np.asarray(heads_needed, float), left.shape)
    _hold("pay of those who cannot be spared", needed, left)
    affordable = left / wage
    heads = np.minimum(heads_wanted, affordable)
    # where all is spent nothing is left, not even by rounding
    wages = np.where(affordable <= heads_wanted, left, heads * wage)
    return Account(heads, measures, bids, wages, left - wages)


def _hold(what: str, cost: Floats, limit: Floats) -> None:
    over = np.flatnonzero(cost > limit)
    if over.size:
        unit = over[np.argmax((cost - limit)[over])]
        raise ValueError(
            f"{what} above its limit in {over.size} of {cost.size} units; "
            f"unit {unit} would spend {cost[unit]:.4g}, its limit is {limit[unit]:.4g}"
        )


def share_revenue(
    revenue_by_unit: ArrayLike,
    district: ArrayLike,
    retained: ArrayLike,
    revenue_compensation: float,
) -> tuple[Floats, Floats]:
    """Send own revenue through the district pools; return (unit income, district income).

    A unit keeps the share ``retained`` of what it raised and loses the rest to its district's
    pool; of that loss the pool returns the share ``revenue_compensation``, the district keeps
    what remains. No money appears or vanishes: district income is the residual.

    ``revenue_by_unit`` has shape (n,), ``district`` (n,) integers from 0; ``retained`` in [0, 1]
    broadcasts to (n,). District income has shape (largest district + 1,).

    Raises:
        ValueError: ``retained`` or ``revenue_compensation`` outside [0, 1].
    """
    revenue, district = np.asarray(revenue_by_unit, float), np.asarray(district)
    retained = np.asarray(retained, float)
    if not np.all((retained >= 0) & (retained <= 1)) or not 0 <= revenue_compensation <= 1:
        raise ValueError("retained and revenue_compensation must lie in [0, 1]")
    income = (retained + revenue_compensation * (1 - retained)) * revenue
    return income, np.bincount(district, weights=revenue - income)
