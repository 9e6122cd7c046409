"""Where results live: manifest and design, written first; the ledger; a file per chunk of runs.

A directory can be stopped at any moment, by a kill or a full disk too, and resumed by the same
command. Nothing that is read from it is executed, and nothing is written outside it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from reformsim.experiment import chunks, files, plan
from reformsim.experiment.chunks import FORM, RECORD, WORDS, Key
from reformsim.experiment.design import Run
from reformsim.experiment.files import StoreError
from reformsim.experiment.ledger import Ledger

__all__ = ["Results", "Store", "StoreError"]


@dataclass(frozen=True)
class Results:
    """The results of an experiment, sorted by run, whatever the order they came in.

    ``runs``: one row per run: its number in the design, the fields of ``chunks.Record``, one
    column ``factor:NAME`` per factor and ``point:NAME`` per sampled value. ``rows``: the rows of
    all finished runs in the columns of ``chunks.FORM``, preceded by run, scenario, replication.
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
        """Return the rows of one kind, as ``chunks.FORM`` names them."""
        return self.rows[self.rows["kind"] == kind]

    def failed(self) -> pd.DataFrame:
        """Return the runs that failed, with the stage and the message of each."""
        return self.runs[self.runs["status"] == "failed"]


def versions(manifest: dict[str, Any]) -> tuple[str, ...]:
    """Return the versions of reformsim that made the runs, each once, the first first."""
    return tuple(
        dict.fromkeys(code["versions"]["reformsim"] for code in manifest["codes"].values())
    )


