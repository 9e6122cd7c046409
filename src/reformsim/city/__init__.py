"""A city drawn from census facts: configuration, recipe, territory and residents as columns."""

from reformsim.city.config import CityConfig
from reformsim.city.facts import SizeFact, check_sizes
from reformsim.city.people import ages_by_grid, multipliers
from reformsim.city.profile import (
    AGE_GROUPS,
    AGE_GROUPS_ZH,
    COMMUNITY_TYPES,
    COMMUNITY_TYPES_ZH,
)
from reformsim.city.recipe import build
from reformsim.city.territory import (
    City,
    Communities,
    Districts,
    Grids,
    NeedSpread,
    People,
    Subdistricts,
)

__all__ = [
    "AGE_GROUPS",
    "AGE_GROUPS_ZH",
    "COMMUNITY_TYPES",
    "COMMUNITY_TYPES_ZH",
    "City",
    "CityConfig",
    "Communities",
    "Districts",
    "Grids",
    "NeedSpread",
    "People",
    "SizeFact",
    "Subdistricts",
    "ages_by_grid",
    "build",
    "check_sizes",
    "multipliers",
]
