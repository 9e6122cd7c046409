"""The city: exact sums, census figures, keyed draws, alias tables, the map.

Stochastic tests use fixed seeds; their bounds are five standard errors, a false alarm in
1.7 million draws of a seed for each comparison, unless another rate is stated.
"""

import csv
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from ruamel.yaml import YAML
from scipy import stats

from reformsim.city import AGE_GROUPS, City, CityConfig, build, check_sizes, multipliers
from reformsim.city.apportion import apportion
from reformsim.city.census import chengdu_units
from reformsim.city.plane import disc, subdivide
from reformsim.city.territory import Table

ROOT = Path(__file__).resolve().parents[1]
SEED = 1
NAMES = ["chengdu", "default", "sweep", "town", "dense", "suburban", "rural"]
SMALL = NAMES[2:]


def config_of(name: str) -> CityConfig:
    text = (ROOT / "configs" / "cities" / f"{name}.yaml").read_text("utf-8")
    return CityConfig.model_validate(YAML(typ="safe").load(text))


@pytest.fixture(scope="module")
def cities() -> dict[str, City]:
    return {name: build(config_of(name), SEED) for name in NAMES}


@pytest.fixture(params=NAMES)
def city(request, cities) -> City:
    return cities[request.param]


def tables(city: City) -> list[Table]:
    return [city.districts, city.subdistricts, city.communities, city.grids, city.people]


def bits(city: City) -> bytes:
    return b"".join(
        getattr(table, name).tobytes()
        for table in tables(city)
        for name, column in table.columns().items()
        if column.dtype is not object
    )


# ---- numbers ---------------------------------------------------------------------------------


def test_census_figures_are_exact(cities):
    districts = cities["chengdu"].districts
    census = chengdu_units().values()
    assert districts.population.tolist() == [unit.population for unit in census]
    assert districts.area.tolist() == [unit.area_km2 for unit in census]
    assert districts.population.sum() == 20_937_757


def test_shipped_census_is_the_shared_one():
    shared = ROOT.parent / "shared" / "data" / "chengdu_districts_2020.csv"
    if not shared.exists():
        pytest.skip("no shared data beside the project")
    rows = csv.DictReader(shared.read_text("utf-8").splitlines())
    expected = [(int(r["adcode"]), int(r["pop_2020"]), float(r["area_km2"])) for r in rows]
    assert [(u.code, u.population, u.area_km2) for u in chengdu_units().values()] == expected


def test_counts_of_the_whole_city(cities):
    city = cities["chengdu"]
    assert np.sum(~city.subdistricts.is_town) == 161
    assert np.sum(city.subdistricts.is_town) == 100
    assert len(city.communities) == 3_000
    assert len(city.grids) == 15_663
    assert not np.any(
        city.subdistricts.is_town
        & (city.districts.population / city.districts.area >= 5_000)[city.subdistricts.district]
    )


def test_children_are_contiguous_and_sum_to_their_parent(city):
    levels = [
        (city.districts, city.districts.first_subdistrict, city.subdistricts, "district"),
        (city.subdistricts, city.subdistricts.first_community, city.communities, "subdistrict"),
        (city.communities, city.communities.first_grid, city.grids, "community"),
    ]
    for parents, first, rows, parent in levels:
        of = getattr(rows, parent)
        assert np.array_equal(of, np.repeat(np.arange(len(parents)), np.diff(first)))
        assert np.all(np.diff(first) > 0) and first[0] == 0 and first[-1] == len(rows)
        np.testing.assert_allclose(np.bincount(of, rows.area), parents.area, rtol=1e-12)
        people = np.diff(rows.first_resident) if parent == "community" else rows.population
        assert np.array_equal(np.add.reduceat(people, first[:-1]), parents.population)
        assert people.min() > 0
    assert city.grids.first_resident[-1] == len(city.people)
    assert np.diff(city.grids.first_resident).max() < 65_536
    district = city.subdistricts.district[city.communities.subdistrict]
    assert np.array_equal(city.communities.district, district)


