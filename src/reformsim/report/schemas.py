"""JSON Schemas of the files that users write, for editors that complete and check YAML.

``docs/schema`` is this text; a test holds the files to it. Shapes come from the models that read
the files, names and bounds from the declarations. What a schema cannot say (dates in order, names
that must agree) is left to ``reformsim check``.
"""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from reformsim import known
from reformsim.city import CityConfig
from reformsim.config import REFERENCES
from reformsim.experiment.backfires import Backfire
from reformsim.experiment.schema import Experiment
from reformsim.measures import MEASURES
from reformsim.observed.mapping import Mapping
from reformsim.outcomes import OUTCOMES
from reformsim.scenario import Governance, Scenario
from reformsim.uncertainties import UNCERTAINTIES

#: The command that writes the files.
COMMAND = "uv run reformsim schema -o docs/schema"

#: The kinds of files, and the model that reads each.
KINDS: dict[str, type[BaseModel]] = {
    "experiment": Experiment,
    "scenario": Scenario,
    "city": CityConfig,
    "governance": Governance,
    "backfire": Backfire,
    "mapping": Mapping,
}

Node = dict[str, Any]


def _names(described: dict[str, str]) -> Node:
    return {
        "type": "string",
        "enum": list(described),
        "enumDescriptions": list(described.values()),
    }


#: Names that are declared, and the facts of the world with their bounds, as parts of a schema.
DECLARED: dict[str, Node] = {
    "MeasureName": _names({x.name: f"{x.id} {x.zh} · {x.helps}" for x in MEASURES}),
    "OutcomeName": _names({x.name: f"{x.meaning_zh} · {x.meaning} [{x.unit}]" for x in OUTCOMES}),
    "UncertaintyName": _names({x.name: f"{x.meaning_zh} · {x.meaning}" for x in UNCERTAINTIES}),
    "FactName": _names({x.name: f"{x.zh} · {x.low:g} – {x.high:g} {x.unit}" for x in known.KNOWN}),
    "Uncertainties": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            x.name: {
                "type": "number",
                "minimum": x.low,
                "maximum": x.high,
                "default": x.default,
                "description": f"{x.meaning_zh} · {x.meaning} [{x.unit}]",
            }
            for x in UNCERTAINTIES
        },
    },
}

#: Which of them stands for plain text, or for numbers by name, under a key.
MEANT = {
    "measure": "MeasureName",
    "measures": "MeasureName",
    "outcome": "OutcomeName",
    "outcomes": "OutcomeName",
    "uncertainties": "UncertaintyName",
    "facts": "FactName",
}


def schema(kind: str) -> Node:
    """Return the JSON Schema of one kind of file, draft 2020-12."""
    whole = _told(KINDS[kind].model_json_schema())
    used = {name for name in DECLARED if f'"#/$defs/{name}"' in json.dumps(whole)}
    parts = whole.get("$defs", {}) | {name: DECLARED[name] for name in DECLARED if name in used}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": kind}
    return head | whole | ({"$defs": parts} if parts else {})


def text(kind: str) -> str:
    """Return a schema as it is written to its file."""
    return json.dumps(schema(kind), ensure_ascii=False, indent=1) + "\n"


def write(folder: Path, kinds: tuple[str, ...] = tuple(KINDS)) -> list[Path]:
    """Write a file for each kind and return their paths; raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{kind}.json" for kind in kinds]
    for kind, path in zip(kinds, paths, strict=True):
        path.write_text(text(kind), encoding="utf-8", newline="\n")
    return paths


def _told(node: Any) -> Any:
    """Return a part of Pydantic's schema with declared names, and without its titles."""
    if isinstance(node, list):
        return [_told(item) for item in node]
    if not isinstance(node, dict):
        return node
    told = {key: _told(value) for key, value in node.items() if key != "title" or _is_node(value)}
    if isinstance(told.get("description"), str):
        told["description"] = _plain(told["description"])
    if _is_node(told.get("properties")):
        told["properties"] = {key: _allowed(key, at) for key, at in told["properties"].items()}
    return told


def _is_node(value: Any) -> bool:
    return isinstance(value, dict)


def _plain(docstring: str) -> str:
    """Return a docstring in paragraphs of one line each, in single backticks."""
    paragraphs = docstring.replace("``", "`").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _allowed(key: str, node: Node) -> Node:
    """Return what a key may hold: the name of a file in its place, names that are declared."""
    if key in REFERENCES and node.get("type") != "string":
        named = f"A name in configs/{REFERENCES[key]}, or the path of such a file."
        return {"anyOf": [{"type": "string", "description": named}, node]}
    return _narrowed(node, MEANT[key]) if key in MEANT else node


def _narrowed(node: Node, name: str) -> Node:
    """Return a part of a schema with ``name`` in the place of any text in it."""
    if node.get("additionalProperties") == {"type": "number"}:
        return {"$ref": "#/$defs/Uncertainties"} | _kept(node, "default", "description")
    if node.get("type") == "string" and not {"enum", "const"} & node.keys():
        return {"$ref": f"#/$defs/{name}"} | _kept(node, "default", "description")
    inner = {key: _narrowed(node[key], name) for key in ("items",) if _is_node(node.get(key))}
    branches = {key: [_narrowed(x, name) for x in node[key]] for key in ("anyOf",) if key in node}
    return node | inner | branches


def _kept(node: Node, *keys: str) -> Node:
    return {key: node[key] for key in keys if key in node}
