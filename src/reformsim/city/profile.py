"""Who lives where: types of communities by density, ages, and the spread of needs."""

from collections.abc import Iterable
from typing import Self

import numpy as np
from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator

from reformsim.city.closed import Closed

COMMUNITY_TYPES = (
    "old_courtyard",
    "commercial_estate",
    "resettlement_area",
    "urban_village",
    "new_estate",
    "village",
)
COMMUNITY_TYPES_ZH = ("老旧院落", "商品房小区", "安置小区", "城中村", "新建小区", "行政村")
VILLAGE = COMMUNITY_TYPES.index("village")
AGE_GROUPS = ("young", "middle", "older")
AGE_GROUPS_ZH = ("青年", "中年", "老年")
BANDS = ("dense", "suburban", "rural")


def _shares_sum_to_one[T](block: T, shares: Iterable[float]) -> T:
    total = float(sum(shares))
    if abs(total - 1) > 1e-9:
        raise ValueError(f"shares sum to {total:g}, not 1")
    return block


class ByKind(Closed):
    """One number for each of the six community types."""

    old_courtyard: NonNegativeFloat
    commercial_estate: NonNegativeFloat
    resettlement_area: NonNegativeFloat
    urban_village: NonNegativeFloat
    new_estate: NonNegativeFloat
    village: NonNegativeFloat

    def array(self) -> np.ndarray:
        """Return the six values in the order of ``COMMUNITY_TYPES``."""
        return np.array([getattr(self, kind) for kind in COMMUNITY_TYPES])


class KindShares(ByKind):
    """Shares of communities by type; they sum to 1."""

    @model_validator(mode="after")
    def _sum_to_one(self) -> Self:
        return _shares_sum_to_one(self, self.array())


class KindDensities(ByKind):
    """Relative densities of communities by type, all above 0."""

    @model_validator(mode="after")
    def _positive(self) -> Self:
        if self.array().min() == 0:
            raise ValueError("a density of 0")
        return self


class Band(Closed):
    """Communities of the subdistricts of one range of density."""

    density_from: NonNegativeFloat = Field(description="Residents per km², lower end.")
    community_size: PositiveFloat = Field(
        description="Mean residents of a community; only ratios between bands matter, "
        "since the number of communities is given."
    )
    kinds: KindShares


class Bands(Closed):
    """The three ranges of density; a subdistrict is urban from the lower end of `suburban`.

    The shares of villages were chosen so that about 78.77 % of Chengdu live elsewhere (census).
    """

    dense: Band = Band(  # all assumed
        density_from=5_000,
        community_size=9_000,
        kinds=KindShares(
            old_courtyard=0.34,
            commercial_estate=0.40,
            resettlement_area=0.08,
            urban_village=0.05,
            new_estate=0.13,
            village=0.0,
        ),
    )
    suburban: Band = Band(
        density_from=1_500,  # of urban centres: UN, Degree of Urbanisation, 2020
        community_size=8_000,  # with the shares: assumed
        kinds=KindShares(
            old_courtyard=0.10,
            commercial_estate=0.24,
            resettlement_area=0.18,
            urban_village=0.10,
            new_estate=0.16,
            village=0.22,
        ),
    )
    rural: Band = Band(  # all assumed
        density_from=0,
        community_size=4_000,
        kinds=KindShares(
            old_courtyard=0.04,
            commercial_estate=0.04,
            resettlement_area=0.10,
            urban_village=0.02,
            new_estate=0.05,
            village=0.75,
        ),
    )

    @model_validator(mode="after")
    def _descending(self) -> Self:
        if not self.dense.density_from > self.suburban.density_from > self.rural.density_from == 0:
            raise ValueError(
                "density_from must fall from dense to suburban to rural, where it is 0"
            )
        return self

    def of(self, density: np.ndarray) -> np.ndarray:
        """Return the index in ``BANDS`` of each density, residents per km²."""
        return (density < self.dense.density_from).astype(np.intp) + (
            density < self.suburban.density_from
        )

    def table(self) -> tuple[Band, Band, Band]:
        """Return the bands in the order of ``BANDS``."""
        return self.dense, self.suburban, self.rural


class AgeShares(Closed):
    """Shares of residents by age group; they sum to 1."""

    young: NonNegativeFloat = Field(description="Under 35 years.")
    middle: NonNegativeFloat = Field(description="35 to 59 years.")
    older: float = Field(ge=0, lt=1, description="60 years and over.")

    @model_validator(mode="after")
    def _sum_to_one(self) -> Self:
        return _shares_sum_to_one(self, [self.young, self.middle, self.older])


class Ages(Closed):
    """Age shares of urban communities and of villages.

    The split is assumed; weighted with the census's urban share of 78.77 % the older group comes
    to the census's 17.98 %.
    """

    urban: AgeShares = AgeShares(young=0.475, middle=0.370, older=0.155)
    rural: AgeShares = AgeShares(young=0.350, middle=0.378, older=0.272)


class Needs(Closed):
    """Spread of the residents' need multipliers, a gamma variable with mean 1 over the city."""

    cv: float = Field(default=0.8, gt=0, le=2, description="Coefficient of variation; assumed.")
    older_mean: float = Field(
        default=1.3, gt=0, le=3, description="Mean of older residents, city mean 1; assumed."
    )

    def other_mean(self, older_share: float) -> float:
        """Return the mean multiplier of those under 60 that keeps the city's mean at 1."""
        return (1 - older_share * self.older_mean) / (1 - older_share)

    def square_cv_within(self, older_share: float) -> float:
        """Return the squared coefficient of variation c² within an age group.

        The group means m, of mean 1 over the city, have the variance (o - 1)² s / (1 - s), with
        o the mean of the older and s their share; E[X²] = E[m²](1 + c²) = 1 + cv² then gives c².
        """
        between = (self.older_mean - 1) ** 2 * older_share / (1 - older_share)
        return (1 + self.cv**2) / (1 + between) - 1
