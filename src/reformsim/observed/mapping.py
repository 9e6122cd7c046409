"""Which column of an export is what, and which of its words mean what: a mapping file."""

import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from reformsim import categories, known
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
    channels: tuple[str, ...] = Field(
        default=known.HOTLINE,
        description="Whose cases the export holds: hotline, station, grid. Nothing is left out by "
        "it: runs are told by cases of these channels.",
    )
    dates: Literal["mdy", "dmy"] | None = Field(
        default=None, description="Order of 03/05/2017; found from the whole file if absent."
    )
    zone: str | None = Field(
        default=None, description="Where the city is; needed where some dates carry an offset."
    )
    missing: tuple[str, ...] = Field(
        default=("NULL", "null", "N/A", "NA", "None", "NaN", "nan", "-", "--", "—", "/", "无"),
        description="Words for a blank cell.",
    )
    separators: tuple[str, ...] = Field(
        default=(";", "\uff1b", "、", "\uff0c", "/"),
        description="Any of them stands between names of departments.",
    )
    no_department: Literal["intake", "unknown"] = Field(
        default="unknown", description="What 0 departments mean: settled at intake, or not told."
    )
    ended: tuple[str, ...] = Field(default=(), description="Status of a case that is over.")
    reopened: tuple[str, ...] = Field(
        default=("yes", "y", "true", "t", "是", "有"),
        description="Words for a case brought up again, besides counts.",
    )
    not_reopened: tuple[str, ...] = Field(
        default=("no", "n", "false", "f", "否", "无", "没有"), description="Words for one not."
    )
    satisfied: tuple[str, ...] = Field(default=(), description="Answers of a satisfied caller.")
    dissatisfied: tuple[str, ...] = Field(default=(), description="Answers of any other caller.")
    no_answer: tuple[str, ...] = Field(
        default=(), description="Words for a caller not asked, not reached or silent."
    )
    categories: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    @field_validator("channels")
    @classmethod
    def _known_channels(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return known.channels(names)

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
                if seen.setdefault(folded(word), name) != name:
                    faults.append(f"{name}.{i}: {word!r} is also under {seen[folded(word)]}")
        if faults:
            raise ValueError("\n".join(faults))
        return words

    @field_validator("separators")
    @classmethod
    def _some_sign(cls, separators: tuple[str, ...]) -> tuple[str, ...]:
        if not separators or not all(sign.strip() for sign in separators):
            raise ValueError("one or several signs, none of them blank")
        return separators

    @model_validator(mode="after")
    def _answers_apart(self) -> Self:
        faults = []
        if self.columns.satisfaction is not None:
            for field in ("satisfied", "dissatisfied"):
                if not getattr(self, field):
                    faults.append(f"{field}: columns.satisfaction needs words here")
        for fields in (("reopened", "not_reopened"), ("satisfied", "dissatisfied", "no_answer")):
            seen = dict[str, str]()
            for field in fields:
                for i, word in enumerate(getattr(self, field)):
                    if seen.setdefault(folded(word), field) != field:
                        faults.append(f"{field}.{i}: {word!r} is also under {seen[folded(word)]}")
        if faults:
            raise ValueError("\n".join(faults))
        return self

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a mapping file; raises ConfigError with all faults, each with its line."""
        return validate(load_yaml(path), cls)

    def departments_in(self, text: str) -> int:
        """Return how many departments a cell names; raises ValueError where it names none."""
        parts = re.split("|".join(map(re.escape, self.separators)), text)
        names = {folded(part) for part in parts} - {""}
        if not names:
            raise ValueError(f"{text!r} names no department")
        return len(names)

    def category_of(self, text: str) -> int:
        """Return the index of the category that a word of the export means, -1 without one."""
        asked, best, found = folded(text), -1, -1
        for name, words in self.categories.items():
            for word in map(folded, words):
                if word == asked:
                    return categories.NAMES.index(name)
                if len(word) > best and "*" in word and fnmatchcase(asked, _literal(word)):
                    best, found = len(word), categories.NAMES.index(name)
        return found


def folded(word: str) -> str:
    """Return a word as it is compared."""
    return " ".join(word.split()).casefold()


def _literal(pattern: str) -> str:
    """Return a pattern in which only the star is special."""
    return re.sub(r"([\[?])", r"[\1]", pattern)
