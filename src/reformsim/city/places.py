"""Where a step of a reform acts: districts and subdistricts by name, or the first districts."""

import math

import numpy as np
from numpy.typing import NDArray

from reformsim.chance import Purpose, unit_draws
from reformsim.city.config import CityConfig
from reformsim.city.territory import City
from reformsim.config import suggest


def named(city: City, names: tuple[str, ...]) -> NDArray[np.bool_]:
    """Return which subdistricts have, or lie in a district that has, one of ``names``: (units,).

    Names may be English or Chinese. Raises ValueError on a name that the city does not have.
    """
    found = np.zeros(len(city.subdistricts), dtype=bool)
    for name in names:
        rows = np.flatnonzero((city.districts.name == name) | (city.districts.name_zh == name))
        here = np.isin(city.subdistricts.district, rows)
        here |= (city.subdistricts.name == name) | (city.subdistricts.name_zh == name)
        if not here.any():
            raise ValueError(no_place(name, (*city.districts.name, *city.subdistricts.name)))
        found |= here
    return found


def first(city: City, share: float) -> NDArray[np.bool_]:
    """Return which subdistricts lie in the first ``share`` of the city's districts: (units,).

    The order of districts is drawn once for each city, so that a larger share contains a
    smaller one. Rounded up: at least one district, the only one where there is no other.
    """
    count = len(city.districts)
    order = np.argsort(unit_draws(city.seed, int(Purpose.PILOT), 0, np.arange(count)))
    chosen = order[: math.ceil(share * count)]
    return np.isin(city.subdistricts.district, chosen)


def unit_names(config: CityConfig) -> tuple[str, ...]:
    """Return the names of a city's districts; those of subdistricts begin with them."""
    drawn = config.sample and {unit.unit for unit in config.sample.units}
    units = [unit for unit in config.census() if drawn is None or unit.name in drawn]
    listed = [place for unit in units for place in (unit, *unit.subdistricts)]
    return tuple(name for place in listed for name in (place.name, place.name_zh))


def no_place(name: str, names: tuple[str, ...]) -> str:
    """Say that there is no such place, and which there are."""
    known = ", ".join(names[:40]) + (", …" if len(names) > 40 else "")
    return f"no district or subdistrict {name!r}{suggest(name, names)} (known: {known})"
