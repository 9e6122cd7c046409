"""Totals of a span for a city, its districts, and so on down to community types and ages."""

import numpy as np

from reformsim.city import AGE_GROUPS, COMMUNITY_TYPES, City, fabric
from reformsim.kernels import njit
from reformsim.model import inequality
from reformsim.model.span import BY_ACCOUNT, BY_COMMUNITY, BY_UNIT, Span
from reformsim.outcomes import Totals
from reformsim.scenario import YEAR

#: Levels that have offices, workers and money of their own.
WITH_OFFICES = ("city", "district", "subdistrict")

#: Spreads between subdistricts (sd, by residents), and the states of which.
SPREADS = {"load_gap": "utilisation", "practice_spread": "way"}
#: Share of communities, first in line for designation, whose residents are told (assumed).
FIRST_IN_LINE = 0.15

#: A level's name, its places, and the place of each community and age group.
Level = tuple[str, list[str], np.ndarray]


def everyone(city: City) -> Level:
    """Return the whole city as one place."""
    return "city", [""], np.zeros((len(city.communities), 3), np.int64)


def levels(city: City) -> list[Level]:
    """Return all levels at which outcomes are given."""
    c, cells = city, np.zeros((len(city.communities), 3), np.int64)
    rows = {
        "district": (list(c.districts.name), c.communities.district[:, None] + cells),
        "subdistrict": (list(c.subdistricts.name), c.communities.subdistrict[:, None] + cells),
        "community_type": (list(COMMUNITY_TYPES), c.communities.kind[:, None] + cells),
        "age": (list(AGE_GROUPS), np.arange(3)[None, :] + cells),
    }
    return [everyone(city), *((level, *row) for level, row in rows.items())]


def communities(city: City) -> Level:
    """Return the communities, which have no names: numbered within their subdistricts."""
    own = city.subdistricts.first_community[city.communities.subdistrict]
    names = np.array(city.subdistricts.name)[city.communities.subdistrict]
    n = len(city.communities)
    places = [f"{name} {k}" for name, k in zip(names, np.arange(n) - own + 1, strict=True)]
    return "community", places, np.repeat(np.arange(n)[:, None], 3, axis=1)


def total(span: Span, city: City, level: Level) -> Totals:
    """Sum what a span counted over the places of a level; states are means over its days."""
    name, places, group = level
    n, flat = len(places), group.ravel()
    cells = span.people / span.length
    people = np.bincount(flat, weights=cells.ravel(), minlength=n)
    blank = np.full(n, np.nan)

    def gather(values: np.ndarray) -> np.ndarray:
        out = np.zeros((n, values.shape[2]))
        _add_rows(out, flat, values.reshape(len(flat), -1))
        return out

    def mean(values: np.ndarray) -> np.ndarray:
        summed = np.bincount(flat, weights=(values * cells).ravel(), minlength=n)
        return np.divide(summed, people, out=blank.copy(), where=people > 0)

    felt = span.felt / span.length
    near = np.bincount(flat, weights=span.near.ravel(), minlength=n) / span.length
    state = {
        "satisfaction": mean(felt),
        "within_15": np.divide(near, people, out=blank.copy(), where=people > 0),
        "open_cases": np.bincount(flat, weights=span.open.ravel(), minlength=n) / span.length,
    }
    for key, row in zip(BY_COMMUNITY, span.community, strict=True):
        state[key] = blank if name == "age" else mean((row / span.length)[:, None])
    unit, with_offices = city.communities.subdistrict, name in WITH_OFFICES
    for key, row in zip(BY_UNIT, span.unit, strict=True):
        state[key] = mean((row / span.length)[unit][:, None]) if with_offices else blank
    for key, of in SPREADS.items():
        state[key] = blank
        if with_offices:
            level_of = (span.unit[BY_UNIT.index(of)] / span.length)[unit]
            apart = level_of - state[of][group[:, 0]]
            state[key] = np.sqrt(mean(apart[:, None] ** 2))
    first = city.subdistricts.first_community[:-1]
    for key, row in zip(BY_ACCOUNT, span.money, strict=True):
        yearly = np.bincount(group[first, 0], weights=row, minlength=n) / (span.length / YEAR)
        state[key] = yearly if with_offices else blank
    if with_offices:
        way = span.community[BY_COMMUNITY.index("way_to_station")] / span.length
        effort = span.unit[BY_UNIT.index("effort_residents")] / span.length
        state |= inequality.of_places(city, felt, span.tally, way, effort, cells, group, n)
    else:
        state |= dict.fromkeys(inequality.NAMES, blank)
    if name in ("age", "community"):
        state |= dict.fromkeys(("facilities_gini", "new_estates_served", "town_residents"), blank)
    else:
        served = span.community[BY_COMMUNITY.index("facilities")] / span.length
        state |= of_places(city, served, cells.sum(axis=1), group[:, 0], n)
    return Totals(
        gather(span.tally), gather(span.days), gather(span.still_open), people,
        span.length / YEAR, state,
    )  # fmt: skip


@njit(cache=True)
def _add_rows(out, place, values):
    """Add row i of ``values`` to row ``place[i]`` of ``out``: as np.add.at, a tenth of its time."""
    for i in range(len(place)):
        for k in range(values.shape[1]):
            out[place[i], k] += values[i, k]


def of_places(
    city: City, served: np.ndarray, people: np.ndarray, group: np.ndarray, n: int
) -> dict[str, np.ndarray]:
    """Gini of facilities between communities, their level in new estates, residents of towns.

    Towns are the communities first in line for designation, designated or not: so that two
    scenarios compare the same places. Arrays have shape (communities,).
    """
    out = {name: np.full(n, np.nan) for name in ("facilities_gini", "new_estates_served")}
    estate = city.communities.kind == fabric.NEW_ESTATE
    for g in range(n):
        here = group == g
        out["facilities_gini"][g] = inequality.gini(served[here], people[here])
        if people[here & estate].sum() > 0:
            out["new_estates_served"][g] = np.average(
                served[here & estate], weights=people[here & estate]
            )
    first = fabric.town_line(city) < FIRST_IN_LINE
    all_people = np.bincount(group, weights=people, minlength=n)
    towns = np.bincount(group, weights=people * first, minlength=n)
    share = np.divide(towns, all_people, out=np.full(n, np.nan), where=all_people > 0)
    return out | {"town_residents": share}
