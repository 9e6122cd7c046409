"""Reading a YAML file: plain data, and the place of every key and value."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

#: Where a value sits: keys of mappings and indices of lists, from the top of a file.
Keys = tuple[str | int, ...]

MAX_DEPTH = 50


@dataclass(frozen=True, order=True, slots=True)
class Spot:
    """A place in a file; line and column count from 1."""

    file: str
    line: int = 1
    column: int = 1


@dataclass(frozen=True, order=True, slots=True)
class Fault:
    """One thing that is wrong: where, in which field (dotted; may be empty), and what."""

    spot: Spot
    field: str
    message: str

    def __str__(self) -> str:
        """Return one line, ``file:line:column: field: message``."""
        head = f"{self.spot.file}:{self.spot.line}:{self.spot.column}"
        text = ": ".join(filter(None, (head, self.field, self.message)))
        return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


class ConfigError(ValueError):
    """A file that cannot be used; ``lines`` holds one line for each fault, in order of place."""

    def __init__(self, *faults: Fault) -> None:
        """Keep each fault once, in order."""
        super().__init__(*sorted(set(faults)))

    @property
    def lines(self) -> tuple[str, ...]:
        """One line for each fault."""
        return tuple(str(fault) for fault in self.args)

    def __str__(self) -> str:
        """Return the lines, one below the other."""
        return "\n".join(self.lines)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: its key, itself, and its keys within the file that holds it."""

    key: Spot
    value: Spot
    field: Keys


@dataclass(frozen=True, slots=True)
class Document:
    """A file's content (dicts, lists, text, numbers, true or false, None) and where it stands.

    ``faults`` holds what was wrong with the files named at some keys.
    """

    path: Path
    data: dict[str, Any]
    places: Mapping[Keys, Place]
    faults: Mapping[Keys, tuple[Fault, ...]]

    def at(self, keys: Keys) -> Any:
        """Return the value at ``keys``; raises LookupError without one."""
        value: Any = self.data
        for key in keys:
            value = value[key]
        return value

    def fault(self, keys: Keys, message: str, *, at_key: bool = False) -> Fault:
        """Return a fault of the value (or the key) at ``keys``.

        Of keys that are not in the file, it points to the nearest enclosing value that is.
        """
        known = keys
        while known not in self.places:
            known = known[:-1]
        place = self.places[known]
        spot = place.key if at_key else place.value
        return Fault(spot, dotted(place.field + keys[len(known) :]), message)


def dotted(keys: Keys) -> str:
    """Return keys as one name, ``offices.1.servers``."""
    return ".".join(map(str, keys))


def suggest(name: str, known: Iterable[str]) -> str:
    """Return ``, did you mean …?`` with the nearest of the known names, or nothing."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f", did you mean {near[0]}?" if near else ""


def show(value: Any) -> str:
    """Return a value as a message names it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "keys with values"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def load_yaml(path: str | Path) -> Document:
    """Read a YAML 1.2 file whose top is a mapping.

    Raises ConfigError on a file that is missing, empty, not UTF-8, not YAML, has a key twice or
    a list at the top. Aliases and tags are refused: what a file means stands where it is read.
    """
    path = Path(path)
    file = shown(path)
    yaml = YAML(typ="safe", pure=True)
    root = _compose(yaml, read_text(path, file), file)
    reader = _Reader(file, yaml)
    data = reader.read(root, (), _spot(file, root.start_mark))
    if reader.faults:
        raise ConfigError(*reader.faults)
    if not isinstance(data, dict):
        message = f"expected keys with values at the top, got {show(data)}"
        raise ConfigError(Fault(reader.places[()].value, "", message))
    return Document(path, data, reader.places, {})


def shown(path: Path) -> str:
    """Return a path as messages name it: from the current folder where it lies below."""
    current = Path.cwd()
    return str(path.relative_to(current) if path.is_relative_to(current) else path)


def read_text(path: Path, file: str) -> str:
    """Return the text of a file; raises ConfigError where there is none in UTF-8."""
    try:
        if path.is_dir():
            raise ConfigError(Fault(Spot(file), "", "a folder; expected a YAML file"))
        raw = path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(Fault(Spot(file), "", "no such file")) from None
    except OSError as error:
        raise ConfigError(Fault(Spot(file), "", f"cannot be read: {error.strerror}")) from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        spot = _spot_after(file, raw[: error.start].decode("utf-8", "replace"))
        raise ConfigError(Fault(spot, "", "not UTF-8: save the file in this encoding")) from None


