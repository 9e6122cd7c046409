"""The closed schema of a city file; its defaults are Chengdu at the census of 2020.

Every number carries its source in its description, or the word *assumed*.
"""

from collections.abc import Iterable
from typing import Literal, Self

import numpy as np
from pydantic import (
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationInfo,
    field_validator,
    model_validator,
)

from reformsim.city.apportion import apportion
from reformsim.city.census import UnitFacts, chengdu_units
from reformsim.city.closed import Closed
from reformsim.city.profile import Ages, Bands, KindDensities, Needs
from reformsim.city.stated import SubdistrictFacts

MAX_GRID = 65_535

type Units = Literal["chengdu"] | tuple[str | UnitFacts, ...]


def _unique(names: Iterable[str], what: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{what} {name!r} appears twice")
        seen.add(name)


class UnitSizes(Closed):
    """How many units of one level are drawn, and the lognormal distribution of their sizes."""

    count: NonNegativeInt
    mean: PositiveFloat = Field(
        description="Mean residents; only its ratio to the other level's mean matters, "
        "since the census fixes the sum."
    )
    sigma: float = Field(ge=0, le=2, description="Standard deviation of log size.")


class Spread(Closed):
    """Where people live within a unit: towns against subdistricts, and densities."""

    town_density: PositiveFloat = Field(
        default=600.0,
        description="Residents per km² at which half of a unit live in towns; assumed.",
    )
    no_towns_above: PositiveFloat = Field(
        default=5_000.0, description="Residents per km² from which a unit has no towns; assumed."
    )
    subdistrict_to_town: PositiveFloat = Field(
        default=8.0, description="Density of a subdistrict relative to a town of its unit; assumed."
    )
    subdistrict_sigma: float = Field(
        default=0.4,
        ge=0,
        le=2,
        description="Standard deviation of log density of subdistricts; assumed.",
    )
    community_sigma: float = Field(
        default=0.3,
        ge=0,
        le=2,
        description="Standard deviation of log density of communities; assumed.",
    )


class SampleUnit(Closed):
    """How many whole subdistricts and towns are drawn from one unit."""

    unit: str
    subdistricts: NonNegativeInt = 0
    towns: NonNegativeInt = 0


class Sample(Closed):
    """A sample of whole subdistricts, so that the loads per worker stay true.

    The draw is repeated until the residents come to the stated range.
    """

    units: tuple[SampleUnit, ...] = Field(min_length=1)
    residents_from: PositiveInt
    residents_to: PositiveInt

    @model_validator(mode="after")
    def _plausible(self) -> Self:
        _unique((unit.unit for unit in self.units), "sampled unit")
        if self.residents_from > self.residents_to:
            raise ValueError("residents_from exceeds residents_to")
        if not any(unit.subdistricts + unit.towns for unit in self.units):
            raise ValueError("the sample takes no subdistrict and no town")
        return self


class CityConfig(Closed):
    """A city to be drawn: census facts, sizes of its units, types of communities, residents."""

    model_config = ConfigDict(validate_default=True)

    name: str = Field(default="Chengdu", min_length=1)
    name_zh: str = Field(default="成都市", min_length=1)
    units: Units = Field(
        default="chengdu",
        description="County-level units: `chengdu` for the 20 of the census of 2020, "
        "or a list of English names of some of them and of units given in full. A unit may list "
        "its real subdistricts, and these their communities: all units do, or none.",
    )
    spread: Spread = Field(default_factory=Spread)
    subdistricts: UnitSizes = Field(
        default=UnitSizes(count=161, mean=105_000, sigma=0.6),
        description="Count: Chengdu 2020. Mean: what towns leave of the census. Sigma: assumed.",
    )
    towns: UnitSizes = Field(
        default=UnitSizes(count=100, mean=40_000, sigma=0.6),
        description="Count: Chengdu 2020. Mean: about the census's 4.4 million rural residents "
        "over towns; sigma: assumed.",
    )
    communities: PositiveInt = Field(default=3_000, description="Assumed; 4,300 before 2019.")
    community_sigma: float = Field(
        default=0.35, ge=0, le=2, description="Standard deviation of log residents; assumed."
    )
    grids: PositiveInt = Field(default=15_663, description="Chengdu 2018.")
    grid_sigma: float = Field(
        default=0.2, ge=0, le=2, description="Standard deviation of log residents; assumed."
    )
    bands: Bands = Bands()
    kind_density: KindDensities = Field(
        default=KindDensities(
            old_courtyard=1.5,
            commercial_estate=1.3,
            resettlement_area=1.2,
            urban_village=1.2,
            new_estate=0.8,
            village=0.25,
        ),
        description="Density of a community relative to others of its subdistrict; assumed.",
    )
    ages: Ages = Ages()
    needs: Needs = Field(default_factory=Needs)
    sample: Sample | None = Field(
        default=None, description="Whole subdistricts to keep; without it the whole city is built."
    )

    def census(self) -> tuple[UnitFacts, ...]:
        """Return the county-level units, names resolved."""
        return _census(self.units)

    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """Return how many subdistricts and how many towns each unit has.

        In proportion to the residents who live in either; every unit has at least one.
        """
        return _places(self.census(), self.spread, self.subdistricts.count, self.towns.count)

    def stated(self) -> tuple[SubdistrictFacts, ...]:
        """Return the subdistricts that the units list, by unit, its towns last."""
        return _stated(self.census())

    # Each check sits on the last of its fields, and is left out if another of them has failed.

    @field_validator("units")
    @classmethod
    def _known_units(cls, units: Units) -> Units:
        census = _census(units)
        if not census:
            raise ValueError("the list is empty")
        _unique((unit.name for unit in census), "unit")
        _check_stated(census)
        return units

    @field_validator("towns")
    @classmethod
    def _every_unit_has_a_place(cls, towns: UnitSizes, info: ValidationInfo) -> UnitSizes:
        if {"units", "spread", "subdistricts"} <= info.data.keys():
            census, subdistricts = _census(info.data["units"]), info.data["subdistricts"].count
            if stated := _stated(census):
                _check_counts(stated, subdistricts, towns.count)
                return towns
            residents, places = _residents(census), subdistricts + towns.count
            if subdistricts < len(census) and not (not subdistricts and towns.count >= len(census)):
                raise ValueError(
                    f"{subdistricts} subdistricts cannot give each of the {len(census)} units one "
                    "(a city of towns only has 0 subdistricts and a town for each unit)"
                )
            if places > residents:
                raise ValueError(
                    f"more subdistricts and towns ({places}) than people ({residents})"
                )
            shares = [_town_share(info.data["spread"], unit) for unit in census]
            if subdistricts and towns.count and not any(shares):
                raise ValueError("no place for them: every unit exceeds spread.no_towns_above")
        return towns

    @field_validator("communities")
    @classmethod
    def _a_community_for_each_place(cls, communities: int, info: ValidationInfo) -> int:
        if {"subdistricts", "towns"} <= info.data.keys():
            places = info.data["subdistricts"].count + info.data["towns"].count
            if communities < places:
                raise ValueError(f"fewer than the {places} subdistricts and towns")
        listed = _listed(info)
        if listed not in (0, communities):
            raise ValueError(f"{communities}, but the subdistricts list {listed}")
        return communities

    @field_validator("grids")
    @classmethod
    def _grids_of_people(cls, grids: int, info: ValidationInfo) -> int:
        if "communities" in info.data and grids < info.data["communities"]:
            raise ValueError(f"fewer than the {info.data['communities']} communities")
        if "units" in info.data:
            residents = _residents(_census(info.data["units"]))
            if not grids <= residents <= MAX_GRID * grids:
                raise ValueError(f"{residents} people: a grid has 1 to {MAX_GRID} of them")
            workers = [place.staff.grid for place in _stated(_census(info.data["units"]))]
            known = [count for count in workers if count is not None]
            if len(known) == len(workers) > 0 and sum(known) != grids:
                raise ValueError(f"{grids}, but the subdistricts' grid workers sum to {sum(known)}")
            if len(known) < len(workers) and grids - sum(known) < len(workers) - len(known):
                raise ValueError(f"{grids} leaves none to subdistricts without grid workers")
        return grids

    @field_validator("needs")
    @classmethod
    def _needs_of_all_ages(cls, needs: Needs, info: ValidationInfo) -> Needs:
        if "ages" in info.data:
            stated = _stated(_census(info.data["units"])) if "units" in info.data else ()
            ages = [place.ages for place in stated]
            ages += [community.ages for place in stated for community in place.communities]
            shares = {info.data["ages"].urban.older, info.data["ages"].rural.older}
            for share in sorted(shares | {group.older for group in ages if group is not None}):
                if share * needs.older_mean >= 1:
                    raise ValueError("older_mean leaves no need to the other age groups")
                if needs.square_cv_within(share) <= 0:
                    raise ValueError("cv is below what the means of the age groups imply")
        return needs

    @field_validator("sample")
    @classmethod
    def _sample_of_places(cls, sample: Sample | None, info: ValidationInfo) -> Sample | None:
        if sample and {"units", "spread", "subdistricts", "towns"} <= info.data.keys():
            census = _census(info.data["units"])
            counts = (info.data[level].count for level in ("subdistricts", "towns"))
            _check_sample(sample, census, *_places(census, info.data["spread"], *counts))
        return sample


def _stated(census: tuple[UnitFacts, ...]) -> tuple[SubdistrictFacts, ...]:
    return tuple(
        place for unit in census for place in sorted(unit.subdistricts, key=lambda x: x.town)
    )


def _listed(info: ValidationInfo) -> int:
    """Return how many communities the units list."""
    stated = _stated(_census(info.data["units"])) if "units" in info.data else ()
    return sum(len(place.communities) for place in stated)


def _check_stated(census: tuple[UnitFacts, ...]) -> None:
    """Refuse lists, or places on the map, that some units of a level have and others have not."""
    stated = _stated(census)
    inner = [community for place in stated for community in place.communities]
    levels = {
        "units list their subdistricts": [bool(unit.subdistricts) for unit in census],
        "subdistricts list their communities": [bool(place.communities) for place in stated],
        "communities have a place `at`": [community.at is not None for community in inner],
        "subdistricts have a place `at`": [place.site() is not None for place in stated],
        "units have a place `at`": [unit.site() is not None for unit in census],
    }
    for what, has in levels.items():
        if any(has) and not all(has):
            raise ValueError(f"{sum(has)} of {len(has)} {what}: give it for all or for none")
    for places in (census, stated, inner):
        known = [place.at for place in places if place.at is not None]
        if len(set(known)) < len(known):
            twice = next(at for at in known if known.count(at) > 1)
            raise ValueError(f"two places at {twice[0]:g}, {twice[1]:g}")


def _check_counts(stated: tuple[SubdistrictFacts, ...], subdistricts: int, towns: int) -> None:
    listed = sum(place.town for place in stated)
    if (subdistricts, towns) != (len(stated) - listed, listed):
        raise ValueError(
            f"counts of {subdistricts} subdistricts and {towns} towns, but the units list "
            f"{len(stated) - listed} and {listed}"
        )


def _check_sample(
    sample: Sample, census: tuple[UnitFacts, ...], subdistricts: np.ndarray, towns: np.ndarray
) -> None:
    row_of = {unit.name: row for row, unit in enumerate(census)}
    for wanted in sample.units:
        if wanted.unit not in row_of:
            raise ValueError(f"unknown unit {wanted.unit!r}; known: {', '.join(row_of)}")
        row = row_of[wanted.unit]
        if wanted.subdistricts > subdistricts[row] or wanted.towns > towns[row]:
            raise ValueError(
                f"{wanted.unit} has {subdistricts[row]} subdistricts and {towns[row]} towns, "
                f"not {wanted.subdistricts} and {wanted.towns}"
            )


def _census(units: Units) -> tuple[UnitFacts, ...]:
    shipped = chengdu_units()
    if units == "chengdu":
        return tuple(shipped.values())
    for unit in units:
        if isinstance(unit, str) and unit not in shipped:
            raise ValueError(f"unknown unit {unit!r}; known: {', '.join(shipped)}")
    return tuple(shipped[unit] if isinstance(unit, str) else unit for unit in units)


def _residents(census: tuple[UnitFacts, ...]) -> int:
    return sum(unit.population for unit in census)


def _places(
    census: tuple[UnitFacts, ...], spread: Spread, subdistricts: int, towns: int
) -> tuple[np.ndarray, np.ndarray]:
    if any(unit.subdistricts for unit in census):
        listed = np.array([sum(place.town for place in unit.subdistricts) for unit in census])
        return np.array([len(unit.subdistricts) for unit in census]) - listed, listed
    residents = np.array([unit.population for unit in census], dtype=np.float64)
    share = np.array([_town_share(spread, unit) for unit in census])
    if not towns or not subdistricts:
        share = np.full(len(census), float(not subdistricts))
    return (
        apportion(subdistricts, residents * (1 - share), at_least=int(subdistricts > 0)),
        apportion(towns, residents * share, at_least=int(subdistricts == 0)),
    )


def _town_share(spread: Spread, unit: UnitFacts) -> float:
    """Return the share of a unit's residents who live in towns: 0 in a dense unit."""
    if unit.density >= spread.no_towns_above:
        return 0.0
    return 1.0 / (1.0 + unit.density / spread.town_density)
