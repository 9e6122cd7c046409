"""What the runs say: paired contrasts, factorial effects, bands over time, each with n.

All intervals are two-sided, over replications, at 95 %, one outcome at a time: of twenty
intervals about a truth of zero, one is expected to miss it. ``Contrast.holm`` corrects for that.
"""

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from reformsim.experiment import fractions
from reformsim.experiment.store import Results

LEVEL = 0.95

#: Differences below this share of the base are rounding: what two platforms may differ by.
ROUNDING = 1e-9

#: Resamples of a bootstrap-t.
RESAMPLES = 1999


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A difference in one outcome: its size in the outcome's unit, its interval, a verdict.

    ``base`` is the mean that percentages refer to, taken as fixed. ``low`` and ``high`` are NaN
    where n < 2.
    """

    outcome: str
    unit: str
    better: str
    n: int
    base: float
    value: float
    low: float
    high: float
    verdict: str

    def percent(self) -> tuple[float, float, float]:
        """Return value, low and high in percent of the base; NaN where the base is 0."""
        scale = 100 / abs(self.base) if self.base else math.nan
        return self.value * scale, self.low * scale, self.high * scale


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast(Estimate):
    """A scenario minus its reference; ``base`` is the reference's mean over the pairs.

    A variance reduction of 4 says that unpaired runs would need four times the replications.
    ``p`` is two-sided, against no difference; ``holm`` is p corrected for all contrasts of the
    family by ``corrected``, NaN before.
    """

    scenario: str
    reference: str
    mean: float
    variance_reduction: float
    p: float
    holm: float = math.nan

    @property
    def holds(self) -> bool:
        """Whether the verdict also holds for all of the family at once, at 5 %."""
        return self.holm <= 1 - LEVEL


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect(Estimate):
    """A main effect (one factor) or an interaction (two); ``base``: all at the first label.

    ``aliases`` are the terms that a fractional design cannot tell from it: what is estimated is
    their sum, in sizes that may have either sign.
    """

    factors: tuple[str, ...]
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead(Estimate):
    """The lead of the first scenario of a group over the next, counted positive."""

    group: str
    first: str
    runner_up: str


@dataclass(frozen=True, slots=True)
class Rule:
    """How the interval of a contrast is made.

    ``t``: Student's, for differences that are near normal. ``bootstrap_t``: Efron's studentised
    bootstrap, for skewed ones. With a ``pilot``, the variance is that of the first ``pilot``
    replications, by which ``stopping`` chose how many there are.
    """

    method: Literal["t", "bootstrap_t"] = "t"
    pilot: int | None = None

    def interval(self, values: np.ndarray) -> tuple[int, float, float, float, float]:
        """Return n, mean, low, high and p of values by replication, NaN where one is missing."""
        there = values[~np.isnan(values)]
        if self.method == "bootstrap_t":
            return bootstrap_t(there)
        n, mean = len(there), _mean(there)
        early = there if self.pilot is None else values[: self.pilot]
        early = early[~np.isnan(early)]
        if len(early) < 2:
            return n, mean, math.nan, math.nan, math.nan
        freedom, error = len(early) - 1, float(early.std(ddof=1)) / math.sqrt(n)
        half = float(stdtrit(freedom, (1 + LEVEL) / 2)) * error
        if error == 0:
            return n, mean, mean, mean, float(mean == 0)
        return n, mean, mean - half, mean + half, float(2 * stdtr(freedom, -abs(mean) / error))


STUDENT = Rule()


def bootstrap_t(values: np.ndarray) -> tuple[int, float, float, float, float]:
    """Return n, mean, low, high and p by the bootstrap-t: Efron (1981), Hall (1988).

    The distribution of t is taken from resamples, so that skewness moves the interval to the
    side on which it belongs. NaN for fewer than two values.
    """
    n, mean = len(values), _mean(values)
    if n < 2:
        return n, mean, math.nan, math.nan, math.nan
    error = float(values.std(ddof=1)) / math.sqrt(n)
    if error == 0:
        return n, mean, mean, mean, float(mean == 0)
    drawn = values[np.random.default_rng(0).integers(n, size=(RESAMPLES, n))]
    spread = drawn.std(axis=1, ddof=1) / math.sqrt(n)
    whole = spread > 0
    t = (drawn.mean(axis=1)[whole] - mean) / spread[whole]
    low, high = np.quantile(t, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    beyond = min((t >= mean / error).sum(), (t <= mean / error).sum())
    p = min(2 * (int(beyond) + 1) / (len(t) + 1), 1.0)
    return n, mean, float(mean - high * error), float(mean - low * error), p


def holm(p: np.ndarray) -> np.ndarray:
    """Adjust p-values so that the chance of any false alarm among them is bounded: Holm (1979)."""
    p = np.asarray(p, float)
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate((len(p) - np.arange(len(p))) * p[order])
    found = np.empty(len(p))
    found[order] = np.minimum(steps, 1.0)
    return found


def interval(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return n, mean, low and high over the first axis; missing values are left out.

    ``values`` has shape (replications, ...), the four results shape (...). The interval is
    mean ± t(n − 1) · s / √n; with n < 2 there is none and low and high are NaN.
    """
    values = np.asarray(values, float)
    there = ~np.isnan(values)
    n = there.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(there, values, 0.0).sum(axis=0) / np.where(n > 0, n, np.nan)
        squares = np.where(there, (values - mean) ** 2, 0.0).sum(axis=0)
        spread = np.sqrt(squares / np.where(n > 1, n - 1, np.nan) / np.where(n > 0, n, np.nan))
        half = stdtrit(np.maximum(n - 1, 1), (1 + LEVEL) / 2) * spread
    return n, mean, mean - half, mean + half


