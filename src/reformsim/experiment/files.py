"""Files that appear whole or not at all, text that tells when it is damaged, and a lock."""

import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

_POSIX = os.name == "posix"
_OWN = os.O_NOFOLLOW if _POSIX else 0  # never write through a link
_SEAL = re.compile(r',\s*"check": "[0-9a-f]{16}"\s*}\n\Z')


class StoreError(ValueError):
    """A results directory that cannot be used as asked, with the reason in one message."""


def digest(data: bytes) -> str:
    """Return the SHA-256 of ``data`` as hexadecimal text."""
    return hashlib.sha256(data).hexdigest()


def replace(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path`` so that a reader sees the old file or the new one, never half.

    Raises StoreError where the disk is full or does not take it.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    with _told(path):
        try:
            _write(temporary, data, os.O_TRUNC)
            os.replace(temporary, path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        _sync(path.parent)


def append(path: Path, data: bytes) -> None:
    """Add ``data`` at the end of a file, on the disk when this returns. Raises StoreError."""
    with _told(path):
        new = not path.exists()
        _write(path, data, os.O_APPEND)
        if new:
            _sync(path.parent)


def seal(body: dict[str, Any], indent: int | None = None) -> str:
    """Return ``body`` as JSON and a line end, with a ``check`` of its own text as last key."""
    text = json.dumps(body, ensure_ascii=False, indent=indent).removesuffix("}").rstrip("\n")
    return _sealed(text, indent)


def unseal(text: str) -> dict[str, Any]:
    """Read what ``seal`` wrote; raises ValueError where as much as one bit is different."""
    found = _SEAL.search(text)
    if not found:
        raise ValueError("damaged: it does not end as it was written")
    indent = 1 if text.startswith("{\n") else None
    if text != _sealed(text[: found.start()], indent):
        raise ValueError("damaged: its text does not match its check")
    body = json.loads(text)
    del body["check"]
    return body


@contextmanager
def lock(directory: Path) -> Iterator[None]:
    """Hold a directory for this process; the system lets go of it however the process ends.

    Raises StoreError where another process holds it, and where it cannot be written.
    """
    path = directory / ".lock"
    held = FileLock(path, timeout=0)
    with _told(path):
        try:
            held.acquire()
        except Timeout:
            raise StoreError(
                f"{directory}: another command is at work here; let it end, "
                "or use another directory (-o)"
            ) from None
    try:
        yield
    finally:
        held.release()


def _sealed(text: str, indent: int | None) -> str:
    check = digest(text.encode())[:16]
    return (
        f'{text}, "check": "{check}"}}\n'
        if indent is None
        else (f'{text},\n{" " * indent}"check": "{check}"\n}}\n')
    )


def _write(path: Path, data: bytes, mode: int) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | _OWN | mode, 0o666)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(file, rest) :]
        os.fsync(file)
    finally:
        os.close(file)


def _sync(directory: Path) -> None:
    """Have a rename reach the disk; Windows has no such call."""
    if _POSIX:
        folder = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be written ({error.strerror}); earlier runs are intact, and the same "
            "command goes on from there"
        ) from error
