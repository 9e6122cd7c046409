"""Community premises: four ways to come by them, what they cost, when they can be used."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Years over which the capital cost of premises is paid off, without interest (assumed).
PAID_OFF = 20.0
MONTH = 365.0 / 12.0
#: Share of a station's overhead that grows with its open days (assumed).
WEEKEND = 0.5


class Mode(NamedTuple):
    """One way to come by premises; money in 10,000 yuan per 10,000 residents at double space."""

    capital: float  # once
    running: float  # a year, rent included, at five open days a week
    months: float  # until they can be used
    share: float  # of the space wanted that can be had this way


#: The four modes of the account; all figures assumed.
MODES: dict[str, Mode] = {
    "allocation": Mode(capital=20.0, running=4.0, months=6.0, share=0.5),
    "rent_back": Mode(capital=10.0, running=12.0, months=3.0, share=0.9),
    "co_build": Mode(capital=60.0, running=5.0, months=18.0, share=0.7),
    "purchase": Mode(capital=200.0, running=4.0, months=9.0, share=1.0),
}


def yearly_cost(mode: Mode, space: Floats, days: Floats, people: Floats) -> Floats:
    """Return what premises cost a year, 10,000 yuan, (n,).

    ``space`` is the share of space wanted, ``days`` the open days a week, ``people`` the
    residents, each (n,); paid for is the space that can be had.
    """
    each = mode.capital / PAID_OFF + mode.running * days / 5.0
    return mode.share * space * each * people / 10_000.0


def overhead(stations: Floats, days: Floats) -> Floats:
    """Return ``stations`` weighted by what they cost on ``days`` open a week against five, (n,)."""
    return stations * (1.0 + WEEKEND * (days / 5.0 - 1.0))


def usable(mode: Mode, space: Floats, target: Floats, ordered_on: Floats, day: float) -> Floats:
    """Return the space in use on ``day``, (n,): what was ordered long enough ago.

    ``space`` is what is in use so far, ``target`` what is wanted, ordered on the days
    ``ordered_on``. What is given up is gone at once.
    """
    ready = day - ordered_on >= mode.months * MONTH
    return np.where(ready, mode.share * target, np.minimum(space, mode.share * target))