def verdict(better: str, n: int, low: float, high: float, base: float) -> str:
    """Put a difference into a word.

    *better* or *worse* where the interval excludes 0 (*higher* or *lower* for an outcome of
    which neither is better), *unclear* where it does not, *same* where all of it is 0 but for
    rounding, *one run* where n < 2 gives no interval.
    """
    if n < 2 or math.isnan(low):
        return "one run"
    if max(-low, high) <= ROUNDING * abs(base):
        return "same"
    if low <= 0 <= high:
        return "unclear"
    if better == "neither":
        return "higher" if low > 0 else "lower"
    return "better" if (low > 0) == (better == "higher") else "worse"


def contrasts(results: Results, references: dict[str, str], rule: Rule = STUDENT) -> list[Contrast]:
    """Compare each scenario with its reference, paired by replication, for every headline."""
    values = by_replication(results)
    found = []
    for (scenario, reference), trait in itertools.product(references.items(), traits(results)):
        a, b = values.get((trait.outcome, scenario)), values.get((trait.outcome, reference))
        if a is None or b is None:
            continue
        found.append(contrast(trait, scenario, reference, a, b, rule))
    return found


def corrected(rows: Sequence[Contrast], family: Collection[str]) -> list[Contrast]:
    """Correct the p-values of all contrasts in the outcomes of ``family`` together: Holm (1979).

    Those of other outcomes, and those without a p-value, keep NaN.
    """
    among = [i for i, row in enumerate(rows) if row.outcome in family and not math.isnan(row.p)]
    adjusted = dict(zip(among, holm(np.array([rows[i].p for i in among])), strict=True))
    return [replace(row, holm=float(adjusted.get(i, math.nan))) for i, row in enumerate(rows)]


def variance_reduction(a: np.ndarray, b: np.ndarray) -> float:
    """Return (var a + var b) / var (a − b), what pairing saves; NaN where it is not defined."""
    if len(a) < 2:
        return math.nan
    paired = float(np.var(a - b, ddof=1))
    return float(np.var(a, ddof=1) + np.var(b, ddof=1)) / paired if paired > 0 else math.nan


def effects(
    results: Results,
    factors: dict[str, tuple[str, str]],
    generators: Mapping[str, Sequence[str]] | None = None,
) -> list[Effect]:
    """Estimate main effects and two-way interactions of a design of two-level factors.

    ``factors`` maps a factor to its two labels, low first; ``generators`` are those of a
    fraction, whose effects come with their aliases. For each replication with all
    cells, the main effect of a factor is the mean over cells at its second label minus the mean
    over cells at its first; the interaction of two factors is the effect of the one with the
    other at its second label minus its effect with the other at its first. (Box, Hunter &
    Hunter call half of the latter the interaction.) Both are linear in the runs, so that the
    t interval over replications is that of a mean. A headline that some cell never reports has
    no effects.
    """
    generators = generators or {}
    levels = fractions.rows(list(factors), generators)
    signs = dict(zip(factors, 2.0 * np.array(levels).T - 1, strict=True))
    terms = [*((f,) for f in factors), *itertools.combinations(factors, 2)]
    told = {term: fractions.aliases(term, list(factors), generators) for term in terms}
    named = results.runs.set_index([f"factor:{f}" for f in factors])["scenario"].to_dict()
    cells = [
        named.get(tuple(factors[f][i] for f, i in zip(factors, row, strict=True))) for row in levels
    ]
    values_of = by_replication(results)
    found = []
    for trait in traits(results):
        columns = [values_of.get((trait.outcome, str(cell))) for cell in cells]
        there = [column for column in columns if column is not None]
        if len(there) < len(cells):
            continue
        values = _complete(there)
        for term in terms:
            weights = np.prod([signs[f] for f in term], axis=0) / (len(levels) / 2 ** len(term))
            found.append(
                Effect(
                    **estimate(trait, values @ weights, _mean(values[:, 0])),
                    factors=term,
                    aliases=tuple(map(" × ".join, told[term])),
                )
            )
    return found


