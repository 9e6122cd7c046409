"""The closed schema of designs: what is varied, over what range, how often."""

import itertools
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from reformsim.city import CityConfig
from reformsim.config import suggest
from reformsim.experiment import fractions
from reformsim.experiment.pictures import Figure
from reformsim.experiment.sampled import (
    Advice,
    Fast,
    HistoryMatching,
    LatinHypercube,
    Morris,
    OneAtATime,
    Pawn,
    Sobol,
)
from reformsim.scenario import Closed, PremisesPlan, StationPlan, Step

#: Those of a comparison.
_COMPARED: tuple[Figure, ...] = (
    "curves", "contrasts", "tradeoffs", "flow", "waits", "desks", "distribution", "map",
)  # fmt: skip


class Difference(Closed):
    """What a scenario, or one label of a factor, changes on the base.

    ``reform`` adds steps to the schedule, ``uncertainties`` replaces the values it names,
    ``stations``, ``premises`` and ``city`` replace the whole entry. An empty one changes nothing.
    """

    reform: tuple[Step, ...] = ()
    uncertainties: dict[str, float] = Field(default_factory=dict)
    stations: StationPlan | None = None
    premises: PremisesPlan | None = None
    city: CityConfig | None = None


class Compare(Closed):
    """Each named scenario against the baseline."""

    replications: ClassVar[int] = 4
    figures: ClassVar[tuple[Figure, ...]] = _COMPARED
    kind: Literal["compare"] = "compare"


class Factorial(Closed):
    """Every combination of the labels of the factors, or a fraction of them.

    The first label is the reference. Where all factors have two labels, ``resolution`` takes the
    smallest fraction that has it, ``generators`` the one in which each factor named stands at its
    second label where an odd number of those it names do. Factors named in ``within`` are places
    to compare in (densities, say), not treatments: a cell is then compared with the reference of
    its own place.
    """

    replications: ClassVar[int] = 4
    figures: ClassVar[tuple[Figure, ...]] = (
        "effects", "interactions", "cells", "groups", "tradeoffs",
    )  # fmt: skip
    kind: Literal["factorial"]
    factors: dict[str, dict[str, Difference]] = Field(min_length=1)
    within: tuple[str, ...] = ()
    resolution: int | None = Field(default=None, ge=3, le=12)
    generators: dict[str, tuple[str, ...]] = Field(default_factory=dict)

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
        if (self.resolution or self.generators) and self.two_level() is None:
            raise ValueError("resolution: a fraction needs two labels in every factor, no `within`")
        if self.resolution and self.generators:
            raise ValueError("generators: give these or `resolution`, not both")
        for name, parents in self.generators.items():
            unknown = {name, *parents} - self.factors.keys()
            if unknown or len(set(parents)) < 2 or set(parents) & self.generators.keys():
                raise ValueError(
                    f"generators.{name}: must name two or more factors that are not generated"
                )
        if self.generators and fractions.resolution(self.generators) < 3:
            raise ValueError("generators: two main effects could not be told apart")
        return self

    def fraction(self) -> dict[str, tuple[str, ...]]:
        """Return the generators; empty where every combination is run."""
        if self.resolution:
            return fractions.of_resolution(list(self.factors), self.resolution)
        return self.generators

    def combinations(self) -> list[tuple[str, ...]]:
        """Return the combinations of labels that are run, in the order of the file."""
        if not (self.resolution or self.generators):
            return list(itertools.product(*self.factors.values()))
        labels = [tuple(labels) for labels in self.factors.values()]
        return [
            tuple(pair[i] for pair, i in zip(labels, row, strict=True))
            for row in fractions.rows(list(self.factors), self.fraction())
        ]

    def two_level(self) -> dict[str, tuple[str, str]] | None:
        """Return the two labels of each factor, or None unless all have two and are treatments."""
        if self.within or any(len(labels) != 2 for labels in self.factors.values()):
            return None
        return {name: (low, high) for name, (low, high) in self.factors.items()}


