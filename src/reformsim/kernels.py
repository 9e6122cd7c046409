"""`njit` for this package: compiled code is cached, and never outlives a change of any kernel.

Numba keeps a cached function as long as its own file is unchanged, even when a function that
it has inlined from another file is not. Here the stamp of every cached function covers all
files that hold kernels or constants of theirs, so an edit anywhere recompiles what it touches.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import caching
from numba.extending import intrinsic

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


#: Bytes of a cache line.
LINE = 64


def _prefetch(typing, array, index):
    """Ask for ``array[index]`` ahead of its use: the processor fetches it from memory meanwhile.

    Takes a C-contiguous array of one dimension. A hint: no value ever depends on it.
    """

    def code(context, builder, signature, args):
        kind = signature.args[0]
        data = context.make_array(kind)(context, builder, args[0]).data
        word, byte, flag = context.get_value_type(types.intp), ir.IntType(8), ir.IntType(32)
        size = context.get_abi_sizeof(context.get_data_type(kind.dtype))
        first = builder.add(
            builder.ptrtoint(data, word), builder.mul(args[1], ir.Constant(word, size))
        )
        hint = builder.module.declare_intrinsic(
            "llvm.prefetch",
            (byte.as_pointer(),),
            ir.FunctionType(ir.VoidType(), (byte.as_pointer(), flag, flag, flag)),
        )
        for offset in {*range(0, size, LINE), size - 1}:  # all lines that a record may lie across
            at = builder.inttoptr(builder.add(first, ir.Constant(word, offset)), byte.as_pointer())
            builder.call(hint, [at, flag(0), flag(3), flag(1)])
        return context.get_dummy_value()

    return types.void(array, types.intp), code


#: Kernels call ``prefetch(array, index)``.
prefetch: Any = intrinsic(_prefetch)

__all__ = ["njit", "prefetch"]
