"""Where results live: a manifest written first, then one Parquet file per finished run.

A run file appears whole or not at all (temporary name, fsync, rename) and carries page
checksums; a file that does not read back is computed again. So a directory can be stopped at
any moment and resumed by the same command.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from reformsim.experiment.design import Run

_WORD = pa.dictionary(pa.int32(), pa.string())

#: The columns of a run file. ``kind`` says what a row is: an ``outcome`` of a place and period,
#: a point of a ``curve`` over months, or the mean days of a ``wait`` by stage of a case.
FORM = pa.schema(
    [
        ("kind", _WORD),
        ("outcome", _WORD),
        ("value", pa.float64()),
        ("unit", _WORD),
        ("better", _WORD),
        ("level", _WORD),
        ("place", _WORD),
        ("period", _WORD),
        ("month", pa.int32()),
        ("day", pa.float64()),
    ]
)


class StoreError(ValueError):
    """A results directory that cannot take this experiment, with the reason in one message."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of one run apart from its results; a failure is a record too."""

    run: int
    scenario: str
    replication: int
    seed: int
    status: str  # "done" or "failed"
    stage: str = ""
    message: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Results:
    """The results of an experiment, sorted by run, whatever the order they came in.

    ``runs``: one row per run, the fields of ``Record`` plus one column ``factor:NAME`` per
    factor. ``rows``: the rows of all finished runs in the columns of ``FORM``, preceded by
    run, scenario, replication.
    """

    runs: pd.DataFrame
    rows: pd.DataFrame

    def headlines(self) -> pd.DataFrame:
        """Return the outcomes of the whole city after the transition, one row per run."""
        rows = self.rows
        return rows[
            (rows["kind"] == "outcome") & (rows["level"] == "city") & (rows["period"] == "after")
        ]

    def kind(self, kind: str) -> pd.DataFrame:
        """Return the rows of one kind: ``outcome``, ``curve`` or ``wait``."""
        return self.rows[self.rows["kind"] == kind]

    def failed(self) -> pd.DataFrame:
        """Return the runs that failed, with the stage and the message of each."""
        return self.runs[self.runs["status"] == "failed"]


