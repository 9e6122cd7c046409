"""Social organisations: what purchasing, demand and dependence on government money do to them;
and the partners and volunteers who work beside them.

All magnitudes are assumed; the inverted U in dependence stands for the finding, mixed in the
literature, that some public money builds an organisation and much of it crowds out volunteers.
Where it peaks is an uncertainty.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reformsim import rules as levers

Floats = NDArray[np.float64]


class Organisations(NamedTuple):
    """Columns of n organisations after a month, each of shape (n,)."""

    capacity: Floats
    funds: Floats
    dependence: Floats
    service: Floats
    spending: Floats


def inverted_u(dependence: ArrayLike, peak: ArrayLike) -> Floats:
    """Return 1 − ((dependence − peak)/max(peak, 1 − peak))²: 1 at ``peak``, 0 at the farther end.

    Both are shares of income in [0, 1].
    """
    dependence, peak = np.asarray(dependence, float), np.asarray(peak, float)
    return np.asarray(1 - ((dependence - peak) / np.maximum(peak, 1 - peak)) ** 2)


def step(
    capacity: Floats,
    funds: Floats,
    dependence: Floats,
    *,
    purchased: Floats,
    donations: Floats,
    demand: Floats,
    unit_cost: float,
    dependence_peak: float,
    volunteer_gain: float,
    growth: Floats | float,
    decay: float,
    reserve_months: float,
    memory: float,
    floor: float,
    incubated: Floats | float = 0.0,
) -> Organisations:
    """Move n social organisations on by one month.

    Volunteers add the share ``volunteer_gain`` · inverted_u(dependence) to what paid capacity
    delivers. Capacity closes the share ``growth`` (or, downward, ``decay``) of its gap to the
    smaller of what ``demand`` asks for and what income and ``funds`` spread over
    ``reserve_months`` can pay. Money short, it falls to what can be paid now. Below ``floor`` an
    organisation winds up: it spends what it has and stays out unless incubated anew.

    Opening + purchased + donations = spending + closing funds, for each of them. Arrays have
    shape (n,), rates and shares lie in [0, 1].

    Args:
        capacity: paid service hours a month; 0 is an organisation that does not exist (now).
        funds: money at the month's start, ≥ 0.
        dependence: share of government money in income, a moving mean.
        purchased: government money paid for services this month.
        donations: other income this month.
        demand: service hours a month asked of it.
        unit_cost: money per paid service hour.
        dependence_peak: dependence at which volunteers give most.
        volunteer_gain: hours volunteers add per paid hour at the peak.
        growth: share of the gap upward closed in a month.
        decay: share of the gap downward closed in a month.
        reserve_months: months over which an organisation would stretch its funds, ≥ 1.
        memory: share of the month in the moving mean of dependence.
        floor: smallest viable capacity.
        incubated: hours of capacity an incubator sets up at its own cost; from this month on the
            organisation pays for them.

    Returns:
        The columns, with ``service`` the hours delivered and ``spending`` the money spent.
    """
    income = purchased + donations
    money = funds + income
    public = np.divide(purchased, income, out=dependence.copy(), where=income > 0)
    dependence = dependence + memory * (public - dependence)
    lift = 1 + volunteer_gain * inverted_u(dependence, dependence_peak)
    start = capacity + incubated
    target = np.minimum(demand / lift, (income + funds / reserve_months) / unit_cost)
    moved = start + np.where(target > start, growth, decay) * (target - start)
    paid = np.where(start > 0, np.minimum(moved, money / unit_cost), 0.0)
    closes = (start > 0) & (paid < floor)
    paid = np.where(closes, 0.0, paid)
    spending = np.where(closes, money, np.minimum(paid * unit_cost, money))
    return Organisations(
        capacity=paid,
        funds=money - spending,
        dependence=dependence,
        service=paid * lift,
        spending=spending,
    )


def pairs(partners: ArrayLike) -> Floats:
    """Return the links among ``partners``, k(k − 1)/2, none for fewer than two."""
    k = np.asarray(partners, float)
    return np.maximum(k * (k - 1.0) / 2.0, 0.0)


def partnership(rules: np.ndarray, world: np.record, people: np.ndarray) -> Floats:
    """Return hours a month that partners and mobilised volunteers give beyond before, (units,).

    ``rules`` has dtype RULES, ``people`` are residents (units,). What they gave before the
    reform is part of what residents and organisations settle anyway. Assumed.
    """
    links, capacity, mobilised = (
        levers.BY_NAME[name].default
        for name in ("partner_links", "partner_capacity", "party_mobilisation")
    )
    partners = rules["partner_links"] * rules["partner_capacity"] - links * capacity
    heads = (rules["party_mobilisation"] - mobilised) * people
    return np.asarray(np.maximum(partners + world["volunteer_hours"] * heads, 0.0))


def coordination(rules: np.ndarray, world: np.record, hours: np.ndarray) -> Floats:
    """Return the share of an office's paid ``hours`` a month that its partners take, (units,).

    ``coordination_pair`` hours for each pair of partners beyond the pairs before the reform.
    """
    more = pairs(rules["partner_links"]) - pairs(levers.BY_NAME["partner_links"].default)
    return np.asarray(world["coordination_pair"] * np.maximum(more, 0.0) / hours)
