"""How well estimators recover the effect of a pilot that is known: bias, coverage, power."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from reformsim.experiment import design, pilots
from reformsim.experiment.analysis import LEVEL, Trait, interval, traits
from reformsim.experiment.estimators import ESTIMATORS, NEVER, Fit, treated
from reformsim.experiment.robustness import wilson
from reformsim.experiment.schema import Experiment
from reformsim.experiment.store import Results

#: The power that a pilot is asked for, by convention: Cohen (1988).
WANTED = 0.8

#: How often an interval may exclude zero where there is no effect.
FALSE_ALARMS = round(1 - LEVEL, 9)

#: All cases of a unit and month, where no number is sampled.
ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large a pilot is: treated units, months before and after, cases a unit and month."""

    treated: int
    before: int
    after: int
    cases: int | str

    def order(self) -> tuple[float, ...]:
        """Return what makes a pilot larger: units first, then months, then cases."""
        cases = math.inf if isinstance(self.cases, str) else float(self.cases)
        return self.treated, self.before + self.after, self.after, cases


@dataclass(frozen=True, slots=True, kw_only=True)
class Power(Size):
    """What an estimator makes of pilots of one size, over draws of units, chance and worlds.

    ``n``: draws, ``intervals``: those in which the estimator gives one; ``gaps``: units left out in
    a draw, as a month had no case.
    ``truth``: mean effect in treated cells, against the same seeds without the reform; ``spill``:
    the same in cells not yet treated after the start; ``interference``: truth minus the effect on
    the same units after as many months had all units been treated at once. ``bias`` and ``rmse``:
    of estimates with an interval against the truth of their draw. ``coverage``: share of intervals
    that hold that truth, ``power``: share of draws whose interval excludes zero, a draw without
    one having found nothing; ``false_alarm``: share of intervals that exclude zero where the same
    units were said to be treated in the runs without the reform. Of all but ``rmse`` 95 %
    intervals, Wilson's for shares; draws of one world are not independent, so that with several
    worlds and several draws in each the spread is that between worlds.
    """

    outcome: str
    unit: str
    better: str
    estimator: str
    n: int
    intervals: int
    gaps: float
    truth: float
    truth_low: float
    truth_high: float
    spill: float
    spill_low: float
    spill_high: float
    interference: float
    interference_low: float
    interference_high: float
    bias: float
    bias_low: float
    bias_high: float
    rmse: float
    coverage: float
    coverage_low: float
    coverage_high: float
    power: float
    power_low: float
    power_high: float
    false_alarm: float
    false_alarm_low: float
    false_alarm_high: float

    def enough(self) -> bool:
        """Whether power suffices, and what is found can be trusted.

        Trusted: neither is coverage below its level beyond chance, nor are false alarms above
        theirs. An estimator that finds effects where there are none has no power worth the name.
        """
        trusted = self.coverage_high >= LEVEL and self.false_alarm_low <= FALSE_ALARMS
        return self.power >= WANTED and trusted


@dataclass(frozen=True, slots=True)
class Answer:
    """The smallest pilot on the grid that is large enough, by one estimator; None if none is.

    ``best`` is the size of most power, whatever its coverage and false alarms.
    """

    outcome: str
    estimator: str
    smallest: Power | None
    best: Power


def answers(rows: Sequence[Power]) -> list[Answer]:
    """Say for each outcome and estimator how large a pilot must be."""
    found = []
    for key in dict.fromkeys((row.outcome, row.estimator) for row in rows):
        here = [row for row in rows if (row.outcome, row.estimator) == key]
        smallest = min((r for r in here if r.enough()), key=Size.order, default=None)
        found.append(Answer(*key, smallest, max(here, key=lambda r: r.power)))
    return found


# ------------------------------------------------------------------------------- what was seen


@dataclass(frozen=True)
class Panels:
    """The panels of one outcome: values and numbers of cases, (runs, units, months), by run."""

    row: dict[tuple[str, int], int]
    values: np.ndarray
    cases: np.ndarray

    def of(self, cell: str, draw: int) -> tuple[np.ndarray, np.ndarray] | None:
        """Return values and cases of a run, None where it failed."""
        i = self.row.get((cell, draw))
        return None if i is None else (self.values[i], self.cases[i])


