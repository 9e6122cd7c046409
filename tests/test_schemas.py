"""The JSON Schemas for editors: up to date, true of every shipped file, and of use where wrong."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML
from typer.testing import CliRunner

from reformsim.cli import app
from reformsim.cli.check import kind_of
from reformsim.config import load_yaml
from reformsim.measures import MEASURES
from reformsim.report import schemas

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "schema"
SHIPPED = sorted(
    path
    for folder in ("configs", "experiments", "docs/examples")
    for path in (ROOT / folder).rglob("*.yaml")
)


def kind(path: Path) -> str:
    (found,) = (k for k, m in schemas.KINDS.items() if m is kind_of(load_yaml(path))[1])
    return found


def faults(kind: str, data: Any) -> list[str]:
    checker = Draft202012Validator(schemas.schema(kind))
    return [f"{error.json_path}: {error.message}" for error in checker.iter_errors(data)]


def test_schemas_are_up_to_date():
    told = {path.stem: path.read_text("utf-8") for path in FOLDER.glob("*.json")}
    assert told.keys() == schemas.KINDS.keys()
    for name, text in told.items():
        if text != schemas.text(name):
            pytest.fail(f"docs/schema/{name}.json is out of date; run: {schemas.COMMAND}")


@pytest.mark.parametrize("name", schemas.KINDS)
def test_a_schema_is_one_and_every_reference_resolves(name):
    whole = schemas.schema(name)
    Draft202012Validator.check_schema(whole)

    def references(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    assert {ref.removeprefix("#/$defs/") for ref in references(whole)} <= whole["$defs"].keys()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_shipped_file_is_valid(path):
    assert faults(kind(path), YAML(typ="safe").load(path)) == []


REGIMES = YAML(typ="safe").load(ROOT / "experiments" / "regimes.yaml")
GOVERNANCE = {"name": "a", "name_zh": "甲"}


@pytest.mark.parametrize(
    ("kind", "data", "where"),
    [
        (
            "governance",
            GOVERNANCE | {"measures": [{"measure": "no_such"}]},
            "$.measures[0].measure",
        ),
        (
            "governance",
            GOVERNANCE | {"measures": [{"measure": MEASURES[0].name, "intensity": 2}]},
            "$.measures[0].intensity",
        ),
        ("experiment", REGIMES | {"outcomes": ["happiness"]}, "$.outcomes[0]"),
        ("experiment", REGIMES | {"uncertainties": {"p_mis": 7}}, "$.uncertainties.p_mis"),
        ("experiment", REGIMES | {"uncertainties": {"p_miss": 0.1}}, "$.uncertainties"),
        ("experiment", REGIMES | {"repliactions": 3}, "$"),
        ("experiment", REGIMES | {"design": {"kind": "sobel"}}, "$.design"),
        ("scenario", {"name": "a", "city": 3}, "$.city"),
        ("mapping", {"name": "a", "name_zh": "甲", "columns": {}}, "$.columns"),
    ],
)
def test_what_is_wrong_is_found_where_it_is(kind, data, where):
    found = faults(kind, data)
    assert found and all(fault.startswith(f"{where}: ") for fault in found), found


def test_names_come_with_their_meaning_in_both_languages():
    names = schemas.schema("governance")["$defs"]["MeasureName"]
    assert names["enum"] == [measure.name for measure in MEASURES]
    for text, measure in zip(names["enumDescriptions"], MEASURES, strict=True):
        assert measure.zh in text and measure.helps in text


def test_the_command_prints_one_and_writes_all(tmp_path):
    result = CliRunner().invoke(app, ["schema", "city"])
    assert (result.exit_code, result.stdout) == (0, schemas.text("city"))
    result = CliRunner().invoke(app, ["schema", "-o", str(tmp_path / "made")])
    assert result.exit_code == 0
    assert [Path(line).name for line in result.stdout.splitlines()] == [
        f"{name}.json" for name in schemas.KINDS
    ]
    assert json.loads((tmp_path / "made" / "city.json").read_text("utf-8"))["title"] == "city"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["experimnt"], "no 'experimnt' among the kinds of files, did you mean experiment?"),
        ([], "name a kind of file (experiment, scenario,"),
    ],
)
def test_a_slip_of_the_command_is_told(arguments, told):
    result = CliRunner().invoke(app, ["schema", *arguments])
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr
