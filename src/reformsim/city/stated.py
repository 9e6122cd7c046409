"""Real units of a city, stated instead of drawn; what is left out of them is drawn."""

from collections.abc import Sequence
from typing import Literal, Self

import numpy as np
from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from reformsim.city.closed import Closed
from reformsim.city.profile import AgeShares

#: Areas of children sum to their parent's up to this share: files round them.
AREA_TOLERANCE = 1e-4


class Place(Closed):
    """A unit's names and where it lies."""

    name: str = Field(min_length=1)
    name_zh: str = Field(min_length=1)
    at: tuple[float, float] | None = Field(
        default=None, description="Centroid, km eastward and northward from the centre."
    )


class CommunityFacts(Place):
    """A community or village; figures left out are drawn."""

    population: PositiveInt | None = None
    area_km2: PositiveFloat | None = None
    kind: (
        Literal[
            "old_courtyard", "commercial_estate", "resettlement_area",
            "urban_village", "new_estate", "village",
        ]
        | None
    ) = None  # fmt: skip
    ages: AgeShares | None = None
    station: bool = Field(default=False, description="A service station before the reform.")


class Staff(Closed):
    """Heads of a subdistrict before the reform; those left out are sized by the model."""

    office: PositiveFloat | None = Field(default=None, description="Desks of the subdistrict.")
    station: PositiveFloat | None = Field(default=None, description="Service stations.")
    grid: PositiveInt | None = Field(default=None, description="Grid workers, one for each grid.")


class SubdistrictFacts(Place):
    """A subdistrict or town; figures left out are drawn, communities too if none is listed."""

    town: bool = False
    population: PositiveInt | None = None
    area_km2: PositiveFloat | None = None
    ages: AgeShares | None = None
    staff: Staff = Staff()
    communities: tuple[CommunityFacts, ...] = ()

    @model_validator(mode="after")
    def _sums(self) -> Self:
        check_children(self.communities, self.population, self.area_km2, "communities")
        grids = self.staff.grid
        if grids is not None and grids < len(self.communities):
            raise ValueError(f"staff.grid: fewer than the {len(self.communities)} communities")
        return self

    def site(self) -> tuple[float, float] | None:
        """Return where it lies, or else the middle of its communities."""
        return self.at or middle([community.at for community in self.communities])


def check_children(
    children: Sequence[CommunityFacts | SubdistrictFacts],
    population: int | None,
    area: float | None,
    field: str,
) -> None:
    """Hold children to a parent's figures.

    Raises ValueError if a name comes twice, if the residents or areas of all children do not sum
    to the parent's, or if those stated leave nothing to the others.
    """
    seen: set[str] = set()
    for i, child in enumerate(children):
        if child.name in seen:
            raise ValueError(f"{field}.{i}.name: {child.name!r} appears twice")
        seen.add(child.name)
    if not children:
        return
    people = [child.population for child in children if child.population is not None]
    rest = None if population is None else population - sum(people)
    if rest is not None and len(people) == len(children) and rest != 0:
        raise ValueError(f"population: {population}, but its {field} sum to {sum(people)}")
    if rest is not None and rest < len(children) - len(people):
        raise ValueError(f"population: {population} leaves none to {field} without a figure")
    areas = [child.area_km2 for child in children if child.area_km2 is not None]
    if area is None or (len(areas) < len(children) and sum(areas) < area):
        return
    if len(areas) < len(children) or abs(sum(areas) - area) > AREA_TOLERANCE * area:
        raise ValueError(f"area_km2: {area:g}, but its {field} sum to {sum(areas):g}")


def middle(sites: Sequence[tuple[float, float] | None]) -> tuple[float, float] | None:
    """Return the mean of places, or None unless all are known."""
    known = [site for site in sites if site is not None]
    if not known or len(known) < len(sites):
        return None
    east, north = np.mean(known, axis=0)
    return float(east), float(north)


def figures(values: Sequence[float | None]) -> np.ndarray:
    """Return stated figures as an array (n,), NaN where they are left out."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def sites(places: Sequence[tuple[float, float] | None]) -> np.ndarray:
    """Return places as an array (n, 2), NaN where they are not known."""
    return np.array([place or (np.nan, np.nan) for place in places]).reshape(-1, 2)
