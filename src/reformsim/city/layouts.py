"""Where service stations stand, and which one serves a community."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from reformsim import stations
from reformsim.chance import Purpose, unit_draws
from reformsim.city.territory import City

#: A way on foot against the straight line (assumed), and 15 minutes on foot (design §5).
DETOUR = 1.3
FIFTEEN_MINUTES = 1.1
FIFTEEN_MINUTES_OLD = 0.8
#: Communities for each station before the reform (assumed).
BEFORE_PER = 3


@dataclass(frozen=True, eq=False)
class StationLayout:
    """The community whose site serves each community, and the way there.

    ``site`` (communities,) city-wide row of the serving community; ``walk`` (grids,) mean way
    in km from a grid's residents to it.
    """

    site: np.ndarray
    walk: np.ndarray


def walk_to(city: City, site: np.ndarray) -> np.ndarray:
    """Return the mean way in km of each grid's residents to the site of their community.

    From the grid's centroid, with the spread of its residents around it, and at least from
    half the radius of the grid.
    """
    at = site[city.grids.community]
    dx = city.grids.x - city.communities.x[at]
    dy = city.grids.y - city.communities.y[at]
    spread = city.grids.area / (2 * np.pi)
    return DETOUR * np.sqrt(dx * dx + dy * dy + spread)


def _drawn(city: City, rows: np.ndarray) -> np.ndarray:
    """Sites before the reform: grown, not planned, so drawn by lot."""
    marks = unit_draws(city.seed, int(Purpose.CITY), int(Purpose.LAYOUT), rows)
    return np.sort(np.argsort(marks, kind="stable")[: -(-len(rows) // BEFORE_PER)])


def _distances(city: City, rows: np.ndarray) -> np.ndarray:
    dx = city.communities.x[rows, None] - city.communities.x[None, rows]
    dy = city.communities.y[rows, None] - city.communities.y[None, rows]
    return DETOUR * np.hypot(dx, dy)


def _several(distance: np.ndarray, p: int) -> np.ndarray:
    """Neighbours share a station: communities in order of distance from the first one, by ``p``."""
    order = np.argsort(distance[0], kind="stable")
    return np.sort(np.array([group[len(group) // 2] for group in np.array_split(order, p)]))


@lru_cache(maxsize=32)
def plan(
    city: City, layout: str, per: int = BEFORE_PER, sites: tuple[str | int, ...] = ()
) -> StationLayout:
    """Lay out stations subdistrict by subdistrict.

    ``layout`` is ``before`` (the pre-reform sites), ``one_per_community``,
    ``one_per_several``, ``p_median``, ``max_coverage`` (within 1.1 km, 15 minutes on foot) or
    ``list``; with ``per`` communities for each station, rounded up. ``sites`` of a list are
    rows of communities; a subdistrict without one keeps its pre-reform sites. Communities go to
    the nearest site of their subdistrict.

    Raises ValueError for a site that is no community of the city.
    """
    site = np.empty(len(city.communities), np.int64)
    listed = np.zeros(len(city.communities), bool)
    for name in sites:
        if not str(name).isdigit() or int(name) >= len(listed):
            raise ValueError(f"stations.sites: no community {name!r}, rows 0 to {len(listed) - 1}")
        listed[int(name)] = True
    first = city.subdistricts.first_community
    for unit in range(len(city.subdistricts)):
        rows = np.arange(first[unit], first[unit + 1])
        distance = _distances(city, rows)
        p = -(-len(rows) // per)
        people = city.communities.population[rows].astype(float)
        if layout == "one_per_community":
            chosen = np.arange(len(rows))
        elif layout == "one_per_several":
            chosen = _several(distance, p)
        elif layout == "p_median":
            chosen = stations.p_median(distance, p, people).sites
        elif layout == "max_coverage":
            chosen = stations.max_coverage(distance, p, FIFTEEN_MINUTES, people).sites
        elif layout == "list" and listed[rows].any():
            chosen = np.flatnonzero(listed[rows])
        else:
            chosen = _drawn(city, rows)
        site[rows] = rows[chosen[np.argmin(distance[:, chosen], axis=1)]]
    return StationLayout(site=site, walk=walk_to(city, site))
