"""Try measures where they should help and harm: paired runs, each measure kept when it is done."""

import hashlib
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

import reformsim
from reformsim import outcomes
from reformsim.experiment.analysis import interval
from reformsim.experiment.backfires import FAILED, SIDES, Backfire, SideName, judge, measure_of
from reformsim.experiment.executors import follow_parent
from reformsim.experiment.files import replace
from reformsim.experiment.run import Interrupted, WorkerDied

if TYPE_CHECKING:
    from reformsim.model import CityModel

#: Paired seeds of a side, where nothing else is asked for.
REPLICATIONS = 8


@dataclass(frozen=True)
class Trial:
    """What came of one measure.

    ``values`` has one row for each side, seed, arm (``with`` or ``without``) and outcome of the
    whole city after the transition; ``failures`` says by side why a run ended early.
    """

    measure: str
    values: pd.DataFrame
    failures: dict[str, str]


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


def attempt(backfire: Backfire, seeds: Sequence[int], threads: int = 1) -> Trial:
    """Make all runs of one measure; one that fails ends its side, and is told."""
    from reformsim.model import CityModel

    models: dict[str, CityModel] = {}
    parts: list[pd.DataFrame] = []
    failures: dict[str, str] = {}
    for side in SIDES:
        arms = {arm: backfire.scenario(side, arm == "with") for arm in ("without", "with")}
        city = arms["with"].city.model_dump_json()
        try:
            for seed in seeds:
                for arm, scenario in arms.items():
                    if city in models:
                        models[city].reset(scenario, seed)
                    else:
                        models[city] = CityModel(scenario, rng=seed, threads=threads)
                    models[city].run_until(scenario.days)
                    parts.append(_told(models[city]).assign(side=side, seed=seed, arm=arm))
        except Exception as error:
            models.pop(city, None)
            failures[side] = f"{type(error).__name__}: {error}"
    columns = ["side", "seed", "arm", "outcome", "value"]
    values = (
        pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)
    )
    return Trial(backfire.measure, values, failures)


def _told(model: "CityModel") -> pd.DataFrame:
    table = model.outcomes()
    here = (table["level"] == "city") & (table["period"] == "after")
    return table.loc[here, ["outcome", "value"]]


def findings(backfire: Backfire, trial: Trial) -> list[Finding]:
    """Return what a trial says of both sides."""
    measure = measure_of(backfire)
    found = []
    for side in SIDES:
        outcome = outcomes.BY_NAME[backfire.outcome_of(side)]
        better = backfire.better(side)
        assert better is not None  # held by the schema
        rows = trial.values[
            (trial.values["side"] == side) & (trial.values["outcome"] == outcome.name)
        ]
        arms = rows.pivot(index="seed", columns="arm", values="value")
        pairs = arms.reindex(columns=["without", "with"]).dropna().to_numpy(float)
        n, effect, low, high = (x.item() for x in interval(pairs[:, 1] - pairs[:, 0]))
        base = float(pairs[:, 0].mean()) if n else np.nan
        failure = trial.failures.get(side, "")
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


def carry_out(
    backfires: Sequence[Backfire],
    directory: Path,
    replications: int = REPLICATIONS,
    workers: int = 1,
    stream: TextIO | None = None,
) -> list[Finding]:
    """Try all measures that ``directory`` does not hold yet, with seeds 1, 2, …; return all.

    A measure whose file, seeds or model's code differ from what is kept, or that failed, is
    tried again. Progress goes to ``stream``, standard error if None. Raises
    Interrupted after Ctrl-C, WorkerDied.
    """
    directory.mkdir(parents=True, exist_ok=True)
    seeds = range(1, replications + 1)
    trials: dict[str, Trial] = {}
    for backfire in backfires:
        kept = _read(directory, backfire, seeds)
        if kept is not None:
            trials[backfire.measure] = kept
    todo = [backfire for backfire in backfires if backfire.measure not in trials]
    try:
        with _Progress(len(backfires), len(trials), stream or sys.stderr) as progress:
            for backfire, trial in _spread(todo, seeds, workers):
                if not trial.failures:
                    _write(directory, backfire, seeds, trial)
                trials[trial.measure] = trial
                progress.step(trial.measure)
    except KeyboardInterrupt as error:
        raise Interrupted(
            f"stopped: {len(trials)} of {len(backfires)} measures are kept in {directory}; "
            "the same command goes on from there"
        ) from error
    return [found for b in backfires for found in findings(b, trials[b.measure])]


