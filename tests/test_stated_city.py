"""Real units: what a city file states is kept exactly, what it leaves out is drawn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from reformsim.city import COMMUNITY_TYPES, CityConfig, build
from reformsim.city.layouts import plan
from reformsim.city.plane import around, disc, subdivide
from reformsim.model import CityModel
from reformsim.scenario import Scenario

SQUARE = [(0.0, 0.0), (2.0, 0.0), (0.0, 2.0), (2.0, 2.0)]


def stated(**more):
    """Return the fields of a city of two subdistricts with two communities each."""
    inner = [
        {"name": f"c{i}", "name_zh": f"社区{i}", "population": 1000 + 500 * i, "area_km2": 1.0 + i,
         "kind": COMMUNITY_TYPES[i], "at": SQUARE[i], "station": i in (1, 2)}
        for i in range(4)
    ]  # fmt: skip
    places = [
        {"name": "East", "name_zh": "东街道", "population": 2500, "area_km2": 3.0,
         "communities": inner[:2], "staff": {"office": 12.5, "station": 4, "grid": 3}},
        {"name": "West", "name_zh": "西镇", "town": True, "population": 4500, "area_km2": 7.0,
         "communities": inner[2:],
         "ages": {"young": 0.2, "middle": 0.3, "older": 0.5}},
    ]  # fmt: skip
    unit = {"name": "D", "name_zh": "区", "population": 7000, "area_km2": 10.0, "line_staff": 9,
            "subdistricts": places}  # fmt: skip
    return {
        "name": "C", "name_zh": "市", "units": [unit], "communities": 4, "grids": 8,
        "subdistricts": {"count": 1, "mean": 1, "sigma": 0},
        "towns": {"count": 1, "mean": 1, "sigma": 0},
    } | more  # fmt: skip


def by_population(table):
    return np.argsort(table.population)


@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_stated_is_kept(seed):
    city = build(CityConfig.model_validate(stated()), seed)
    c, order = city.communities, by_population(city.communities)
    assert c.population[order].tolist() == [1000, 1500, 2000, 2500]
    assert c.area[order].tolist() == [1, 2, 3, 4]
    assert c.kind[order].tolist() == [0, 1, 2, 3]
    assert list(zip(c.x[order], c.y[order], strict=True)) == SQUARE
    s = city.subdistricts
    east = int(np.flatnonzero(s.name == "East")[0])
    assert s.name_zh[east] == "东街道" and not s.is_town[east] and s.is_town[1 - east]
    assert (s.population[east], s.area[east]) == (2500, 3.0)
    assert (s.office_heads[east], s.station_heads[east]) == (12.5, 4)
    assert np.isnan(s.office_heads[1 - east])
    workers = np.bincount(c.subdistrict[city.grids.community])
    assert workers.tolist() == [3, 5] if east == 0 else [5, 3]


def test_grids_lie_around_their_community_and_fill_it():
    city = build(CityConfig.model_validate(stated()), 1)
    for row in range(4):
        here = city.grids.community == row
        middle = np.average(city.grids.x[here], weights=city.grids.area[here])
        assert middle == pytest.approx(city.communities.x[row], abs=1e-6)
        assert city.grids.area[here].sum() == pytest.approx(city.communities.area[row])


def test_stated_ages_are_those_of_the_residents():
    """Five standard errors of a share of 4,500: a false alarm in 1.7 million seeds."""
    city = build(CityConfig.model_validate(stated()), 1)
    west = city.subdistricts.is_town[city.communities.subdistrict[city.grids.community]]
    age = city.people.age[np.repeat(west, np.diff(city.grids.first_resident))]
    assert np.mean(age == 2) == pytest.approx(0.5, abs=5 * np.sqrt(0.25 / 4500))


def test_what_is_left_out_is_drawn_anew_with_each_seed():
    fields = stated()
    for community in fields["units"][0]["subdistricts"][0]["communities"]:
        del community["population"], community["kind"], community["area_km2"]
    config = CityConfig.model_validate(fields)
    drawn = [build(config, seed) for seed in (1, 2)]
    sums = [c.communities.population[~c.subdistricts.is_town[c.communities.subdistrict]].tolist()
            for c in drawn]  # fmt: skip
    assert sums[0] != sums[1] and sum(sums[0]) == sum(sums[1]) == 2500


def test_stations_and_staff_are_the_ones_stated():
    config = CityConfig.model_validate(stated())
    city = build(config, 1)
    site = plan(city, "before").site
    assert sorted(city.communities.population[np.unique(site)]) == [1500, 2000]
    model = CityModel(Scenario(name="t", city=config, warm_up=30, days=60), rng=1)
    model.run_until(60)
    assert model.administration.setting.base.departments.tolist() == [9.0]


def break_at(path, value):
    fields = stated()
    here = fields
    for key in path[:-1]:
        here = here[key]
    here[path[-1]] = value
    return fields


UNIT = ("units", 0)
EAST = (*UNIT, "subdistricts", 0)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ((*EAST, "population"), 2400, "communities sum to 2500"),
        ((*UNIT, "population"), 7001, "subdistricts sum to 7000"),
        ((*UNIT, "area_km2"), 11.0, "sum to 10"),
        ((*EAST, "communities", 0, "name"), "c1", "appears twice"),
        ((*EAST, "communities", 0, "at"), None, "3 of 4 communities have a place"),
        ((*EAST, "communities", 0, "at"), (2.0, 0.0), "two places at 2, 0"),
        ((*EAST, "staff", "grid"), 1, "fewer than the 2 communities"),
        (("communities",), 5, "the subdistricts list 4"),
        (("grids",), 3, "fewer than the 4 communities"),
        (("towns",), {"count": 2, "mean": 1, "sigma": 0}, "the units list 1 and 1"),
    ],
)
def test_contradictions_are_refused(path, value, words):
    with pytest.raises(ValidationError, match=words):
        CityConfig.model_validate(break_at(path, value))


@given(
    points=st.lists(
        st.tuples(st.integers(-5000, 5000), st.integers(-5000, 5000)), min_size=1, max_size=12,
        unique=True,
    ),
    data=st.data(),
)  # fmt: skip
def test_cells_around_known_sites_have_their_areas(points, data):
    sites = np.array(points) / 100
    areas = np.array([data.draw(st.floats(0.1, 50)) for _ in points])
    border = around(sites, areas.sum())
    zero = np.zeros(1)
    cells = subdivide(border, np.array([0, len(points)]), areas, zero, 0.0, 5, sites)
    found = [disc_area(cell) for cell in cells.polygons()]
    np.testing.assert_allclose(found, areas, rtol=1e-6)


def disc_area(polygon):
    x, y = polygon.T
    return 0.5 * np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)


def test_around_one_place_is_a_disc():
    assert disc_area(around(np.zeros((1, 2)), 3.0).vertices) == pytest.approx(3.0)
    assert disc_area(disc(3.0).vertices) == pytest.approx(3.0)
