"""A bundle of arrays that kernels receive as one pointer.

A kernel that takes thirty arrays passes about 1,700 bytes with every call of a helper, and
compiles them anew in each: as one pointer to a table of addresses the engine ran 7 times
faster and compiled in a third of the time. In Python a bundle is an object with arrays as
attributes; in a kernel ``bundle.name`` is a row of the table, and ``bundle.name[i]`` an item.
"""

import hashlib
import operator
from typing import Any, ClassVar

import numpy as np
from llvmlite import ir
from numba import typeof, types
from numba.core import cgutils
from numba.core.datamodel import models
from numba.core.typing import signature
from numba.core.typing.templates import AbstractTemplate, AttributeTemplate, infer_global
from numba.extending import (
    NativeValue,
    infer_getattr,
    intrinsic,
    lower_builtin,
    lower_getattr,
    lower_getattr_generic,
    register_model,
    typeof_impl,
    unbox,
)

WORDS = 4  # address and up to three lengths


class Bundle:
    """Arrays under the names, dtypes and dimensions of ``FIELDS``, C-contiguous.

    Assigning an attribute checks the array and points the table to it. Raises TypeError for an
    array that is not what its field declares, and where a bundle is copied or pickled: the table
    holds addresses, and most arrays are views of others.
    """

    FIELDS: ClassVar[dict[str, tuple[Any, int]]] = {}

    def __init__(self, **arrays: np.ndarray) -> None:
        """Take one array for each field; raises TypeError for a missing or unknown one."""
        if arrays.keys() != self.FIELDS.keys():
            raise TypeError(f"fields: {sorted(arrays.keys() ^ self.FIELDS.keys())}")
        table = np.zeros((len(self.FIELDS), WORDS), np.int64)
        object.__setattr__(self, "table", table)
        object.__setattr__(self, "address", table.ctypes.data)
        for name, array in arrays.items():
            setattr(self, name, array)

    def __setattr__(self, name: str, array: np.ndarray) -> None:
        """Point the field ``name`` to another array."""
        if name not in self.FIELDS:
            raise TypeError(f"no field {name}")
        dtype, ndim = self.FIELDS[name]
        laid_out = array.flags.c_contiguous and array.flags.aligned
        if array.dtype != dtype or array.ndim != ndim or not laid_out:
            raise TypeError(f"{name}: {array.dtype} with {array.ndim} dimensions does not fit")
        row = list(self.FIELDS).index(name)
        self.table[row, 0] = array.ctypes.data
        self.table[row, 1 : 1 + ndim] = array.shape
        object.__setattr__(self, name, array)

    def __reduce__(self) -> Any:
        """Refuse to be copied or pickled."""
        raise TypeError(f"{type(self).__name__} points into memory: it cannot be copied")

    table: np.ndarray
    address: int


class BundleType(types.Type):
    """Numba's type of one class of bundle."""

    def __init__(self, cls: type[Bundle]) -> None:
        """Name the type after class and layout, by which the compilation cache goes.

        The layout as its hash: the name stands in the symbols of all kernels.
        """
        self.fields = {n: (i, np.dtype(d), k) for i, (n, (d, k)) in enumerate(cls.FIELDS.items())}
        layout = ";".join(f"{n}:{d.descr}:{k}" for n, (_, d, k) in self.fields.items())
        mark = hashlib.sha256(layout.encode()).hexdigest()[:16]
        super().__init__(name=f"{cls.__name__}_{mark}")


@register_model(BundleType)
class _BundleModel(models.OpaqueModel):
    """One pointer."""


@typeof_impl.register(Bundle)
def _typeof(value, context):
    cls = type(value)
    if "_numba_type" not in cls.__dict__:
        cls._numba_type = BundleType(cls)
    return cls._numba_type


@unbox(BundleType)
def _unbox(typ, obj, c):
    address = c.pyapi.object_getattr_string(obj, "address")
    pointer = c.pyapi.long_as_voidptr(address)
    c.pyapi.decref(address)
    return NativeValue(pointer, is_error=cgutils.is_not_null(c.builder, c.pyapi.err_occurred()))


class ColumnType(types.Type):
    """Numba's type of one array of a bundle: an address in the table, read at every access.

    Not an array of Numba's, which would count its uses and let an index count from the end: that
    took a tenth of the engine's time and a seventh of its compilation. No slices, no index from
    the end. Nothing checks an index, unless the kernel is compiled with NUMBA_BOUNDSCHECK=1 (into
    a NUMBA_CACHE_DIR of its own): then one out of bounds raises IndexError.
    """

    def __init__(self, dtype: np.dtype, ndim: int) -> None:
        """Take what the array holds and its number of dimensions; it is C-contiguous."""
        self.itemsize, self.ndim = dtype.itemsize, ndim
        array = typeof(np.zeros(1, dtype))
        self.dtype, self.align = array.dtype, None if array.aligned else 1
        super().__init__(name=f"column({self.dtype}, {ndim}d)")


@register_model(ColumnType)
class _ColumnModel(models.OpaqueModel):
    """One pointer: to the array's row in the table."""


