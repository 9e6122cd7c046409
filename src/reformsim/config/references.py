"""Names of files inside a file: ``city: default``, ``reform: systemic``, ``targets: own.csv``."""

import os.path
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from reformsim.config.document import ConfigError, Document, Keys, Place, load_yaml, suggest
from reformsim.config.table import load_csv

#: Keys that may hold the name of a file, and the folder of ``configs/`` where names are looked up.
REFERENCES = {"city": "cities", "reform": "governance", "targets": "targets", "region": "regions"}

#: Folders of tables, CSV files; the others hold YAML files.
TABLES = {"targets", "regions"}

#: What a governance file lists its steps under, and a table its rows.
STEPS, ROWS = "measures", "rows"


def resolve(document: Document, model: type[BaseModel]) -> Document:
    """Put named files in place of their names, wherever ``model`` wants more than text.

    ``city: default`` becomes the content of ``configs/cities/default.yaml``, ``reform: systemic``
    the steps of ``configs/governance/systemic.yaml``, ``region: default`` the rows of
    ``configs/regions/default.csv``, from the nearest folder ``configs`` above the file, or else
    above the current folder. A path that ends in .yaml (.csv for a table) is relative to the
    file; a table that is not there, to the current folder. Faults of the named files are kept in
    ``faults`` for ``validate`` to raise.
    """
    schema = model.model_json_schema()
    data, places, faults = deepcopy(document.data), dict(document.places), dict(document.faults)
    for keys, place in document.places.items():
        name = document.at(keys)
        if not keys or keys[-1] not in REFERENCES or not isinstance(name, str):
            continue
        nodes = list(schemas_at(schema, keys))
        if not nodes or any(_takes_text(node) for node in nodes):
            continue
        try:
            named, part = _named(document, keys, REFERENCES[str(keys[-1])], name)
        except ConfigError as error:
            faults[keys] = error.args
            continue
        holder: Any = data
        for key in keys[:-1]:
            holder = holder[key]
        holder[keys[-1]] = named.at(part)
        for inner, spot in named.places.items():
            if inner[: len(part)] == part:
                places[keys + inner[len(part) :]] = spot
        places[keys] = Place(place.key, named.places[part].value, part)
    return Document(document.path, data, places, faults)


def _named(document: Document, keys: Keys, folder: str, name: str) -> tuple[Document, Keys]:
    """Return a named file and the part of it that is meant; raises ConfigError."""
    table = folder in TABLES
    if name.endswith(".csv" if table else (".yaml", ".yml")):
        path = Path(os.path.normpath(document.path.parent / name))
        if table and not os.path.exists(path):
            path = Path(name)
        if not os.path.exists(path):
            raise ConfigError(document.fault(keys, f"no such file: {path}"))
    else:
        known = configs(Path.cwd(), folder) | configs(document.path.resolve().parent, folder)
        if name not in known:
            names = f"available: {', '.join(sorted(known))}" if known else "there is none"
            message = f"no {name!r} in configs/{folder}{suggest(name, known)} ({names})"
            raise ConfigError(document.fault(keys, message))
        path = known[name]
    if table:
        return load_csv(path), (ROWS,)
    named = load_yaml(path)
    if folder != REFERENCES["reform"]:
        return named, ()
    if STEPS not in named.data:
        message = "missing, but required: a governance file lists its steps here"
        raise ConfigError(named.fault((STEPS,), message))
    return named, (STEPS,)


def configs(start: Path, folder: str) -> dict[str, Path]:
    """Return the files of one kind in the nearest folder ``configs`` upwards, by name."""
    for parent in (start, *start.parents):
        if (parent / "configs").is_dir():
            kind = "*.csv" if folder in TABLES else "*.yaml"
            return {path.stem: path for path in (parent / "configs" / folder).glob(kind)}
    return {}


def schemas_at(schema: dict[str, Any], keys: Keys) -> Iterator[dict[str, Any]]:
    """Yield the parts of a JSON schema that may describe the value at ``keys``.

    References are followed and the branches of a union given one by one.
    """
    nodes = list(_branches(schema, schema))
    for key in keys:
        nodes = [
            branch for node in nodes for child in _child(node, key)
            for branch in _branches(schema, child)
        ]  # fmt: skip
    yield from nodes


def _branches(schema: dict[str, Any], node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
    unions = [*node.get("anyOf", ()), *node.get("oneOf", ()), *node.get("allOf", ())]
    if not unions:
        yield node
    for branch in unions:
        yield from _branches(schema, branch)


def _child(node: dict[str, Any], key: str | int) -> Iterator[dict[str, Any]]:
    found: Any = None
    if isinstance(key, str):
        found = node.get("properties", {}).get(key, node.get("additionalProperties"))
    elif "prefixItems" in node and key < len(node["prefixItems"]):
        found = node["prefixItems"][key]
    else:
        found = node.get("items")
    if isinstance(found, dict):
        yield found


def _takes_text(node: dict[str, Any]) -> bool:
    allowed = [*node.get("enum", ()), node.get("const")]
    return node.get("type") == "string" or any(isinstance(value, str) for value in allowed)