def _spread(
    backfires: list[Backfire], seeds: Sequence[int], workers: int
) -> Iterator[tuple[Backfire, Trial]]:
    """Yield trials as they end, from this process or from several."""
    workers = min(workers, len(backfires))
    if workers <= 1:
        for backfire in backfires:
            yield backfire, attempt(backfire, seeds, os.cpu_count() or 1)
        return
    others = set(multiprocessing.active_children())
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, spawn, follow_parent) as pool:
        futures = {pool.submit(attempt, backfire, seeds): backfire for backfire in backfires}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenProcessPool as error:
            raise WorkerDied(
                "a worker process died, perhaps out of memory; finished measures are kept, "
                "try again with fewer --workers"
            ) from error
        except BaseException:
            for future in futures:
                future.cancel()
            for child in set(multiprocessing.active_children()) - others:
                child.terminate()
            raise


class _Progress:
    """A bar with an estimate on a terminal, a line for each measure elsewhere."""

    def __init__(self, total: int, done: int, stream: TextIO) -> None:
        self.total, self.done, self.first, self.stream = total, done, done, stream
        self.start = time.monotonic()
        self.bar = tqdm(
            total=total, initial=done, unit="measure", file=stream, disable=not stream.isatty()
        )

    def __enter__(self) -> "_Progress":
        if self.done:
            self._say(f"{self.done} of {self.total} measures are there already")
        return self

    def step(self, measure: str) -> None:
        self.done += 1
        self.bar.update()
        pace = (time.monotonic() - self.start) / (self.done - self.first)
        left = pace * (self.total - self.done)
        self._say(f"{self.done} of {self.total} measures ({measure}), about {left:.0f} s left")

    def _say(self, line: str) -> None:
        if self.bar.disable:
            print(line, file=self.stream, flush=True)

    def __exit__(self, *error: object) -> None:
        self.bar.close()


#: Rooms whose code does not move a run's outcomes.
APART = ("cli", "config", "experiment", "facts.py", "lab.py", "report")


@cache
def code() -> str:
    """Return the code of the model, hashed: what was run with other code is run again."""
    package = Path(reformsim.__file__).parent
    files = sorted(path.relative_to(package) for path in package.rglob("*.py"))
    digest = hashlib.sha256()
    for file in files:
        if file.parts[0] not in APART:
            digest.update(str(file).encode() + (package / file).read_bytes())
    return digest.hexdigest()


def _digest(backfire: Backfire, seeds: Sequence[int]) -> str:
    """Return what a trial's values depend on, hashed: scenarios, seeds, the model's code."""
    scenarios = [backfire.scenario(side, arm).resolved() for side in SIDES for arm in (False, True)]
    text = json.dumps([scenarios, list(seeds), code()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _path(directory: Path, measure: str) -> Path:
    return directory / "measures" / f"{measure}.parquet"


def _write(directory: Path, backfire: Backfire, seeds: Sequence[int], trial: Trial) -> None:
    """Write the values of a trial, whole or not at all."""
    table = pa.Table.from_pandas(trial.values, preserve_index=False)
    table = table.replace_schema_metadata({"digest": _digest(backfire, seeds)})
    path = _path(directory, trial.measure)
    path.parent.mkdir(exist_ok=True)
    kept = pa.BufferOutputStream()
    pq.write_table(table, kept)
    replace(path, kept.getvalue().to_pybytes())


def _read(directory: Path, backfire: Backfire, seeds: Sequence[int]) -> Trial | None:
    """Return the trial kept of a measure, None where there is none of these scenarios and seeds."""
    try:
        table = pq.read_table(_path(directory, backfire.measure))
    except (OSError, pa.ArrowException):  # absent or damaged: to be tried again
        return None
    kept = (table.schema.metadata or {}).get(b"digest", b"").decode()
    if kept != _digest(backfire, seeds):
        return None
    return Trial(backfire.measure, table.to_pandas(), {})