def leads(results: Results, groups: dict[str, list[str]]) -> list[Lead]:
    """Find the first scenario of each group on each headline, and its paired lead over the next.

    The verdict is *clear* where the interval of the lead excludes 0, else *tie*, and *one run*
    without an interval. Choosing the two first and testing them afterwards is conservative among
    scenarios that are in truth equal: neighbours in rank are nearer to each other than two taken
    at random. Of an outcome without a better direction the highest comes first.
    """
    values = by_replication(results)
    found = []
    for (group, scenarios), trait in itertools.product(groups.items(), traits(results)):
        there = [s for s in scenarios if (trait.outcome, s) in values]
        if len(there) < 2:
            continue
        table = _complete([values[trait.outcome, s] for s in there])
        sign = -1.0 if trait.better == "lower" else 1.0
        first, second = np.argsort(-sign * table.mean(axis=0), kind="stable")[:2]
        lead = estimate(trait, sign * (table[:, first] - table[:, second]), _mean(table[:, first]))
        if lead["n"] > 1:
            clear = lead["low"] > 0 and lead["verdict"] != "same"
            lead["verdict"] = "clear" if clear else "tie"
        found.append(Lead(**lead, group=group, first=there[first], runner_up=there[second]))
    return found


def means(results: Results) -> pd.DataFrame:
    """Return n, mean, low and high of every headline in every scenario."""
    return bands(results.headlines(), ["scenario", "outcome", "unit"])


def bands(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return n, mean, low, high of ``value`` over replications for each combination of ``by``."""
    keys = rows[by].astype(dict.fromkeys(rows[by].select_dtypes("category"), str))
    wide = rows[["replication", "value"]].join(keys).set_index(["replication", *by])["value"]
    table = wide.unstack("replication")
    n, mean, low, high = interval(table.to_numpy().T)
    return table.index.to_frame(index=False).assign(n=n, mean=mean, low=low, high=high)


def frame(rows: Sequence[Any]) -> pd.DataFrame:
    """Return estimates, or any dataclasses, as a table, one column per field."""
    return pd.DataFrame([asdict(row) for row in rows])


@dataclass(frozen=True, slots=True)
class Trait:
    """What a headline is measured in, and which way is better."""

    outcome: str
    unit: str
    better: str


def contrast(
    trait: Trait, scenario: str, reference: str, a: np.ndarray, b: np.ndarray, rule: Rule = STUDENT
) -> Contrast:
    """Return a − b, paired by position, with an interval over the pairs that are whole."""
    both = ~(np.isnan(a) | np.isnan(b))
    n, value, low, high, p = rule.interval(a - b)
    a, b = a[both], b[both]
    base = _mean(b)
    return Contrast(
        outcome=trait.outcome,
        unit=trait.unit,
        better=trait.better,
        n=n,
        base=base,
        value=value,
        low=low,
        high=high,
        verdict=verdict(trait.better, n, low, high, base),
        scenario=scenario,
        reference=reference,
        mean=_mean(a),
        variance_reduction=variance_reduction(a, b),
        p=p,
    )


def traits(results: Results) -> list[Trait]:
    """Return the headlines that the runs report."""
    rows = results.headlines().drop_duplicates("outcome")
    return [Trait(*map(str, row)) for row in rows[["outcome", "unit", "better"]].to_numpy()]


def estimate(trait: Trait, values: np.ndarray, base: float) -> dict[str, Any]:
    """Return the fields of an Estimate from one value for each replication."""
    n, mean, low, high = (x.item() for x in interval(values))
    return {
        **asdict(trait),
        "n": n,
        "base": base,
        "value": mean,
        "low": low,
        "high": high,
        "verdict": verdict(trait.better, n, low, high, base),
    }


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else math.nan


def _complete(columns: list[np.ndarray]) -> np.ndarray:
    """Return the replications, as rows, in which no column misses a value."""
    table = np.column_stack(columns)
    return table[~np.isnan(table).any(axis=1)]


def by_replication(results: Results) -> dict[tuple[str, str], np.ndarray]:
    """Return the headlines of each (outcome, scenario): row r is replication r, NaN if none."""
    rows = results.headlines().astype({"outcome": str, "scenario": str})
    if rows.empty:
        return {}
    table = rows.pivot(index="replication", columns=["outcome", "scenario"], values="value")
    columns = table.reindex(range(table.index.max() + 1)).to_numpy(float).T
    return {(key[0], key[1]): c for key, c in zip(table.columns, columns, strict=True)}
