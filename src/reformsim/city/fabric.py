"""The fabric of a city before the reform: its environment, facilities, low rents, future towns."""

from functools import lru_cache

import numpy as np

from reformsim.chance import Purpose, unit_draws
from reformsim.city.territory import City

#: By type of community (old courtyard, commercial estate, resettlement area, urban village, new
#: estate, village). All assumed. Quality of the environment, 0–1.
QUALITY_BEFORE = np.array([0.45, 0.75, 0.55, 0.35, 0.85, 0.60])
#: Usable facilities against the standard for the residents: mean of a type, and half the range.
FACILITIES_BEFORE = np.array([0.55, 0.70, 0.50, 0.35, 0.35, 0.40])
FACILITIES_SPREAD = 0.15
#: Residents who rent so cheaply that works on their homes may put them out.
LOW_RENT = np.array([0.3, 0.0, 0.1, 0.7, 0.0, 0.0])
#: Types that renewal goes to first.
RENEWED_FIRST = np.array([True, False, True, True, False, False])
NEW_ESTATE = 4


@lru_cache(maxsize=4)
def facilities_before(city: City) -> np.ndarray:
    """Return the level of usable facilities before the reform, (communities,), in (0, 1)."""
    u = unit_draws(city.seed, int(Purpose.FACILITIES), 0, np.arange(len(city.communities)))
    return FACILITIES_BEFORE[city.communities.kind] + FACILITIES_SPREAD * (2.0 * u - 1.0)


@lru_cache(maxsize=4)
def town_line(city: City) -> np.ndarray:
    """Return where each community stands in its district's line for designation, in (0, 1).

    The share s of communities that stand below s is designated: a higher share contains a lower.
    """
    district = city.communities.district
    u = unit_draws(city.seed, int(Purpose.TOWN), 0, np.arange(len(district)))
    first = np.searchsorted(district, np.arange(len(city.districts) + 1))
    order = np.lexsort((u, district))
    rank = np.empty(len(u))
    rank[order] = np.arange(len(u)) - first[district[order]]
    return (rank + 0.5) / np.diff(first)[district]
