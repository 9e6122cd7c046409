"""Where service stations stand, and which one serves a community."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from reformsim import stations
from reformsim.chance import Purpose, unit_draws
from reformsim.city.borders import seats
from reformsim.city.people import ages_by_grid
from reformsim.city.territory import City

#: A way on foot against the straight line (assumed), and 15 minutes on foot (design §5).
DETOUR = 1.3
FIFTEEN_MINUTES = 1.1
FIFTEEN_MINUTES_OLD = 0.8
#: The same by age group, (3,).
LIMITS = np.array([FIFTEEN_MINUTES, FIFTEEN_MINUTES, FIFTEEN_MINUTES_OLD])
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
    return _way(city, np.arange(len(city.grids)), site[city.grids.community])


def _way(city: City, grids: np.ndarray, sites: np.ndarray) -> np.ndarray:
    dx = city.grids.x[grids] - city.communities.x[sites]
    dy = city.grids.y[grids] - city.communities.y[sites]
    spread = city.grids.area[grids] / (2 * np.pi)
    return DETOUR * np.sqrt(dx * dx + dy * dy + spread)


def within_reach(people: np.ndarray, walk: np.ndarray) -> np.ndarray:
    """Return who of ``people`` (grids, 3) by age lives within 15 minutes of a station.

    ``walk`` (grids,) is the way to it in km.
    """
    return people * (walk[:, None] <= LIMITS)


def _drawn(city: City, rows: np.ndarray) -> np.ndarray:
    """Sites before the reform: those stated, or else, grown and not planned, drawn by lot."""
    if city.communities.station[rows].any():
        return np.flatnonzero(city.communities.station[rows])
    marks = unit_draws(city.seed, int(Purpose.CITY), int(Purpose.LAYOUT), rows)
    return np.sort(np.argsort(marks, kind="stable")[: -(-len(rows) // BEFORE_PER)])


def _between(city: City, rows: np.ndarray, sites: np.ndarray) -> np.ndarray:
    dx = city.communities.x[rows, None] - city.communities.x[None, sites]
    dy = city.communities.y[rows, None] - city.communities.y[None, sites]
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
        distance = _between(city, rows, rows)
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


def at_home(city: City, site: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Return sites such that every community goes to one of its own subdistrict, (communities,).

    ``unit`` is the subdistrict that serves each community now. A community whose ``site`` has
    come to lie in another one goes to the nearest site of its own; a subdistrict that has lost
    all its sites opens one at its seat.
    """
    away = unit[site] != unit
    if not away.any():
        return site
    site = site.copy()
    is_open = np.zeros(len(site), bool)
    is_open[site] = True
    for u in np.unique(unit[away]):
        rows = np.flatnonzero(unit == u)
        chosen = rows[is_open[rows]]
        if len(chosen) == 0:
            chosen = seats(city)[u : u + 1]
        movers = rows[away[rows]]
        site[movers] = chosen[np.argmin(_between(city, movers, chosen), axis=1)]
    return site


def cover(
    city: City, site: np.ndarray, unit: np.ndarray, window: np.ndarray, target: np.ndarray
) -> np.ndarray:
    """Open further stations until enough residents live within 15 minutes; returns the sites.

    Subdistrict by subdistrict, the site that brings most residents within reach is opened first
    (the greedy rule of Church & ReVelle 1974, ties to the lowest row), until the share
    ``target`` (subdistricts,) is reached or no site brings another one. Communities go to the
    nearest site. Those that the convenience centre serves, ``window`` (communities,), walk to
    the seat of their subdistrict and count with that way. ``site`` must be in the subdistrict
    ``unit`` that serves the community, each (communities,).
    """
    site = site.copy()
    home = city.grids.community
    for u in np.flatnonzero(target > 0.0):
        rows = np.flatnonzero(unit == u)
        grids = np.flatnonzero(unit[home] == u)
        ways = _way(city, grids[:, None], np.append(rows, seats(city)[u])[None, :])
        people = ages_by_grid(city)[grids]
        near = (people[:, None, :] * (ways[:, :, None] <= LIMITS)).sum(axis=2)
        of = np.searchsorted(rows, home[grids])
        near[window[rows][of]] = near[window[rows][of], -1:]
        here = np.searchsorted(rows, site[rows])
        wanted = target[u] * people.sum()
        site[rows] = rows[_open_greedily(near, of, _between(city, rows, rows), here, wanted)]
    return site


def _open_greedily(
    near: np.ndarray, of: np.ndarray, distance: np.ndarray, here: np.ndarray, wanted: float
) -> np.ndarray:
    """Return the site of each community once ``wanted`` residents are near theirs, (m,).

    ``near`` (grids, m + 1) residents of a grid within reach of each site, ``of`` (grids,) its
    community, ``distance`` (m, m) between communities, ``here`` (m,) the sites before.
    """
    row, grid = np.arange(len(here)), np.arange(len(of))
    covered = near[grid, here[of]].sum()
    while covered < wanted:
        options = [np.where(distance[:, j] < distance[row, here], j, here) for j in row]
        reached = [near[grid, option[of]].sum() for option in options]
        best = int(np.argmax(reached))
        if reached[best] <= covered:
            break
        here, covered = options[best], reached[best]
    return here
