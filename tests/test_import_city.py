"""A user's tables to a city file: kept, marked, and every mistake told in both languages."""

import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from reformsim.city import build
from reformsim.cli import app
from reformsim.config import ConfigError
from reformsim.model import CityModel
from reformsim.observed.holdings import STAFF, STATIONS
from reformsim.observed.importing import import_city
from reformsim.observed.projection import shift
from reformsim.observed.reading import plain
from reformsim.observed.units import UNITS as UNIT_COLUMNS
from reformsim.scenario import Scenario

PAGE = Path(__file__).resolve().parents[1] / "docs" / "own-city.md"
EXAMPLE = PAGE.parent / "examples" / "own-city"
UNITS = """name,level,parent,population,area_km2
D,unit,,3000,6
East,subdistrict,D,2000,2
West,town,D,1000,4
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def imported(folder, units, *others, crs="wgs84"):
    (folder / "units.csv").write_bytes(units if isinstance(units, bytes) else units.encode())
    return import_city([Path("units.csv"), *others], "D", crs, folder / "out")


def lines_of(folder, units, *others, crs="wgs84"):
    """Return the English first lines of all mistakes, having held each to be in Chinese too."""
    with pytest.raises(ConfigError) as told:
        imported(folder, units, *others, crs=crs)
    for line in told.value.lines:
        english, chinese = line.split("\n")
        assert re.match(r"\S+:\d+:\d+: .+: .+", english)
        assert re.search(r"[\u4e00-\u9fff]", chinese)
    assert not (folder / "out").exists()
    return [line.split("\n")[0] for line in told.value.lines]


def written(name, text):
    Path(name).write_text(text, "utf-8")
    return Path(name)


# ---- the worked example ----------------------------------------------------------------------


def test_the_worked_example_runs_as_documented(folder):
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)
    run = CliRunner().invoke
    files = ["units.csv", "staff.csv", "stations.csv"]
    result = run(app, ["city", "import", *files, "-o", "out", "--name", "青溪区"])
    assert result.exit_code == 0, result.output
    assert "assumed: kind of 2 community" in result.output
    assert "out/city.yaml: a valid city" in run(app, ["check", "out/city.yaml"]).output
    (folder / "s.yaml").write_text("name: s\ncity: out/city.yaml\nwarm_up: 30\ndays: 60\n")
    scenario = Scenario.load("s.yaml")
    city = build(scenario.city, scenario.city_seed)
    assert city.communities.population.sum() == 61_500
    assert set(city.subdistricts.name_zh) == {
        "老城街道",
        "新桥街道",
        "河湾街道",
        "高坪街道",
        "竹山镇",
    }
    assert city.communities.station.sum() == 6
    model = CityModel(scenario, rng=1)
    model.run_until(60)
    table = model.outcomes()
    assert set(table[table.level == "subdistrict"].place) == set(city.subdistricts.name)


@pytest.mark.parametrize(
    ("title", "columns"), [("Units", UNIT_COLUMNS), ("Staff", STAFF), ("Stations", STATIONS)]
)
def test_the_page_lists_the_columns_that_are_declared(title, columns):
    section = PAGE.read_text("utf-8").split(f" / {title}\n", 1)[1].split("\n#", 1)[0]
    rows = re.findall(r"^\| (\S+) \| (\w+) \|", section, re.MULTILINE)[1:]
    assert [name for _, name in rows] == [column.name for column in columns]
    for zh, name in rows:
        column = next(column for column in columns if column.name == name)
        assert plain(zh) in column.names()


def test_every_figure_is_stated_or_marked(folder):
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)
    import_city([Path("units.csv")], "青溪区", "wgs84", folder / "out")
    with (folder / "out" / "assumed.csv").open(encoding="utf-8-sig") as stream:
        marks = {(row["place"], row["field"]): row["mark"] for row in csv.DictReader(stream)}
    assert marks["科园社区", "kind"] == "assumed"
    assert marks["新桥街道", "population"] == "derived"
    assert ("文庙社区", "kind") not in marks
    text = (folder / "out" / "city.yaml").read_text("utf-8")
    line = next(line for line in text.splitlines() if "科园社区" in line)
    assert (
        line.endswith("# assumed: kind, ages / 假设:社区类型、年龄结构")
        and "kind:" not in line.split("#")[0]
    )


def test_without_communities_and_without_a_unit_row(folder):
    found = imported(folder, "名称,层级,人口,面积\n甲街道,街道,20000,4\n乙镇,镇,9000,30\n")
    (unit,) = found.config.census()
    assert (unit.name_zh, unit.population, unit.area_km2) == ("D", 29_000, 34)
    city = build(found.config, 1)
    assert sorted(city.subdistricts.population) == [9_000, 20_000]
    assert any("one, D, holds all" in words.en for words in found.told)


# ---- hostile files ---------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_give_the_same_city(folder, encoding, end):
    text = (EXAMPLE / "units.csv").read_text("utf-8")
    same = import_city([EXAMPLE / "units.csv"], "D", "wgs84", folder / "same").config
    assert imported(folder, text.replace("\n", end).encode(encoding)).config == same


def test_what_excel_leaves_behind(folder):
    """Titles, blanks, mixed ends, full-width figures, a header twice, merged cells, formulas."""
    text = (
        "sep=;\r\n某区单位情况表;;;;;\r\n;;;;;\n"
        "名称;层级;上级;人口;面积;\r\n"
        "D;区县;;\uff13\uff0c\uff10\uff10\uff10;\uff16;\n"
        "东街道;街道;D;2,000;2.0;\r\n"
        "名称;层级;上级;人口;面积;\n"
        '="西街道";;;"1,000";4;\r'
        ";;;;;\n"
    )
    found = imported(folder, text)
    (unit,) = found.config.census()
    assert [place.name for place in unit.subdistricts] == ["东街道", "西街道"]
    assert [place.population for place in unit.subdistricts] == [2000, 1000]
    told = " ".join(words.en for words in found.told)
    assert "1 repeated headers" in told and "2 blank cells" in told


# ---- mistakes --------------------------------------------------------------------------------


def test_all_mistakes_at_once(folder):
    units = UNITS.replace("East,subdistrict,D,2000,2", "East,subdistrict,X,-5,two") + (
        "West,town,D,1000,4\nc,quarter,East,=SUM(A1:A3),1\n,town,D,7.5,1\n"
    )
    found = lines_of(folder, units)
    for words in (
        "units.csv:3:3: parent: no unit 'X'",
        "units.csv:3:4: population: -5 is impossible: allowed: ≥ 1",
        "units.csv:3:5: area_km2: 'two' is no number",
        "units.csv:5:1: name: 'West' stands on line 4 already",
        "units.csv:6:2: level: 'quarter' is no level",
        "units.csv:6:4: population: a formula",
        "units.csv:7:1: name: no name",
    ):
        assert any(line.startswith(words) for line in found), (words, found)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("1000,4", "999,4", "2:4: population: 3,000 residents, but those within sum to 2,999"),
        ("3000,6", "3000,7", "units.csv:2:5: area_km2: 7 km², but those within sum to 6"),
        ("1000,4", "1000.5,4", "units.csv:4:4: population: 1000.5 is not whole"),
        ("population", "popluation", "1:4: popluation: unknown column, did you mean population?"),
        ("level", "rank", "units.csv:1:1: level: this column is missing"),
        ("area_km2", "name", "units.csv:1:5: a head that column 1 has already"),
        ("D,unit,,3000,6", "D,unit,,3000,6\nE,unit,,500,1", "3:1: name: lists no unit within"),
        ("3000,6", "3000,", ""),
        ("3000,6\nEast,subdistrict,D,2000,2", "3000,\nEast,town,D,2000,", "area_km2: nothing"),
    ],
)  # fmt: skip
def test_mistakes(folder, old, new, words):
    if not words:
        assert imported(folder, UNITS.replace(old, new)).config.census()[0].area_km2 == 6
        return
    assert any(words in line for line in lines_of(folder, UNITS.replace(old, new)))


@pytest.mark.parametrize(
    ("ages", "words"),
    [
        ("0.5,0.3,0.3", "age shares sum to 1.1, not 1"),
        ("0.5,,", "one age share of three"),
        ("1.5,0,0", "1.5 is impossible"),
        ("0.8,,0.3", "age shares sum to 1.1, not 1"),
    ],
)
def test_age_shares(folder, ages, words):
    rows = UNITS.splitlines()
    units = "\n".join([rows[0] + ",young,middle,older", rows[1] + ",,,", f"{rows[2]},{ages}",
                       rows[3] + ",50%,30%,20%"])  # fmt: skip
    assert any(words in line for line in lines_of(folder, units))
    good = units.replace(ages, "0.333,0.333,0.333")
    place = imported(folder, good).config.stated()[0]
    assert place.ages.young + place.ages.middle + place.ages.older == pytest.approx(1, abs=1e-9)


def test_staff_and_stations(folder):
    units = UNITS + "a,community,East,2000,2\nb,village,West,1000,4\n"
    staff = written(
        "staff.csv",
        "unit,function,heads\nEast,office,3\nEast,office,4\nNowhere,grid,1\nWest,cook,1\n"
        "East,line,5\na,office,2\nb,grid,1.5\nWest,station,\n",
    )
    stations = written("stations.csv", "name,unit,lon,lat\ns,a,,\nt,q,,\nu,,104,30\nv,,,\n")
    found = lines_of(folder, units, staff, stations)
    for words in (
        "staff.csv:3:2: function: stands on line 2 already",
        "staff.csv:4:1: unit: no such unit, 'Nowhere'",
        "staff.csv:5:2: function: 'cook' is no function",
        "staff.csv:6:1: unit: the model takes line of a unit",
        "staff.csv:1:1: heads: West: 1.5 grid workers",
        "staff.csv:9:3: heads: no number",
        "stations.csv:3:2: unit: no such unit, 'q'",
        "stations.csv:4:2: unit: no community named",
        "stations.csv:5:2: unit: no community and no place",
    ):
        assert any(line.startswith(words) for line in found), (words, found)
    assert not any("staff.csv:7" in line for line in found)  # a community's heads are summed up


@pytest.mark.parametrize(
    ("units", "staff", "words"),
    [
        (
            "a,街道,3000,1,104,30\nb,街道,1000,1,104,30\n",
            "a,grid,2\n",
            "3:5: 经度: the same place as a",
        ),
        ("a,街道,3000,1,104,30\nb,街道,1000,1,,\n", "a,grid,2\n", "3:5: 经度: no place, as others"),
        ("a,街道,3000,1,30,104\n", "a,grid,2\n", "2:6: 纬度: 104 is impossible"),
        ("a,街道,3000,1,,\n", "a,grid,3001\n", "a: 3001 grid workers"),
        ("a,街道,3000,1,,\n", "a,office,0\n", "2:3: heads: 0 is impossible: allowed: ≥ 0.1"),
    ],
)
def test_what_the_schema_would_refuse_is_told_where_it_stands(folder, units, staff, words):
    head = "名称,层级,人口,面积,经度,纬度\n"
    found = lines_of(folder, head + units, written("staff.csv", "unit,function,heads\n" + staff))
    assert len(found) == 1 and words in found[0], found


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("A,街道,B,9\nB,街道,A,9\n", ["2:3: parent: parents in a circle, lines 2, 3", "3:3"]),
        ("A,街道,A,9\n", ["2:3: parent: parents in a circle, lines 2"]),
        ("D,区,,9\nA,街道,B,9\nB,社区,A,9\n", ["3:3: parent: parents in a circle, lines 3, 4"]),
        ("A,街道,B,9\nB,街道,C,9\nC,街道,A,9\n", ["lines 2, 3, 4", "3:3", "4:3"]),
        ("A,街道,X,9\nB,街道,A,9\n", ["3:3: parent: 'A', line 2, is a subdistrict"]),
        ("A,街道,X,9\nB,街道,Y,9\n", ["2:3: parent: no unit 'X'", "3:3: parent: no unit 'Y'"]),
    ],
)  # fmt: skip
def test_parents_that_lead_nowhere(folder, rows, words):
    found = lines_of(folder, "name,level,parent,population\n" + rows)
    assert len(found) == len(words) and all(w in line for w, line in zip(words, found, strict=True))


def test_a_parent_that_no_row_holds_is_the_city(folder):
    rows = "A,街道,X,9,1\nB,街道,X,9,1\n"
    found = imported(folder, "name,level,parent,population,area_km2\n" + rows)
    assert len(found.config.census()[0].subdistricts) == 2


@pytest.mark.parametrize(
    ("places", "crs", "words"),
    [
        ("104,89.9", "wgs84", ["2:6: lat: 89.9 is impossible: allowed: -80 – 80"]),
        ("104,30.1 14,30 104.1,30", "wgs84", ["3:5: lon: 8,6"]),
        ("0,0 104,30.1 104.1,30", "wgs84", ["2:5: lon: "]),
        ("10,50 10,50.1", "gcj02", ["2:5: lon: lies outside China", "3:5: lon: lies outside"]),
    ],
)
def test_places_beyond_a_city(folder, places, crs, words):
    rows = "".join(f"s{i},town,9,1,{at}\n" for i, at in enumerate(places.split()))
    found = lines_of(folder, "name,level,population,area_km2,lon,lat\n" + rows, crs=crs)
    assert len(found) == len(words) and all(w in line for w, line in zip(words, found, strict=True))


def test_communities_named_alike_are_told_apart_by_their_parent(folder):
    units = UNITS + "a,community,East,2000,2\na,village,West,1000,4\n"
    stations = written("s.csv", "站点,社区\nx,West/a\n")
    found = imported(folder, units, stations).config.stated()
    assert [c.station for place in found for c in place.communities] == [False, True]
    shutil.rmtree(folder / "out")
    written("s.csv", "站点,社区\nx,a\n")
    assert "2 units are named 'a': write" in lines_of(folder, units, stations)[0]


def test_files_beyond_memory_are_refused(folder, monkeypatch):
    monkeypatch.setattr("reformsim.observed.columns.ROWS_AT_MOST", 2)
    monkeypatch.setattr("reformsim.observed.boundaries.LARGEST", 100)
    found = lines_of(folder, UNITS, geojson(square("East", 104, 30)))
    assert any("units.csv:4:1: more than 2 rows" in line for line in found), found
    assert any("0 MB, of 0 at most" in line for line in found), found


def test_heads_with_units_in_brackets_and_a_row_of_the_whole_city(folder):
    units = "名称,层级,人口\uff08人\uff09,面积(km2)\nX市,市,999,9\na,街道,3000,1\n"
    found = imported(folder, units)
    assert found.config.census()[0].population == 3000
    assert any("line 2, the whole city, is left out" in words.en for words in found.told)


def square(name, west, south, side=0.02, crs="wgs84"):
    ring = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]) * side + [west, south]
    if crs == "gcj02":
        ring = ring + shift(ring)
    return {"type": "Feature", "properties": {"name": name},
            "geometry": {"type": "Polygon", "coordinates": [ring.tolist()]}}  # fmt: skip


def geojson(*features):
    return written("b.geojson", json.dumps({"type": "FeatureCollection", "features": features}))


BARE = "name,level,parent,population\nD,unit,,3000\nEast,subdistrict,D,2000\nWest,town,D,1000\n"


@pytest.mark.parametrize("crs", ["wgs84", "gcj02"])
def test_boundaries_give_areas_and_places(folder, crs):
    """A square of 0.02 degrees at 30.5° N is 1.915 km wide and 2.217 km high (WGS-84)."""
    shapes = geojson(square("East", 104.1, 30.5, crs=crs), square("West", 104.0, 30.5, crs=crs))
    found = imported(folder, BARE, shapes, crs=crs)
    east, west = found.config.stated()
    assert east.area_km2 == pytest.approx(1.9193 * 2.2173, rel=2e-3)
    assert east.at[0] - west.at[0] == pytest.approx(0.1 * 95.97, rel=2e-3)
    kept = json.loads((folder / "out" / "boundaries.geojson").read_text("utf-8"))
    corner = kept["features"][0]["geometry"]["coordinates"][0][0]
    assert corner == pytest.approx([104.1, 30.5], abs=1e-6)


def test_stations_are_found_by_the_polygon_around_them(folder):
    units = BARE + "a,community,East,1500\nb,community,East,500\nc,village,West,1000\n"
    features = [square("a", 104.1, 30.5), square("b", 104.12, 30.5), square("c", 104.0, 30.5)]
    stations = written("s.csv", "name,lon,lat\nx,104.13,30.51\n")
    found = imported(folder, units, geojson(*features), stations)
    inner = [c for place in found.config.stated() for c in place.communities]
    assert [c.name for c in inner if c.station] == ["b"]
    shutil.rmtree(folder / "out")
    written("s.csv", "name,lon,lat\nx,104.5,30.51\n")
    assert (
        "s.csv:2:2: lon: 104.5, 30.51 lies outside the city"
        in lines_of(folder, units, geojson(*features), stations)[0]
    )


@pytest.mark.parametrize(
    ("features", "crs", "words"),
    [
        ([square("East", 104.1, 30.5)], "wgs84", "units.csv:4:1: name: West has no polygon"),
        ([square("East", 30.5, 104.1), square("West", 104.0, 30.5)], "wgs84", "no degrees"),
        ([square("East", 10.0, 50.0), square("West", 104.0, 30.5)], "gcj02", "outside China"),
        ([square("East", 104.1, 89.9), square("West", 104.0, 30.5)], "wgs84", "no degrees"),
        ([square("Eats", 104.1, 30.5)], "wgs84", "the feature ['Eats'] is no unit"),
        ([square("East", 104.1, 30.5), square("East", 104.1, 30.5)], "wgs84", "comes twice"),
    ],
)
def test_mistakes_in_boundaries(folder, features, crs, words):
    found = lines_of(folder, BARE, geojson(*features), crs=crs)
    assert any(words in line for line in found), found


def test_boundaries_that_are_no_geojson(folder):
    assert "not valid JSON" in lines_of(folder, UNITS, written("b.geojson", "{"))[0]
    assert "no FeatureCollection" in lines_of(folder, UNITS, written("b.geojson", "[1]"))[0]
    assert "cannot be read" in lines_of(folder, UNITS, Path("none.geojson"))[0]


def test_a_mistake_ends_the_command_with_code_2(folder):
    written("units.csv", UNITS.replace("2000", "-2000"))
    result = CliRunner().invoke(app, ["city", "import", "units.csv", "-o", "out"])
    assert result.exit_code == 2
    assert "units.csv:3:4: population: -2000 is impossible" in result.stderr
    assert "不可能" in result.stderr
    assert CliRunner().invoke(app, ["city", "import", "none.csv"]).exit_code == 2
    bad = CliRunner().invoke(app, ["city", "import", "units.csv", "--crs", "bd09"])
    assert bad.exit_code == 2
