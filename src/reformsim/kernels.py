"""`njit` for this package: compiled code is cached, and never outlives a change of any kernel.

Numba keeps a cached function as long as its own file is unchanged, even when a function that
it has inlined from another file is not. Here the stamp of every cached function covers all
files that hold kernels or constants of theirs, so an edit anywhere recompiles what it touches.
"""

import hashlib
from functools import cache
from pathlib import Path

from numba import njit
from numba.core import caching

PACKAGE = Path(__file__).parent
#: Files without kernels whose values, or whose rules of compiling, are frozen into compiled code.
CONSTANTS = {"categories.py", "handle.py", "state.py"}


@cache
def stamp() -> str:
    """Return a hash of all files that compiled code depends on."""
    digest = hashlib.sha256()
    for file in sorted(PACKAGE.rglob("*.py")):
        text = file.read_bytes()
        if b"njit" in text or file.name in CONSTANTS:
            digest.update(str(file.relative_to(PACKAGE)).encode() + text)
    return digest.hexdigest()


class _OfPackage:
    """A place for cached code of this package, and of no other."""

    def get_source_stamp(self) -> str:
        """Return the stamp that cached code must carry to be used."""
        return stamp()

    @classmethod
    def from_function(cls, py_func, py_file):
        """Return the place for a function of this package, else None."""
        if PACKAGE not in Path(py_file).parents:
            return None
        return super().from_function(py_func, py_file)  # type: ignore[misc]


class _Provided(_OfPackage, caching.UserProvidedCacheLocator):
    """Numba's place by the environment variable NUMBA_CACHE_DIR."""


class _InTree(_OfPackage, caching.InTreeCacheLocator):
    """Numba's place beside the source."""


class _UserWide(_OfPackage, caching.UserWideCacheLocator):
    """Numba's place in the user's cache directory."""


caching.CacheImpl._locator_classes[:0] = [_Provided, _InTree, _UserWide]


__all__ = ["njit"]
