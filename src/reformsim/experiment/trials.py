"""Try measures where they should help and harm: paired runs through the one pipeline."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
import pandas as pd

from reformsim import outcomes
from reformsim.experiment.analysis import interval
from reformsim.experiment.backfires import FAILED, SIDES, Backfire, SideName, judge, measure_of
from reformsim.experiment.bench import Factory, city_model
from reformsim.experiment.design import Run
from reformsim.experiment.plan import Plan
from reformsim.experiment.run import AS_USUAL, How, carry_out
from reformsim.experiment.store import Results
from reformsim.scenario import Scenario

#: Paired seeds of a side, where nothing else is asked for.
REPLICATIONS = 8

ARMS = ("without", "with")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One side of one measure: the effect on its outcome, its 95 % t interval, a verdict.

    ``base`` is the mean without the measure, ``effect`` the mean paired difference, both in the
    outcome's unit; ``low`` and ``high`` are NaN with fewer than two pairs.
    """

    id: int
    measure: str
    side: SideName
    outcome: str
    unit: str
    better: str
    n: int
    base: float
    effect: float
    low: float
    high: float
    verdict: str
    verdict_zh: str
    why: str
    why_zh: str
    failure: str = ""


@dataclass(frozen=True)
class FromFolder:
    """The scenarios of a folder of backfire files: each measure on each side, without and with."""

    backfires: dict[str, Backfire]

    def scenario(self, run: Run) -> Scenario:
        """Return the scenario of ``run``."""
        side: SideName = "helps" if run.levels["side"] == "helps" else "harms"
        return self.backfires[run.levels["measure"]].scenario(side, run.levels["arm"] == "with")


def name_of(measure: str, side: str, arm: str) -> str:
    """Return the name of a scenario of the plan."""
    return f"{measure} {side} {arm}"


def plan_of(backfires: Sequence[Backfire], replications: int = REPLICATIONS) -> Plan:
    """Return the plan of trying measures: two sides, two arms, seeds 1, 2, … each."""
    cells = [
        {"measure": backfire.measure, "side": side, "arm": arm}
        for backfire in backfires
        for side in SIDES
        for arm in ARMS
    ]
    runs = [
        Run(
            id=i * replications + replication,
            scenario=name_of(**levels),
            levels=levels,
            replication=replication,
            seed=1 + replication,
        )
        for i, levels in enumerate(cells)
        for replication in range(replications)
    ]
    about = {backfire.measure: backfire.model_dump(mode="json") for backfire in backfires}
    source = FromFolder({backfire.measure: backfire for backfire in backfires})
    return Plan("backfires", runs, source, about, keep="headlines")


def findings(backfire: Backfire, results: Results) -> list[Finding]:
    """Return what runs say of both sides of a measure; a side with a failed run is told so."""
    measure = measure_of(backfire)
    found = []
    for side in SIDES:
        outcome = outcomes.BY_NAME[backfire.outcome_of(side)]
        better = backfire.better(side)
        assert better is not None  # held by the schema
        pairs = _pairs(results, measure.name, side, outcome.name)
        n, effect, low, high = (x.item() for x in interval(pairs[:, 1] - pairs[:, 0]))
        base = float(pairs[:, 0].mean()) if n else np.nan
        failure = _failure(results, measure.name, side)
        verdict = FAILED if failure else judge(side, better, n, low, high, base)
        world = backfire.side(side)
        found.append(
            Finding(
                id=measure.id, measure=measure.name, side=side, outcome=outcome.name,
                unit=outcome.unit, better=better, n=n,
                base=base, effect=effect, low=low,
                high=high, verdict=verdict.word, verdict_zh=verdict.word_zh, why=world.why,
                why_zh=world.why_zh, failure=failure,
            )
        )  # fmt: skip
    return found


def _pairs(results: Results, measure: str, side: str, outcome: str) -> np.ndarray:
    """Return the values of complete pairs, shape (pairs, 2): without, with."""
    rows = results.headlines()
    rows = rows[rows["outcome"] == outcome]
    arms = [
        rows.loc[rows["scenario"] == name_of(measure, side, arm)].set_index("replication")["value"]
        for arm in ARMS
    ]
    return pd.concat(arms, axis=1, join="inner").dropna().to_numpy(float)


def _failure(results: Results, measure: str, side: str) -> str:
    failed = results.failed()
    mine = failed[failed["scenario"].isin([name_of(measure, side, arm) for arm in ARMS])]
    return "" if mine.empty else str(mine["message"].iloc[0])


def try_out(
    backfires: Sequence[Backfire],
    directory: Path,
    replications: int = REPLICATIONS,
    workers: int = 1,
    factory: Factory = city_model,
    stream: TextIO | None = None,
    how: How = AS_USUAL,
) -> list[Finding]:
    """Make the runs of all measures that ``directory`` does not hold yet; return what they say.

    As ``run.carry_out``.
    """
    results = carry_out(plan_of(backfires, replications), directory, workers, factory, stream, how)
    return [found for backfire in backfires for found in findings(backfire, results)]
