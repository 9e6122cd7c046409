"""The form in which levers, uncertainties and outcomes are declared: once, for every reader.

Validation, the reference pages, the bounds of a sensitivity analysis and the labels of a report
all come from these declarations.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Quantity:
    """A named number: unit, range, default, meaning in both languages, source.

    ``source`` names where the default and the range come from, or says *assumed*.
    """

    name: str
    unit: str
    low: float
    default: float
    high: float
    meaning: str
    meaning_zh: str
    source: str = "assumed"

    def __post_init__(self) -> None:
        """Refuse a declaration whose default lies outside its own range."""
        if not self.low <= self.default <= self.high:
            raise ValueError(
                f"{self.name}: default {self.default} not in [{self.low}, {self.high}]"
            )


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
    """A result of a run: a pure function of what was counted, its unit, which way is better."""

    name: str
    unit: str
    better: Better
    meaning: str
    meaning_zh: str
    headline: bool = False
