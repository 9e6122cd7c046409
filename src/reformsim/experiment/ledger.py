"""The ledger: which chunk files there are, each with its SHA-256, in the order they came.

Lines are only ever added. A file enters it after it stands whole on the disk, under a name that
begins with its number and holds the first digits of its hash: so a file whose line a stop kept
from being written, or a damaged ledger lost, is known to be whole and enters again.
"""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from reformsim.experiment.chunks import from_bytes
from reformsim.experiment.files import StoreError, append, digest, replace, seal, unseal

_NAME = re.compile(r"(\d{6,9})-([0-9a-f]{16})\.parquet")


@dataclass(frozen=True, slots=True)
class Entry:
    """A chunk file: its name in ``runs/``, its SHA-256, how many runs it holds."""

    file: str
    sha256: str
    runs: int


class Ledger:
    """``ledger.jsonl`` and ``runs/`` of one results directory."""

    def __init__(self, directory: Path) -> None:
        """Name the directory; nothing is read or written yet."""
        self.path = directory / "ledger.jsonl"
        self.runs = directory / "runs"
        self.entries: dict[str, Entry] = {}
        self._gone: set[str] = set()

    def open(self, mend: bool = True) -> Iterator[str]:
        """Read the ledger, bring it in line with the files there are, and tell what was amiss.

        Yields one message for each damage, by the name of the file; damaged files are set aside
        under a name that ends in ``.damaged``. Without ``mend`` nothing is written.
        """
        damaged = list(self._read())
        yield from damaged
        if damaged and mend:
            lines = [seal(asdict(entry)) for entry in self.entries.values()]
            lines += [seal({"gone": name}) for name in sorted(self._gone)]
            replace(self.path, "".join(lines).encode())
        for path in sorted(self.runs.glob("*")):
            if path.name.endswith(".tmp"):
                if mend:
                    path.unlink()
            elif _NAME.fullmatch(path.name) and path.name not in self.entries:
                yield from self._enter(path, mend)
        for name in list(self.entries):
            yield from self._checked(name, mend)

    def add(self, data: bytes, runs: int) -> None:
        """Write a chunk file, then its line. Raises StoreError."""
        sha256 = digest(data)
        name = f"{self._next():06d}-{sha256[:16]}.parquet"
        replace(self.runs / name, data)
        self._append(Entry(name, sha256, runs))

    def read(self, name: str) -> bytes:
        """Return the bytes of a file, checked. Raises StoreError where it is not as written."""
        path = self.runs / name
        try:
            data = path.read_bytes()
        except OSError as error:
            raise StoreError(f"{path}: missing ({error.strerror})") from None
        if digest(data) != self.entries[name].sha256:
            raise StoreError(f"{path}: damaged (its SHA-256 is not that of the ledger)")
        return data

    def files(self) -> list[str]:
        """Return the names of the files, in the order they were written."""
        return sorted(self.entries, key=_number)

    def _read(self) -> Iterator[str]:
        if not self.path.exists():
            return
        for number, raw in enumerate(self.path.read_bytes().splitlines(keepends=True), 1):
            try:
                line = unseal(raw.decode())
            except ValueError as error:
                yield f"{self.path}:{number}: {error}; the files it spoke of are looked at anew"
                continue
            if "gone" in line:
                self._gone.add(line["gone"])
                self.entries.pop(line["gone"], None)
            elif _NAME.fullmatch(line["file"]):
                self.entries[line["file"]] = Entry(**line)
            else:
                raise StoreError(f"{self.path}:{number}: {line['file']!r} is no name of a chunk")

    def _enter(self, path: Path, mend: bool) -> Iterator[str]:
        """Enter a file that the ledger does not know, if it is what its name says."""
        data = path.read_bytes()
        sha256 = digest(data)
        if not path.name.endswith(f"-{sha256[:16]}.parquet"):
            yield f"{path}: damaged (its SHA-256 is not that of its name); its runs are made again"
            if mend:
                path.rename(path.with_name(path.name + ".damaged"))
            return
        yield f"{path}: whole, but not in {self.path} (stopped before its line?): entered"
        entry = Entry(path.name, sha256, from_bytes(data, rows=False).num_rows)
        if mend:
            self._append(entry)
        else:
            self.entries[entry.file] = entry

    def _checked(self, name: str, mend: bool) -> Iterator[str]:
        try:
            self.read(name)
        except StoreError as error:
            yield f"{error}; its {self.entries[name].runs} runs are made again"
            del self.entries[name]
            if mend:
                path = self.runs / name
                if path.exists():
                    path.rename(path.with_name(name + ".damaged"))
                append(self.path, seal({"gone": name}).encode())
                self._gone.add(name)

    def _append(self, entry: Entry) -> None:
        append(self.path, seal(asdict(entry)).encode())
        self.entries[entry.file] = entry

    def _next(self) -> int:
        return 1 + max(map(_number, (*self.entries, *self._gone)), default=-1)


def _number(name: str) -> int:
    return int(name.split("-")[0])
