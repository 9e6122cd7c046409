"""What makes runs repeatable: the code, the packages, the machine."""

import importlib.metadata
import inspect
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import reformsim
from reformsim.experiment.files import digest

try:
    import resource
except ImportError:  # not POSIX
    resource = None  # type: ignore[assignment]

_PACKAGES = ("numpy", "numba", "scipy", "pandas", "pyarrow", "mesa", "pydantic")

#: Rooms whose code only shows results.
_SHOWS = ("cli", "dashboard", "report")


@lru_cache(maxsize=1)
def sources() -> dict[str, str]:
    """Return a short hash of every file of the package that runs depend on, by its path."""
    root = Path(reformsim.__file__).parent
    paths = sorted(path.relative_to(root) for path in root.rglob("*.py"))
    return {
        path.as_posix(): digest((root / path).read_bytes())[:16]
        for path in paths
        if path.parts[0] not in _SHOWS
    }


def code(factory: Callable) -> dict[str, Any]:
    """Return what decides the bits of a run apart from its config, fit for JSON."""
    return {
        "model": {"name": name_of(factory), "source": _source_of(factory)},
        "versions": _versions(),
        "sources": sources(),
    }


def mark(code: dict[str, Any]) -> str:
    """Return a short hash of what ``code`` returned."""
    return digest(json.dumps(code, sort_keys=True).encode())[:16]


def machine() -> dict[str, Any]:
    """Return where the runs are made, for the reader."""
    return {
        "system": platform.platform(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
    }


def peak_memory() -> int:
    """Return the most bytes that this process has held so far, 0 where the system does not say."""
    if resource is None:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def commit() -> str | None:
    """Return the commit of the package's source, with ``+`` if changed since; None without git."""

    def git(*arguments: str) -> str:
        root = Path(reformsim.__file__).parent
        command = ["git", "-C", str(root), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
        return done.stdout.strip()

    try:
        if not git("ls-files", "--", "__init__.py"):
            return None
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain", "--", ".") else "")
    except (OSError, subprocess.SubprocessError):
        return None


@lru_cache(maxsize=1)
def _versions() -> dict[str, str]:
    return {
        "reformsim": reformsim.__version__,
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in _PACKAGES},
    }


def name_of(factory: Callable) -> str:
    """Return the name of what builds models: its module and its name there, or its own word."""
    own = getattr(factory, "name", None)
    if isinstance(own, str):
        return own
    return f"{factory.__module__}:{factory.__qualname__}"


def _source_of(factory: Callable) -> str | None:
    """Return a hash of the file that defines a plugged-in model; None where there is none."""
    defined = getattr(factory, "function", factory)
    try:
        file = inspect.getsourcefile(defined)
    except TypeError:
        return None
    try:
        return digest(Path(file).read_bytes())[:16] if file else None
    except OSError:
        return None


# Now, as they are imported: files may change while a long-lived worker runs the old ones.
sources()
_versions()