def test_columns_have_their_declared_type_and_are_locked(cities):
    for table in tables(cities["town"]):
        for name, column in table.columns().items():
            assert getattr(table, name).dtype == column.dtype
            with pytest.raises(ValueError, match="read-only"):
                getattr(table, name)[0] = 0


@pytest.mark.parametrize(
    ("name", "low", "high", "districts", "subdistricts"),
    [
        ("default", 400_000, 600_000, 4, 7),
        ("sweep", 160_000, 160_000, 2, 8),
        ("town", 20_000, 20_000, 1, 2),
        ("dense", 80_000, 80_000, 1, 2),
        ("suburban", 80_000, 80_000, 1, 2),
        ("rural", 80_000, 80_000, 1, 2),
    ],
)
def test_sizes_of_the_shipped_cities(name, low, high, districts, subdistricts):
    for seed in range(5):
        city = build(config_of(name), seed)
        assert low <= len(city.people) <= high
        assert len(city.districts) == districts
        assert len(city.subdistricts) == subdistricts
        per_grid = len(city.people) / len(city.grids)
        assert per_grid == pytest.approx(1_337, rel=0.05)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("dense", 5_000, np.inf), ("suburban", 1_500, 5_000), ("rural", 0, 1_500)],
)
def test_station_cities_are_of_one_density(name, low, high):
    for seed in range(10):
        density = build(config_of(name), seed).subdistricts.density
        assert np.all((density >= low) & (density < high))


@pytest.mark.parametrize("name", ["default", "sweep", "town"])
def test_small_cities_are_urban_and_rural(cities, name):
    urban = cities[name].communities.urban
    assert urban.any() and not urban.all()


def test_facts_put_in_come_out(cities):
    rows = check_sizes(cities["chengdu"])
    assert all(row.hit for row in rows if row.mark != "held out")
    assert {row.mark for row in rows} == {"input", "calibrated", "held out"}
    assert [row.fact for row in check_sizes(cities["default"])] == ["residents per grid"]


# ---- chance ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["default", "town"])
def test_same_seed_same_bits(name):
    config = config_of(name)
    assert build(config, 3) is build(config_of(name), 3)
    again = build.__wrapped__(config, 3)
    assert bits(build(config, 3)) == bits(again)
    assert bits(build(config, 4)) != bits(again)


def test_a_sampled_subdistrict_is_that_of_the_whole_city(cities):
    whole, sample = cities["chengdu"], cities["default"]
    for row, name in enumerate(sample.subdistricts.name):
        (twin,) = np.flatnonzero(whole.subdistricts.name == name)
        assert sample.subdistricts.population[row] == whole.subdistricts.population[twin]
        mine, theirs = residents_of(sample, row), residents_of(whole, twin)
        for column in ("age", "alias"):
            assert np.array_equal(
                getattr(sample.people, column)[mine], getattr(whole.people, column)[theirs]
            )


def residents_of(city: City, subdistrict: int) -> slice:
    rows = city.subdistricts.first_community[subdistrict : subdistrict + 2]
    return slice(*city.grids.first_resident[city.communities.first_grid[rows]])


def test_age_shares(cities):
    city = cities["chengdu"]
    ages = CityConfig().ages
    grid_urban = city.communities.urban[city.grids.community]
    urban = np.repeat(grid_urban, np.diff(city.grids.first_resident))
    for shares, people in ((ages.urban, urban), (ages.rural, ~urban)):
        counts = np.bincount(city.people.age[people], minlength=3)
        for group, count in zip(AGE_GROUPS, counts, strict=True):
            share, n = getattr(shares, group), counts.sum()
            assert abs(count - n * share) < 5 * np.sqrt(n * share * (1 - share))


def test_multipliers_have_mean_1_and_the_stated_spread(cities):
    city = cities["chengdu"]
    drawn = multipliers(city, np.arange(0, len(city.people), 10))
    older = city.people.age[::10] == AGE_GROUPS.index("older")
    n = len(drawn)
    assert abs(drawn.mean() - 1) < 5 * 0.8 / np.sqrt(n)
    assert abs(drawn[older].mean() - 1.3) < 5 * drawn[older].std() / np.sqrt(older.sum())
    square = (drawn - 1) ** 2
    assert abs(square.mean() - 0.8**2) < 5 * square.std() / np.sqrt(n)