class Apart(Closed):
    """A design that takes the reform of the scenario ``of`` apart, against the baseline.

    Its parts are its measures, or ``groups`` of them, which must name each measure once.
    """

    of: str
    groups: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class Shapley(Apart):
    """The effect of a whole reform, shared out among its parts: Shapley (1953).

    Each replication walks from no part to all in a random order, and in the reverse order
    (Castro, Gómez & Tejada 2009; Mitchell et al. 2022), with the same random numbers: a part's
    share is the mean of what it adds when it comes.
    """

    replications: ClassVar[int] = 16
    figures: ClassVar[tuple[Figure, ...]] = ("waterfall",)
    kind: Literal["shapley"]


class Interactions(Apart):
    """No part, each part alone, and each pair: what two parts do beyond what each does."""

    replications: ClassVar[int] = 8
    figures: ClassVar[tuple[Figure, ...]] = ("effects", "interactions")
    kind: Literal["interactions"]


class Staged(Closed):
    """The reform of ``of`` place by place, beside all named scenarios.

    Wave k (districts or subdistricts) begins k · ``every`` days after the reform's own dates;
    places in no wave never begin.
    """

    replications: ClassVar[int] = 4
    figures: ClassVar[tuple[Figure, ...]] = _COMPARED
    kind: Literal["staged"]
    of: str
    waves: tuple[tuple[str, ...], ...] = Field(min_length=2)
    every: int = Field(ge=1, description="Days between waves.")

    @model_validator(mode="after")
    def _once(self) -> Self:
        places = [place for wave in self.waves for place in wave]
        if len(set(places)) < len(places) or not all(self.waves):
            raise ValueError("waves: each must name a place, and no place may come twice")
        return self


class Pilot(Closed):
    """The reform of ``of`` tried in some units: what estimators would make of it (docs/pilots.md).

    In each of ``replications`` draws of each world ``treated`` units, drawn at random, begin in
    ``waves``, ``every`` so many months; the panel has the months ``before`` the first wave and
    ``after`` it, and in each unit and month a sample of ``cases``, or all. Every combination of
    the four lists is a size of the grid. ``worlds`` are points over uncertainties.
    """

    replications: ClassVar[int] = 40
    figures: ClassVar[tuple[Figure, ...]] = ("power",)
    kind: Literal["pilot"]
    of: str
    units: Literal["district", "subdistrict"] = "subdistrict"
    treated: tuple[Annotated[int, Field(ge=2)], ...] = Field(min_length=1)
    waves: int = Field(default=2, ge=1)
    every: int = Field(default=6, ge=1, description="Months between waves.")
    before: tuple[Annotated[int, Field(ge=1)], ...] = Field(default=(12,), min_length=1)
    after: tuple[Annotated[int, Field(ge=1)], ...] = Field(default=(12,), min_length=1)
    cases: tuple[Annotated[int, Field(ge=1)] | Literal["all"], ...] = Field(
        default=("all",), min_length=1
    )
    worlds: LatinHypercube | None = None

    @model_validator(mode="after")
    def _waves_seen(self) -> Self:
        for name in ("treated", "before", "after", "cases"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise ValueError(f"{name}: a value comes twice")
        if min(self.treated) < 2 * self.waves:
            raise ValueError(
                f"treated: {self.waves} waves need two units each, {2 * self.waves} or more"
            )
        if min(self.after) <= (self.waves - 1) * self.every:
            raise ValueError(
                f"after: the last wave begins after {(self.waves - 1) * self.every} months, "
                "and must be seen"
            )
        if self.worlds and self.worlds.repeat:
            raise ValueError("worlds.repeat: `replications` says how often a world is run")
        return self


Design = Annotated[
    Compare
    | Factorial
    | LatinHypercube
    | OneAtATime
    | Morris
    | Sobol
    | Pawn
    | Fast
    | HistoryMatching
    | Advice
    | Shapley
    | Interactions
    | Staged
    | Pilot,
    Field(discriminator="kind"),
]
