"""A city drawn from census facts: configuration, recipe, territory and residents as columns."""

import importlib
from typing import TYPE_CHECKING, Any

from reformsim.city.config import CityConfig
from reformsim.city.profile import (
    AGE_GROUPS,
    AGE_GROUPS_ZH,
    COMMUNITY_TYPES,
    COMMUNITY_TYPES_ZH,
)

if TYPE_CHECKING:
    from reformsim.city.facts import SizeFact, check_sizes
    from reformsim.city.people import ages_by_grid, multipliers
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

#: Where names live that need more than a configuration: loaded on first use, as that takes half
#: a second, which `reformsim check` would wait for in vain.
_HOMES = {
    "facts": ("SizeFact", "check_sizes"),
    "people": ("ages_by_grid", "multipliers"),
    "recipe": ("build",),
    "territory": (
        "City", "Communities", "Districts", "Grids", "NeedSpread", "People", "Subdistricts",
    ),
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Load a name on first use."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"reformsim.city.{home}"), name)
    raise AttributeError(f"module 'reformsim.city' has no attribute {name!r}")
