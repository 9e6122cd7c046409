"""The closed schema of an experiment file: a base, named differences on it, and a design."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from reformsim.city import CityConfig
from reformsim.config import load_yaml, resolve, validate
from reformsim.experiment import checks, pilots
from reformsim.experiment.kinds import Apart, Compare, Design, Difference, Factorial, Pilot, Staged
from reformsim.experiment.pictures import Figure
from reformsim.experiment.sampled import Bounds, Sampled
from reformsim.scenario import (
    YEAR,
    Closed,
    Panel,
    PremisesPlan,
    Scenario,
    StationPlan,
    Step,
    check_memory,
)


class Until(Closed):
    """Go on until the 95 % interval of a contrast is as narrow as asked, by Stein's two stages.

    After ``pilot`` replications the number in all is set so that every scenario's contrast with
    its reference in ``outcome`` has an interval of ± ``half_width``, or to ``max``.
    """

    outcome: str
    half_width: float = Field(gt=0)
    max: int = Field(ge=20)
    pilot: int = Field(default=20, ge=20)

    @model_validator(mode="after")
    def _room(self) -> Self:
        if self.max < self.pilot:
            raise ValueError(f"max: must not be below the pilot of {self.pilot} replications")
        return self


def _usual_replications(data: dict[str, Any]) -> int:
    if data.get("until") is not None:
        return data["until"].pilot
    design = data.get("design")
    return design.replications if design is not None else 1


class Experiment(Closed):
    """One experiment: what is asked, what is run, what is shown.

    The base is written like a scenario. ``outcomes`` are the headlines shown, in this order;
    ``zh`` gives the Chinese names of scenarios, factors and labels.
    """

    name: str = Field(pattern=r"^[a-z0-9_]+$")
    title: str = Field(min_length=1)
    title_zh: str = Field(min_length=1)
    question: str = Field(min_length=1)
    question_zh: str | None = Field(default=None, min_length=1)
    city: CityConfig
    city_seed: int = Field(default=1, ge=0, lt=2**63)
    warm_up: int = Field(default=YEAR, ge=0, description="Days without the reform.")
    years: int = Field(default=5, ge=1, le=99, description="Years after the warm-up.")
    seed: int = Field(default=1, ge=0, lt=2**62)
    uncertainties: dict[str, float] = Field(default_factory=dict)
    reform: tuple[Step, ...] = ()
    stations: StationPlan = StationPlan()
    premises: PremisesPlan = PremisesPlan()
    scenarios: dict[str, Difference] = Field(default_factory=dict)
    baseline: str | None = None
    design: Design = Compare()
    until: Until | None = None
    intervals: Literal["t", "bootstrap_t"] = Field(
        default="t", description="Of contrasts: bootstrap_t for skewed outcomes, 20 runs or more."
    )
    replications: int = Field(default_factory=_usual_replications, ge=1)
    outcomes: tuple[str, ...] = Field(min_length=1)
    figures: tuple[Figure, ...] = ()
    keep: Literal["all", "detail", "headlines"] | None = Field(
        default=None,
        description="What is kept of a run: all it tells, in detail with every community and day, "
        "or the city's outcomes after the transition; all if absent, headlines from 200 runs.",
    )
    zh: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _plausible(self) -> Self:
        checks.plausible(self)
        return self

    def staged(self) -> Difference:
        """Return the reform of a staged design in its waves."""
        assert isinstance(self.design, Staged)
        whole, every = self.scenarios[self.design.of], self.design.every
        steps = (
            step.model_copy(
                update={
                    "where": wave,
                    "from_day": step.from_day + i * every,
                    "until": step.until and step.until + i * every,
                }
            )
            for i, wave in enumerate(self.design.waves)
            for step in whole.reform
        )
        return whole.model_copy(update={"reform": tuple(steps)})

    def parts(self) -> dict[str, tuple[Step, ...]]:
        """Return the parts of the reform that a design takes apart, and the steps of each."""
        assert isinstance(self.design, Apart)
        steps = self.scenarios[self.design.of].reform
        groups = self.design.groups or {step.measure: (step.measure,) for step in steps}
        return {
            name: tuple(step for step in steps if step.measure in measures)
            for name, measures in groups.items()
        }

    def fixed(self) -> set[str]:
        """Return the uncertainties to which the base or a scenario gives a value."""
        return {*self.uncertainties}.union(*(d.uncertainties for d in self.scenarios.values()))

    def bounds(self) -> Bounds:
        """Return what a design over uncertainties varies, and between which bounds."""
        varied = self.design.worlds if isinstance(self.design, Pilot) else self.design
        return varied.bounds(self.fixed()) if isinstance(varied, Sampled) else {}

    @model_validator(mode="after")
    def _runnable(self) -> Self:
        """Refuse a base or a difference that does not make a valid scenario, at its place."""
        faults = list(self._faults())
        if faults:
            raise ValueError("\n".join(faults))
        return self

    def _faults(self) -> Iterator[str]:
        base = list(self._faults_with("", ()))
        yield from base
        if not base:
            for place, difference in self._differences():
                yield from self._faults_with(f"{place}.", (difference,))

    def _faults_with(self, place: str, differences: tuple[Difference, ...]) -> Iterator[str]:
        try:
            self.scenario("checked", differences)
        except ValidationError as error:
            for item in error.errors(include_url=False):
                field = place + ".".join(map(str, item["loc"]))
                told = item.get("ctx", {}).get("error", item["msg"])
                for line in str(told).splitlines():
                    within = item["type"] == "value_error" and ": " in line
                    yield f"{field}.{line}" if within else f"{field}: {line}"

    def _differences(self) -> Iterator[tuple[str, Difference]]:
        for name, difference in self.scenarios.items():
            yield f"scenarios.{name}", difference
        if isinstance(self.design, Staged):
            yield "design.waves", self.staged()
        if isinstance(self.design, Pilot):
            yield "design.treated", pilots.reform(self, max(self.design.treated), 0)
        if isinstance(self.design, Factorial):
            for factor, labels in self.design.factors.items():
                for label, difference in labels.items():
                    yield f"design.factors.{factor}.{label}", difference

    def scenario(self, name: str, differences: tuple[Difference, ...]) -> Scenario:
        """Return the base with ``differences`` on it, as the scenario that the model runs.

        Steps are added up; of two values for one uncertainty, two cities or two plans
        the later counts. Raises Pydantic's ValidationError.
        """
        reform, facts, city = self.reform, self.uncertainties, self.city
        stations, premises = self.stations, self.premises
        for change in differences:
            reform += change.reform
            facts = facts | change.uncertainties
            stations = change.stations or stations
            premises = change.premises or premises
            city = change.city or city
        return Scenario(
            name=name,
            city=city,
            city_seed=self.city_seed,
            warm_up=self.warm_up,
            days=self.warm_up + YEAR * self.years,
            uncertainties=facts,
            reform=reform,
            stations=stations,
            premises=premises,
            panel=Panel(level=self.design.units, outcomes=self.outcomes)
            if isinstance(self.design, Pilot)
            else None,
        )

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read an experiment file; cities and reforms may be named as in a scenario file.

        Raises ConfigError with one line for each fault.
        """
        document = resolve(load_yaml(path), cls)
        experiment = validate(document, cls)
        check_memory(experiment.city, document)
        return experiment
