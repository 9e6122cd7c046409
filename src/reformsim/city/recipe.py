"""From census facts to a city: ``build(config, seed)``.

The numbers of the whole city are drawn first, down to communities; then a sample keeps whole
subdistricts; grids and residents follow for those kept. Every draw is keyed by its unit, so a
sampled subdistrict is the one of the whole city, resident by resident.
"""

from functools import lru_cache

import numpy as np
import pandas as pd

from reformsim.city import levels
from reformsim.city.config import CityConfig
from reformsim.city.draws import Word, offsets, uniforms
from reformsim.city.levels import SITE
from reformsim.city.people import draw_people
from reformsim.city.plane import Outlines, around, disc, subdivide
from reformsim.city.territory import (
    ALIAS,
    City,
    Communities,
    Districts,
    Grids,
    NeedSpread,
    People,
    Subdistricts,
)

MOVED = ["east_moved", "north_moved"]
#: The parent of districts: the map, which lies still.
STILL = pd.DataFrame({MOVED[0]: [0.0], MOVED[1]: [0.0], "key": np.zeros(1, np.uint64)})
RELAXATIONS = 5  # rounds the cells of the map; more change little


@lru_cache(maxsize=2)
def build(config: CityConfig, seed: int) -> City:
    """Draw the city of a configuration and a seed; the same call returns the same object.

    Raises ValueError if a valid configuration cannot be met with this seed: a sample that
    misses its range of residents, or a grid of more than 65,535 residents.
    """
    districts = levels.draw_districts(config, seed)
    subdistricts = levels.draw_subdistricts(config, districts)
    communities = levels.draw_communities(config, subdistricts)
    need_spread = levels.need_spread(config, communities)
    known = [frame[SITE].to_numpy() for frame in (communities, subdistricts, districts)]
    district_map = _map_districts(districts, next((k for k in known if np.isfinite(k).all()), None))
    subdistrict_map = _cut(district_map, districts, subdistricts, "district", pull=0.5)
    if config.sample is not None:
        kept = levels.choose(config.sample, districts, subdistricts)
        units = np.unique(subdistricts.district[kept])
        district_map = district_map.take(units)
        subdistrict_map = subdistrict_map.take(np.flatnonzero(kept))
        districts, subdistricts, communities = _keep(kept, districts, subdistricts, communities)
    community_map = _cut(subdistrict_map, subdistricts, communities, "subdistrict")
    grids = levels.draw_grids(config, communities)
    grid_map = _cut(community_map, communities, grids, "community")
    districts = _placed(districts, district_map, STILL, districts.city)
    subdistricts = _placed(subdistricts, subdistrict_map, districts, subdistricts.district)
    communities = _placed(communities, community_map, subdistricts, communities.subdistrict)
    grids = _placed(grids, grid_map, communities, grids.community)
    people, grids["multiplier_sum"] = _draw_people(config, communities, grids, need_spread)
    return City(
        name=config.name,
        name_zh=config.name_zh,
        seed=seed,
        districts=Districts.of(districts, _first(subdistricts.district, districts)),
        subdistricts=Subdistricts.of(subdistricts, _first(communities.subdistrict, subdistricts)),
        communities=Communities.of(communities, _first(grids.community, communities)),
        grids=Grids.of(grids, offsets(grids.population.to_numpy())),
        people=people,
        need_spread=need_spread,
        district_outlines=district_map,
        subdistrict_outlines=subdistrict_map,
        community_outlines=community_map,
    )


def _map_districts(districts: pd.DataFrame, known: np.ndarray | None) -> Outlines:
    """Lay the districts out on a disc, the denser nearer to its centre.

    The origin of the map, the city centre, is then put in the middle of the densest district.
    Where places (n, 2) are ``known``, they say where the city lies.
    """
    if known is not None:
        return _cut(around(known, districts.area.sum()), STILL, districts, "city")
    area = districts.area.to_numpy()
    order = np.argsort(-districts.population.to_numpy() / area, kind="stable")
    turn = 2 * np.pi * uniforms(districts.key.to_numpy()[:1], Word.MAP)
    ordered = subdivide(
        disc(area.sum()), np.array([0, len(area)]), area[order], turn, 0.0, RELAXATIONS
    )
    ordered = Outlines(ordered.vertices - ordered.centroids()[0], ordered.first)
    return ordered.take(np.argsort(order))


def _cut(
    outlines: Outlines, parents: pd.DataFrame, rows: pd.DataFrame, parent: str, pull: float = 0.0
) -> Outlines:
    """Cut the outlines of parents into those of their rows; see ``plane.subdivide``."""
    turns = 2 * np.pi * uniforms(parents.key.to_numpy(), Word.TURN)
    first = _first(rows[parent], parents)
    known = rows[SITE].to_numpy() if SITE[0] in rows else None
    sites = known if known is not None and np.isfinite(known).all() else None
    return subdivide(outlines, first, rows.area.to_numpy(), turns, pull, RELAXATIONS, sites)


def _first(parent_of_row: pd.Series, parents: pd.DataFrame) -> np.ndarray:
    return offsets(np.bincount(parent_of_row, minlength=len(parents)))


def _keep(
    kept: np.ndarray,
    districts: pd.DataFrame,
    subdistricts: pd.DataFrame,
    communities: pd.DataFrame,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Keep some subdistricts, with their communities, and count districts by what is kept."""
    units, district = np.unique(subdistricts.district[kept], return_inverse=True)
    subdistricts = subdistricts[kept].assign(district=district)
    sums = subdistricts.groupby("district")[["population", "area"]].sum()
    districts = districts.iloc[units].assign(
        population=sums.population.to_numpy(), area=sums.area.to_numpy()
    )
    communities = communities[kept[communities.subdistrict]]
    row = np.cumsum(kept) - 1
    communities = communities.assign(
        subdistrict=row[communities.subdistrict],
        district=district[row[communities.subdistrict]],
    )
    return (
        districts.reset_index(drop=True),
        subdistricts.reset_index(drop=True),
        communities.reset_index(drop=True),
    )


def _draw_people(
    config: CityConfig, communities: pd.DataFrame, grids: pd.DataFrame, spread: NeedSpread
) -> tuple[People, np.ndarray]:
    """Return the residents' columns, and the sum of multipliers of each grid."""
    young, middle = communities.young.to_numpy(), communities.middle.to_numpy()
    total = int(grids.population.sum())
    age, alias = np.empty(total, np.uint8), np.empty(total, ALIAS)  # by NumPy: in huge pages
    sums = draw_people(
        grids.key.to_numpy(),
        offsets(grids.population.to_numpy()),
        np.column_stack([young, young + middle])[grids.community],
        np.array(spread.means),
        spread.shape,
        age,
        alias,
    )
    return People(age=age, alias=alias), sums


def _placed(
    frame: pd.DataFrame, outlines: Outlines, parents: pd.DataFrame, parent: pd.Series
) -> pd.DataFrame:
    """Put each row at its stated place, else at the centroid of its outline.

    Children move along with a parent whose stated place is not where its outline lies.
    """
    centroids = outlines.centroids()
    site = centroids + parents[MOVED].to_numpy()[parent]
    if SITE[0] in frame:
        stated = frame[SITE].to_numpy()
        site = np.where(np.isnan(stated), site, stated)
    x, y = site.T
    frame = frame.assign(x=x, y=y)
    frame[MOVED] = site - centroids
    return frame
