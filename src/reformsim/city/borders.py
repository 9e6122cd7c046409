"""Which communities border on each other, and where each subdistrict's office sits."""

from functools import lru_cache

import numpy as np
import shapely

from reformsim.city.territory import City

#: Outlines closer than this touch, km: cells of two parents are cut apart, and rounded.
TOUCH = 1e-3


@lru_cache(maxsize=4)
def borders(city: City) -> np.ndarray:
    """Return the pairs of communities that border on each other, both ways, (k, 2), sorted."""
    shapes = [shapely.Polygon(outline) for outline in city.community_polygons()]
    pairs = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=TOUCH).T
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))].astype(np.int64)


@lru_cache(maxsize=4)
def seats(city: City) -> np.ndarray:
    """Return the community nearest to each subdistrict's centre, (subdistricts,): its seat."""
    found = np.empty(len(city.subdistricts), np.int64)
    first = city.subdistricts.first_community
    for u in range(len(found)):
        rows = np.arange(first[u], first[u + 1])
        away = np.hypot(
            city.communities.x[rows] - city.subdistricts.x[u],
            city.communities.y[rows] - city.subdistricts.y[u],
        )
        found[u] = rows[np.argmin(away)]
    return found
