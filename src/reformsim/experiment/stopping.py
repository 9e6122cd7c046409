"""Sequential stopping with exact coverage: Stein's two stages (1945).

After a pilot of n0 replications with the standard deviation s0 of the paired differences, the
number in all is the smallest n ≥ n0 with t(n0 − 1) · s0 / √n ≤ half-width, and the interval is
mean(n) ± t(n0 − 1) · s0 / √n. For normal differences (mean(n) − μ)√n / s0 has Student's
distribution with n0 − 1 degrees of freedom whatever n came out, since a mean is independent of
the residuals of the pilot that chose n: so for every outcome and every scenario at once, with a
cap on n too. Looking after each run and stopping when the interval is narrow (Chow & Robbins
1965) covers less, and more looks would need a correction; the price here is t(n0 − 1) in place of
1.96, 7 % for n0 = 20.
"""

import math
from collections.abc import Callable

import numpy as np
from scipy.special import stdtrit

from reformsim.experiment import design
from reformsim.experiment.analysis import LEVEL, by_replication
from reformsim.experiment.schema import Experiment, Until
from reformsim.experiment.store import Results, Store


def until_precise(
    experiment: Experiment, execute: Callable[[Experiment], Results], begun: int = 0
) -> tuple[Experiment, Results]:
    """Execute an experiment, with ``until`` in two stages; return it as it was run.

    The second stage has the replications of the first and more. ``begun`` is how many a results
    directory has in its design already: an experiment that was stopped goes on with these.
    """
    if experiment.until is not None and begun > experiment.replications:
        most = min(begun, experiment.until.max)
        experiment = experiment.model_copy(update={"replications": most})
    results = execute(experiment)
    n = wanted(experiment, results)
    if n > experiment.replications:
        experiment = experiment.model_copy(update={"replications": n})
        results = execute(experiment)
    return experiment, results


def begun(store: Store) -> int:
    """Return how many replications the design in a results directory has, 0 without a design."""
    if not store.design_path.exists():
        return 0
    written = store.design()
    return max((len(written.seeds(name)) for name in written.lines), default=0)


def wanted(experiment: Experiment, results: Results) -> int:
    """Return how many replications there are to be in all, judged by those of the pilot."""
    until = experiment.until
    if until is None:
        return experiment.replications
    values = by_replication(results)
    most = experiment.replications
    for scenario, reference in design.references(experiment).items():
        a, b = values.get((until.outcome, scenario)), values.get((until.outcome, reference))
        if a is not None and b is not None:
            most = max(most, replications((a - b)[: until.pilot], until))
    return min(most, until.max)


def replications(pilot: np.ndarray, until: Until) -> int:
    """Return how many pairs a contrast needs, given the differences of its pilot.

    Missing pairs are left out; with fewer than two the pilot says nothing and ``max`` is returned.
    """
    pilot = pilot[~np.isnan(pilot)]
    if len(pilot) < 2:
        return until.max
    half = stdtrit(len(pilot) - 1, (1 + LEVEL) / 2) * float(pilot.std(ddof=1))
    return min(max(len(pilot), math.ceil((half / until.half_width) ** 2)), until.max)
