"""What an experiment must be for its design: refused here with the field and the reason."""

from typing import TYPE_CHECKING

from reformsim import outcomes, uncertainties
from reformsim.config import suggest
from reformsim.experiment import pilots
from reformsim.experiment.kinds import Apart, Compare, Difference, Factorial, Pilot, Staged
from reformsim.experiment.sampled import Advice, HistoryMatching, Sampled, Worlds
from reformsim.scenario import YEAR, month_of, month_start

#: The outcome that a budget limits.
COST = "measures_cost"

if TYPE_CHECKING:
    from reformsim.experiment.schema import Experiment


def plausible(experiment: "Experiment") -> None:
    """Raise ValueError, beginning with the field at fault, for what cannot be run or shown."""
    for i, name in enumerate(experiment.outcomes):
        _known(f"outcomes.{i}", name)
    match experiment.design:
        case Factorial() as design:
            _factorial(experiment, design)
        case Sampled() as design:
            _sampled(experiment, design)
            if isinstance(design, Advice):
                _advice(experiment)
        case design:
            _compared(experiment)
            if isinstance(design, Staged):
                _staged(experiment, design)
            elif isinstance(design, Apart):
                _apart(experiment, design)
            elif isinstance(design, Pilot):
                _pilot(experiment, design)
    _figures(experiment)
    _intervals(experiment)


def _figures(experiment: "Experiment") -> None:
    design = experiment.design
    for i, name in enumerate(experiment.figures):
        if name not in design.figures:
            raise ValueError(
                f"figures.{i}: {name} is not drawn of a design of kind {design.kind}, which has "
                f"{', '.join(design.figures) or 'none'}"
            )


def _factorial(experiment: "Experiment", design: Factorial) -> None:
    if experiment.scenarios or experiment.baseline is not None:
        raise ValueError("design: factors take the place of `scenarios` and `baseline`")
    if "effects" in experiment.figures and design.two_level() is None:
        raise ValueError("figures: `effects` needs two labels in every factor, no `within`")
    if "groups" in experiment.figures and not design.within:
        raise ValueError("figures: `groups` needs `within` in the design")


def _compared(experiment: "Experiment") -> None:
    if len(experiment.scenarios) < 2:
        raise ValueError("scenarios: a comparison needs two or more")
    if experiment.baseline not in experiment.scenarios:
        raise ValueError(f"baseline: must be one of {', '.join(experiment.scenarios)}")


def _sampled(experiment: "Experiment", design: Sampled) -> None:
    scenarios = experiment.scenarios
    if len(scenarios) > 1 and experiment.baseline not in scenarios:
        raise ValueError(f"baseline: must be one of {', '.join(scenarios)}")
    if len(scenarios) < 2 and experiment.baseline is not None:
        raise ValueError("baseline: with fewer than two scenarios nothing is compared")
    if isinstance(design, Worlds) and design.region:
        _region(design, experiment.fixed())
    if isinstance(design, HistoryMatching) and scenarios:
        raise ValueError("scenarios: a calibration has none, it runs the base alone")
    listed = design.listed() if isinstance(design, HistoryMatching) else None
    if listed is not None and listed.follow_up >= YEAR * experiment.years:
        late, years = f"{listed.follow_up:g}", f"{listed.follow_up // YEAR + 1:g}"
        raise ValueError(
            f"years: the export was drawn {late} days after its last case: runs must last {years} "
            f"years / 导出比最后一件晚 {late} 天：须运行 {years} 年"
        )
    _varied(experiment, "design")


def _varied(experiment: "Experiment", place: str) -> None:
    bounds = experiment.bounds()
    if not bounds:
        raise ValueError(f"{place}.uncertainties: nothing is left to vary")
    for name in sorted(experiment.fixed() & bounds.keys()):
        raise ValueError(f"{place}.uncertainties: {name} is fixed elsewhere in the file")


def _region(design: Worlds, fixed: set[str]) -> None:
    """Refuse a table whose columns are no uncertainties that the design varies, or rows outside."""
    names = design.region[0].keys()
    for i, row in enumerate(design.region):
        if row.keys() != names:
            raise ValueError(f"design.region.{i}: every row needs a value in every column")
        for name, value in row.items():
            known = uncertainties.BY_NAME.get(name)
            if known is None:
                near = suggest(name, uncertainties.BY_NAME)
                raise ValueError(f"design.region.{i}.{name}: unknown uncertainty {name!r}{near}")
            if not known.low <= value <= known.high:
                raise ValueError(
                    f"design.region.{i}.{name}: must be in [{known.low:g}, {known.high:g}]"
                )
    if taken := names & fixed:
        raise ValueError(f"uncertainties.{min(taken)}: its values are those of the region")
    if design.named() and (left := names - set(design.named())):
        raise ValueError(f"design.uncertainties: {min(left)} of the region is not among them")


