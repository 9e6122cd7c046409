"""What a bundle does to groups of residents, and year by year, against doing nothing."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from reformsim.experiment.analysis import Contrast, Trait, contrast, corrected, interval, traits
from reformsim.experiment.bundles import DO_NOTHING
from reformsim.experiment.checks import COST
from reformsim.experiment.store import Results
from reformsim.scenario import YEAR

#: Levels of outcomes whose places are groups of residents.
GROUPS = ("community_type", "age")


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupContrast(Contrast):
    """What a bundle does to one group: residents of a type of community, or of an age.

    The group loses where the verdict is *worse*: where the interval does not hold zero.
    ``holds`` says whether that survives Holm's correction over all groups and outcomes.
    """

    level: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Year(Contrast):
    """The headline in one year after the warm-up, and the cost added up to that year's end.

    ``cost`` is in years of transfer, beyond doing nothing, with its interval over the worlds.
    """

    year: int
    cost: float
    cost_low: float
    cost_high: float


def groups(results: Results, bundle: str, outcomes: Sequence[str]) -> list[GroupContrast]:
    """Compare each group under a bundle with the same group under nothing, after the transition."""
    rows = results.kind("outcome")
    rows = rows[rows["level"].isin(GROUPS) & (rows["period"] == "after")]
    rows = rows[rows["outcome"].isin(outcomes)]
    found = []
    there = {trait.outcome: trait for trait in traits(results)}
    for (level, place, outcome), part in rows.groupby(
        ["level", "place", "outcome"], observed=True, sort=False
    ):
        a, b = _pair(part, bundle)
        difference = contrast(there[str(outcome)], bundle, DO_NOTHING, a, b)
        found.append(GroupContrast(**asdict(difference), level=str(level), place=str(place)))
    order = {name: i for i, name in enumerate(outcomes)}
    ordered = sorted(found, key=lambda g: (order[g.outcome], GROUPS.index(g.level)))
    return corrected(ordered, outcomes)  # type: ignore[return-value]


def years(results: Results, bundle: str, headline: Trait, warm_up: int) -> list[Year]:
    """Compare each year after the warm-up: the mean of its months, in each world.

    Empty where months do not tell the headline.
    """
    rows = results.kind("curve")
    if headline.outcome not in set(rows["outcome"]):
        return []
    rows = rows[rows["outcome"].isin([headline.outcome, COST]) & (rows["day"] > warm_up)]
    rows = rows.assign(year=np.ceil((rows["day"] - warm_up) / YEAR).astype(int))
    found = []
    spent: np.ndarray | float = 0.0
    for year in sorted(rows["year"].unique()):
        now = rows[rows["year"] == year]
        a, b = _pair(now[now["outcome"] == headline.outcome], bundle)
        costs = _pair(now[now["outcome"] == COST], bundle)
        spent = spent + costs[0] - costs[1]
        _, cost, low, high = (x.item() for x in interval(np.asarray(spent)))
        difference = contrast(headline, bundle, DO_NOTHING, a, b)
        found.append(
            Year(**asdict(difference), year=int(year), cost=cost, cost_low=low, cost_high=high)
        )
    return found


def even(found: Sequence[Year]) -> Year | None:
    """Return the first year from which on every year is better; None where there is none.

    Better by an interval that does not hold zero. Benefits have no price here: this is when the
    bundle has begun to pay in its headline and goes on to, not when money comes back.
    """
    first = None
    for year in reversed(found):
        if year.verdict != "better":
            break
        first = year
    return first


def _pair(rows: pd.DataFrame, bundle: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean value in each world under the bundle and under nothing, (worlds,) each."""
    names = rows["scenario"].str.rpartition(" @")
    table = (
        rows.assign(bundle=names[0], world=names[2].astype(int))
        .groupby(["world", "bundle"], observed=True)["value"]
        .mean()
        .unstack("bundle")
    )
    table = table.reindex(columns=[bundle, DO_NOTHING])
    both = table.to_numpy(float)
    return both[:, 0], both[:, 1]


def losers(found: Sequence[GroupContrast]) -> list[GroupContrast]:
    """Return the groups that lose something, the surest first; none whose interval holds zero."""
    worse = [group for group in found if group.verdict == "worse"]
    return sorted(worse, key=lambda g: math.inf if math.isnan(g.p) else g.p)
