"""The closed schema of designs over uncertainties: worlds that are sampled, and over what range."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from reformsim import known, measures, uncertainties
from reformsim.config import suggest
from reformsim.experiment.pictures import Figure
from reformsim.experiment.targets import Target, of_facts, unknown
from reformsim.scenario import Closed

#: Bounds of each uncertainty that a design varies, in the order of the design.
Bounds = dict[str, tuple[float, float]]

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


class Worlds(Sampled):
    """A design whose worlds may be those of a calibrated region, beside those of the full ranges.

    With a ``region``, a table that ``reformsim calibrate`` wrote, each point comes twice with the
    same random numbers: over the full ranges, and with the values of one row of the region;
    ``uncertainties: calibrated`` varies what the region names and nothing else.
    """

    uncertainties: Literal["all", "calibrated"] | tuple[str, ...] = "all"  # type: ignore[assignment]
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


class LatinHypercube(Worlds):
    """Points that are evenly spread along every uncertainty: McKay, Beckman & Conover (1979).

    Doubling ``points`` keeps those that are there (Sallaberry, Helton & Hora 2008). ``first``
    runs the first of them only, to hold another city to the same worlds.
    """

    figures: ClassVar[tuple[Figure, ...]] = ("robustness", "regret", "drivers")
    kind: Literal["latin_hypercube"]
    points: int = Field(ge=4, le=100_000)
    first: int | None = Field(default=None, ge=4)
    repeat: Repeat | None = None

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
            raise ValueError("region: a pawn takes none, a latin_hypercube does")
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
        self.listed()
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

    def listed(self) -> known.Listed | None:
        """Return which cases the export lists that the targets come from, None without one.

        A run writes one export only: raises ValueError where rows come from different ones.
        """
        own = [(i, target) for i, target in enumerate(self.targets) if target.exported]
        for i, target in own:
            if target.listed != own[0][1].listed:
                fields = known.Listed._fields
                field = next(f for f in fields if getattr(target, f) != getattr(own[0][1], f))
                raise ValueError(
                    f"targets.{i}.{field}: differs from the rows before; all rows of exports must "
                    "come from one / 与前面各行不同：导出的各行须来自同一份导出"
                )
        return own[0][1].listed if own else None

    def deviation(self, target: Target) -> float:
        """Return the standard deviation of what the model leaves out of a target."""
        return self.discrepancies.get(target.name, self.discrepancy) * abs(target.z)


class Confirm(Closed):
    """How many of the best bundles of a search are run again, in how many fresh worlds."""

    bundles: int = Field(default=8, ge=1, le=100)
    worlds: int = Field(default=64, ge=4, le=100_000)


class Advice(Worlds):
    """Which few of the measures to take, within a budget: a search, a choice, a last fresh look.

    Every measure of a bundle stands at one of the ``levels``. All bundles are tried where that
    makes no more than ``bundles``, else as many are searched; each in the same ``worlds``, a
    Latin hypercube. With a ``region`` all worlds lie in it, and the best are held beside it to
    the full ranges. What is chosen is run again in as many worlds as ``report`` says, without it
    as many as ``confirm`` has. Made by `reformsim advise`, which is told the budget and how many
    measures.
    """

    kind: Literal["advice"]
    measures: Literal["all"] | tuple[str, ...] = "all"
    levels: tuple[float, ...] = (1.0,)
    bundles: int = Field(default=200, ge=2, le=100_000)
    worlds: int = Field(default=8, ge=2, le=10_000)
    confirm: Confirm = Confirm()
    report: int | None = Field(default=None, ge=4, le=100_000)

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
