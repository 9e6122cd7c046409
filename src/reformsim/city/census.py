"""Census facts of Chengdu's 20 county-level units, shipped with the package."""

import csv
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt


class Closed(BaseModel):
    """A frozen block of a city file that refuses unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class UnitFacts(Closed):
    """A county-level unit (district, county or county-level city) and its census figures."""

    name: str = Field(min_length=1)
    name_zh: str = Field(min_length=1)
    population: PositiveInt = Field(description="Residents.")
    area_km2: PositiveFloat
    code: NonNegativeInt = Field(
        default=0, description="Administrative code (adcode), 0 if it has none."
    )

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