def _advice(experiment: "Experiment") -> None:
    if experiment.scenarios:
        raise ValueError("scenarios: advice makes its own, bundles on the `reform` of the base")
    for i, name in enumerate(experiment.outcomes):
        if outcomes.BY_NAME[name].better == "neither":
            raise ValueError(f"outcomes.{i}: neither way of {name} is better, so none is advised")
        if name == COST:
            raise ValueError(f"outcomes.{i}: {name} is the cost, which is always told")


def _staged(experiment: "Experiment", design: Staged | Pilot) -> None:
    _whole(experiment, design.of)
    if any(step.where for step in experiment.scenarios[design.of].reform):
        raise ValueError("design.of: its steps must not name places, the waves do")


def _pilot(experiment: "Experiment", design: Pilot) -> None:
    _staged(experiment, design)
    _alone(experiment, design.of)
    if not experiment.scenarios[design.of].reform:
        raise ValueError("design.of: has no measure to try")
    if experiment.keep is not None:
        raise ValueError("keep: a pilot keeps its panel and the headlines")
    if design.worlds:
        _varied(experiment, "design.worlds")
    if design.cases != ("all",):
        for i, name in enumerate(experiment.outcomes):
            if name not in outcomes.CASE_SHARES:
                known = ", ".join(outcomes.CASE_SHARES)
                raise ValueError(
                    f"outcomes.{i}: {name} is no share of cases, of which `cases` could be "
                    f"sampled: take `cases: [all]`, or some of {known}"
                )
    _months(experiment, design)
    units = len(pilots.units(experiment))
    if max(design.treated) > units - 2:
        raise ValueError(
            f"design.treated: the city has {units} {design.units}s, of which two must stay without "
            f"the reform: at most {units - 2}"
        )


def _months(experiment: "Experiment", design: Pilot) -> None:
    day = pilots.start(experiment)
    month = month_of(day)
    if month_start(month) != day:
        raise ValueError(
            f"design.of: begins on day {day}, within a month; months near it begin on days "
            f"{month_start(month)} and {month_start(month + 1)}"
        )
    if max(design.before) > month:
        raise ValueError(f"design.before: there are {month} months before the reform, on day {day}")
    if max(design.after) > (after := pilots.months(experiment)):
        raise ValueError(f"design.after: there are {after} months after it; raise `years`")


def _apart(experiment: "Experiment", design: Apart) -> None:
    _whole(experiment, design.of)
    _alone(experiment, design.of)
    whole = experiment.scenarios[design.of]
    measures = list(dict.fromkeys(step.measure for step in whole.reform))
    named = [name for group in design.groups.values() for name in group]
    if design.groups and sorted(named) != sorted(measures):
        raise ValueError(
            f"design.groups: must name each measure of {design.of} once: {', '.join(measures)}"
        )
    if taken := {"none", "all", "total"} & design.groups.keys():
        raise ValueError(f"design.groups.{min(taken)}: this name means something else")
    if len(design.groups or measures) < 2:
        raise ValueError("design.of: needs two or more parts")


def _alone(experiment: "Experiment", of: str) -> None:
    whole = experiment.scenarios[of]
    if len(experiment.scenarios) > 2 or experiment.scenarios[experiment.baseline or ""] != (
        Difference()
    ):
        raise ValueError("scenarios: wanted are an empty baseline and the reform, no more")
    if whole != Difference(reform=whole.reform):
        raise ValueError("design.of: must differ from the baseline by its reform alone")


def _whole(experiment: "Experiment", of: str) -> None:
    if of not in experiment.scenarios or of == experiment.baseline:
        raise ValueError("design.of: must be a scenario other than the baseline")


def _intervals(experiment: "Experiment") -> None:
    compares = isinstance(experiment.design, Compare | Staged)
    until = experiment.until
    if experiment.intervals == "bootstrap_t":
        if not compares or until is not None:
            raise ValueError("intervals: bootstrap_t is for comparisons with fixed replications")
        if experiment.replications < 20:
            raise ValueError("intervals: bootstrap_t needs 20 replications or more")
    if until is None:
        return
    if not compares:
        raise ValueError("until: only comparisons of scenarios can go on until they are precise")
    _known("until.outcome", until.outcome)
    if not until.pilot <= experiment.replications <= until.max:
        raise ValueError(
            f"replications: with `until` from its pilot of {until.pilot} to its max of {until.max}"
        )


def _known(place: str, name: str) -> None:
    if name not in outcomes.BY_NAME:
        near = suggest(name, outcomes.BY_NAME)
        raise ValueError(f"{place}: unknown outcome {name!r}{near}")