class Store:
    """One results directory, with what the report adds to it."""

    def __init__(self, directory: Path) -> None:
        """Name the directory; nothing is read or written yet."""
        self.directory = directory
        self.manifest_path = directory / "manifest.json"
        self.design_path = directory / "design.jsonl"
        self.ledger = Ledger(directory)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the directory, made if it is not there, against other commands.

        Raises StoreError where another command holds it, where it holds something else than
        results, where it holds links, which might lead outside, or where it cannot be written.
        """
        self._refuse_others()
        try:
            self.ledger.runs.mkdir(parents=True, exist_ok=True)
            held = [*self.directory.iterdir(), *self.ledger.runs.iterdir()]
        except OSError as error:
            raise StoreError(f"{self.directory}: cannot be used ({error.strerror})") from None
        for path in held:
            if path.is_symlink():
                raise StoreError(f"{path}: a link; results are not written through links")
        with files.lock(self.directory):
            yield

    def manifest(self) -> dict[str, Any]:
        """Read the manifest back. Raises StoreError where there is none that reads."""
        try:
            return files.unseal(self.manifest_path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise StoreError(
                f"{self.directory}: no results here (no manifest.json): see `reformsim run`\n"
                f"{self.directory}：这里没有结果（缺 manifest.json）；请先 `reformsim run`"
            ) from None
        except (OSError, ValueError) as error:
            raise StoreError(f"{self.manifest_path}: no readable manifest ({error})") from error

    def design(self) -> plan.Written:
        """Read the design back. Raises StoreError where there is none that reads."""
        try:
            return plan.read(self.design_path.read_bytes())
        except (OSError, ValueError) as error:
            raise StoreError(f"{self.design_path}: no readable design ({error})") from error

    def begun(self) -> bool:
        """Return whether an experiment was started here; refuse results without a manifest."""
        if self.manifest_path.exists():
            return True
        runs = self.ledger.runs
        if runs.exists() and any(not _temporary(path) for path in runs.iterdir()):
            raise StoreError(f"{self.manifest_path}: missing, though there are results")
        return False

    def _refuse_others(self) -> None:
        if self.manifest_path.exists() or not self.directory.exists():
            return
        own = {".lock", "runs", self.design_path.name, self.ledger.path.name}
        try:
            there = {path.name for path in self.directory.iterdir() if not _temporary(path)}
        except OSError as error:
            raise StoreError(f"{self.directory}: cannot be used ({error.strerror})") from None
        if there - own:
            raise StoreError(f"{self.directory} is not empty and holds no manifest.json")

    def write_manifest(self, manifest: dict[str, Any]) -> None:
        """Write the manifest, with a check of its own text. Raises StoreError."""
        files.replace(self.manifest_path, files.seal(manifest, indent=1).encode())

    def finish(self, **facts: Any) -> None:
        """Add ``facts`` (when it finished, how many runs failed) to the manifest."""
        self.write_manifest({**self.manifest(), **facts})

    def write_text(self, name: str, text: str) -> Path:
        """Write a text file of the directory whole or not at all, and return its path."""
        path = self.directory / name
        files.replace(path, text.encode())
        return path

    def add(self, made: Sequence[pa.Table], code: str) -> None:
        """Keep chunks of runs as one file; a run that is there already is replaced by the new."""
        runs = sum(len(chunk) for chunk in made)
        self.ledger.add(chunks.to_bytes(made, code), runs)

    def status(self) -> dict[Key, str]:
        """Return the status of every run there is, by scenario and replication."""
        found: dict[Key, str] = {}
        for name in self.ledger.files():
            chunk = chunks.from_bytes(self.ledger.read(name), rows=False)
            found.update(zip(chunks.keys(chunk), chunk["status"].to_pylist(), strict=True))
        return found

    def results(self, runs: Sequence[Run]) -> Results:
        """Read all of ``runs`` that are there. Rows of failed runs do not exist.

        Raises StoreError where there is none, or where a file is no more what was written.
        """
        place = {(run.scenario, run.replication): i for i, run in enumerate(runs)}
        newest = np.full(len(runs), -1)
        heads, tables = [], []
        for number, name in enumerate(self.ledger.files()):
            chunk = chunks.from_bytes(self.ledger.read(name))
            at = np.array([place.get(key, -1) for key in chunks.keys(chunk)], dtype=np.int64)
            newest[at[at >= 0]] = number
            heads.append(chunk.select(RECORD).append_column("place", pa.array(at)))
            tables.append(chunks.unfold(chunk, at))
        if (newest < 0).all():
            raise StoreError(f"{self.directory}: no finished run")
        return Results(
            _runs(_sorted(heads, "place", newest), runs),
            _rows(_sorted(tables, "place_of_run", newest), runs),
        )


def _sorted(tables: list[pa.Table], by: str, newest: np.ndarray) -> pa.Table:
    """Put tables together in the order of ``by``; of a run made twice the newer file counts."""
    kept = []
    for number, table in enumerate(tables):
        at = table[by].to_numpy()
        kept.append(table.filter(pa.array((at >= 0) & (newest[at] == number))))
    whole = pa.concat_tables(kept).unify_dictionaries()
    return whole.take(pa.array(np.argsort(whole[by].to_numpy(), kind="stable")))


def _runs(heads: pa.Table, runs: Sequence[Run]) -> pd.DataFrame:
    frame = heads.select(RECORD).to_pandas()
    there = [runs[i] for i in heads["place"].to_pylist()]
    frame.insert(0, "run", [run.id for run in there])
    for kind, values in (
        ("factor", [r.levels for r in there]),
        ("point", [r.point for r in there]),
    ):
        names = dict.fromkeys(name for row in values for name in row)
        more = {f"{kind}:{name}": [row.get(name) for row in values] for name in names}
        frame = pd.concat([frame, pd.DataFrame(more, index=frame.index)], axis=1)
    return frame


def _rows(table: pa.Table, runs: Sequence[Run]) -> pd.DataFrame:
    frame = table.select(FORM.names).to_pandas()
    for name in WORDS:  # in the order of the alphabet, whatever came first
        frame[name] = frame[name].cat.set_categories(sorted(frame[name].cat.categories))
    at = table["place_of_run"].to_numpy()
    frame.insert(0, "run", np.array([run.id for run in runs])[at])
    frame.insert(1, "scenario", np.array([run.scenario for run in runs], dtype=object)[at])
    frame.insert(2, "replication", np.array([run.replication for run in runs])[at])
    return frame


def _temporary(path: Path) -> bool:
    return path.name.startswith(".") and path.name.endswith(".tmp")
