"""Experiment files with a fault put into them: no traceback; file, line and field are told."""

import copy
import re
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

from reformsim.config import ConfigError
from reformsim.experiment import design
from reformsim.experiment.schema import Experiment

CITY = """\
city:
  name: Town
  name_zh: 镇
  units: [{name: Example, name_zh: 示范区, population: 20000, area_km2: 20}]
  subdistricts: {count: 1, mean: 12000, sigma: 0.2}
  towns: {count: 1, mean: 8000, sigma: 0.2}
  communities: 5
  grids: 15
"""
HEAD = f"""\
name: small
title: A title
title_zh: 标题
question: Which?
{CITY}warm_up: 365
years: 2
seed: 7
replications: 3
uncertainties: {{needs: 4.0, p_mis: 0.1}}
reform:
  - {{measure: joint_conference, intensity: 0.5, from: 400, until: 500, where: [Example]}}
stations: {{layout: p_median, per: 2}}
outcomes: [satisfaction, median_days]
keep: headlines
"""
COMPARE = (
    HEAD
    + """\
scenarios:
  old: {}
  new:
    reform: [{measure: governance_committee}]
    uncertainties: {needs: 5.0}
    stations: {layout: list, sites: [1, 2]}
baseline: old
figures: [contrasts]
zh: {old: 旧, new: 新}
"""
)
FACTORIAL = (
    HEAD
    + """\
design:
  kind: factorial
  within: [place]
  factors:
    duty: {kept: {}, removed: {reform: [{measure: remove_investment_duty}]}}
    place: {here: {}, there: {uncertainties: {p_mis: 0.2}}}
figures: [groups]
"""
)
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 10**6, 10**19, 10**400, 0.5, -0.5, 1e300, float("nan"),
    float("inf"), "", "x", "needs", "systemic", "town", "governance_committee", "p_median", "1",
    "../../etc/passwd", "a/b", "名", "\u2028", "yes", [], {}, [None], [[]], [{}], {"": None},
    {"needs": 4.0}, {"measure": "joint_conference"}, ["satisfaction"], {"kind": "factorial"},
    "all", "curves", {"name": "x"},
)  # fmt: skip
FAULT = re.compile(r"fuzz\.yaml:(\d+):(\d+): (.+)")


def leaves(tree: Any, path: tuple = ()) -> list[tuple]:
    """Return the path of every value of a document, but for the document itself."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    found = []
    for key, value in items:
        found.append((*path, key))
        if isinstance(value, dict | list):
            found += leaves(value, (*path, key))
    return found


def spoil(tree: dict, rng: np.random.Generator) -> None:
    """Replace, drop, rename, double or add one value at a random place."""
    paths = leaves(tree)
    *way, key = paths[rng.integers(len(paths))]
    place = tree
    for step in way:
        place = place[step]
    value = copy.deepcopy(VALUES[rng.integers(len(VALUES))])
    match rng.integers(6):
        case 0:
            del place[key]
        case 1 if isinstance(place, dict):
            place[f"{key}x"] = place.pop(key)
        case 2 if isinstance(place, list):
            place.append(copy.deepcopy(place[key]))
        case 3 if isinstance(place, dict):
            place["added"] = value
        case _:
            place[key] = value


def fuzz(folder, monkeypatch, number: int, seed: int) -> tuple[int, int]:
    """Load ``number`` spoilt files; return how many were refused, and how many not."""
    monkeypatch.chdir(folder)
    yaml = YAML(typ="safe")
    yaml.allow_unicode = True
    rng = np.random.default_rng(seed)
    refused = taken = 0
    for trial in range(number):
        text = (COMPARE, FACTORIAL)[trial % 2]
        tree = yaml.load(text)
        for _ in range(rng.integers(1, 4)):
            spoil(tree, rng)
        with open("fuzz.yaml", "w", encoding="utf-8") as file:
            yaml.dump(tree, file)
        lines = (folder / "fuzz.yaml").read_text("utf-8").split("\n")
        try:
            experiment = Experiment.load("fuzz.yaml")
        except ConfigError as error:
            refused += 1
            assert error.lines
            for line in error.lines:
                found = FAULT.fullmatch(line)
                assert found, line
                assert 1 <= int(found[1]) <= len(lines), line
                assert re.match(r"[\w.\- ]+: .", found[3]), f"names no field: {line}"
        else:
            taken += 1
            if experiment.replications * len(design.cells(experiment)) <= 1000:
                runs = design.runs(experiment)
                design.scenario_of(experiment, runs[-1]).resolved()
    return refused, taken


def test_the_files_are_valid_as_they_stand(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for text in (COMPARE, FACTORIAL):
        (tmp_path / "fuzz.yaml").write_text(text, "utf-8")
        Experiment.load("fuzz.yaml")


def test_200_spoilt_files_are_told_with_file_line_and_field(tmp_path, monkeypatch):
    refused, taken = fuzz(tmp_path, monkeypatch, 200, seed=1)
    assert refused >= 100 and taken >= 5


@pytest.mark.slow
def test_2000_spoilt_files_are_told_with_file_line_and_field(tmp_path, monkeypatch):
    refused, taken = fuzz(tmp_path, monkeypatch, 2000, seed=2)
    assert refused >= 1000 and taken >= 50
