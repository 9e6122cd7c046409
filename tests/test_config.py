"""Every bad file is told by its line, and never by a traceback."""

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from reformsim.config import ConfigError, load_yaml, validate
from reformsim.measures import MEASURES
from reformsim.scenario import Governance, Scenario

ROOT = Path(__file__).parents[1]
TOWN = """\
name: Small town
name_zh: 小城镇
units:
  - {name: Example, name_zh: 示范区, population: 20000, area_km2: 20}
subdistricts: {count: 1, mean: 12000, sigma: 0.2}
towns: {count: 1, mean: 8000, sigma: 0.2}
communities: 5
grids: 15
"""
BASE = "name: a\ncity: town\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return an empty project with the shipped regimes and one small city, as current folder."""
    shutil.copytree(ROOT / "configs" / "governance", tmp_path / "configs" / "governance")
    (tmp_path / "configs" / "cities").mkdir()
    (tmp_path / "configs" / "cities" / "town.yaml").write_text(TOWN, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def errors_of(folder: Path, text: str | bytes) -> list[str]:
    (folder / "s.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        Scenario.load("s.yaml")
    assert str(caught.value) == "\n".join(caught.value.lines)
    return list(caught.value.lines)


SYNTAX = {
    "empty": ("", "1:1: the file is empty; expected keys with values"),
    "comment only": ("# nothing\n", "1:1: the file is empty; expected keys with values"),
    "list at top": ("- a\n", "1:1: expected keys with values at the top, got a list"),
    "word at top": ("\nhello\n", "2:1: expected keys with values at the top, got 'hello'"),
    "duplicate": ("a: 1\nb: 2\na: 3\n", "3:1: a: duplicate key (first on line 1)"),
    "duplicate inside": (
        "a:\n  - {b: 1, b: 2}\n",
        "2:12: a.0.b: duplicate key (first on line 2)",
    ),
    "tab": ("a:\n\tb: 1\n", "2:1: not valid YAML: a tab; indent with spaces"),
    "tab deeper": ("a:\n  b: 1\n \t c: 1\n", "3:2: not valid YAML: a tab; indent with spaces"),
    "open quote": (
        "a: 1\nb: 'x\nc: 2\n",
        "2:4: not valid YAML: a quotation mark is not closed (found unexpected end of stream)",
    ),
    "open bracket": (
        "a: [1\n",
        "1:4: not valid YAML: a comma or a closing bracket is missing "
        "(expected ',' or ']', but got '<stream end>')",
    ),
    "open list": (
        "a: [1,\n",
        "2:1: not valid YAML: a bracket is not closed, or a value is missing "
        "(expected the node content, but found '<stream end>')",
    ),
    "two colons": (
        "a: b: c\n",
        "1:5: not valid YAML: text with a colon needs quotes (mapping values are not allowed here)",
    ),
    "alias": ("a: &x 1\nb: *x\n", "2:4: the alias *x is not allowed: write the value out"),
    "tag": (
        "a: !!python/name:os.system 1\n",
        "1:4: a: the tag !!python/name:os.system is not allowed",
    ),
    "set": ("a: !!set {b, c}\n", "1:4: a: the tag !!set is not allowed"),
    "two documents": (
        "a: 1\n---\nb: 2\n",
        "2:1: not valid YAML: a file holds one document (but found another document)",
    ),
    "control character": (
        "a: 1\nb: x\x01\n",
        "2:5: not valid YAML: the character U+0001 is not allowed",
    ),
    "not UTF-8": (
        "a: 1\nb: 成".encode("gbk"),
        "2:4: not UTF-8: save the file in this encoding",
    ),
    "UTF-16": ("a: 1".encode("utf-16"), "1:1: not UTF-8: save the file in this encoding"),
    "surrogate": ('a: "\\ud800"\n', r"1:4: a: half a surrogate pair in '\ud800'"),
    "no character": (
        'a: "\\UFFFFFFFF"\n',
        "1:1: not valid YAML: an escape that is no character (the last is U+10FFFF)",
    ),
    "deep": ("[" * 3000, "1:51: nested deeper than 50 levels"),
    "key not a word": ("? [a]\n: b\n", "1:3: a key must be a word"),
    "huge number": (f"a: {10**30}\n", "1:4: a: a whole number beyond 64 bits"),
    "too long a number": ("a: " + "9" * 5000, "1:4: a: no valid int: '" + "9" * 58 + "…"),
}


@pytest.mark.parametrize("case", SYNTAX)
def test_what_is_no_yaml_mapping_is_told_by_line(folder, case):
    text, expected = SYNTAX[case]
    assert errors_of(folder, text) == [f"s.yaml:{expected}"]


def test_missing_file_and_folder(folder):
    with pytest.raises(ConfigError, match=r"^none\.yaml:1:1: no such file$"):
        load_yaml("none.yaml")
    with pytest.raises(ConfigError, match=r"^configs:1:1: a folder; expected a YAML file$"):
        load_yaml(folder / "configs")


def test_yaml_1_2_keeps_words_and_dates_as_text(folder):
    text = "a: NO\nb: on\nc: 2017-01-01\nd: 1e3\ne: 0x1F\nf: ~\ng: true\nNO: =\n"
    (folder / "s.yaml").write_text("\ufeff" + text, "utf-8")
    assert load_yaml("s.yaml").data == {
        "a": "NO", "b": "on", "c": "2017-01-01", "d": 1000.0, "e": 31, "f": None, "g": True,
        "NO": "=",
    }  # fmt: skip


@given(st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_numbers_arrive_to_the_bit(tmp_path, value):
    class Holder(BaseModel):
        x: float

    path = tmp_path / "x.yaml"
    mantissa, e, exponent = repr(value).partition("e")
    path.write_text(f"x: {mantissa if '.' in mantissa else mantissa + '.0'}{e}{exponent}")
    assert validate(load_yaml(path), Holder).x.hex() == value.hex()


ALLOWED = (
    "allowed: name, warm_up, years, days, city, city_seed, uncertainties, reform, stations, "
    "premises, keep_cases, panel"
)
SCHEMA = {
    "bool as a word": ("keep_cases: NO\n", ["3:13: keep_cases: write true or false, not 'NO'"]),
    "bool as a number": ("keep_cases: 1\n", ["3:13: keep_cases: write true or false, not 1"]),
    "int as text": ("days: '400'\n", ["3:7: days: expected a whole number, got '400'"]),
    "int as float": ("days: 400.0\n", ["3:7: days: expected a whole number, got 400.0"]),
    "nothing": ("days:\n", ["3:1: days: expected a whole number, got nothing"]),
    "unknown key": ("dayz: 1\n", [f"3:1: dayz: unknown key, did you mean days? ({ALLOWED})"]),
    "far key": ("xxxxxxxx: 1\n", [f"3:1: xxxxxxxx: unknown key ({ALLOWED})"]),
    "range": ("years: 0\n", ["3:8: years: must be in [1, 99], got 0"]),
    "nan": (
        "reform: [{measure: joint_conference, intensity: .nan}]\n",
        ["3:49: reform.0.intensity: must be in [0, 1], got nan"],
    ),
    "both horizons": (
        "years: 3\ndays: 400\n",
        ["4:7: days: give `days` or `years`, not both"],
    ),
    "short horizon": (
        "warm_up: 100\ndays: 100\n",
        ["4:7: days: must exceed the warm-up of 100 days, got 100"],
    ),
    "uncertainties": (
        "uncertainties:\n  p_mis: 0.5\n  kapa: 0.1\n  needs: many\n  utilisation: yes\n",
        [
            "4:10: uncertainties.p_mis: must be in [0.05, 0.38] (probability), got 0.5",
            "5:9: uncertainties.kapa: unknown uncertainty, did you mean kappa? "
            "(`reformsim uncertainties` lists them)",
            "6:10: uncertainties.needs: expected a number, got 'many'",
            "7:16: uncertainties.utilisation: expected a number, got 'yes'",
        ],
    ),
    "uncertainties as a list": (
        "uncertainties: [1]\n",
        ["3:16: uncertainties: expected keys with values, got a list"],
    ),
    "steps": (
        "reform:\n  - measure: joint_conferense\n    intensity: 2\n    untill: 3\n  - from: -1\n",
        [
            "4:14: reform.0.measure: unknown measure 'joint_conferense', did you mean "
            "joint_conference? (`reformsim measures` lists them)",
            "5:16: reform.0.intensity: must be in [0, 1], got 2",
            "6:5: reform.0.untill: unknown key, did you mean until? "
            "(allowed: measure, intensity, from, until, where)",
            "7:5: reform.1.measure: missing, but required",
            "7:11: reform.1.from: must be in [0, 36500], got -1",
        ],
    ),
    "python's name of a key": (
        "reform: [{measure: joint_conference, from_day: 400}]\n",
        [
            "3:38: reform.0.from_day: unknown key, did you mean from? "
            "(allowed: measure, intensity, from, until, where)",
        ],
    ),
    "order of days": (
        "reform:\n  - {measure: joint_conference, from: 500, until: 500, where: Example}\n",
        [
            "4:51: reform.0.until: must be after the first day, 500, got 500",
            "4:63: reform.0.where: expected a list or keys with values, got 'Example'",
        ],
    ),
    "times and places": (
        "reform:\n  - {measure: joint_conference, from: 2190, where: [Example, Nowhere]}\n"
        "  - {measure: joint_conference, from: 364}\n",
        [
            "4:39: reform.0.from: day 2190 is after the last day, 2189",
            "4:62: reform.0.where.1: no district or subdistrict 'Nowhere' (known: Example, 示范区)",
            "5:39: reform.1.from: day 364 lies in the warm-up, which all scenarios share without "
            "the reform: the first possible day is 365",
        ],
    ),
    "default start in the warm-up": (
        "warm_up: 400\nreform:\n  - measure: joint_conference\n",
        [
            "5:5: reform.0.from: day 365 lies in the warm-up, which all scenarios share without "
            "the reform: the first possible day is 400"
        ],
    ),
    "stations": (
        "stations: {layout: pmedian, per: 0}\n",
        [
            "3:20: stations.layout: expected 'one_per_community', 'one_per_several', 'p_median', "
            "'max_coverage' or 'list', got 'pmedian', did you mean p_median?",
            "3:34: stations.per: must be in [1, 1000], got 0",
        ],
    ),
    "sites": (
        "stations: {layout: list, sites: [1.5, [2]]}\n",
        [
            "3:34: stations.sites.0: expected text or a whole number, got 1.5 "
            "(quotes make it text)",
            "3:39: stations.sites.1: expected text or a whole number, got a list",
        ],
    ),
    "no sites": (
        "stations: {layout: list}\n",
        ["3:11: stations.sites: the layout `list` needs at least one site"],
    ),
    "idle sites": (
        "stations: {sites: [1]}\n",
        ["3:19: stations.sites: only the layout `list` takes sites, not `p_median`"],
    ),
    "empty reform": ("reform:\n", ["3:1: reform: expected a list, got nothing"]),
    "control characters": (
        '"a\\nb\\e": 1\n',
        [rf"3:1: a\nb\x1b: unknown key ({ALLOWED})"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SCHEMA)
def test_what_breaks_the_schema_is_told_in_plain_words(folder, case):
    text, expected = SCHEMA[case]
    assert errors_of(folder, BASE + text) == [f"s.yaml:{line}" for line in expected]


def test_missing_keys_and_text_in_quotes(folder):
    assert errors_of(folder, "name: 5\n") == [
        "s.yaml:1:1: city: missing, but required",
        "s.yaml:1:7: name: expected text, got 5 (quotes make it text)",
    ]


def test_errors_of_references_come_with_all_others(folder):
    governance = sorted(path.stem for path in folder.glob("configs/governance/*.yaml"))
    assert errors_of(folder, "name: a\ncity: twn\nreform: sistemic\ndays: x\n") == [
        "s.yaml:2:7: city: no 'twn' in configs/cities, did you mean town? (available: town)",
        "s.yaml:3:9: reform: no 'sistemic' in configs/governance, did you mean systemic? "
        f"(available: {', '.join(governance)})",
        "s.yaml:4:7: days: expected a whole number, got 'x'",
    ]


def test_errors_in_a_named_file_point_into_it(folder):
    (folder / "configs" / "governance" / "bad.yaml").write_text(
        "name: bad\nname_zh: 坏\nmeasures:\n  - measure: joint_conference\n    until: 300\n",
        "utf-8",
    )
    (folder / "configs" / "cities" / "bad.yaml").write_text(
        "units: [{name: E}, Chenghua]\ngrids: 12.5\nspread: {town_densty: 4}\n"
    )
    assert errors_of(folder, "name: a\ncity: bad\nreform: bad\n") == [
        "configs/cities/bad.yaml:1:9: units.0.area_km2: missing, but required",
        "configs/cities/bad.yaml:1:9: units.0.name_zh: missing, but required",
        "configs/cities/bad.yaml:1:9: units.0.population: missing, but required",
        "configs/cities/bad.yaml:2:8: grids: expected a whole number, got 12.5",
        "configs/cities/bad.yaml:3:10: spread.town_densty: unknown key, did you mean "
        "town_density? (allowed: town_density, no_towns_above, subdistrict_to_town, "
        "subdistrict_sigma, community_sigma)",
        "configs/governance/bad.yaml:5:12: measures.0.until: must be after the first day, 365, "
        "got 300",
    ]


def test_a_broken_named_file_is_told_by_its_own_line(folder):
    (folder / "configs" / "cities" / "bad.yaml").write_text("name: a\nname: b\n")
    (folder / "configs" / "governance" / "bad.yaml").write_text("name: a\nmesures: []\n")
    assert errors_of(folder, "name: a\ncity: bad\nreform: bad\n") == [
        "configs/cities/bad.yaml:2:1: name: duplicate key (first on line 1)",
        "configs/governance/bad.yaml:1:1: measures: missing, but required: a governance file "
        "lists its steps here",
    ]


def test_paths_are_relative_to_the_file_that_names_them(folder):
    (folder / "deep").mkdir()
    (folder / "deep" / "town2.yaml").write_text(TOWN, "utf-8")
    (folder / "deep" / "s.yaml").write_text("name: a\ncity: town2.yaml\nreform: systemic\n")
    scenario = Scenario.load("deep/s.yaml")
    assert (scenario.city.grids, len(scenario.reform)) == (15, len(MEASURES))
    assert errors_of(folder, "name: a\ncity: deep/town3.yaml\n") == [
        "s.yaml:2:7: city: no such file: deep/town3.yaml"
    ]


def test_the_nearest_configs_folder_wins_and_the_current_one_is_the_fallback(folder):
    inner = folder / "deep" / "configs" / "cities"
    inner.mkdir(parents=True)
    (inner / "town.yaml").write_text(TOWN.replace("grids: 15", "grids: 16"), "utf-8")
    (folder / "deep" / "s.yaml").write_text(BASE + "reform: systemic\n")
    scenario = Scenario.load("deep/s.yaml")
    assert (scenario.city.grids, len(scenario.reform)) == (16, len(MEASURES))


def test_text_stays_text_where_the_schema_wants_text(folder):
    class Labels(BaseModel):
        zh: dict[str, str]

    (folder / "s.yaml").write_text("zh: {city: 城市, reform: 改革}\n", "utf-8")
    assert validate(load_yaml("s.yaml"), Labels).zh == {"city": "城市", "reform": "改革"}


def test_shipped_governance_files_are_valid():
    for path in (ROOT / "configs" / "governance").glob("*.yaml"):
        assert validate(load_yaml(path), Governance).name == path.stem


SEED_FILE = """\
name: a scenario
city: {name: T, name_zh: 镇, units: [{name: E, name_zh: 示, population: 20000, area_km2: 20}],
  subdistricts: {count: 1, mean: 12000, sigma: 0.2}, towns: {count: 1, mean: 8000, sigma: 0.2},
  communities: 5, grids: 15}
days: 900
uncertainties:
  p_mis: 0.1
  kappa: 0.05
reform:
  - measure: joint_conference
    intensity: 0.5
    from: 400
    until: 500
    where: [E]
  - {measure: governance_committee}
stations: {layout: list, sites: [1, "a"]}
keep_cases: true
"""
FRAGMENTS = [
    ":", "- ", "\n", "\t", "{", "}", "[", "]", "'", '"', "&a ", "*a", "!!int ", "<<: ", "~", "NO",
    ".nan", "-.inf", "1e400", "0x", "0o9", "city: systemic\n", "reform: town\n", "? ", "|", ">",
    "%YAML 1.1\n---\n", "---\n", "...\n", "# ", "\u2028", "\x85", "\x00", "\ud7ff", "\\", "999999",
    "measure", "where: \n", "years: 3\n", "- - - ", ", ", "1:30", "2017-01-01 10:00", "=",
]  # fmt: skip


@given(
    edits=st.lists(
        st.tuples(
            st.integers(0, len(SEED_FILE)),
            st.integers(0, 12),
            st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=5), st.just("")),
        ),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(edits=[])
def test_mutated_files_load_or_raise_a_config_error(folder, edits):
    text = SEED_FILE
    for start, length, insert in edits:
        text = text[:start] + insert + text[start + length :]
    path = folder / "fuzz.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        scenario = Scenario.load("fuzz.yaml")
    except ConfigError as error:
        assert error.lines and edits, error  # without an edit the file is valid
        for line in error.lines:
            file, row, column, _ = line.split(":", 3)
            assert file == "fuzz.yaml" and int(row) >= 1 and int(column) >= 1
            assert line.isprintable()
    else:
        assert Scenario.model_validate(scenario.resolved()).resolved() == scenario.resolved()
