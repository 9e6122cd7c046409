"""Which units a pilot treats, and from when: drawn anew for every draw of the design."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reformsim.experiment.kinds import Difference, Pilot
from reformsim.scenario import YEAR, month_of, month_start

if TYPE_CHECKING:
    from reformsim.experiment.schema import Experiment

#: The factors of a run of a pilot: how many units are treated, and the number of the draw.
TREATED, DRAW = "treated", "draw"


@dataclass(frozen=True, slots=True)
class Rollout:
    """Who is treated from which wave on: ``wave`` (units,) counts from 0, −1 for never."""

    units: tuple[str, ...]
    wave: np.ndarray


def design_of(experiment: "Experiment") -> Pilot:
    """Return the design of an experiment that is a pilot."""
    assert isinstance(experiment.design, Pilot)
    return experiment.design


def units(experiment: "Experiment") -> tuple[str, ...]:
    """Return the names of the units that a pilot may treat."""
    from reformsim.city import build  # loads pandas, which a check of other designs does not need

    city = build(experiment.city, experiment.city_seed)
    there = city.districts if design_of(experiment).units == "district" else city.subdistricts
    return tuple(map(str, there.name))


def start(experiment: "Experiment") -> int:
    """Return the first day of the pilot: that of the earliest step of its reform."""
    return min(step.from_day for step in experiment.scenarios[design_of(experiment).of].reform)


def first_month(experiment: "Experiment") -> int:
    """Return the month in which the pilot starts, counted from the start of the runs."""
    return month_of(start(experiment))


def rollout(experiment: "Experiment", treated: int, draw: int) -> Rollout:
    """Draw the units of a pilot and deal them out to the waves in turn.

    Units come in a random order that is the draw's own, so that the units of a smaller pilot are
    among those of a larger one.
    """
    names, waves = units(experiment), design_of(experiment).waves
    chosen = np.random.default_rng([experiment.seed, draw]).permutation(len(names))[:treated]
    wave = np.full(len(names), -1)
    wave[chosen] = np.arange(treated) % waves
    return Rollout(names, wave)


def reform(experiment: "Experiment", treated: int, draw: int) -> Difference:
    """Return the reform in the waves of a pilot; wave k begins k · ``every`` months later."""
    design, drawn = design_of(experiment), rollout(experiment, treated, draw)
    whole, first = experiment.scenarios[design.of], first_month(experiment)
    steps = []
    for k in range(design.waves):
        where = tuple(name for name, w in zip(drawn.units, drawn.wave, strict=True) if w == k)
        later = month_start(first + k * design.every) - month_start(first)
        steps += [
            step.model_copy(
                update={
                    "where": where,
                    "from_day": step.from_day + later,
                    "until": step.until and step.until + later,
                }
            )
            for step in whole.reform
        ]
    return whole.model_copy(update={"reform": tuple(steps)})


def months(experiment: "Experiment") -> int:
    """Return how many months there are from the start of the pilot to the end of the runs."""
    end = month_of(experiment.warm_up + YEAR * experiment.years - 1) + 1
    return end - first_month(experiment)
