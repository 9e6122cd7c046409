"""Where a measure helps and where it harms: two small worlds for each, in one file.

In both, the measure in force from the end of the warm-up is held against the same world without
it, with the same seeds. What is expected is written in the file; what comes out may differ.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from reformsim import measures, outcomes
from reformsim.city import CityConfig
from reformsim.config import ConfigError, Fault, load_yaml, resolve, suggest, validate
from reformsim.experiment.analysis import ROUNDING
from reformsim.measures import Measure
from reformsim.scenario import YEAR, Closed, Scenario, StationPlan, Step, check_memory

SideName = Literal["helps", "harms"]
SIDES: tuple[SideName, ...] = ("helps", "harms")
Way = Literal["higher", "lower"]


class Side(Closed):
    """One world: why the measure should help, or harm, there, and how that is seen.

    ``outcome`` and ``city`` take the place of the file's. ``reform`` holds steps that are in
    force with and without the measure. ``better`` says which way of an outcome is better where
    its declaration does not.
    """

    why: str = Field(min_length=1)
    why_zh: str = Field(min_length=1)
    outcome: str | None = None
    better: Way | None = None
    city: CityConfig | None = None
    uncertainties: dict[str, float] = Field(default_factory=dict)
    reform: tuple[Step, ...] = ()
    stations: StationPlan = StationPlan()
    intensity: float = Field(default=1.0, gt=0, le=1)


class Backfire(Closed):
    """A file of ``experiments/backfires``: a measure, where it helps and where it harms.

    ``years`` follow a warm-up of one year; the first of them is the transition, so that two are
    the fewest.
    """

    measure: str
    outcome: str
    years: int = Field(default=2, ge=2, le=20)
    city: CityConfig
    helps: Side
    harms: Side

    @field_validator("measure")
    @classmethod
    def _declared(cls, name: str) -> str:
        if name not in measures.BY_NAME:
            raise ValueError(f"unknown measure {name!r}{suggest(name, measures.BY_NAME)}")
        return name

    @model_validator(mode="after")
    def _runnable(self) -> Self:
        faults = [fault for side in SIDES for fault in self._faults(side)]
        if faults:
            raise ValueError("\n".join(dict.fromkeys(faults)))
        return self

    def _faults(self, side: SideName) -> Iterator[str]:
        world = self.side(side)
        field = f"{side}.outcome" if world.outcome else "outcome"
        name = self.outcome_of(side)
        if name not in outcomes.BY_NAME:
            yield f"{field}: unknown outcome {name!r}{suggest(name, outcomes.BY_NAME)}"
        elif self.better(side) is None:
            yield f"{field}: of {name}, neither way is better: say `better` in `{side}`"
        if any(step.measure == self.measure for step in world.reform):
            yield f"{side}.reform: must not hold {self.measure}, which is what is tried"
        try:
            self.scenario(side, True)
        except ValidationError as error:
            for item in error.errors(include_url=False):
                at = ".".join(map(str, (side, *item["loc"])))
                told = str(item.get("ctx", {}).get("error", item["msg"]))
                for line in told.splitlines():
                    yield f"{at}.{line}" if item["type"] == "value_error" else f"{at}: {line}"

    def side(self, side: SideName) -> Side:
        """Return the world in which the measure helps, or harms."""
        return self.helps if side == "helps" else self.harms

    def outcome_of(self, side: SideName) -> str:
        """Return the outcome by which a side is seen."""
        return self.side(side).outcome or self.outcome

    def better(self, side: SideName) -> Way | None:
        """Return which way of a side's outcome is better, None where nothing says so.

        By the outcome's declaration; else by the side; else, of the measure's own first-order
        outcome, the way that is expected of it.
        """
        name, measure = self.outcome_of(side), measures.BY_NAME[self.measure]
        declared = outcomes.BY_NAME[name].better
        if declared != "neither":
            return declared
        if self.side(side).better is None and name == measure.outcome:
            return "higher" if measure.expected == "up" else "lower"
        return self.side(side).better

    def scenario(self, side: SideName, with_measure: bool) -> Scenario:
        """Return one arm of a pair. Raises Pydantic's ValidationError."""
        world = self.side(side)
        tried = Step(measure=self.measure, intensity=world.intensity, from_day=YEAR)
        return Scenario(
            name=f"{self.measure} {side}",
            city=world.city or self.city,
            days=YEAR * (1 + self.years),
            uncertainties=world.uncertainties,
            reform=(*world.reform, tried) if with_measure else world.reform,
            stations=world.stations,
        )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file, named as its measure is; cities and reforms may be given by name.

        Raises ConfigError with one line for each fault.
        """
        document = resolve(load_yaml(path), cls)
        found = validate(document, cls)
        if found.measure != path.stem:
            told = f"the file must be named {found.measure}.yaml, not {path.name}"
            raise ConfigError(document.fault(("measure",), told))
        check_memory(found.city, document)
        return found


def load_folder(folder: Path) -> list[Backfire]:
    """Read all files of a folder, in the order of the measures' numbers.

    Raises ConfigError with the faults of all of them.
    """
    found: list[Backfire] = []
    faults: list[Fault] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            found.append(Backfire.load(path))
        except ConfigError as error:
            faults += error.args
    if faults:
        raise ConfigError(*faults)
    return sorted(found, key=lambda backfire: measures.BY_NAME[backfire.measure].id)


class Verdict(NamedTuple):
    """What an interval allows to say: a word, and the same in Chinese."""

    word: str
    word_zh: str


SHOWN = Verdict("shown", "已显示")
REVERSED = Verdict("reversed", "方向相反")
HOLDS_ZERO = Verdict("not shown: interval holds zero", "未显示:区间含零")
NO_CHANGE = Verdict("not shown: no difference at all", "未显示:毫无差异")
ONE_RUN = Verdict("not shown: fewer than two pairs", "未显示:不足两对")
FAILED = Verdict("failed", "运行失败")


def judge(side: SideName, better: Way, n: int, low: float, high: float, base: float) -> Verdict:
    """Say what the interval [low, high] of ``n`` paired differences shows of a side.

    *Shown* only where all of it lies on the side's own way of zero, *reversed* where all of it
    lies on the other. Differences that are rounding against ``base`` are none.
    """
    if n < 2:
        return ONE_RUN
    if max(-low, high) <= ROUNDING * abs(base):
        return NO_CHANGE
    if low <= 0 <= high:
        return HOLDS_ZERO
    helps = (low > 0) == (better == "higher")
    return SHOWN if helps == (side == "helps") else REVERSED


def measure_of(backfire: Backfire) -> Measure:
    """Return the declaration of a file's measure."""
    return measures.BY_NAME[backfire.measure]
