"""What a design over uncertainties says, as the report reads it; each part is made once."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from reformsim.experiment import analysis, discovery, responses, robustness, sensitivity
from reformsim.experiment.responses import Failure, Response
from reformsim.experiment.robustness import Driver, Regret, Robustness
from reformsim.experiment.sampled import LatinHypercube, Sampled
from reformsim.experiment.sampling import Sample
from reformsim.experiment.schema import Experiment
from reformsim.experiment.sensitivity import Index, Loss
from reformsim.experiment.store import Results


@dataclass(frozen=True)
class Worlds:
    """The points of a design over uncertainties, and what came out at them.

    ``rows``, booleans of shape (points of the design,), marks those that are looked at; ``within``
    says where they lie: in the full ranges, or in a calibrated region.
    """

    experiment: Experiment
    design: Sampled
    results: Results
    whole: Sample
    rows: np.ndarray
    within: Literal["full", "calibrated"] = "full"

    @cached_property
    def sample(self) -> Sample:
        """The points that are looked at."""
        return self.whole.part(self.rows)

    @property
    def fair(self) -> bool:
        """Whether the points are a fair sample of the worlds, so that shares of them mean much."""
        return isinstance(self.design, LatinHypercube)

    @cached_property
    def responses(self) -> list[Response]:
        """What each headline did at each point of a design over uncertainties."""
        found = responses.responses(self.experiment, self.results)
        return [replace(response, values=response.values[self.rows]) for response in found]

    @cached_property
    def failures(self) -> list[Failure]:
        """The runs that failed, with their points."""
        found = responses.failures(self.experiment, self.results)
        return [failure for failure in found if self.rows[failure.index]]

    @cached_property
    def robustness(self) -> list[Robustness]:
        """Over what share of the points each headline holds, where points are a fair sample."""
        if not self.fair:
            return []
        return [robustness.robustness(r) for r in self.responses if r.reference]

    @cached_property
    def drivers(self) -> list[Driver]:
        """Which uncertainties explain the headlines shown, over a Latin hypercube."""
        if not self.fair:
            return []
        return [d for r in self._shown for d in robustness.drivers(r, self.sample)]

    @cached_property
    def regrets(self) -> list[Regret]:
        """What each scenario costs against the best of each world, over a Latin hypercube."""
        if not self.fair:
            return []
        values = responses.values(self.experiment, self.results)
        return [
            regret
            for trait in analysis.traits(self.results)
            if trait.outcome in self.experiment.outcomes
            for regret in robustness.regrets(
                trait,
                {s: v[self.rows, 0] for (o, s), v in values.items() if o == trait.outcome},
            )
        ]

    @cached_property
    def rules(self) -> list[discovery.Rule]:
        """Where each scenario loses against its reference, over a Latin hypercube."""
        if not self.fair:
            return []
        found = (discovery.discover(r, self.sample) for r in self._shown)
        return [rule for rule in found if rule is not None]

    @cached_property
    def indices(self) -> list[Index]:
        """Sensitivity indices of the headlines shown, by the method of the design."""
        return [i for r in self._shown for i in sensitivity.indices(self.design, self.sample, r)]

    @cached_property
    def convergence(self) -> list[Index]:
        """The same indices from parts of the sample."""
        return [
            i for r in self._shown for i in sensitivity.convergence(self.design, self.sample, r)
        ]

    @cached_property
    def losses(self) -> list[Loss]:
        """What missing runs cost the indices of each headline shown."""
        found = (sensitivity.losses(self.design, self.sample, r) for r in self._shown)
        return [loss for loss in found if loss is not None]

    @cached_property
    def _shown(self) -> list[Response]:
        there = {name: i for i, name in enumerate(self.experiment.outcomes)}
        found = [r for r in self.responses if r.trait.outcome in there]
        return sorted(found, key=lambda r: there[r.trait.outcome])
