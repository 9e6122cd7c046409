"""What an experiment must be for its design: refused here with the field and the reason."""

from typing import TYPE_CHECKING

from reformsim import outcomes
from reformsim.config import suggest
from reformsim.experiment.kinds import Apart, Compare, Difference, Factorial, Sampled, Staged

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
        case design:
            _compared(experiment)
            if isinstance(design, Staged):
                _staged(experiment, design)
            elif isinstance(design, Apart):
                _apart(experiment, design)
    _figures(experiment)
    _intervals(experiment)


def _figures(experiment: "Experiment") -> None:
    design = experiment.design
    for i, name in enumerate(experiment.figures):
        if name not in design.figures:
            raise ValueError(
                f"figures.{i}: {name} is not drawn of a design of kind {design.kind}, which has "
                f"{', '.join(design.figures)}"
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
    bounds = experiment.bounds()
    if not bounds:
        raise ValueError("design.uncertainties: nothing is left to vary")
    for name in sorted(experiment.fixed() & bounds.keys()):
        raise ValueError(f"design.uncertainties: {name} is fixed elsewhere in the file")


def _staged(experiment: "Experiment", design: Staged) -> None:
    _whole(experiment, design.of)
    if any(step.where for step in experiment.scenarios[design.of].reform):
        raise ValueError("design.of: its steps must not name places, the waves do")


def _apart(experiment: "Experiment", design: Apart) -> None:
    _whole(experiment, design.of)
    whole = experiment.scenarios[design.of]
    if len(experiment.scenarios) > 2 or experiment.scenarios[experiment.baseline or ""] != (
        Difference()
    ):
        raise ValueError("scenarios: wanted are an empty baseline and the reform, no more")
    if whole != Difference(reform=whole.reform):
        raise ValueError("design.of: must differ from the baseline by its reform alone")
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
