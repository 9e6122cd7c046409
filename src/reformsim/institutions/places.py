"""Places: the capital fund and what it buys, environment, facilities, where people want to live.

Pure rules of communities, arrays in, arrays out. All magnitudes are assumed.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: What the capital fund is spent on; the last takes what the others do not claim.
USES = ("facilities", "renewal", "streets", "towns", "repairs")
FACILITIES, RENEWAL, STREETS, TOWNS, REPAIRS = range(5)


def split_fund(
    fund: Floats, claims: Floats, weights: Floats, residents: Floats, unit: NDArray[np.integer]
) -> Floats:
    """Split the capital fund among uses and communities, (5, communities); no yuan is lost.

    Args:
        fund: (units,) yuan of each subdistrict.
        claims: (4, units) shares of the fund that the first four uses claim; claims of more than
            all of it are cut in proportion.
        weights: (4, communities) how a use's money is shared out within a subdistrict; what a
            use cannot place, its weights being all 0, goes to untargeted repairs.
        residents: (communities,) > 0, by which repairs are shared out.
        unit: (communities,) row of the subdistrict.
    """
    claimed = fund * claims / np.maximum(claims.sum(axis=0), 1.0)
    money = np.zeros((len(USES), len(unit)))
    left = fund.copy()
    for use, weight in enumerate(weights):
        total = np.bincount(unit, weights=weight, minlength=len(fund))
        placed = np.where(total > 0, claimed[use], 0.0)
        money[use] = placed[unit] * weight / np.where(total > 0, total, 1.0)[unit]
        left -= placed
    size = np.bincount(unit, weights=residents, minlength=len(fund))
    money[REPAIRS] = np.maximum(left, 0.0)[unit] * residents / size[unit]
    return money


def fill_lowest(level: Floats, residents: Floats, amount: float, floor: float) -> Floats:
    """Raise the lowest levels to a common one, at most ``floor``; returns what each gets, (n,).

    Levels are facilities per resident; at most ``amount`` (the standard of one resident is 1) is
    given out: all of it, unless everyone stands at the floor before.
    """
    order = np.argsort(level, kind="stable")
    size = np.maximum(np.cumsum(residents[order]), 1e-12)
    common = (amount + np.cumsum(residents[order] * level[order])) / size
    following = np.append(level[order][1:], np.inf)
    reached = min(float(common[np.argmax(common <= following)]), floor)
    return residents * np.maximum(reached - level, 0.0)


def restored(quality: Floats, wear: Floats, repair: Floats) -> Floats:
    """Return quality after a year, (n,), in [0, 1]: q' = −wear·q + repair·(1 − q), in closed form.

    Both are rates a year ≥ 0; two half-years equal one year.
    """
    total = wear + repair
    rest = np.divide(repair, total, out=quality.copy(), where=total > 0)
    return np.asarray(rest + (quality - rest) * np.exp(-total))


def wear_at_rest(quality: Floats, repair: Floats) -> Floats:
    """Return the wear that ``repair`` just makes good at ``quality``, (n,); see `restored`."""
    return np.asarray(repair * (1.0 - quality) / quality)


def under_works(money: Floats, residents: Floats, cost: float) -> Floats:
    """Return the share of a place that a year's ``money`` (yuan) puts under works, (n,), ≤ 1."""
    return np.minimum(money / (np.maximum(residents, 1.0) * cost), 1.0)


def kept(stock: Floats, wear: Floats, arrivals: Floats) -> Floats:
    """Return a stock after a year of ``arrivals``, spread over it, and of ``wear`` a year, (n,).

    s' = −wear·s + arrivals, in closed form: at rest at arrivals/wear.
    """
    gone = -np.expm1(-wear)
    spread = np.divide(gone, wear, out=np.ones_like(wear), where=wear > 0)
    return np.asarray(stock * (1.0 - gone) + arrivals * spread)


def schedule(pipeline: Floats, amount: Floats, lag: Floats) -> None:
    """Put projects into ``pipeline`` (slots, n): ``amount`` (n,) comes after ``lag`` (n,) years.

    Slot k arrives in k years; a lag between two whole years is split between them, so that the
    mean is the lag. ``lag`` lies in [1, slots − 1].
    """
    whole = np.minimum(lag.astype(np.int64), len(pipeline) - 2)
    rows, part = np.arange(len(amount)), lag - whole
    pipeline[whole, rows] += (1.0 - part) * amount
    pipeline[whole + 1, rows] += part * amount


def realised_fit(fit: Floats, before: float, participation: Floats, tipping: Floats) -> Floats:
    """Return the share of what is built that residents can use, (n,).

    Planners gain on ``before`` in proportion to residents taking part, up to the tipping point:
    without residents they plan for nobody.
    """
    return np.asarray(
        before + (fit - before) * np.minimum(participation / np.asarray(tipping), 1.0)
    )


def logit(utility: Floats) -> Floats:
    """Return multinomial logit shares of destinations, (n,), summing to 1 (McFadden 1974)."""
    weight = np.exp(utility - utility.max())
    return np.asarray(weight / weight.sum())
