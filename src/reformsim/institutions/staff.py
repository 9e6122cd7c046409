"""How many heads work where: sized before the reform, bought with the money there is after it."""

import numpy as np

from reformsim.categories import COUNT, OFFICES, TABLE

#: A desk nobody staffs would hold its cases for ever; this is half a day a week, taken from
#: the other desks of its unit.
FEWEST_HEADS = 0.1
WEEK_HOURS = 40.0
YEAR_HOURS = WEEK_HOURS * 365.0 / 7.0


def size(
    load: np.ndarray, people: np.ndarray, hours: np.ndarray, utilisation: float, eta: float
) -> np.ndarray:
    """Return heads of units, (n,), so that workload-weighted utilisation is ``utilisation``.

    ``load`` is hours of work a year, ``hours`` what one head has for cases in a year,
    ``people`` the residents. Heads per load fall with population to the power 1 − ``eta``: at
    eta = 1 all units are equally loaded, below it the large ones are short of staff.
    """
    crowd = people ** (1.0 - eta)
    crowd = crowd / (np.sum(load * crowd) / np.sum(load))
    return load / (hours * utilisation * crowd)


def by_desk(
    heads: np.ndarray, earmarks: np.ndarray, load: np.ndarray, pooling: np.ndarray
) -> np.ndarray:
    """Split heads over twelve desks, (units, 12).

    ``earmarks`` (12,) are the shares that budgets fix for every unit alike; the share
    ``pooling`` (units,) of the staff follows the unit's own ``load`` (units, 12) instead.
    """
    total = np.maximum(load.sum(axis=1, keepdims=True), 1e-9)
    share = (1 - pooling)[:, None] * earmarks + pooling[:, None] * load / total
    return heads[:, None] * share


def reserve(heads: np.ndarray, share: np.ndarray, desk: int) -> np.ndarray:
    """Move the share ``share`` (units,) of the heads (units, desks) of all desks to one of them."""
    out = heads * (1 - share)[:, None]
    out[:, desk] += share * heads.sum(axis=1)
    return out


def merge(
    heads: np.ndarray, merged: np.ndarray, first_desk: int, first_office: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pool merged desks into the five offices.

    ``heads`` and ``merged`` (bool) have shape (units, 12). Returns heads of the twelve desks
    (units, 12), heads of the offices (units, 5), and the desk that answers for each category
    (units, 12), numbered from ``first_desk`` and ``first_office``.
    """
    units = len(heads)
    office = np.zeros((units, OFFICES))
    for category in range(COUNT):
        moved = np.where(merged[:, category], heads[:, category], 0.0)
        office[:, TABLE["office"][category]] += moved
    own = np.where(merged, 0.0, heads)
    row = np.arange(units)[:, None]
    desk = np.where(
        merged,
        first_office + row * OFFICES + TABLE["office"][None, :],
        first_desk + row * COUNT + np.arange(COUNT)[None, :],
    )
    return own, office, desk.astype(np.int32)


def level_up(heads: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Give every staffed desk at least ``FEWEST_HEADS`` of its group's heads, where they suffice.

    ``group`` numbers the group of each desk. Desks move toward the group's mean by the smallest
    share that lifts the thinnest one, so that no group gains or loses heads; a desk without
    heads is closed and stays so.
    """
    out = heads.copy()
    is_open = heads > 0
    own = group[is_open]
    number = np.bincount(own)
    mean = np.bincount(own, weights=heads[is_open]) / np.maximum(number, 1)
    thinnest = np.full(len(number), np.inf)
    np.minimum.at(thinnest, own, heads[is_open])
    room = np.maximum(mean - thinnest, 1e-12)
    share = np.where(thinnest < FEWEST_HEADS, np.minimum((FEWEST_HEADS - thinnest) / room, 1), 0)
    out[is_open] = (1 - share[own]) * heads[is_open] + share[own] * mean[own]
    return out


def servers_of(heads: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return servers and speed of desks with ``heads`` that give cases ``share`` of their time.

    Heads are whole people; the remainder is time that the desk's people share: with h heads,
    ceil(h) servers work at h / ceil(h) of a head's speed. One part-time server among full ones
    would trap the cases that fall to it, which no office lets happen. ``share`` may include
    skill; speed is hours of work per working hour of one server.
    """
    heads = np.where(heads > 0, heads, FEWEST_HEADS)  # a closed desk: nobody is sent there
    servers = np.maximum(np.ceil(heads - 1e-9), 1).astype(np.int32)
    return servers, share * heads / servers
