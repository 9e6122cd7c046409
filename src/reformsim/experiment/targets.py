"""What a model is calibrated to: rows with a value, an interval, a unit, a source and a use."""

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from reformsim import known, outcomes
from reformsim.config import suggest
from reformsim.scenario import Closed

#: Half the width of a 95 % interval, in standard deviations of a normal variable.
HALF = 1.96


class Target(Closed):
    """One row: what is known of a figure that a run tells.

    ``low`` and ``high`` are read as a 95 % interval; without ``value`` its middle is taken. Rows
    *held out* are never used to calibrate: the error on them is what a calibration is judged by.
    """

    name: str
    value: float | None = None
    low: float
    high: float
    unit: str = ""
    source: str = ""
    use: Literal["calibrated", "held out"] = "calibrated"
    n: float | None = Field(default=None, description="Cases behind it, for the reader.")
    channels: str = Field(
        default=" ".join(known.HOTLINE),
        description="Of an export: whose cases it lists, hotline, station or grid, with blanks.",
    )
    days: float | None = Field(
        default=None, gt=0, description="Of an export: from its first to its last case."
    )
    follow_up: float = Field(
        default=0, ge=0, description="Of an export: days from its last case to when it was drawn."
    )

    @field_validator("channels")
    @classmethod
    def _known_channels(cls, names: str) -> str:
        return " ".join(known.channels(names.split()))

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"high: must be above low, {self.low:g}")
        if self.value is not None and not self.low <= self.value <= self.high:
            raise ValueError(f"value: must lie in [{self.low:g}, {self.high:g}]")
        return self

    @property
    def z(self) -> float:
        """The figure aimed at."""
        return (self.low + self.high) / 2 if self.value is None else self.value

    @property
    def sd(self) -> float:
        """Standard deviation of the observation."""
        return (self.high - self.low) / (2 * HALF)

    @property
    def exported(self) -> bool:
        """Whether a run has to tell it by its own export of cases."""
        return self.name.startswith(known.EXPORT)

    @property
    def listed(self) -> known.Listed:
        """Which cases the export lists that tells it."""
        return known.Listed(tuple(self.channels.split()), self.days, self.follow_up)

    @property
    def zh(self) -> str:
        """The Chinese name of the figure, as it is declared."""
        if self.name in known.BY_NAME:
            return known.BY_NAME[self.name].zh
        if self.exported:
            return f"导出：{known.BY_NAME[self.name.removeprefix(known.EXPORT)].zh}"
        outcome = outcomes.BY_NAME.get(self.name)
        return outcome.meaning_zh if outcome else self.name


def of_facts(names: Sequence[str] | Literal["all"]) -> tuple[Target, ...]:
    """Return the declared facts of these names, or all that are calibrated or held out."""
    if names == "all":
        names = [fact.name for fact in known.KNOWN if fact.mark != "input"]
    return tuple(
        Target(
            name=fact.name, low=fact.low, high=fact.high, unit=fact.unit, source=fact.source,
            use="held out" if fact.mark == "held out" else "calibrated",
        )
        for fact in (known.BY_NAME[name] for name in names)
    )  # fmt: skip


def unknown(name: str) -> str | None:
    """Return what is wrong with the name of a target, None for one that a run tells."""
    exported = (known.EXPORT + name for name in known.EXPORTED)
    names = [*known.BY_NAME, *outcomes.BY_NAME, *exported]
    if name in names:
        return None
    return f"no run tells {name!r}{suggest(name, names)} (`reformsim facts`, `reformsim outcomes`)"
