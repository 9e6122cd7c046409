"""One run made again from what its directory says, held to what is kept of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from reformsim.experiment import chunks, environment, plan
from reformsim.experiment.bench import Bench, Factory, city_model
from reformsim.experiment.design import Run
from reformsim.experiment.files import StoreError
from reformsim.experiment.plan import Asked
from reformsim.experiment.store import Store
from reformsim.scenario import Scenario


@dataclass(frozen=True)
class Rerun:
    """What came out: whether all bits are the same, what is not, what else differs."""

    run: int
    scenario: str
    replication: int
    seed: int
    status: str
    rows: int
    same: bool
    differences: list[str]
    notes: list[str]

    def told(self) -> str:
        """Return it in words."""
        name = f"run {self.run}: {self.scenario}, replication {self.replication}, seed {self.seed}"
        verdict = "the same to the bit" if self.same else "NOT the same"
        lines = [f"{name}: {self.status}, {self.rows} rows, {verdict}"]
        return "\n".join([*lines, *self.differences, *(f"note: {note}" for note in self.notes)])


@dataclass(frozen=True)
class _Given:
    asked: Asked

    def scenario(self, run: Run) -> Asked:
        return self.asked


def rerun(
    directory: Path,
    name: str,
    factory: Factory = city_model,
    asked: Callable[[dict[str, Any]], Asked] = Scenario.model_validate,
    threads: int = 1,
) -> Rerun:
    """Make the run ``name`` (its number, or scenario/replication) again and compare.

    ``asked`` turns the written scenario into what the model of ``factory`` takes. Nothing is
    written. Raises StoreError for a directory without such a run, or made with another model.
    """
    store = Store(directory)
    manifest, design = store.manifest(), store.design()
    notes = list(store.ledger.open(mend=False))
    try:
        run = design.find(name)
    except KeyError:
        raise StoreError(f"{directory}: no run {name!r} in its design") from None
    code = environment.code(factory)
    models = {known["model"]["name"] for known in manifest["codes"].values()}
    if models - {code["model"]["name"]}:
        raise StoreError(f"{directory}: made with the model {', '.join(sorted(models))}")
    kept, mark = _kept(store, run)
    if mark != environment.mark(code):
        then = manifest["codes"].get(mark, {})
        notes += [f"other code: {change}" for change in plan.differences(then, code)]
    bench = Bench(factory, threads, manifest["keep"])
    source = _Given(asked(design.asked(run.scenario)))
    made = chunks.pack([bench.run(source, run)])
    differences = _differences(kept, made)
    return Rerun(
        run=run.id,
        scenario=run.scenario,
        replication=run.replication,
        seed=run.seed,
        status=made["status"][0].as_py(),
        rows=len(made["rows"][0]),
        same=_bits(kept) == _bits(made),
        differences=differences,
        notes=notes,
    )


def _kept(store: Store, run: Run) -> tuple[pa.Table, str]:
    """Return the newest row of a run, and the mark of the code that made it."""
    for file in reversed(store.ledger.files()):
        chunk = chunks.from_bytes(store.ledger.read(file))
        names = chunks.keys(chunk)
        if (run.scenario, run.replication) in names:
            at = names.index((run.scenario, run.replication))
            return chunk.slice(at, 1), chunk.schema.metadata[b"code"].decode()
    raise StoreError(f"{store.directory}: run {run.scenario}/{run.replication} is not there yet")


def _bits(chunk: pa.Table) -> bytes:
    """Return a run as bytes, without the seconds that it took."""
    return chunks.to_bytes([pa.table(_without_time(chunk), schema=chunks.CHUNK)], code="")


def _without_time(chunk: pa.Table) -> dict[str, Any]:
    return chunk.to_pydict() | {"seconds": [0.0] * len(chunk)}


def _differences(kept: pa.Table, made: pa.Table, most: int = 8) -> list[str]:
    """Return the first things that differ, in words."""
    told = [
        f"{name}: {kept[name][0]} -> {made[name][0]}"
        for name in ("seed", "status", "stage", "message")
        if kept[name][0] != made[name][0]
    ]
    then, now = (_frame(chunk) for chunk in (kept, made))
    if len(then) != len(now):
        return [*told, f"{len(then)} rows -> {len(now)} rows"]
    place = [name for name in chunks.FORM.names if name != "value"]
    unlike = (then.fillna(np.inf) != now.fillna(np.inf)).any(axis=1)
    told += [
        f"{' '.join(str(x) for x in row[place] if not pd.isna(x))}: {row['value']!r} -> {value!r}"
        for (_, row), value in zip(then[unlike].iterrows(), now["value"][unlike], strict=True)
    ][:most]
    more = int(unlike.sum()) - most
    return [*told, f"and {more} more"] if more > 0 else told


def _frame(chunk: pa.Table) -> pd.DataFrame:
    return pd.DataFrame(chunk["rows"][0].as_py(), columns=list(chunks.FORM.names)).astype(object)
