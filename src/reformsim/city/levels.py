"""The numbers of a city, level by level: how many units there are, how large, of what type.

Each level is a frame with one row a unit, the children of a unit together; ``key`` is the
stream of the unit's draws.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from reformsim.city.apportion import apportion
from reformsim.city.config import MAX_GRID, CityConfig, Sample
from reformsim.city.draws import (
    Word,
    children,
    city_key,
    lognormals,
    offsets,
    share_area,
    share_people,
    uniforms,
)
from reformsim.city.profile import BANDS, COMMUNITY_TYPES, VILLAGE
from reformsim.city.stated import CommunityFacts, Staff, SubdistrictFacts, figures, sites
from reformsim.city.territory import NeedSpread

SAMPLE_TRIALS = 1_000
#: Columns of a stated place on the map, NaN without one.
SITE = ["east", "north"]
AGES = ["young", "middle", "older"]


def draw_districts(config: CityConfig, seed: int) -> pd.DataFrame:
    """Return the census units, in the order of the configuration."""
    census = config.census()
    names = {"name", "name_zh", "population", "area_km2", "code"}
    frame = pd.DataFrame([unit.model_dump(include=names) for unit in census])
    frame = frame.rename(columns={"area_km2": "area"})
    frame["line_heads"] = figures([unit.line_staff for unit in census])
    frame[SITE] = sites([unit.site() for unit in census])
    return frame.assign(city=0, key=children(city_key(seed), np.array([len(frame)])))


def draw_subdistricts(config: CityConfig, districts: pd.DataFrame) -> pd.DataFrame:
    """Return subdistricts and towns by district, the denser first; ``listed`` is the row stated."""
    subdistricts, towns = config.places()
    counts = subdistricts + towns
    first = offsets(counts)
    key = children(districts.key.to_numpy(), counts)
    district = np.repeat(np.arange(len(districts)), counts)
    is_town = np.arange(len(key)) - first[district] >= subdistricts[district]
    mean = np.where(is_town, config.towns.mean, config.subdistricts.mean)
    sigma = np.where(is_town, config.towns.sigma, config.subdistricts.sigma)
    spread = config.spread
    density = np.where(is_town, 1.0, spread.subdistrict_to_town) * lognormals(
        key, Word.DENSITY, np.full(len(key), spread.subdistrict_sigma)
    )
    facts = _figures(config.stated(), len(key))
    population = share_people(
        districts.population.to_numpy(),
        mean * lognormals(key, Word.SIZE, sigma),
        first,
        stated=facts.population.to_numpy(),
    )
    area = share_area(districts.area.to_numpy(), population / density, first, facts.area.to_numpy())
    band = config.bands.of(population / area)
    frame = pd.DataFrame(
        {
            "district": district,
            "key": key,
            "is_town": is_town,
            "population": population,
            "area": area,
            "density": population / area,
            "band": band,
            "urban": band != BANDS.index("rural"),
            "listed": np.arange(len(key)),
        }
    )
    staff = [place.staff for place in config.stated()] or [Staff()] * len(key)
    frame["office_heads"] = figures([heads.office for heads in staff])
    frame["station_heads"] = figures([heads.station for heads in staff])
    frame["grid_workers"] = figures([heads.grid for heads in staff])
    frame[SITE + AGES] = facts[SITE + AGES]
    frame = _denser_first(frame, "district")
    number = (frame.groupby(["district", "is_town"]).cumcount() + 1).map("{:02d}".format)
    if stated := [config.stated()[row] for row in frame.listed if config.stated()]:
        return frame.assign(
            name=[place.name for place in stated], name_zh=[place.name_zh for place in stated]
        )
    town, unit = frame.is_town.to_numpy(), districts.loc[frame.district].reset_index()
    return frame.assign(
        name=unit.name + np.where(town, " Town ", " Subdistrict ") + number,
        name_zh=unit.name_zh + number + np.where(town, "镇", "街道"),
    )


def draw_communities(config: CityConfig, subdistricts: pd.DataFrame) -> pd.DataFrame:
    """Return communities by subdistrict, the denser first, with their number of grids."""
    bands = config.bands.table()
    band = subdistricts.band.to_numpy()
    people = subdistricts.population.to_numpy()
    size = np.array([b.community_size for b in bands])[band]
    stated = [config.stated()[row].communities for row in subdistricts.listed if config.stated()]
    inner = [community for communities in stated for community in communities]
    counts = apportion(config.communities, people / size, at_least=1)
    if inner:
        counts = np.array([len(communities) for communities in stated])
    first = offsets(counts)
    subdistrict = np.repeat(np.arange(len(subdistricts)), counts)
    key = children(subdistricts.key.to_numpy(), counts)
    cumulative = np.cumsum([b.kinds.array() for b in bands], axis=1)[:, :-1]
    kind = np.sum(
        uniforms(key, Word.KIND)[:, None] >= cumulative[band[subdistrict]], axis=1, dtype=np.uint8
    )
    for row, community in enumerate(inner):
        if community.kind is not None:
            kind[row] = COMMUNITY_TYPES.index(community.kind)
    facts = _figures(inner, len(key))
    sigma = np.full(len(key), config.community_sigma)
    population = share_people(
        people, lognormals(key, Word.SIZE, sigma), first, stated=facts.population.to_numpy()
    )
    sigma = np.full(len(key), config.spread.community_sigma)
    density = config.kind_density.array()[kind] * lognormals(key, Word.DENSITY, sigma)
    area = share_area(
        subdistricts.area.to_numpy(), population / density, first, facts.area.to_numpy()
    )
    workers = share_people(
        np.array([config.grids]), people, np.array([0, len(people)]), counts,
        subdistricts.grid_workers.to_numpy(),
    )  # fmt: skip
    grids = share_people(workers, population, first)
    frame = pd.DataFrame(
        {
            "subdistrict": subdistrict,
            "district": subdistricts.district.to_numpy()[subdistrict],
            "key": key,
            "kind": kind,
            "urban": kind != VILLAGE,
            "population": population,
            "area": area,
            "density": population / area,
            "grids": grids,
            "station": [community.station for community in inner] or False,
        }
    )
    frame[SITE] = facts[SITE]
    frame[AGES] = _ages(config, frame, facts, subdistricts)
    return _denser_first(frame, "subdistrict")


def _figures(places: Sequence[SubdistrictFacts | CommunityFacts], count: int) -> pd.DataFrame:
    """Return the figures of stated places, NaN where left out; ``count`` rows of NaN if none."""
    if not places:
        return pd.DataFrame(np.nan, range(count), ["population", "area", *SITE, *AGES])
    site = [p.site() if isinstance(p, SubdistrictFacts) else p.at for p in places]
    frame = pd.DataFrame(
        {
            "population": figures([place.population for place in places]),
            "area": figures([place.area_km2 for place in places]),
        }
    )
    frame[SITE] = sites(site)
    for group in AGES:
        frame[group] = figures([getattr(place.ages, group, None) for place in places])
    return frame


def _ages(
    config: CityConfig, communities: pd.DataFrame, facts: pd.DataFrame, subdistricts: pd.DataFrame
) -> np.ndarray:
    """Return age shares (communities, 3): stated, else the subdistrict's, else by kind."""
    by_kind = [[getattr(shares, group) for group in AGES] for shares in
               (config.ages.rural, config.ages.urban)]  # fmt: skip
    drawn = np.array(by_kind)[communities.urban.to_numpy().astype(np.intp)]
    outer = subdistricts[AGES].to_numpy()[communities.subdistrict]
    inner = facts[AGES].to_numpy()
    outer = np.where(np.isnan(outer), drawn, outer)
    return np.where(np.isnan(inner), outer, inner)


