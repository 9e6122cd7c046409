"""The form in which levers, uncertainties and outcomes are declared: once, for every reader.

Validation, the reference pages, the bounds of a sensitivity analysis and the labels of a report
all come from these declarations.
"""

from dataclasses import dataclass, field
from typing import Any, Literal


def plain(name: str) -> str:
    """Turn an identifier into words."""
    return name.replace("_", " ")


def capital(text: str) -> str:
    """Begin a text with a capital letter; the rest keeps its own."""
    return text[:1].upper() + text[1:]


def set_label(item: Any) -> None:
    """Give a declaration without an English ``label`` its name in words for one."""
    object.__setattr__(item, "label", item.label or plain(item.name))


@dataclass(frozen=True, slots=True)
class Quantity:
    """A named number: unit, range, default, meaning in both languages, source.

    ``source`` names where the default and the range come from, or says *assumed*. ``label`` is
    what people read in English instead of the name, short enough for an axis; the short Chinese
    is ``meaning_zh``.
    """

    name: str
    unit: str
    low: float
    default: float
    high: float
    meaning: str
    meaning_zh: str
    source: str = "assumed"
    label: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        """Refuse a declaration whose default lies outside its own range; see to the label."""
        if not self.low <= self.default <= self.high:
            raise ValueError(
                f"{self.name}: default {self.default} not in [{self.low}, {self.high}]"
            )
        set_label(self)


@dataclass(frozen=True, slots=True)
class Uncertainty(Quantity):
    """A fact of the world that nobody sets; the same in all scenarios compared."""


Combine = Literal["sum", "max", "remainder"]


@dataclass(frozen=True, slots=True)
class Lever(Quantity):
    """A rule in force; ``default`` is its pre-reform level, and only measures move it.

    ``combine`` says how several measures act together, in any order: ``sum`` adds their
    moves and clips to the bounds; ``max`` takes the largest move up and the largest move down;
    ``remainder`` multiplies what each of them leaves of the default.
    """

    combine: Combine = "max"


Better = Literal["higher", "lower", "neither"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A result of a run: a pure function of what was counted, its unit, which way is better.

    ``label`` is what people read in English, ``meaning_zh`` in Chinese; the name is for files.
    """

    name: str
    unit: str
    better: Better
    meaning: str
    meaning_zh: str
    headline: bool = False
    label: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        """See to the label."""
        set_label(self)
