"""One run, declared in full: the city, the facts of the world, and the reform as a schedule.

A reform is a list of (measure, intensity, from, until, where). The scenario folds it into one
row of rules per subdistrict and day; a regime is data, never a branch in the code.
"""

import os
from numbers import Real
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from reformsim import measures, rules, uncertainties
from reformsim.chance import Purpose, mix, seed_key, uniform
from reformsim.city import places
from reformsim.city.config import CityConfig
from reformsim.city.territory import City
from reformsim.config import (
    ConfigError,
    Document,
    Keys,
    load_yaml,
    resolve,
    show,
    suggest,
    validate,
)
from reformsim.kernels import njit
from reformsim.measures.declare import CostBase

YEAR = 365
MAX_DAYS = 100 * YEAR
MONTHS = 12


def month_start(month: int) -> int:
    """Return the first day of a month, counted from 0; twelve months are 365 days."""
    return YEAR * month // MONTHS


def month_of(day: int) -> int:
    """Return the month, counted from 0, that a day lies in."""
    return (MONTHS * (day + 1) - 1) // YEAR


class Closed(BaseModel):
    """A frozen block that refuses unknown keys."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_by_name=True, serialize_by_alias=True
    )


class First(Closed):
    """The ``first`` share of a city's districts, in an order of its own: pilots in any city."""

    first: float = Field(gt=0, le=1)


class Step(Closed):
    """One entry of a reform's schedule: a measure, how strongly, when and where.

    ``where`` names districts (in English or Chinese) or subdistricts, or takes the ``first``
    share of the districts; None is everywhere.
    """

    measure: str
    intensity: float = Field(default=1.0, ge=0, le=1)
    from_day: int = Field(
        default=YEAR, ge=0, le=MAX_DAYS, validation_alias="from", serialization_alias="from"
    )
    until: int | None = Field(
        default=None, description="First day without it; without end if absent."
    )
    where: Annotated[tuple[str, ...], Field(min_length=1)] | First | None = None

    @field_validator("measure")
    @classmethod
    def _declared(cls, name: str) -> str:
        if name not in measures.BY_NAME:
            raise ValueError(
                f"unknown measure {name!r}{suggest(name, measures.BY_NAME)} "
                "(`reformsim measures` lists them)"
            )
        return name

    @field_validator("until")
    @classmethod
    def _after_from(cls, until: int | None, info: ValidationInfo) -> int | None:
        start = info.data.get("from_day")
        if until is not None and start is not None and until <= start:
            raise ValueError(f"must be after the first day, {start}, got {until}")
        return until

    def in_force(self, day: int) -> bool:
        """Return whether the step acts on a day at all."""
        on = self.from_day <= day and (self.until is None or day < self.until)
        return on and self.intensity > 0

    def places(self, city: City) -> np.ndarray:
        """Return where the step acts, booleans of shape (subdistricts,).

        Raises ValueError on a name that the city does not have.
        """
        match self.where:
            case None:
                return np.ones(len(city.subdistricts), dtype=bool)
            case First(first=share):
                return places.first(city, share)
            case names:
                try:
                    return places.named(city, names)
                except ValueError as error:
                    raise ValueError(f"measure {self.measure}: {error}") from None


class Governance(Closed):
    """A governance file: a named way to govern, as the steps that lead to it."""

    name: str = Field(min_length=1)
    name_zh: str = Field(min_length=1)
    about: str = ""
    measures: tuple[Step, ...]


class StationPlan(Closed):
    """The layout of service stations that the measure ``service_stations`` brings.

    ``per`` is the number of communities for each station, of all layouts but
    ``one_per_community`` and ``list``; ``sites`` names the communities of a ``list``.
    """

    layout: Literal["one_per_community", "one_per_several", "p_median", "max_coverage", "list"] = (
        "p_median"
    )
    per: int = Field(default=3, ge=1, le=1000)
    sites: tuple[str | int, ...] = ()

    @model_validator(mode="after")
    def _sites_of_list(self) -> Self:
        if self.layout == "list" and not self.sites:
            raise ValueError("sites: the layout `list` needs at least one site")
        if self.layout != "list" and self.sites:
            raise ValueError(f"sites: only the layout `list` takes sites, not `{self.layout}`")
        return self


class PremisesPlan(Closed):
    """How the measure ``community_premises`` comes by its premises."""

    mode: Literal["allocation", "rent_back", "co_build", "purchase"] = "rent_back"


class Panel(Closed):
    """Outcomes to be told month by month for every district or subdistrict."""

    level: Literal["district", "subdistrict"] = "subdistrict"
    outcomes: tuple[str, ...] = Field(min_length=1)


