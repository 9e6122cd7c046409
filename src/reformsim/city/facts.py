"""The sizes a drawn city is held to, beside what it has."""

from typing import Literal, NamedTuple

import numpy as np

from reformsim.city.census import chengdu_units
from reformsim.city.profile import AGE_GROUPS
from reformsim.city.territory import City

CENSUS = "census of China 2020"
DIVISIONS = "Chengdu, administrative divisions of 2020"
TOWNSHIPS = "Chengdu, census of 2020 by subdistrict and town"
GRIDS = "Chengdu 2018"
SHARE, ROUND = 0.05, 0.10  # relative tolerance: a census share, and a fact told with "about"

type Mark = Literal["input", "calibrated", "held out"]


class SizeFact(NamedTuple):
    """A fact and what the city has; only *held out* facts, which nothing was set to, count."""

    fact: str
    source: str
    target: float
    value: float
    mark: Mark
    hit: bool


def check_sizes(city: City) -> list[SizeFact]:
    """Compare a city with the facts on sizes, as far as they apply to it.

    Facts on the whole of Chengdu are left out for any other city; the mean size of a grid
    applies to all.
    """
    residents = int(city.districts.population.sum())
    grid = _row("residents per grid", GRIDS, 1_337, residents / len(city.grids), "input", SHARE)
    if residents != sum(unit.population for unit in chengdu_units().values()):
        return [grid]
    places, communities = city.subdistricts, city.communities
    urban = np.sum(communities.population[communities.urban]) / residents
    older = np.mean(city.people.age == AGE_GROUPS.index("older"))
    over_100, over_300 = (np.sum(places.population > size) for size in (100_000, 300_000))
    return [
        _row("residents", CENSUS, 20_937_757, len(city.people), "input"),
        _row("county-level units", DIVISIONS, 20, len(city.districts), "input"),
        _row("subdistricts", DIVISIONS, 161, np.sum(~places.is_town), "input"),
        _row("towns", DIVISIONS, 100, np.sum(places.is_town), "input"),
        _row("communities", "assumed", 3_000, len(communities), "input"),
        _row("grids", GRIDS, 15_663, len(city.grids), "input"),
        grid,
        _row("share aged 60 and over", CENSUS, 0.1798, older, "calibrated", SHARE),
        _row("share living in urban communities", CENSUS, 0.7877, urban, "calibrated", SHARE),
        _row("subdistricts over 100,000", TOWNSHIPS, 80, over_100, "held out", ROUND),
        _row("subdistricts over 300,000", TOWNSHIPS, 8, over_300, "held out", ROUND),
    ]


def _row(
    fact: str,
    source: str,
    target: float,
    value: float | np.number,
    mark: Mark,
    tolerance: float = 0.0,
) -> SizeFact:
    hit = abs(value - target) <= tolerance * target
    return SizeFact(fact, source, target, float(value), mark, bool(hit))
