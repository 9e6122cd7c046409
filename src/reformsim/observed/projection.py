"""From longitude and latitude to kilometres on the ground, and from GCJ-02 to WGS-84.

GCJ-02 is the shifted datum that maps published in China must use. Its formula was never
published by its owner; the one here is the well-known reconstruction (eviltransform, 2013), itself
right to a metre or so. The inverse is the fixed point of p = q − shift(p), which contracts by a
factor below 0.01 a step: over China 6 m are left after one step, under 0.01 mm after four.
"""

import numpy as np

#: WGS-84: semi-major axis in km and squared eccentricity.
A, E2 = 6378.137, 0.00669437999014
#: The ellipsoid of the shift (Krasovsky 1940), in metres.
GCJ_A, GCJ_E2 = 6378245.0, 0.00669342162296594323
#: Where the shift is in force, degrees: west, east, south, north (as in the reconstruction).
CHINA = (72.004, 137.8347, 0.8293, 55.8271)
ITERATIONS = 5
#: No city lies nearer to a pole (Longyearbyen: 78.2° N), where the map would be torn.
NORTHERNMOST = 80.0


def shift(places: np.ndarray) -> np.ndarray:
    """Return how far GCJ-02 lies from WGS-84 at ``places`` (n, 2), degrees east and north.

    Zero outside China.
    """
    lon, lat = np.asarray(places, dtype=np.float64).T
    x, y, pi = lon - 105.0, lat - 35.0, np.pi
    root = np.sqrt(np.abs(x))
    waves = (20 * np.sin(6 * x * pi) + 20 * np.sin(2 * x * pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + waves
    north += (20 * np.sin(y * pi) + 40 * np.sin(y / 3 * pi)) * 2 / 3
    north += (160 * np.sin(y / 12 * pi) + 320 * np.sin(y * pi / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + waves
    east += (20 * np.sin(x * pi) + 40 * np.sin(x / 3 * pi)) * 2 / 3
    east += (150 * np.sin(x / 12 * pi) + 300 * np.sin(x / 30 * pi)) * 2 / 3
    radians = lat / 180 * pi
    magic = 1 - GCJ_E2 * np.sin(radians) ** 2
    north = north * 180 / (GCJ_A * (1 - GCJ_E2) / (magic * np.sqrt(magic)) * pi)
    east = east * 180 / (GCJ_A / np.sqrt(magic) * np.cos(radians) * pi)
    inside = in_china(places)
    return np.column_stack([np.where(inside, east, 0.0), np.where(inside, north, 0.0)])


def in_china(places: np.ndarray) -> np.ndarray:
    """Return which places (n, 2) lie where the shift is in force."""
    lon, lat = np.asarray(places).T
    west, east, south, north = CHINA
    return (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)


def to_wgs84(places: np.ndarray) -> np.ndarray:
    """Return places in GCJ-02 (n, 2) as WGS-84, to less than 0.01 mm."""
    places = np.asarray(places, dtype=np.float64)
    found = places
    for _ in range(ITERATIONS):
        found = places - shift(found)
    return found


def to_kilometres(places: np.ndarray, meridian: float) -> np.ndarray:
    """Return places (n, 2) as km east of a meridian and north of the equator.

    The sinusoidal projection of the ellipsoid (Snyder 1987, "Map Projections: A Working Manual",
    eqs 30-8 and 3-21): areas are true everywhere, distances along the meridian and across it.
    """
    lon, lat = np.radians(np.asarray(places, dtype=np.float64)).T
    normal = A / np.sqrt(1 - E2 * np.sin(lat) ** 2)
    arc = A * (
        (1 - E2 / 4 - 3 * E2**2 / 64 - 5 * E2**3 / 256) * lat
        - (3 * E2 / 8 + 3 * E2**2 / 32 + 45 * E2**3 / 1024) * np.sin(2 * lat)
        + (15 * E2**2 / 256 + 45 * E2**3 / 1024) * np.sin(4 * lat)
        - 35 * E2**3 / 3072 * np.sin(6 * lat)
    )
    return np.column_stack([normal * np.cos(lat) * (lon - np.radians(meridian)), arc])
