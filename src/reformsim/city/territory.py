"""A built city: one table of columns for each level, from districts down to residents.

Rows are sorted so that the children of a row are contiguous: a column ``first_…`` of n + 1
offsets says that the children of row i are rows ``first[i]:first[i + 1]`` of the next table.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Self, get_type_hints

import numpy as np

from reformsim.city.plane import Outlines

if TYPE_CHECKING:  # a check of a file can do without pandas
    import pandas as pd


class Column(NamedTuple):
    """What a column holds."""

    dtype: Any
    unit: str
    meaning: str


East = Annotated[np.ndarray, Column(np.float64, "km", "centroid, eastward from the centre")]
North = Annotated[np.ndarray, Column(np.float64, "km", "centroid, northward from the centre")]
Area = Annotated[np.ndarray, Column(np.float64, "km²", "area")]
Residents = Annotated[np.ndarray, Column(np.int64, "residents", "residents")]

#: A slot of an alias table: the probability of keeping it, the index in the grid drawn otherwise.
ALIAS = np.dtype([("cut", "f4"), ("other", "u2")])


@dataclass(frozen=True)
class Table:
    """Columns of one length, of the dtype declared beside each, and read-only.

    Read-only because a built city is shared by all runs on it: what changes is copied first.
    """

    def __post_init__(self) -> None:
        """Cast every column to its declared dtype and lock it."""
        for name, column in self.columns().items():
            values = np.ascontiguousarray(getattr(self, name), column.dtype)
            values.flags.writeable = False
            object.__setattr__(self, name, values)

    @classmethod
    def columns(cls) -> dict[str, Column]:
        """Return what each column holds, by name."""
        hints = get_type_hints(cls, include_extras=True)
        return {name: hint.__metadata__[0] for name, hint in hints.items()}

    @classmethod
    def of(cls, frame: "pd.DataFrame", first: np.ndarray) -> Self:
        """Take the columns from a frame, and the column of offsets from ``first``."""
        names = cls.columns()
        return cls(**{n: first if n.startswith("first_") else frame[n].to_numpy() for n in names})

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(next(iter(self.__dict__.values())))


@dataclass(frozen=True)
class Districts(Table):
    """County-level units: districts, counties, county-level cities.

    In a sampled city the figures are those of the sampled subdistricts only.
    """

    code: Annotated[np.ndarray, Column(np.int32, "", "administrative code (adcode), 0 without one")]
    name: Annotated[np.ndarray, Column(object, "", "English name")]
    name_zh: Annotated[np.ndarray, Column(object, "", "Chinese name")]
    population: Residents
    area: Area
    x: East
    y: North
    line_heads: Annotated[
        np.ndarray, Column(np.float64, "heads", "of line departments if stated, else NaN")
    ]
    first_subdistrict: Annotated[
        np.ndarray, Column(np.int64, "row", "offsets in Subdistricts (n + 1)")
    ]


@dataclass(frozen=True)
class Subdistricts(Table):
    """Subdistricts and towns; in a district the denser first, and nearer to the centre."""

    name: Annotated[np.ndarray, Column(object, "", "synthetic English name")]
    name_zh: Annotated[np.ndarray, Column(object, "", "synthetic Chinese name")]
    district: Annotated[np.ndarray, Column(np.int32, "row", "row of its district")]
    is_town: Annotated[np.ndarray, Column(np.bool_, "", "a town, else a subdistrict")]
    population: Residents
    area: Area
    x: East
    y: North
    density: Annotated[np.ndarray, Column(np.float64, "residents/km²", "population over area")]
    urban: Annotated[np.ndarray, Column(np.bool_, "", "density of the suburban band or above")]
    office_heads: Annotated[
        np.ndarray, Column(np.float64, "heads", "of its desks if stated, else NaN")
    ]
    station_heads: Annotated[
        np.ndarray, Column(np.float64, "heads", "of its service stations if stated, else NaN")
    ]
    first_community: Annotated[
        np.ndarray, Column(np.int64, "row", "offsets in Communities (n + 1)")
    ]


@dataclass(frozen=True)
class Communities(Table):
    """Communities (residents' committees) and villages."""

    subdistrict: Annotated[np.ndarray, Column(np.int32, "row", "row of its subdistrict")]
    district: Annotated[np.ndarray, Column(np.int32, "row", "row of its district")]
    kind: Annotated[np.ndarray, Column(np.uint8, "", "index in COMMUNITY_TYPES")]
    population: Residents
    area: Area
    x: East
    y: North
    urban: Annotated[np.ndarray, Column(np.bool_, "", "any kind but a village")]
    station: Annotated[np.ndarray, Column(np.bool_, "", "a stated service station before")]
    first_grid: Annotated[np.ndarray, Column(np.int64, "row", "offsets in Grids (n + 1)")]


@dataclass(frozen=True)
class Grids(Table):
    """Grids, each with one grid worker; the cells of birth of residents and needs."""

    community: Annotated[np.ndarray, Column(np.int32, "row", "row of its community")]
    area: Area
    x: East
    y: North
    key: Annotated[
        np.ndarray, Column(np.uint64, "key", "stream of its residents, by index in the grid")
    ]
    first_resident: Annotated[np.ndarray, Column(np.int64, "row", "offsets in People (n + 1)")]
    multiplier_sum: Annotated[np.ndarray, Column(np.float64, "1", "sum of its need multipliers")]


@dataclass(frozen=True)
class People(Table):
    """What is fixed about each resident.

    ``alias`` is one Walker-Vose table for each grid: of n residents take slot j = floor(u·n) for
    a uniform u; the resident is j if the fraction of u·n is below ``alias["cut"][j]``, else
    ``alias["other"][j]``; probabilities are proportional to multipliers.
    """

    age: Annotated[
        np.ndarray, Column(np.uint8, "", "index in AGE_GROUPS: under 35, 35-59, 60 and over")
    ]
    alias: Annotated[np.ndarray, Column(ALIAS, "", "slot of its grid's table")]


@dataclass(frozen=True)
class NeedSpread:
    """The gamma distributions of need multipliers: a mean for each age group, one shape."""

    means: tuple[float, float, float]
    shape: float


@dataclass(frozen=True, eq=False)
class City:
    """A city drawn from a configuration and a seed: the same for every run on it."""

    name: str
    name_zh: str
    seed: int
    districts: Districts
    subdistricts: Subdistricts
    communities: Communities
    grids: Grids
    people: People
    need_spread: NeedSpread
    district_outlines: Outlines
    subdistrict_outlines: Outlines
    community_outlines: Outlines

    def district_polygons(self) -> list[np.ndarray]:
        """Return the outline of each district, vertices (m, 2) in km; whole even if sampled."""
        return self.district_outlines.polygons()

    def subdistrict_polygons(self) -> list[np.ndarray]:
        """Return the outline of each subdistrict, vertices (m, 2) in km."""
        return self.subdistrict_outlines.polygons()

    def community_polygons(self) -> list[np.ndarray]:
        """Return the outline of each community, vertices (m, 2) in km."""
        return self.community_outlines.polygons()