@infer_getattr
class _BundleAttributes(AttributeTemplate):
    key = BundleType

    def generic_resolve(self, typ, attr):  # type: ignore[override]
        """Resolve a field to the type of its array."""
        if attr in typ.fields:
            _, dtype, ndim = typ.fields[attr]
            return ColumnType(dtype, ndim)
        return None


@lower_getattr_generic(BundleType)
def _column(context, builder, typ, value, attr):
    offset = typ.fields[attr][0] * WORDS * np.dtype(np.int64).itemsize
    return builder.gep(value, [ir.Constant(context.get_value_type(types.intp), offset)])


@infer_getattr
class _ColumnAttributes(AttributeTemplate):
    key = ColumnType

    def resolve_shape(self, typ):
        """Resolve the lengths."""
        return types.UniTuple(types.intp, typ.ndim)


@lower_getattr(ColumnType, "shape")
def _shape(context, builder, typ, value):
    lengths = [_word(context, builder, value, 1 + k) for k in range(typ.ndim)]
    return context.make_tuple(builder, types.UniTuple(types.intp, typ.ndim), lengths)


@infer_global(len)
class _Len(AbstractTemplate):
    def generic(self, args, kws):
        """Resolve the length of a column."""
        if isinstance(args[0], ColumnType):
            return signature(types.intp, *args)
        return None


@lower_builtin(len, ColumnType)
def _len(context, builder, sig, args):
    return _word(context, builder, args[0], 1)


def _is_index(typ: Any, ndim: int) -> bool:
    words = getattr(typ, "types", (typ,))
    whole = (types.Integer, types.IntEnumMember)
    return len(words) == ndim and all(isinstance(word, whole) for word in words)


@infer_global(operator.getitem)
class _GetItem(AbstractTemplate):
    def generic(self, args, kws):
        """Resolve one item of a column."""
        column, index = args
        if isinstance(column, ColumnType) and _is_index(index, column.ndim):
            return signature(column.dtype, column, index)
        return None


@infer_global(operator.setitem)
class _SetItem(AbstractTemplate):
    def generic(self, args, kws):
        """Resolve writing one item of a column."""
        column, index, _ = args
        if isinstance(column, ColumnType) and _is_index(index, column.ndim):
            return signature(types.none, column, index, column.dtype)
        return None


@lower_builtin(operator.getitem, ColumnType, types.Any)
def _get(context, builder, sig, args):
    at = item_address(context, builder, *sig.args, *args)
    return context.unpack_value(builder, sig.args[0].dtype, at, align=sig.args[0].align)


@lower_builtin(operator.setitem, ColumnType, types.Any, types.Any)
def _set(context, builder, sig, args):
    at = item_address(context, builder, *sig.args[:2], *args[:2])
    context.pack_value(builder, sig.args[0].dtype, args[2], at, align=sig.args[0].align)
    return context.get_dummy_value()


def item_address(context, builder, column, index, value, at):
    """Return the address of an item, as a pointer to it; ``index`` is the type of ``at``."""
    tuples = isinstance(index, types.BaseTuple)
    kinds = getattr(index, "types", (index,))
    words = cgutils.unpack_tuple(builder, at) if tuples else [at]
    row = ir.Constant(context.get_value_type(types.intp), 0)
    for k, (word, kind) in enumerate(zip(words, kinds, strict=True)):
        whole = context.cast(builder, word, kind, types.intp)
        length = _word(context, builder, value, 1 + k)
        if context.enable_boundscheck:
            cgutils.do_boundscheck(context, builder, whole, length, k)
        row = builder.add(builder.mul(row, length), whole)
    offset = builder.mul(row, ir.Constant(row.type, column.itemsize))
    first = _word(context, builder, value, 0)
    pointer = context.get_data_type(column.dtype).as_pointer()
    return builder.inttoptr(builder.add(first, offset), pointer)


def _word(context, builder, value, k):
    word = context.get_value_type(types.intp)
    table = builder.bitcast(value, word.as_pointer())
    load = builder.load(builder.gep(table, [ir.Constant(word, k)]))
    # no kernel writes the table, so that an address once read stays in its register
    load.set_metadata("invariant.load", builder.module.add_metadata([]))
    return load


#: Bytes of a cache line.
LINE = 64
#: Records by which a row that a list names is asked for ahead of use.
AHEAD = 8


def _prefetch(typing, column, index):
    """Ask for ``column[index]`` ahead of its use: the processor fetches it from memory meanwhile.

    Takes a column of one dimension. A hint: no value ever depends on it.
    """

    def code(context, builder, signature, args):
        at = item_address(context, builder, *signature.args, *args)
        byte, flag = ir.IntType(8), ir.IntType(32)
        hint = builder.module.declare_intrinsic(
            "llvm.prefetch",
            (byte.as_pointer(),),
            ir.FunctionType(ir.VoidType(), (byte.as_pointer(), flag, flag, flag)),
        )
        first = builder.bitcast(at, byte.as_pointer())
        size = column.itemsize
        for offset in {*range(0, size, LINE), size - 1}:  # all lines that a record may lie across
            at = builder.gep(first, [ir.Constant(flag, offset)])
            builder.call(hint, [at, flag(0), flag(3), flag(1)])
        return context.get_dummy_value()

    return types.void(column, types.intp), code


#: Kernels call ``prefetch(column, index)``.
prefetch: Any = intrinsic(_prefetch)
