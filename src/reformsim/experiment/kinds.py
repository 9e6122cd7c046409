"""The closed schema of designs: what is varied, over what range, how often."""

import itertools
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from reformsim import known, measures, uncertainties
from reformsim.city import CityConfig
from reformsim.config import suggest
from reformsim.experiment import fractions
from reformsim.experiment.targets import Target, of_facts, unknown
from reformsim.scenario import Closed, PremisesPlan, StationPlan, Step

#: Bounds of each uncertainty that a design varies, in the order of the design.
Bounds = dict[str, tuple[float, float]]

#: The pictures that the report can draw; see ``reformsim.report.figures``.
Figure = Literal[
    "curves", "contrasts", "tradeoffs", "flow", "waits", "distribution", "map",
    "effects", "cells", "groups", "waterfall", "interactions",
    "robustness", "regret", "drivers", "tornado", "indices", "convergence", "power",
]  # fmt: skip

#: Those of a comparison.
_COMPARED: tuple[Figure, ...] = (
    "curves", "contrasts", "tradeoffs", "flow", "waits", "distribution", "map",
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


#: Rows of a table of worlds: the value of each uncertainty that was calibrated, by name.
Region = tuple[dict[str, float], ...]


class Sampled(Closed):
    """A design over uncertainties: every scenario is run at every sampled point of the world.

    ``uncertainties`` names what varies, ``all`` being all that the file does not fix;
    ``ranges`` narrows the declared bounds.
    """

    replications: ClassVar[int] = 1
    figures: ClassVar[tuple[Figure, ...]] = ()
    uncertainties: Literal["all"] | tuple[str, ...] = "all"
    ranges: dict[str, tuple[float, float]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _known(self) -> Self:
        named = self.named()
        places = {f"uncertainties.{i}": name for i, name in enumerate(named)}
        places |= {f"ranges.{name}": name for name in self.ranges}
        for place, name in places.items():
            if name not in uncertainties.BY_NAME:
                near = suggest(name, uncertainties.BY_NAME)
                raise ValueError(f"{place}: unknown uncertainty {name!r}{near}")
        if len(set(named)) < len(named):
            raise ValueError("uncertainties: one is named twice")
        for name, (low, high) in self.ranges.items():
            known = uncertainties.BY_NAME[name]
            if named and name not in named:
                raise ValueError(f"ranges.{name}: is not among the uncertainties of the design")
            if not known.low <= low < high <= known.high:
                raise ValueError(
                    f"ranges.{name}: must be two rising numbers in [{known.low:g}, {known.high:g}]"
                )
        return self

    def named(self) -> tuple[str, ...]:
        """Return the uncertainties that the design names; empty where it varies all."""
        return () if isinstance(self.uncertainties, str) else self.uncertainties

    def bounds(self, fixed: set[str]) -> Bounds:
        """Return what varies and between which bounds, given what the file fixes."""
        names = self.named() or [name for name in uncertainties.BY_NAME if name not in fixed]
        declared = uncertainties.BY_NAME
        return {n: self.ranges.get(n, (declared[n].low, declared[n].high)) for n in names}


class Repeat(Closed):
    """The first ``points`` of a design are run ``times`` times each, to see what chance does."""

    points: int = Field(ge=2)
    times: int = Field(ge=2)


class LatinHypercube(Sampled):
    """Points that are evenly spread along every uncertainty: McKay, Beckman & Conover (1979).

    Doubling ``points`` keeps those that are there (Sallaberry, Helton & Hora 2008). ``first``
    runs the first of them only, to hold another city to the same worlds. With a ``region``, a
    table that ``reformsim calibrate`` wrote, each point comes twice with the same random numbers:
    over the full ranges, and with the values of one row of the region; ``uncertainties:
    calibrated`` varies what the region names and nothing else.
    """

    figures: ClassVar[tuple[Figure, ...]] = ("robustness", "regret", "drivers")
    kind: Literal["latin_hypercube"]
    uncertainties: Literal["all", "calibrated"] | tuple[str, ...] = "all"  # type: ignore[assignment]
    points: int = Field(ge=4, le=100_000)
    first: int | None = Field(default=None, ge=4)
    repeat: Repeat | None = None
    region: Region = ()

    def named(self) -> tuple[str, ...]:
        """Return the uncertainties that the design, or its region, names."""
        if self.uncertainties == "calibrated" and self.region:
            return tuple(self.region[0])
        return super().named()

    @model_validator(mode="after")
    def _calibrated(self) -> Self:
        if self.uncertainties == "calibrated" and not self.region:
            raise ValueError(
                "region: `uncertainties: calibrated` needs a table from `reformsim calibrate`"
            )
        return self

    @model_validator(mode="after")
    def _enough(self) -> Self:
        if self.first and self.first > self.points:
            raise ValueError(f"first: the design has {self.points} points only")
        if self.repeat and self.repeat.points > (self.first or self.points):
            raise ValueError(f"repeat.points: only {self.first or self.points} points are run")
        return self


class OneAtATime(Sampled):
    """The defaults, and each uncertainty alone at the two ends of its range.

    It sees no interaction; all points share their random numbers.
    """

    replications: ClassVar[int] = 4
    figures: ClassVar[tuple[Figure, ...]] = ("tornado",)
    kind: Literal["one_at_a_time"]


class Morris(Sampled):
    """Elementary effects along random trajectories: Morris (1991).

    Chance is one more input: a step that changes nothing but the random numbers.
    """

    figures: ClassVar[tuple[Figure, ...]] = ("indices", "convergence")
    kind: Literal["morris"]
    trajectories: int = Field(ge=2, le=10_000)
    levels: int = Field(default=4, ge=4, le=32, multiple_of=2)


class Sobol(Sampled):
    """First and total order indices, second order on request: Saltelli et al. (2010).

    ``points`` rows of a scrambled Sobol sequence, a power of 2. Chance is one more input.
    """

    figures: ClassVar[tuple[Figure, ...]] = ("indices", "interactions", "convergence")
    kind: Literal["sobol"]
    points: int = Field(ge=8, le=2**20)
    second_order: bool = False

    @model_validator(mode="after")
    def _balanced(self) -> Self:
        if self.points & (self.points - 1):
            raise ValueError("points: must be a power of 2, where the sequence is balanced")
        return self


class Pawn(LatinHypercube):
    """How far fixing an uncertainty moves the distribution of a result: Pianosi & Wagener (2018).

    ``slices`` is the number of intervals that the range of each uncertainty is cut into.
    """

    figures: ClassVar[tuple[Figure, ...]] = (
        *LatinHypercube.figures, "indices", "convergence",
    )  # fmt: skip
    kind: Literal["pawn"]  # type: ignore[assignment]
    slices: int = Field(default=10, ge=4, le=100)

    @model_validator(mode="after")
    def _filled(self) -> Self:
        if self.region:
            raise ValueError("region: only a latin_hypercube takes one")
        if self.points < 5 * self.slices:
            raise ValueError(f"points: {self.slices} slices need at least {5 * self.slices}")
        return self


class Fast(Sampled):
    """First and total order indices from search curves: Saltelli, Tarantola & Chan (1999).

    ``curves`` curves of ``points`` points for each uncertainty, each with its own phase: their
    spread gives the intervals. Points of a curve share their random numbers.
    """

    figures: ClassVar[tuple[Figure, ...]] = ("indices",)
    kind: Literal["fast"]
    points: int = Field(ge=65, le=100_000)
    curves: int = Field(default=4, ge=1, le=100)

    @model_validator(mode="after")
    def _several(self) -> Self:
        if self.uncertainties != "all" and len(self.named()) < 2:
            raise ValueError("uncertainties: a search curve needs two or more")
        return self


class HistoryMatching(Sampled):
    """Rule out worlds in which the model does not meet targets: Craig et al. (1997).

    In each of ``waves`` waves the model is run at ``points`` points, at first over the whole
    ranges and then where nothing was ruled out; see ``experiment.matching``. Targets are the
    declared ``facts`` (names, or ``all`` that are calibrated or held out; without ``targets``
    all) and the rows of a table of ``targets``. ``discrepancy`` is the standard deviation of what
    the model leaves out, as a share of the target's value, ``discrepancies`` the same for single
    targets. ``checks`` worlds of the posterior are run at the end.
    """

    kind: Literal["history_matching"]
    points: int = Field(ge=10, le=1000)
    waves: int = Field(default=3, ge=1, le=10)
    facts: Literal["all"] | tuple[str, ...] | None = None
    targets: tuple[Target, ...] = ()
    discrepancy: float = Field(ge=0, le=1)
    discrepancies: dict[str, float] = Field(default_factory=dict)
    cutoff: float = Field(default=3, gt=0, le=10)
    checks: int = Field(default=20, ge=2, le=1000)

    def aims(self) -> tuple[Target, ...]:
        """Return all targets; a row of the table replaces the fact of its name."""
        names = self.facts if self.facts is not None else () if self.targets else "all"
        own = {target.name for target in self.targets}
        return (*(t for t in of_facts(names) if t.name not in own), *self.targets)

    @model_validator(mode="after")
    def _aimed(self) -> Self:
        named = () if self.facts in (None, "all") else self.facts or ()
        for i, name in enumerate(named):
            if name not in known.BY_NAME:
                near = suggest(name, known.BY_NAME)
                raise ValueError(f"facts.{i}: unknown fact {name!r}{near} (`reformsim facts`)")
        for i, target in enumerate(self.targets):
            if wrong := unknown(target.name):
                raise ValueError(f"targets.{i}.name: {wrong}")
        names = [target.name for target in self.aims()]
        if len(set(names)) < len(names):
            raise ValueError("targets: one is named twice")
        if all(target.use == "held out" for target in self.aims()):
            raise ValueError("targets: none is to be calibrated to")
        for name, share in self.discrepancies.items():
            if name not in names:
                raise ValueError(f"discrepancies.{name}: no such target{suggest(name, names)}")
            if not share >= 0:
                raise ValueError(f"discrepancies.{name}: must be at least 0")
        return self

    def deviation(self, target: Target) -> float:
        """Return the standard deviation of what the model leaves out of a target."""
        return self.discrepancies.get(target.name, self.discrepancy) * abs(target.z)


class Confirm(Closed):
    """How many of the best bundles of a search are run again, in how many fresh worlds."""

    bundles: int = Field(default=8, ge=1, le=100)
    worlds: int = Field(default=64, ge=4, le=100_000)


class Advice(Sampled):
    """Which few of the measures to take, within a budget: a search, then a fresh look at its best.

    Every measure of a bundle stands at one of the ``levels``. All bundles are tried where that
    makes no more than ``bundles``, else as many are searched; each in the same ``worlds``, a
    Latin hypercube. Made by `reformsim advise`, which is told the budget and how many measures.
    """

    kind: Literal["advice"]
    measures: Literal["all"] | tuple[str, ...] = "all"
    levels: tuple[float, ...] = (1.0,)
    bundles: int = Field(default=200, ge=2, le=100_000)
    worlds: int = Field(default=8, ge=2, le=10_000)
    confirm: Confirm = Confirm()

    @model_validator(mode="after")
    def _choices(self) -> Self:
        named = self.candidates()
        for i, name in enumerate(named):
            if name not in measures.BY_NAME:
                near = suggest(name, measures.BY_NAME)
                raise ValueError(f"measures.{i}: unknown measure {name!r}{near}")
        if not named or len(set(named)) < len(named):
            raise ValueError("measures: must name one or more, each once")
        if not self.levels or len(set(self.levels)) < len(self.levels):
            raise ValueError("levels: must name one or more, each once")
        if not all(0 < level <= 1 for level in self.levels):
            raise ValueError("levels: each must lie above 0 and not above 1")
        return self

    def candidates(self) -> tuple[str, ...]:
        """Return the measures to choose from."""
        return tuple(measures.BY_NAME) if self.measures == "all" else self.measures


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