def config_hash(config: dict[str, Any]) -> str:
    """Return the SHA-256 of a resolved config, as hexadecimal text, whatever its key order."""
    text = json.dumps(config, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


class Store:
    """One results directory: ``manifest.json``, ``runs/`` and what the report adds beside them."""

    def __init__(self, directory: Path) -> None:
        """Name the directory; nothing is read or written yet."""
        self.directory = directory
        self.runs = directory / "runs"
        self.manifest_path = directory / "manifest.json"

    def manifest(self) -> dict[str, Any]:
        """Read the manifest back. Raises StoreError where there is none that reads."""
        try:
            return json.loads(self.manifest_path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise StoreError(f"{self.manifest_path}: no readable manifest ({error})") from error

    def start(self, manifest: dict[str, Any]) -> None:
        """Write the manifest, or accept the one that is there if it says the same.

        ``manifest`` holds at least ``config`` and ``versions``. Raises StoreError, naming the
        keys that differ, for a directory begun with another config or another reformsim, and
        for a directory that holds something else.
        """
        if self.manifest_path.exists():
            started = self.manifest()
            then = {"config": started.get("config"), "reformsim": _version(started)}
            now = {"config": manifest["config"], "reformsim": _version(manifest)}
            changed = list(differences(then, now))
            if changed:
                raise StoreError(
                    f"{self.directory} was started with another config; use a new directory (-o) "
                    "or remove it. Keys that differ: " + "; ".join(_shorten(changed))
                )
            self._write_manifest({**started, "experiment": manifest.get("experiment")})
            return
        if self.directory.exists() and any(self.directory.iterdir()):
            raise StoreError(f"{self.directory} is not empty and holds no manifest.json")
        self.runs.mkdir(parents=True, exist_ok=True)
        self._write_manifest({"config_hash": config_hash(manifest["config"]), **manifest})

    def finish(self, **facts: Any) -> None:
        """Add ``facts`` (when it finished, how many runs failed) to the manifest."""
        self._write_manifest({**self.manifest(), **facts})

    def write_text(self, name: str, text: str) -> Path:
        """Write a text file of the directory whole or not at all, and return its path."""
        path = self.directory / name
        _replace(path, text.encode())
        return path

    def write_run(self, record: Record, rows: pd.DataFrame | None = None) -> None:
        """Write the file of one run: its record as metadata, its rows as in ``FORM``."""
        if rows is None:
            table = FORM.empty_table()
        else:
            table = pa.Table.from_pandas(rows, schema=FORM, preserve_index=False)
        table = table.replace_schema_metadata({"record": json.dumps(asdict(record))})
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd", write_page_checksum=True)
        _replace(self._path(record.run), sink.getvalue().to_pybytes())

    def records(self, design: list[Run]) -> dict[int, Record]:
        """Return the records of the runs of ``design`` whose files read back, by run."""
        found = {}
        for run in design:
            table = self._read(run.id)
            if table is not None:
                found[run.id] = _record(table)
        return found

    def results(self, design: list[Run]) -> Results:
        """Read all runs of ``design`` that have a file. Rows of failed runs do not exist."""
        records, tables = [], []
        for run in design:
            table = self._read(run.id)
            if table is None:
                continue
            record = _record(table)
            levels = {f"factor:{name}": label for name, label in run.levels.items()}
            records.append({**asdict(record), **levels})
            if record.status == "done":
                frame = table.to_pandas(strings_to_categorical=True)
                frame.insert(0, "run", record.run)
                frame.insert(1, "scenario", record.scenario)
                frame.insert(2, "replication", record.replication)
                tables.append(frame)
        if not records:
            raise StoreError(f"{self.directory}: no finished run")
        empty = FORM.empty_table().to_pandas().assign(run=0, scenario="", replication=0)
        rows = pd.concat(tables, ignore_index=True) if tables else empty
        words = [field.name for field in FORM if field.type == _WORD]
        return Results(pd.DataFrame(records), rows.astype(dict.fromkeys(words, "category")))

    def _write_manifest(self, manifest: dict[str, Any]) -> None:
        text = json.dumps(manifest, ensure_ascii=False, indent=1)
        self.write_text(self.manifest_path.name, text + "\n")

    def _path(self, run: int) -> Path:
        return self.runs / f"{run:06d}.parquet"

    def _read(self, run: int) -> pa.Table | None:
        path = self._path(run)
        try:
            table = pq.read_table(path, page_checksum_verification=True)
        except (OSError, pa.ArrowException):  # absent, cut short or damaged: to be run again
            return None
        return table if b"record" in (table.schema.metadata or {}) else None


def differences(then: Any, now: Any, path: str = "") -> Iterator[str]:
    """Yield ``path: old -> new`` for every leaf at which two nested configs differ."""
    if isinstance(then, dict) and isinstance(now, dict):
        for key in sorted({*then, *now}):
            at = f"{path}.{key}" if path else str(key)
            yield from differences(then.get(key, "absent"), now.get(key, "absent"), at)
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for i, (a, b) in enumerate(zip(then, now, strict=True)):
            yield from differences(a, b, f"{path}.{i}")
    elif then != now:
        yield f"{path}: {_brief(then)} -> {_brief(now)}"


def _record(table: pa.Table) -> Record:
    return Record(**json.loads(table.schema.metadata[b"record"]))


def _replace(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path`` so that a reader sees the old file or the new one, never half."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    if os.name == "posix":  # the rename itself must reach the disk; Windows has no such call
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _version(manifest: dict[str, Any]) -> str:
    return manifest.get("versions", {}).get("reformsim", "unknown")


def _brief(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:37] + "..."


def _shorten(changed: list[str], most: int = 8) -> list[str]:
    more = [f"and {len(changed) - most} more"] if len(changed) > most else []
    return changed[:most] + more