class Scenario(Closed):
    """Everything that makes one run, but for the seed.

    ``days`` counts all days including ``warm_up``, the days without the reform that scenarios
    share to the bit; ``years`` may say it as years after the warm-up instead. Validation errors
    are Pydantic's in Python; ``load`` turns them into a ConfigError.
    """

    name: str = Field(min_length=1)
    warm_up: int = Field(default=YEAR, ge=0, le=MAX_DAYS, description="Days without the reform.")
    years: int | None = Field(default=None, ge=1, le=99, exclude=True, repr=False)
    days: int = Field(
        default_factory=lambda data: data["warm_up"] + YEAR * (data["years"] or 5),
        ge=1, le=MAX_DAYS + YEAR * 99, description="All days, with the warm-up.",
    )  # fmt: skip
    city: CityConfig
    city_seed: int = Field(default=1, ge=0, lt=2**63)
    uncertainties: dict[str, float] = {}
    reform: tuple[Step, ...] = ()
    stations: StationPlan = StationPlan()
    premises: PremisesPlan = PremisesPlan()
    keep_cases: bool = False
    panel: Panel | None = None

    @field_validator("days")
    @classmethod
    def _one_horizon(cls, days: int, info: ValidationInfo) -> int:
        if info.data.get("years") is not None:
            raise ValueError("give `days` or `years`, not both")
        if days <= info.data.get("warm_up", -1):
            raise ValueError(f"must exceed the warm-up of {info.data['warm_up']} days, got {days}")
        return days

    @field_validator("uncertainties", mode="before")
    @classmethod
    def _declared(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        faults = []
        for name, value in values.items():
            known = uncertainties.BY_NAME.get(name)
            if known is None:
                near = suggest(name, uncertainties.BY_NAME)
                faults.append(
                    f"{name}: unknown uncertainty{near} (`reformsim uncertainties` lists them)"
                )
            elif isinstance(value, bool) or not isinstance(value, Real):
                faults.append(f"{name}: expected a number, got {show(value)}")
            elif not known.low <= float(value) <= known.high:
                faults.append(
                    f"{name}: must be in [{known.low:g}, {known.high:g}] ({known.unit}), "
                    f"got {value}"
                )
        if faults:
            raise ValueError("\n".join(faults))
        return values

    @field_validator("reform")
    @classmethod
    def _possible(cls, reform: tuple[Step, ...], info: ValidationInfo) -> tuple[Step, ...]:
        first, end = info.data.get("warm_up", 0), info.data.get("days", np.inf)
        names = places.unit_names(info.data["city"]) if "city" in info.data else ()
        faults = []
        for i, step in enumerate(reform):
            if step.from_day < first:
                faults.append(
                    f"{i}.from: day {step.from_day} lies in the warm-up, which all scenarios "
                    f"share without the reform: the first possible day is {first}"
                )
            if step.from_day >= end:
                faults.append(f"{i}.from: day {step.from_day} is after the last day, {end - 1}")
            named = step.where if isinstance(step.where, tuple) else ()
            for j, name in enumerate(named):
                if names and not name.startswith(names):
                    faults.append(f"{i}.where.{j}: {places.no_place(name, names)}")
        if faults:
            raise ValueError("\n".join(faults))
        return reform

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a scenario from a YAML file.

        Raises ConfigError with all faults, each with its file, line and column.
        """
        document = resolve(load_yaml(path), cls)
        scenario = validate(document, cls)
        check_memory(scenario.city, document)
        return scenario

    def world(self) -> np.record:
        """Return the facts of the world, one float per uncertainty."""
        return uncertainties.world(**self.uncertainties)

    def brings(self, measure: str) -> bool:
        """Return whether the reform brings a measure at any time and place."""
        return any(step.measure == measure and step.intensity > 0 for step in self.reform)

    def change_days(self) -> list[int]:
        """Return the days, before the end, on which a step starts or ends, in order."""
        steps = [step for step in self.reform if step.intensity > 0]
        days = {step.from_day for step in steps} | {step.until for step in steps}
        return sorted(day for day in days if day is not None and day < self.days)

    def intensities_at(self, day: int, city: City) -> dict[str, np.ndarray]:
        """Return the intensity of each measure in force by name, shape (subdistricts,).

        Of two steps of one measure at one place the higher counts.
        """
        found: dict[str, np.ndarray] = {}
        for step in self.reform:
            if step.in_force(day):
                here = np.where(step.places(city), step.intensity, 0.0)
                found[step.measure] = np.maximum(found.get(step.measure, 0.0), here)
        return found

    def rules_at(self, day: int, city: City, seed: int, in_full: bool = False) -> np.ndarray:
        """Fold the steps in force into rules, dtype ``rules.RULES``, shape (subdistricts,).

        A subdistrict realises intensity × implementation, the latter drawn once for each
        measure and subdistrict; ``in_full`` gives what is paid for, as if all of it were
        realised. The order of the steps changes nothing.

        Raises ValueError if a step names a place that the city does not have.
        """
        world = self.world()
        units = len(city.subdistricts)
        moves: dict[str, list[np.ndarray]] = {}
        for measure_name, intensity in self.intensities_at(day, city).items():
            measure = measures.BY_NAME[measure_name]
            mean = 1.0 if in_full else world["implementation"]
            share = intensity * _implementation(seed, measure.id, units, mean)
            for name, full in measure.sets.items():
                value = world[full] if isinstance(full, str) else full
                moves.setdefault(name, []).append(share * (value - rules.BY_NAME[name].default))
        folded = rules.pre_reform(units)
        for name, several in moves.items():
            folded[name] = rules.combine(rules.BY_NAME[name], np.stack(several))
        return folded

    def costs_at(self, day: int, city: City) -> np.ndarray:
        """Return the measures' recurrent costs, 10,000 yuan per year, shape (subdistricts,).

        Costs are paid at full intensity × ``cost_factor``, whatever the implementation. What a
        lever pays for (hub, teams, stations, purchased services) is not among them: it is paid
        by the rules ``in_full``.

        Raises ValueError if a step names a place that the city does not have.
        """
        costs = np.zeros(len(city.subdistricts))
        found = self.intensities_at(day, city)
        for name in sorted(found):  # a sum in floating point depends on order: fix it
            cost = measures.BY_NAME[name].cost
            if cost is not None:
                costs += found[name] * cost.amount * _counts(city, cost.per)
        return costs * self.world()["cost_factor"]

    def resolved(self) -> dict[str, Any]:
        """Return all that repeats the scenario, fit for JSON: every default written out."""
        world = self.world()
        facts = {x.name: float(world[x.name]) for x in uncertainties.UNCERTAINTIES}
        return self.model_dump(mode="json") | {"uncertainties": facts}


@njit(cache=True)
def _implementation(seed, measure, units, mean):
    """Draw what each subdistrict realises of a measure, shape (units,).

    Uniform on [2m − 1, 1] for a mean m of 0.5 or more, on [0, 2m] below; 1 for m = 1.
    """
    low, high = (2.0 * mean - 1.0, 1.0) if mean >= 0.5 else (0.0, 2.0 * mean)
    key = mix(mix(seed_key(seed), Purpose.IMPLEMENTATION), measure)
    realised = np.empty(units)
    for unit in range(units):
        realised[unit] = low + (high - low) * uniform(mix(key, unit))
    return realised


def _counts(city: City, per: CostBase) -> np.ndarray:
    """Return how many of what a cost is counted by each subdistrict has."""
    units = city.subdistricts
    match per:
        case "subdistrict":
            return np.ones(len(units))
        case "community":
            return np.diff(units.first_community).astype(float)
        case "grid":
            return np.diff(city.communities.first_grid[units.first_community]).astype(float)
        case "100k residents":
            return units.population / 100_000
        case "resident":
            return units.population.astype(float)


#: Memory of a run: per resident (columns, active cases), and for the program itself.
BYTES_PER_RESIDENT = 60
BYTES_OF_PROGRAM = 300_000_000


def check_memory(city: CityConfig, document: Document, at: Keys = ("city",)) -> None:
    """Refuse a city that cannot fit in the memory at hand.

    ``at`` is where the city stands in the document, its references resolved. Raises ConfigError
    at the number of residents, or at the city where the number is not written out.
    """
    at_hand = available_memory()
    residents, field = city_residents(city)
    need = BYTES_OF_PROGRAM + BYTES_PER_RESIDENT * residents
    if at_hand is not None and need > at_hand:
        message = (
            f"{residents:,} residents need about {need / 1e9:,.1f} GB of memory, "
            f"{at_hand / 1e9:,.1f} GB are free: take fewer units, or a sample"
        )
        raise ConfigError(document.fault((*at, *field), message))


def city_residents(city: CityConfig) -> tuple[int, Keys]:
    """Return how many residents a city has at most, and the field of the city that says so."""
    if city.sample is not None:
        return city.sample.residents_to, ("sample", "residents_to")
    census = city.census()
    residents = sum(unit.population for unit in census)
    largest = max(range(len(census)), key=lambda i: census[i].population)
    return residents, ("units", largest, "population")


def available_memory() -> int | None:
    """Return the free memory in bytes, all memory where that is unknown, or None."""
    try:
        for line in Path("/proc/meminfo").read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return 1024 * int(line.split()[1])
    except OSError:
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None
