"""The closed schema of an experiment file: a base, named differences on it, and a design."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from reformsim import outcomes
from reformsim.city import CityConfig
from reformsim.config import load_yaml, resolve, suggest, validate
from reformsim.scenario import YEAR, Closed, Scenario, StationPlan, Step, check_memory

#: The pictures that the report can draw; see ``reformsim.report.figures``.
Figure = Literal["curves", "contrasts", "waits", "map", "effects", "cells", "groups"]


class Difference(Closed):
    """What a scenario, or one label of a factor, changes on the base.

    ``reform`` adds steps to the schedule, ``uncertainties`` replaces the values it names,
    ``stations`` and ``city`` replace the whole entry. An empty difference changes nothing.
    """

    reform: tuple[Step, ...] = ()
    uncertainties: dict[str, float] = Field(default_factory=dict)
    stations: StationPlan | None = None
    city: CityConfig | None = None


class Compare(Closed):
    """Each named scenario against the baseline."""

    kind: Literal["compare"] = "compare"


class Factorial(Closed):
    """Every combination of the labels of the factors; the first label is the reference.

    Factors named in ``within`` are places to compare in (densities, say), not treatments:
    a cell is then compared with the reference of its own place.
    """

    kind: Literal["factorial"]
    factors: dict[str, dict[str, Difference]] = Field(min_length=1)
    within: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _plausible(self) -> Self:
        for name, labels in self.factors.items():
            if len(labels) < 2:
                raise ValueError(f"factors.{name}: needs at least two labels")
        for i, name in enumerate(self.within):
            if name not in self.factors:
                raise ValueError(f"within.{i}: no factor {name!r}{suggest(name, self.factors)}")
        if set(self.within) == set(self.factors):
            raise ValueError("within: names every factor, so that nothing is left to compare")
        return self

    def two_level(self) -> dict[str, tuple[str, str]] | None:
        """Return the two labels of each factor, or None unless all have two and are treatments."""
        if self.within or any(len(labels) != 2 for labels in self.factors.values()):
            return None
        return {name: (low, high) for name, (low, high) in self.factors.items()}


Design = Annotated[Compare | Factorial, Field(discriminator="kind")]


class Experiment(Closed):
    """One experiment: what is asked, what is run, what is shown.

    The base is written like a scenario. ``outcomes`` are the headlines shown, in this order;
    ``zh`` gives the Chinese names of scenarios, factors and labels.
    """

    name: str = Field(pattern=r"^[a-z0-9_]+$")
    title: str = Field(min_length=1)
    title_zh: str = Field(min_length=1)
    question: str = Field(min_length=1)
    city: CityConfig
    city_seed: int = Field(default=1, ge=0, lt=2**63)
    warm_up: int = Field(default=YEAR, ge=0, description="Days without the reform.")
    years: int = Field(default=5, ge=1, le=99, description="Years after the warm-up.")
    seed: int = Field(default=1, ge=0, lt=2**62)
    replications: int = Field(default=4, ge=1)
    uncertainties: dict[str, float] = Field(default_factory=dict)
    reform: tuple[Step, ...] = ()
    stations: StationPlan = StationPlan()
    scenarios: dict[str, Difference] = Field(default_factory=dict)
    baseline: str | None = None
    design: Design = Compare()
    outcomes: tuple[str, ...] = Field(min_length=1)
    figures: tuple[Figure, ...] = ()
    keep: Literal["all", "headlines"] | None = Field(
        default=None,
        description="What is kept of a run: all it tells, or the city's outcomes after the "
        "transition; all if absent, headlines from 200 runs.",
    )
    zh: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _shown(self) -> Self:
        for i, name in enumerate(self.outcomes):
            if name not in outcomes.BY_NAME:
                near = suggest(name, outcomes.BY_NAME)
                raise ValueError(f"outcomes.{i}: unknown outcome {name!r}{near}")
        return self

    @model_validator(mode="after")
    def _compared(self) -> Self:
        if isinstance(self.design, Factorial):
            if self.scenarios or self.baseline is not None:
                raise ValueError("design: factors take the place of `scenarios` and `baseline`")
            if "effects" in self.figures and self.design.two_level() is None:
                raise ValueError("figures: `effects` needs two labels in every factor, no `within`")
            if "groups" in self.figures and not self.design.within:
                raise ValueError("figures: `groups` needs `within` in the design")
        elif len(self.scenarios) < 2:
            raise ValueError("scenarios: a comparison needs two or more")
        elif self.baseline not in self.scenarios:
            raise ValueError(f"baseline: must be one of {', '.join(self.scenarios)}")
        elif wrong := {"effects", "cells", "groups"} & set(self.figures):
            raise ValueError(f"figures: {min(wrong)} needs a factorial design")
        return self

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
        if isinstance(self.design, Factorial):
            for factor, labels in self.design.factors.items():
                for label, difference in labels.items():
                    yield f"design.factors.{factor}.{label}", difference

    def scenario(self, name: str, differences: tuple[Difference, ...]) -> Scenario:
        """Return the base with ``differences`` on it, as the scenario that the model runs.

        Steps are added up; of two values for one uncertainty, two cities or two station plans
        the later counts. Raises Pydantic's ValidationError.
        """
        reform, facts, stations, city = self.reform, self.uncertainties, self.stations, self.city
        for change in differences:
            reform += change.reform
            facts = facts | change.uncertainties
            stations = change.stations or stations
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
