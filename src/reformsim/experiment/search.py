"""Search bundles within a budget: in few worlds, each bundle quoted before it is run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from reformsim.experiment.analysis import ROUNDING, Trait
from reformsim.experiment.bundles import NOTHING, Bundle, Space
from reformsim.experiment.checks import COST
from reformsim.experiment.choice import front, in_turn, ranked, signed
from reformsim.experiment.evaluation import Evaluation, Found
from reformsim.experiment.files import StoreError
from reformsim.experiment.proposals import proposals

#: Bundles asked for at a time where all are tried.
AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A bundle that was not run, or not to the end, and why; ``cost`` is NaN without a quote."""

    bundle: str
    cost: float
    reason: str


@dataclass
class Searched:
    """What a search found.

    ``costs`` are quotes by bundle, a share of the transfer. ``values`` holds the headlines by
    outcome and bundle, (worlds,). ``space`` counts the bundles there are, ``all`` says whether
    all of them were looked at.
    """

    traits: dict[str, Trait]
    space: int
    all: bool
    costs: dict[Bundle, float] = field(default_factory=dict)
    values: dict[str, dict[Bundle, np.ndarray]] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)

    def objectives(self, bundle: Bundle) -> list[float]:
        """Return the mean of each outcome, the better the larger, and the cost, negative."""
        means = (signed(t, self.values[o][bundle]).mean() for o, t in self.traits.items())
        return [*map(float, means), -self.costs[bundle]]

    def best(self, most: int) -> list[Bundle]:
        """Return at most ``most`` bundles of the front to look at again.

        The best in the worst regret of the first outcome, in the mean of each outcome and in
        cost, in turn.
        """
        objectives = {bundle: self.objectives(bundle) for bundle in self.costs}
        first = next(iter(self.traits))
        regret = {b: -r.worst for b, r in ranked(self.traits[first], self.values[first])}
        columns: list[Mapping[Bundle, float]] = [
            {bundle: values[i] for bundle, values in objectives.items()}
            for i in range(len(self.traits) + 1)
        ]
        kept = [bundle for bundle in front(objectives) if bundle != NOTHING]
        return in_turn(kept, [regret, *columns] if regret else columns, most)


def search(
    space: Space,
    outcomes: Sequence[str],
    budget: float,
    most: int,
    seed: int,
    quotes: Evaluation,
    runs: Evaluation,
) -> Searched:
    """Look at ``most`` bundles of a space, at what they do and cost; NOTHING always among them.

    A bundle whose quote exceeds ``budget`` is rejected before it is run, one that fails in a
    world thereafter. Raises StoreError where the base itself cannot be run.
    """
    nothing = quotes([NOTHING], [COST])
    _refuse(nothing, "the first day of the base")
    base = nothing.by_world(COST, NOTHING)[0]
    told = runs([NOTHING], outcomes)
    _refuse(told, "the base")
    found = Searched(told.traits, space.size(), all=space.size() <= most)
    found.costs[NOTHING] = 0.0
    found.values = {name: {NOTHING: told.by_world(name, NOTHING)} for name in told.traits}
    ways = proposals(space, budget, most, seed)
    ways.tell(NOTHING, found.objectives(NOTHING))
    while (left := most + 1 - len(found.costs)) > 0 and (asked := ways.ask(min(left, AT_ONCE))):
        quoted = quotes(asked, [COST])
        within: dict[Bundle, float] = {}
        for bundle in asked:
            cost = float(quoted.by_world(COST, bundle)[0] - base)
            reason = quoted.failures.get(bundle, "").removeprefix("world 0: ")
            if not reason and cost > budget + ROUNDING:
                reason = f"costs {cost:.4g} of the transfer a year, the budget is {budget:.4g}"
            if reason:
                found.rejected.append(Rejected(bundle=bundle.name, cost=cost, reason=reason))
            else:
                within[bundle] = cost
        if not within:
            continue
        told = runs(list(within), outcomes)
        for bundle, cost in within.items():
            if reason := told.failures.get(bundle, ""):
                found.rejected.append(Rejected(bundle=bundle.name, cost=cost, reason=reason))
                continue
            found.costs[bundle] = cost
            for name in found.traits:
                found.values[name][bundle] = told.by_world(name, bundle)
            ways.tell(bundle, found.objectives(bundle))
    return found


def _refuse(found: Found, what: str) -> None:
    for reason in found.failures.values():
        raise StoreError(f"{what} cannot be run: {reason}")