def _denser_first(frame: pd.DataFrame, parent: str) -> pd.DataFrame:
    order = np.lexsort((-frame.density.to_numpy(), frame[parent].to_numpy()))
    return frame.iloc[order].reset_index(drop=True)


def need_spread(config: CityConfig, communities: pd.DataFrame) -> NeedSpread:
    """Return the distributions whose multipliers average 1 over the whole city."""
    share = float(np.average(communities.older, weights=communities.population))
    other = config.needs.other_mean(share)
    means = (other, other, config.needs.older_mean)
    return NeedSpread(means=means, shape=1 / config.needs.square_cv_within(share))


def draw_grids(config: CityConfig, communities: pd.DataFrame) -> pd.DataFrame:
    """Return grids by community, with residents and area in the same proportion.

    Raises ValueError if a grid has more than 65,535 residents.
    """
    counts = communities.grids.to_numpy()
    first = offsets(counts)
    key = children(communities.key.to_numpy(), counts)
    sigma = np.full(len(key), config.grid_sigma)
    population = share_people(
        communities.population.to_numpy(), lognormals(key, Word.SIZE, sigma), first
    )
    if population.max() > MAX_GRID:
        raise ValueError(f"a grid of {population.max()} residents; at most {MAX_GRID}: more grids")
    return pd.DataFrame(
        {
            "community": np.repeat(np.arange(len(communities)), counts),
            "key": children(key, np.ones(len(key), np.int64)),  # apart from the grid's own draws
            "population": population,
            "area": share_area(communities.area.to_numpy(), population.astype(np.float64), first),
        }
    )


def choose(sample: Sample, districts: pd.DataFrame, subdistricts: pd.DataFrame) -> np.ndarray:
    """Return which subdistricts a sample keeps, bool (subdistricts,).

    Each unit gives its keyed draw of subdistricts and of towns; the draw is repeated until the
    residents come to the sample's range. Raises ValueError if no trial does.
    """
    key = subdistricts.key.to_numpy()
    name = districts.name.to_numpy()[subdistricts.district]
    for trial in range(SAMPLE_TRIALS):
        lot = uniforms(key, Word.SAMPLE + trial)
        kept = np.zeros(len(subdistricts), dtype=bool)
        for row in sample.units:
            for is_town, count in ((False, row.subdistricts), (True, row.towns)):
                pool = np.flatnonzero((name == row.unit) & (subdistricts.is_town == is_town))
                kept[pool[np.argsort(lot[pool])[:count]]] = True
        residents = subdistricts.population[kept].sum()
        if sample.residents_from <= residents <= sample.residents_to:
            return kept
    raise ValueError(
        f"no sample of {sample.residents_from} to {sample.residents_to} residents "
        f"in {SAMPLE_TRIALS} trials; the last one had {residents}"
    )
