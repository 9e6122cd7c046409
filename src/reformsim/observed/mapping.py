"""Which column of an export is what, and which of its words mean what: a mapping file."""

import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from reformsim import categories
from reformsim.config import load_yaml, suggest, validate
from reformsim.observed.reading import plain
from reformsim.scenario import Closed

#: A column by its name, or by the first of several names that a file has.
type Named = str | tuple[str, ...]


class Columns(Closed):
    """The columns that are read; all others are dropped before anything is kept."""

    created: Named = Field(description="When the case was taken in.")
    closed: Named = Field(description="When it was closed; blank while it is open.")
    id: Named | None = None
    category: Named | None = None
    departments: Named | None = Field(default=None, description="Their number, or their names.")
    transfers: Named | None = Field(default=None, description="How often it was sent back.")
    reopened: Named | None = Field(default=None, description="A count, or one of `reopened`.")
    due: Named | None = None
    satisfaction: Named | None = None
    status: Named | None = None

    def named(self) -> dict[str, tuple[str, ...]]:
        """Return the names that each column may have, as ``reading.plain`` gives them."""
        given = {field: getattr(self, field) for field in type(self).model_fields}
        return {
            field: tuple(map(plain, (names,) if isinstance(names, str) else names))
            for field, names in given.items()
            if names is not None
        }


class Mapping(Closed):
    """How one kind of export is read.

    ``categories`` gives, for each category of the model, the export's own words; a star stands
    for any text, an exact word goes before a pattern, a longer pattern before a shorter one.
    """

    name: str = Field(min_length=1)
    name_zh: str = Field(min_length=1)
    about: str = ""
    columns: Columns
    dates: Literal["mdy", "dmy"] | None = Field(
        default=None, description="Order of 03/05/2017; found from the whole file if absent."
    )
    zone: str | None = Field(
        default=None, description="Where the city is; needed where some dates carry an offset."
    )
    missing: tuple[str, ...] = Field(
        default=("NULL", "N/A", "NA", "None", "-", "无"), description="Words for a blank cell."
    )
    separator: str = Field(
        default=";", min_length=1, max_length=1, description="Between names of departments."
    )
    no_department: Literal["intake", "unknown"] = Field(
        default="unknown", description="What 0 departments mean: settled at intake, or not told."
    )
    ended: tuple[str, ...] = Field(default=(), description="Status of a case that is over.")
    reopened: tuple[str, ...] = Field(default=("yes", "true", "是"), description="Words for yes.")
    satisfied: tuple[str, ...] = Field(default=(), description="Answers of a satisfied caller.")
    categories: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str | None) -> str | None:
        if zone is not None:
            try:
                ZoneInfo(zone)
            except (LookupError, ValueError, OSError):
                raise ValueError(f"no time zone {zone!r}; one is Asia/Shanghai") from None
        return zone

    @field_validator("categories")
    @classmethod
    def _known_categories(cls, words: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        faults, seen = [], dict[str, str]()
        for name, several in words.items():
            if name not in categories.NAMES:
                near = suggest(name, categories.NAMES)
                known = ", ".join(categories.NAMES)
                faults.append(f"{name}: no category of the model{near} (these are: {known})")
            for i, word in enumerate(several):
                if seen.setdefault(_folded(word), name) != name:
                    faults.append(f"{name}.{i}: {word!r} is also under {seen[_folded(word)]}")
        if faults:
            raise ValueError("\n".join(faults))
        return words

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a mapping file; raises ConfigError with all faults, each with its line."""
        return validate(load_yaml(path), cls)

    def category_of(self, text: str) -> int:
        """Return the index of the category that a word of the export means, -1 without one."""
        folded, best, found = _folded(text), -1, -1
        for name, words in self.categories.items():
            for word in map(_folded, words):
                if word == folded:
                    return categories.NAMES.index(name)
                if len(word) > best and "*" in word and fnmatchcase(folded, _literal(word)):
                    best, found = len(word), categories.NAMES.index(name)
        return found


def _folded(word: str) -> str:
    return " ".join(word.split()).casefold()


def _literal(pattern: str) -> str:
    """Return a pattern in which only the star is special."""
    return re.sub(r"([\[?])", r"[\1]", pattern)