def panels(experiment: Experiment, results: Results, outcome: str) -> Panels:
    """Read the panels of an outcome from the rows of finished runs."""
    rows = results.rows[results.rows["outcome"].astype(str) == outcome]
    rows = rows.astype({"kind": str, "place": str})
    count = int(rows["month"].max()) + 1
    names = pilots.units(experiment)
    columns = pd.MultiIndex.from_product([names, range(count)])
    tables = {
        kind: rows[rows["kind"] == kind]
        .pivot(index="run", columns=["place", "month"], values="value")
        .reindex(columns=columns)
        for kind in ("panel", "cases")
    }
    there = tables["panel"].index
    arrays = (
        table.reindex(there).to_numpy(float).reshape(len(there), len(names), count)
        for table in tables.values()
    )
    at = {run: i for i, run in enumerate(there)}
    runs = design.runs(experiment)
    found = {(run.cell, run.replication): at[run.id] for run in runs if run.id in at}
    return Panels(found, *arrays)


def sampled(
    values: np.ndarray, cases: np.ndarray, size: int | str, rng: np.random.Generator
) -> np.ndarray:
    """Return what a sample of ``size`` cases of each unit and month shows, drawn without return.

    ``values`` and ``cases`` have shape (units, months). Exact: of N cases of which K count, the
    sample has a hypergeometric number. All cases where there are fewer; NaN where there is none.
    """
    if size == ALL:
        return values
    whole = np.nan_to_num(cases).astype(int)
    yes = np.rint(np.nan_to_num(values * cases)).astype(int)
    taken = np.minimum(whole, int(size))
    found = rng.hypergeometric(yes, whole - yes, taken)
    return np.divide(found, taken, out=np.full(values.shape, np.nan), where=taken > 0)


# ---------------------------------------------------------------------------------- the trials


@dataclass(frozen=True, slots=True)
class Trial:
    """One estimator at one size in one draw."""

    size: Size
    estimator: str
    world: int
    gaps: int
    truth: float
    spill: float
    interference: float
    fit: Fit
    placebo: Fit


@dataclass(frozen=True)
class Seen:
    """Window on the panels of a draw: ``first`` treated months, with and without the reform."""

    first: np.ndarray
    before: int
    effect: np.ndarray
    everywhere: np.ndarray

    def truths(self) -> tuple[float, float, float]:
        """Return the mean effect where treated, where not yet, and truth minus everywhere."""
        months = self.effect.shape[1]
        cells = treated(self.first, months)
        spilt = ~cells & (np.arange(months) >= self.before)
        exposed = np.arange(months) - np.where(self.first < NEVER, self.first, months)[:, None]
        rows, at = np.nonzero(cells)
        alike = self.everywhere[rows, self.before + exposed[rows, at]]
        truth = float(np.nanmean(self.effect[cells]))
        return truth, float(np.nanmean(self.effect[spilt])), truth - float(np.nanmean(alike))


def trials(experiment: Experiment, results: Results, outcome: str) -> Iterator[Trial]:
    """Apply every estimator to every size in every draw of which all runs are there."""
    asked = pilots.design_of(experiment)
    there = panels(experiment, results, outcome)
    start = pilots.first_month(experiment)
    baseline, number = str(experiment.baseline), experiment.outcomes.index(outcome)
    worlds = {run.replication: run.index for run in design.runs(experiment)}
    for draw, n in product(worlds, asked.treated):
        cells = (baseline, asked.of, f"{asked.of} in {n}")
        runs = [there.of(cell, draw) for cell in cells]
        if any(run is None for run in runs):
            continue
        none, whole, pilot = (run for run in runs if run is not None)
        wave = pilots.rollout(experiment, n, draw).wave
        for cases in asked.cases:
            key = [experiment.seed, draw, n, 0 if cases == ALL else int(cases), number]
            y = sampled(*pilot, cases, np.random.default_rng([*key, 0]))
            null = sampled(*none, cases, np.random.default_rng([*key, 1]))
            for before, after in product(asked.before, asked.after):
                window = slice(start - before, start + after)
                first = np.where(wave >= 0, before + asked.every * wave, NEVER)
                seen = Seen(
                    first, before,
                    (pilot[0] - none[0])[:, window], (whole[0] - none[0])[:, window],
                )  # fmt: skip
                truths = seen.truths()
                size = Size(treated=n, before=before, after=after, cases=cases)
                kept, kept_null = (~np.isnan(p[:, window]).any(axis=1) for p in (y, null))
                for estimator in ESTIMATORS:
                    yield Trial(
                        size, estimator.name, worlds[draw], int((~kept).sum()), *truths,
                        estimator.fit(y[kept, window], first[kept]),
                        estimator.fit(null[kept_null, window], first[kept_null]),
                    )  # fmt: skip


