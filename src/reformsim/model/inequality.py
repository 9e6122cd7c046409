"""How unequal a city is: Gini coefficients, Theil's index and its parts, gaps between groups."""

import numpy as np

from reformsim.cases.state import T
from reformsim.city import City

NAMES = (
    "gini", "theil", "theil_between", "theil_within", "waits_gini", "access_gini",
    "urban_rural_gap", "old_young_gap", "effort_spread",
)  # fmt: skip


def of_places(
    city: City,
    felt: np.ndarray,
    tally: np.ndarray,
    walk: np.ndarray,
    effort: np.ndarray,
    cells: np.ndarray,
    group: np.ndarray,
    n: int,
) -> dict[str, np.ndarray]:
    """Return inequality within each of ``n`` places, by name, each (n,); NaN where there is none.

    ``felt`` (satisfaction), ``cells`` (residents) and ``group`` (the place) have shape
    (communities, 3), ``tally`` (communities, 3, counts), ``walk`` (communities,) is the mean way
    to a station and ``effort`` (units,) that for residents. Theil's index is that of
    satisfaction, split by district; waits are mean days of closed cases.
    """
    out = {name: np.full(n, np.nan) for name in NAMES}
    ages = cells.shape[1]

    def by_age(values: np.ndarray) -> np.ndarray:
        return np.repeat(values, ages).reshape(-1, ages)

    urban, district = by_age(city.communities.urban), by_age(city.communities.district)
    older = np.tile(np.arange(ages) == 2, (len(cells), 1))
    way, own = by_age(walk), by_age(effort[city.communities.subdistrict])
    closed = tally[:, :, T["closed"]]
    wait = tally[:, :, T["days"]] / np.maximum(closed, 1.0)
    for g in range(n):
        here = group == g
        people = cells[here]
        out["gini"][g] = gini(felt[here], people)
        out["waits_gini"][g] = gini(wait[here], closed[here])
        out["access_gini"][g] = gini(way[here], people)
        between, within = theil_parts(felt[here], people, district[here])
        out["theil_between"][g], out["theil_within"][g] = between, within
        out["theil"][g] = theil(felt[here], people)
        out["effort_spread"][g] = spread(own[here], people)
        for name, side in (("urban_rural_gap", urban), ("old_young_gap", older)):
            a, b = here & side, here & ~side
            if cells[a].sum() > 0 and cells[b].sum() > 0:
                means = (np.average(felt[x], weights=cells[x]) for x in (a, b))
                out[name][g] = abs(next(means) - next(means))
    return out


def spread(values: np.ndarray, weights: np.ndarray) -> float:
    """Return the standard deviation of ``values`` held by ``weights`` people each."""
    if weights.sum() <= 0:
        return float("nan")
    mean = np.average(values, weights=weights)
    return float(np.sqrt(np.average((values - mean) ** 2, weights=weights)))


def gini(values: np.ndarray, weights: np.ndarray) -> float:
    """Return the Gini coefficient of ``values`` ≥ 0 held by ``weights`` people each."""
    order = np.argsort(values, kind="stable")
    v, w = values[order], weights[order]
    total, people = (v * w).sum(), w.sum()
    if total <= 0 or people <= 0:
        return float("nan")
    lorenz = np.cumsum(v * w) / total
    before = np.concatenate(([0.0], lorenz[:-1]))
    return float(1.0 - ((lorenz + before) * w / people).sum())


def theil(values: np.ndarray, weights: np.ndarray) -> float:
    """Return Theil's T of ``values`` ≥ 0 held by ``weights`` people each; 0 where all are equal.

    Σ w/W · (v/μ) ln(v/μ), with 0 ln 0 = 0. Source: Theil (1967), *Economics and Information
    Theory*.
    """
    total, people = (values * weights).sum(), weights.sum()
    if total <= 0 or people <= 0:
        return float("nan")
    ratio = values * people / total
    logs = np.log(ratio, out=np.zeros_like(ratio), where=ratio > 0)
    return float((weights * ratio * logs).sum() / people)


def theil_parts(values: np.ndarray, weights: np.ndarray, group: np.ndarray) -> tuple[float, float]:
    """Return the parts of `theil` between and within groups; they add up to it exactly.

    Between is the index of the groups' means, within the mean of the groups' own indices,
    weighted by what each group holds of all.
    """
    total = (values * weights).sum()
    found = [group == g for g in np.unique(group[weights > 0])]
    people = np.array([weights[here].sum() for here in found])
    held = np.array([(values * weights)[here].sum() for here in found])
    between = theil(held / np.maximum(people, 1e-300), people)
    own = np.array([theil(values[here], weights[here]) for here in found])
    within = float((held * np.nan_to_num(own)).sum() / total) if total > 0 else float("nan")
    return between, within
