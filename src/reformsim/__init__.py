"""reformsim: an agent-based simulation of a city-governance reform."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reformsim import lab, stations
    from reformsim.model import CityModel
    from reformsim.scenario import Scenario

__version__ = "0.1.0"
__all__ = ["CityModel", "Scenario", "__version__", "lab", "stations"]

#: Where public names live: loaded on first use, so that `reformsim --help` stays quick.
_HOMES = {"CityModel": "reformsim.model", "Scenario": "reformsim.scenario"}


def __getattr__(name: str) -> Any:
    """Load a public name on first use."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name in ("lab", "stations"):
        return importlib.import_module(f"reformsim.{name}")
    raise AttributeError(f"module 'reformsim' has no attribute {name!r}")