def test_multipliers_are_gamma_within_an_age_group(cities):
    """Kolmogorov-Smirnov; false alarm one in a million seeds."""
    city = cities["default"]
    for age, mean in enumerate(city.need_spread.means):
        drawn = multipliers(city, np.flatnonzero(city.people.age == age)[:50_000])
        shape = city.need_spread.shape
        assert stats.kstest(drawn, stats.gamma(shape, scale=mean / shape).cdf).pvalue > 1e-6


@pytest.mark.parametrize("name", ["default", *SMALL])
def test_alias_tables_hold_the_probabilities_of_multipliers(cities, name):
    """A slot's cut is stored with 24 bits: error at most 2**-25, once for each of its uses."""
    city = cities[name]
    first = city.grids.first_resident
    drawn = multipliers(city, np.arange(len(city.people)))
    for grid, (begin, end) in enumerate(pairwise(first)):
        n, weights = end - begin, drawn[begin:end]
        cut = city.people.alias["cut"][begin:end].astype(np.float64)
        other = city.people.alias["other"][begin:end]
        assert other.max() < n and cut.min() >= 0 and cut.max() <= 1
        implied = (cut + np.bincount(other, 1 - cut, minlength=n)) / n
        uses = 1 + np.bincount(other, minlength=n)
        assert np.all(np.abs(implied - weights / weights.sum()) <= uses * 2.0**-25 / n + 1e-15)
        assert implied.sum() == pytest.approx(1, abs=1e-12)
        assert city.grids.multiplier_sum[grid] == pytest.approx(weights.sum(), rel=1e-12)


# ---- map -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["chengdu", "default", "town"])
def test_outlines_have_the_areas_and_hold_the_centroids(cities, name):
    city = cities[name]
    for table, polygons in (
        (city.subdistricts, city.subdistrict_polygons()),
        (city.communities, city.community_polygons()),
    ):
        shapes = shapely.polygons([shapely.linearrings(p) for p in polygons])
        assert len(shapes) == len(table)
        np.testing.assert_allclose(shapely.area(shapes), table.area, rtol=1e-9)
        assert np.all(shapely.contains_xy(shapes, table.x, table.y))
    grids, communities = city.grids, shapes
    assert np.all(shapely.contains_xy(communities[grids.community], grids.x, grids.y))


def test_children_tile_their_parent(cities):
    city = cities["chengdu"]
    districts = [shapely.Polygon(p) for p in city.district_polygons()]
    places = [shapely.Polygon(p) for p in city.subdistrict_polygons()]
    first = city.districts.first_subdistrict
    for row, district in enumerate(districts):
        assert district.area == pytest.approx(city.districts.area[row], rel=1e-9)
        union = shapely.union_all(places[first[row] : first[row + 1]], grid_size=1e-7)
        assert shapely.symmetric_difference(union, district).area < 1e-4


def test_dense_in_the_middle(cities):
    city = cities["chengdu"]
    places = city.subdistricts
    distance = np.hypot(places.x, places.y)
    assert stats.spearmanr(places.density, distance).statistic < -0.5
    core = city.districts.population / city.districts.area > 10_000
    outward = np.hypot(city.districts.x, city.districts.y)
    assert outward[core].max() < np.quantile(outward, 0.5)
    for begin, end in pairwise(city.districts.first_subdistrict):
        assert np.all(np.diff(places.density[begin:end]) <= 0)


@given(st.lists(st.floats(0.001, 1.0), min_size=1, max_size=25), st.floats(0, 6.3))
def test_subdivision_meets_any_areas(areas, turn):
    shares = np.array(areas)
    first = np.array([0, len(shares)])
    cells = subdivide(disc(100.0), first, shares, np.array([turn]), 0.3, 2).polygons()
    found = shapely.area(shapely.polygons([shapely.linearrings(c) for c in cells]))
    np.testing.assert_allclose(found, 100 * shares / shares.sum(), rtol=1e-8)


# ---- configuration ---------------------------------------------------------------------------


