"""Census facts of Chengdu's 20 county-level units, shipped with the package."""

import csv
from functools import cache
from importlib.resources import files
from typing import Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from reformsim.city.stated import Place, SubdistrictFacts, check_children, middle


class UnitFacts(Place):
    """A county-level unit (district, county or county-level city) and its census figures."""

    population: PositiveInt = Field(description="Residents.")
    area_km2: PositiveFloat
    code: NonNegativeInt = Field(
        default=0, description="Administrative code (adcode), 0 if it has none."
    )
    line_staff: PositiveFloat | None = Field(
        default=None, description="Heads of its line departments; sized by the model if left out."
    )
    subdistricts: tuple[SubdistrictFacts, ...] = Field(
        default=(), description="Subdistricts and towns; drawn if none is listed."
    )

    @model_validator(mode="after")
    def _sums(self) -> Self:
        check_children(self.subdistricts, self.population, self.area_km2, "subdistricts")
        return self

    def site(self) -> tuple[float, float] | None:
        """Return where it lies, or else the middle of its subdistricts."""
        return self.at or middle([place.site() for place in self.subdistricts])

    @property
    def density(self) -> float:
        """Residents per km²."""
        return self.population / self.area_km2


@cache
def chengdu_units() -> dict[str, UnitFacts]:
    """Read the 20 county-level units of Chengdu, by English name without its parenthesis."""
    text = files("reformsim.city").joinpath("chengdu_districts_2020.csv").read_text("utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    units = (
        UnitFacts(
            name=row["name_en"].split(" (")[0],
            name_zh=row["name_zh"],
            population=int(row["pop_2020"]),
            area_km2=float(row["area_km2"]),
            code=int(row["adcode"]),
        )
        for row in rows
    )
    return {unit.name: unit for unit in units}
