"""From a document to a model of Pydantic, and from Pydantic's errors to plain words."""

import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from reformsim.config.document import ConfigError, Document, Fault, Keys, show, suggest
from reformsim.config.references import resolve, schemas_at


def validate[M: BaseModel](document: Document, model: type[M]) -> M:
    """Return the document as an instance of ``model``, its references resolved.

    Types are strict: no text for a number, no word for true or false. A validator of the model
    may name the field at fault, relative to where it stands: ``ValueError("sample.units: …")``,
    and several on lines of their own. A validator of mode "before" would lose the reading of
    lists as tuples: use the other modes.

    Raises ConfigError with all faults, in order of place.
    """
    document = resolve(document, model)
    faults = [fault for several in document.faults.values() for fault in several]
    try:
        instance = model.model_validate_json(
            json.dumps(document.data), strict=True, by_alias=True, by_name=False
        )
    except ValidationError as error:
        faults += _Explainer(document, model.model_json_schema()).explain(error)
    if faults:
        raise ConfigError(*faults)
    return instance


#: How Pydantic's types read.
TYPES = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "string": "text",
    "tuple": "a list",
    "list": "a list",
    "set": "a list",
    "frozen_set": "a list",
    "dict": "keys with values",
    "model": "keys with values",
    "none_required": "nothing",
}


class _Explainer:
    """Words for the errors of one document."""

    def __init__(self, document: Document, schema: dict[str, Any]) -> None:
        self.document = document
        self.schema = schema

    def explain(self, error: ValidationError) -> Iterator[Fault]:
        """Yield the faults.

        Of the branches of a union, one that got further into the value knows better than one
        that did not take its type: what the latter wanted is said only where no branch did.
        """
        wanted: dict[Keys, list[str]] = {}
        entered: set[Keys] = set()
        for item in error.errors(include_url=False):
            keys = self._keys(item["loc"])
            if any(keys[: len(broken)] == broken for broken in self.document.faults):
                continue
            want = _wanted(item)
            entered.update(keys[:i] for i in range(len(keys) + (want is None)))
            if want is None:
                yield from self._faults(item, keys)
            else:
                wanted.setdefault(keys, []).append(want)
        for keys in wanted.keys() - entered:
            value = self.document.at(keys)
            yield self.document.fault(keys, _wrong_type(value, list(dict.fromkeys(wanted[keys]))))

    def _keys(self, loc: tuple[str | int, ...]) -> Keys:
        """Return the keys of an error, without Pydantic's names of branches and missing keys."""
        keys: Keys = ()
        for step in loc:
            if (*keys, step) in self.document.places:
                keys = (*keys, step)
        return keys

    def _faults(self, item: Any, keys: Keys) -> Iterator[Fault]:
        kind, context, fault = item["type"], item.get("ctx", {}), self.document.fault
        match kind:
            case "default_factory_not_called":  # only ever follows from another error
                return
            case "missing":
                yield fault((*keys, item["loc"][-1]), "missing, but required")
            case "extra_forbidden":
                nodes = schemas_at(self.schema, keys[:-1])
                known = list(dict.fromkeys(key for n in nodes for key in n.get("properties", ())))
                message = (
                    f"unknown key{suggest(str(keys[-1]), known)} (allowed: {', '.join(known)})"
                )
                yield fault(keys, message, at_key=True)
            case "value_error":
                for line in str(context["error"]).splitlines():
                    yield self._from_validator(keys, line)
            case "union_tag_invalid":
                tag = context["discriminator"].strip("'")
                yield fault((*keys, tag), f"must be one of {context['expected_tags']}")
            case "union_tag_not_found":
                yield fault((*keys, context["discriminator"].strip("'")), "missing, but required")
            case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal":
                bounds = _range(list(schemas_at(self.schema, keys)))
                yield fault(keys, f"must be {bounds}, got {show(self.document.at(keys))}")
            case "finite_number":
                yield fault(keys, f"must be finite, got {show(self.document.at(keys))}")
            case "string_too_short":
                yield fault(keys, "must not be empty")
            case "too_short":
                yield fault(keys, f"must have {context['min_length']} or more that are valid")
            case _:
                yield fault(keys, str(item["msg"]).replace("Input should", "must"))

    def _from_validator(self, keys: Keys, line: str) -> Fault:
        """Return a validator's own words, at the field that they name if they name one."""
        named = re.match(r"([\w.]+): (.*)", line)
        if named:
            inner = tuple(int(key) if key.isdigit() else key for key in named[1].split("."))
            nodes = schemas_at(self.schema, keys)
            fields = {key for node in nodes for key in node.get("properties", ())}
            if inner[0] in fields or (*keys, inner[0]) in self.document.places:
                return self.document.fault(keys + inner, named[2])
        return self.document.fault(keys, line)


def _wanted(item: Any) -> str | None:
    """Return what a wrong type or word should have been, or None for an error of another kind."""
    if item["type"] in ("literal_error", "enum"):
        return str(item["ctx"]["expected"])
    name = re.sub(r"(_attributes)?_type$|_parsing$|_from_float$", "", item["type"])
    return TYPES.get(name)


def _wrong_type(value: Any, wanted: list[str]) -> str:
    if wanted == [TYPES["bool"]]:
        return f"write true or false, not {show(value)}"
    message = f"expected {' or '.join(wanted)}, got {show(value)}"
    if TYPES["string"] in wanted and isinstance(value, bool | int | float):
        return f"{message} (quotes make it text)"
    words = re.findall(r"'([^']*)'", " ".join(wanted))
    return message + (suggest(value, words) if isinstance(value, str) else "")


def _range(nodes: list[dict[str, Any]]) -> str:
    """Return the range of a number in words, from the first schema that has bounds."""
    for node in nodes:
        low, above = node.get("minimum"), node.get("exclusiveMinimum")
        high, below = node.get("maximum"), node.get("exclusiveMaximum")
        if (low is None and above is None) and (high is None and below is None):
            continue
        if high is None and below is None:
            return f"at least {low}" if above is None else f"above {above}"
        if low is None and above is None:
            return f"at most {high}" if below is None else f"below {below}"
        left = f"[{low}" if above is None else f"({above}"
        return f"in {left}, {f'{high}]' if below is None else f'{below})'}"
    return "in range"