def _compose(yaml: YAML, text: str, file: str) -> Node:
    """Parse a text into nodes; a syntax error is where the parser stopped."""
    try:
        _refuse_aliases(text, file)
        root = yaml.compose(text)
    except MarkedYAMLError as error:
        unclosed = "stream" in str(error.problem) and error.context_mark
        mark = error.context_mark if unclosed else error.problem_mark
        raise ConfigError(Fault(_spot(file, mark), "", _syntax(error, text))) from None
    except ReaderError as error:
        message = f"not valid YAML: the character U+{ord(text[error.position]):04X} is not allowed"
        raise ConfigError(Fault(_spot_after(file, text[: error.position]), "", message)) from None
    except (OverflowError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        message = "not valid YAML: an escape that is no character (the last is U+10FFFF)"
        raise ConfigError(Fault(Spot(file), "", message)) from None
    if root is None:
        raise ConfigError(Fault(Spot(file), "", "the file is empty; expected keys with values"))
    return root


def _refuse_aliases(text: str, file: str) -> None:
    """Refuse aliases, which can nest or repeat a value without end, and very deep nesting."""
    depth = 0
    for event in YAML(typ="safe", pure=True).parse(text):
        spot = _spot(file, event.start_mark)
        if isinstance(event, AliasEvent):
            message = f"the alias *{event.anchor} is not allowed: write the value out"
            raise ConfigError(Fault(spot, "", message))
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise ConfigError(Fault(spot, "", f"nested deeper than {MAX_DEPTH} levels"))


#: What a syntax error of ruamel.yaml most often comes from.
HINTS = {
    "mapping values are not allowed": "text with a colon needs quotes",
    "could not find expected ':'": "a line must read `key: value`",
    "unexpected end of stream": "a quotation mark is not closed",
    "expected ',' or": "a comma or a closing bracket is missing",
    "expected the node content": "a bracket is not closed, or a value is missing",
    "expected <block end>": "keys of one level must start in the same column",
    "expected '<document start>'": "keys of one level must start in the same column",
    "found another document": "a file holds one document",
    "cannot start any token": "text that starts with a sign needs quotes",
    "unknown escape": "use single quotes, or double the backslash",
}


def _syntax(error: MarkedYAMLError, text: str) -> str:
    problem = str(error.problem or error.context)
    lines = text.splitlines()
    row = error.problem_mark.line if error.problem_mark else len(lines)
    indent = "".join(takewhile(str.isspace, lines[row])) if row < len(lines) else ""
    if "'\\t'" in problem or "\t" in indent:
        return "not valid YAML: a tab; indent with spaces"
    hint = next((hint for part, hint in HINTS.items() if part in problem), None)
    return f"not valid YAML: {hint} ({problem})" if hint else f"not valid YAML: {problem}"


def _spot(file: str, mark: Any) -> Spot:
    return Spot(file, mark.line + 1, mark.column + 1) if mark else Spot(file)


def _spot_after(file: str, text: str) -> Spot:
    return Spot(file, text.count("\n") + 1, len(text) - text.rfind("\n"))


class _Reader:
    """Turns nodes into plain data, and notes the place of each key and value."""

    PREFIX = "tag:yaml.org,2002:"

    def __init__(self, file: str, yaml: YAML) -> None:
        self.file = file
        self.yaml = yaml
        self.places: dict[Keys, Place] = {}
        self.faults: list[Fault] = []

    def read(self, node: Node, keys: Keys, key: Spot) -> Any:
        """Return the data of a node that stands at ``keys``."""
        absent = isinstance(node, ScalarNode) and node.start_mark.index == node.end_mark.index
        self.places[keys] = Place(key, key if absent else _spot(self.file, node.start_mark), keys)
        kind = str(node.tag).removeprefix(self.PREFIX)
        if isinstance(node, MappingNode) and kind == "map":
            return self._mapping(node, keys)
        if isinstance(node, SequenceNode) and kind == "seq":
            return [
                self.read(item, (*keys, i), _spot(self.file, item.start_mark))
                for i, item in enumerate(node.value)
            ]
        if isinstance(node, ScalarNode):
            return self._scalar(node, kind, keys)
        return self._refuse_tag(node, keys)

    def _mapping(self, node: MappingNode, keys: Keys) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self._refuse(key_node, keys, "a key must be a word")
                continue
            name = self._text(key_node, keys)
            if name is None:
                continue
            inner = (*keys, name)
            if name in data:
                first = self.places[inner].key.line
                self._refuse(key_node, inner, f"duplicate key (first on line {first})")
                continue
            data[name] = self.read(value_node, inner, _spot(self.file, key_node.start_mark))
        return data

    def _scalar(self, node: ScalarNode, kind: str, keys: Keys) -> Any:
        if kind in ("str", "timestamp", "value", "merge"):  # dates, = and << are text here
            return self._text(node, keys)
        if kind not in ("null", "bool", "int", "float"):
            return self._refuse_tag(node, keys)
        try:
            value = self.yaml.constructor.construct_object(node)
        except (ValueError, LookupError, OverflowError, MarkedYAMLError):
            return self._refuse(node, keys, f"no valid {kind}: {show(node.value)}")
        if isinstance(value, int) and abs(value) >= 2**63:
            return self._refuse(node, keys, "a whole number beyond 64 bits")
        return value

    def _text(self, node: ScalarNode, keys: Keys) -> str | None:
        text = str(node.value)
        if any("\ud800" <= c <= "\udfff" for c in text):
            self._refuse(node, keys, f"half a surrogate pair in {text!a}")
            return None
        return text

    def _refuse_tag(self, node: Node, keys: Keys) -> None:
        tag = str(node.tag).replace(self.PREFIX, "!!")
        self._refuse(node, keys, f"the tag {tag} is not allowed")

    def _refuse(self, node: Node, keys: Keys, message: str) -> None:
        self.faults.append(Fault(_spot(self.file, node.start_mark), dotted(keys), message))