@given(
    st.integers(0, 10_000),
    st.lists(st.floats(0.01, 100), min_size=1, max_size=40),
    st.integers(0, 3),
)
def test_apportion_keeps_the_total_and_the_quota(total, weights, at_least):
    weights = np.array(weights)
    if total < at_least * len(weights):
        with pytest.raises(ValueError, match="cannot be split"):
            apportion(total, weights, at_least)
        return
    shares = apportion(total, weights, at_least)
    assert shares.sum() == total and shares.min() >= at_least
    if at_least == 0:
        assert np.all(np.abs(shares - total * weights / weights.sum()) < 1)


UNIT = {"name": "A", "name_zh": "甲区", "population": 20_000, "area_km2": 20}
SIZES = {"mean": 10_000, "sigma": 0.2}
TOWN = {
    "units": [UNIT],
    "subdistricts": {"count": 1, **SIZES},
    "towns": {"count": 1, **SIZES},
    "communities": 5,
    "grids": 15,
}


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"units": [UNIT | {"population": -5}]}, "units", "greater than 0"),
        ({"units": []}, "units", "empty"),
        ({"units": ["Jinjang"]}, "units", "unknown unit 'Jinjang'; known: Jinjiang"),
        ({"units": [UNIT, UNIT]}, "units", "appears twice"),
        ({"subdistricts": {"count": 30_000, **SIZES}}, "towns", "more subdistricts and towns"),
        ({"subdistricts": {"count": 0, **SIZES}, "towns": {"count": 0, **SIZES}}, "towns", "one"),
        ({"spread": {"no_towns_above": 10}}, "towns", "no place for them"),
        ({"communities": 1}, "communities", "fewer than the 2 subdistricts and towns"),
        ({"grids": 3}, "grids", "fewer than the 5 communities"),
        ({"grids": 30_000}, "grids", "20000 people"),
        ({"needs": {"cv": 0.01}}, "needs", "cv is below"),
        ({"ages": {"urban": {"young": 0.5, "middle": 0.5, "older": 0.5}}}, "ages", "sum to 1.5"),
        (
            {"sample": {"units": [{"unit": "B"}], "residents_from": 1, "residents_to": 2}},
            "sample",
            "takes no subdistrict",
        ),
        (
            {
                "sample": {
                    "units": [{"unit": "A", "towns": 9}],
                    "residents_from": 1,
                    "residents_to": 2,
                }
            },
            "sample",
            "A has 1 subdistricts and 1 towns, not 0 and 9",
        ),
        ({"comunities": 5}, "comunities", "Extra inputs"),
    ],
)
def test_impossible_values_are_refused_at_their_field(change, field, message):
    CityConfig.model_validate(TOWN)
    with pytest.raises(ValidationError, match=message) as caught:
        CityConfig.model_validate(TOWN | change)
    assert field in {error["loc"][0] for error in caught.value.errors()}


def test_a_subset_of_chengdu_by_name():
    config = CityConfig.model_validate(
        {
            "units": ["Jinjiang", "Pidu"],
            "subdistricts": {"count": 20, "mean": 105_000, "sigma": 0.6},
            "towns": {"count": 3, "mean": 40_000, "sigma": 0.6},
            "communities": 320,
            "grids": 1_900,
        }
    )
    city = build(config, SEED)
    assert city.districts.name.tolist() == ["Jinjiang", "Pidu"]
    assert city.districts.population.tolist() == [902_933, 1_672_025]


def test_what_a_seed_cannot_meet_is_refused():
    lone = {"units": [{"unit": "A", "towns": 1}], "residents_from": 1, "residents_to": 2}
    with pytest.raises(ValueError, match="no sample of 1 to 2 residents"):
        build(CityConfig.model_validate(TOWN | {"sample": lone}), SEED)
    crowded = TOWN | {
        "units": [UNIT | {"population": 130_000}],
        "towns": {"count": 0, **SIZES},
        "communities": 1,
        "grids": 2,
        "grid_sigma": 2.0,
    }
    with pytest.raises(ValueError, match="more grids"):
        build(CityConfig.model_validate(crowded), SEED)