# --------------------------------------------------------------------------------- the summary


def power(experiment: Experiment, results: Results) -> list[Power]:
    """Return what each estimator makes of each size, for every outcome of the experiment."""
    there = {trait.outcome: trait for trait in traits(results)}
    found = []
    for outcome in experiment.outcomes:
        groups: dict[tuple[Size, str], list[Trial]] = {}
        for trial in trials(experiment, results, outcome):
            groups.setdefault((trial.size, trial.estimator), []).append(trial)
        trait = there.get(outcome)
        if trait is not None:
            found += [_summary(trait, *key, made) for key, made in groups.items()]
    return found


def _summary(trait: Trait, size: Size, estimator: str, made: list[Trial]) -> Power:
    worlds = np.array([t.world for t in made])
    fits = np.array([(t.fit.value, t.fit.low, t.fit.high) for t in made]).T
    null = np.array([(t.placebo.low, t.placebo.high) for t in made]).T
    truth = np.array([t.truth for t in made])
    has, has_null = np.isfinite(fits).all(axis=0), np.isfinite(null).all(axis=0)
    value, low, high = fits
    means = {
        "truth": _mean(truth, worlds),
        "spill": _mean(np.array([t.spill for t in made]), worlds),
        "interference": _mean(np.array([t.interference for t in made]), worlds),
        "bias": _mean((value - truth)[has], worlds[has]),
        "coverage": _share(((low <= truth) & (truth <= high))[has], worlds[has]),
        "power": _share((low > 0) | (high < 0), worlds),
        "false_alarm": _share(((null[0] > 0) | (null[1] < 0))[has_null], worlds[has_null]),
    }
    told: dict[str, Any] = {
        f"{name}{end}": x
        for name, three in means.items()
        for end, x in zip(("", "_low", "_high"), three, strict=True)
    }
    return Power(
        outcome=trait.outcome, unit=trait.unit, better=trait.better, estimator=estimator,
        **asdict(size), n=len(made), intervals=int(has.sum()),
        gaps=float(np.mean([t.gaps for t in made])),
        rmse=float(np.sqrt(np.mean((value - truth)[has] ** 2))) if has.any() else math.nan, **told,
    )  # fmt: skip


def _by_world(values: np.ndarray, worlds: np.ndarray) -> np.ndarray:
    """Return means by world where there are several, else the values as they are."""
    if len(set(worlds.tolist())) < 2:
        return values
    return np.array([values[worlds == w].mean() for w in np.unique(worlds)])


def _mean(values: np.ndarray, worlds: np.ndarray) -> tuple[float, float, float]:
    """Return a mean and its 95 % interval, Student's."""
    _, mean, low, high = (x.item() for x in interval(_by_world(values.astype(float), worlds)))
    return mean, low, high


def _share(hits: np.ndarray, worlds: np.ndarray) -> tuple[float, float, float]:
    """Return a share and its 95 % interval, Wilson's for as many draws as its spread is worth.

    Draws in different worlds are worth p(1 − p)/v each, v the variance of the shares of worlds:
    one a draw where draws of a world have nothing in common, at most.
    """
    if not len(hits):
        return math.nan, math.nan, math.nan
    by = _by_world(hits.astype(float), worlds)
    share = float(by.mean())
    spread = float(by.var(ddof=1)) if len(by) < len(hits) else 0.0
    worth = len(by) * share * (1 - share) / spread if spread > 0 else float(len(by))
    n = min(worth, float(len(hits)))
    return share, *wilson(share * n, n)
