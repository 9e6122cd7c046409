"""Residents: an AgentSet-like view over columns, without an object per resident.

The verbs and their meaning follow ``mesa.agentset.AgentSet`` (Mesa 3.5): select, get, set, agg,
groupby, do, sort. Where Mesa calls a function once per agent, here it is called once with the
whole set, so it works on arrays.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    import pandas as pd

type Array = NDArray[Any]
type Column = Array | Callable[[], Array]


class _Columns:
    """The arrays themselves, shared by a set of residents and all its subsets."""

    def __init__(
        self,
        columns: Mapping[str, Column],
        read_only: Collection[str],
        written: Callable[[], None] | None,
    ) -> None:
        self._columns = dict(columns)
        self._written = written
        self._read_only = frozenset(read_only) | {
            name for name, column in columns.items() if callable(column)
        }
        for name in read_only:
            self._known(name)
        if "row" in self._columns:
            raise ValueError("a column cannot be called 'row': a resident's row is its place")
        stored = {name: len(c) for name, c in columns.items() if not callable(c)}
        if not stored:
            raise ValueError("at least one column must be an array, to say how many residents")
        if len(set(stored.values())) > 1:
            raise ValueError(f"columns differ in length: {stored}")
        self.size = next(iter(stored.values()))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._columns)

    def _known(self, name: str) -> None:
        if name not in self._columns:
            raise AttributeError(f"no column {name!r}; there are {', '.join(self._columns)}")

    def read(self, name: str) -> Array:
        self._known(name)
        column = self._columns[name]
        if callable(column):
            column = self._columns[name] = np.asarray(column())
            if len(column) != self.size:
                raise ValueError(f"column {name!r} has {len(column)} rows, not {self.size}")
        return column

    def write(self, name: str, rows: Array | slice | int, values: ArrayLike) -> None:
        column = self.read(name)
        if name in self._read_only:
            raise AttributeError(f"column {name!r} is read-only")
        column[rows] = values
        if self._written is not None:
            self._written()


class Resident:
    """One resident: a row read and written through attributes named like the columns."""

    __slots__ = ("_columns", "row")

    row: int
    """Place in the columns: the resident's number among all residents, not in a subset."""

    def __init__(self, columns: _Columns, row: int) -> None:
        """Bind to row ``row`` of the columns."""
        object.__setattr__(self, "_columns", columns)
        object.__setattr__(self, "row", row)

    def __getattr__(self, name: str) -> Any:
        """Return the value of column ``name``; AttributeError where there is none."""
        return self._columns.read(name)[self.row]

    def __setattr__(self, name: str, value: Any) -> None:
        """Write column ``name``; AttributeError where there is none or it is read-only."""
        self._columns.write(name, self.row, value)

    def __eq__(self, other: object) -> bool:
        """Tell whether both are the same row of the same columns."""
        return (
            isinstance(other, Resident)
            and self._columns is other._columns
            and self.row == other.row
        )

    def __hash__(self) -> int:
        """Hash by row."""
        return hash((id(self._columns), self.row))

    def __reduce__(self) -> tuple[type[Resident], tuple[_Columns, int]]:
        """Copy by binding anew: the default would set the slots as if they were columns."""
        return Resident, (self._columns, self.row)

    def __repr__(self) -> str:
        """Show the row number."""
        return f"Resident({self.row})"


class Residents:
    """A set of residents: named columns of equal length, or a subset of their rows.

    Subsets share the columns, so that `set` on a subset changes the residents themselves.
    """

    def __init__(
        self,
        columns: Mapping[str, Column],
        *,
        read_only: Collection[str] = (),
        written: Callable[[], None] | None = None,
    ) -> None:
        """Take columns by name, without copying; ``written`` is called after every change.

        A column is an array of shape (n,) or a function without arguments that returns one: a
        derived column, called at its first use, kept from then on, and never writable, so it
        should follow from what does not change. Columns named in ``read_only`` cannot be written.

        Raises:
            ValueError: columns of different length, no array among them, or one called "row".
            AttributeError: ``read_only`` names an unknown column.
        """
        self._columns = _Columns(columns, read_only, written)
        self._rows: Array | slice = slice(None)
        self._size = self._columns.size

    def _subset(self, rows: Array) -> Residents:
        """Return the rows ``rows`` of this set, counted within it."""
        subset = object.__new__(Residents)
        subset._columns = self._columns
        subset._rows = rows if isinstance(self._rows, slice) else self._rows[rows]
        subset._size = len(rows)
        return subset

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all columns."""
        return self._columns.names

    def __len__(self) -> int:
        """Return the number of residents."""
        return self._size

    def __iter__(self) -> Iterator[Resident]:
        """Yield row views one by one."""
        for i in range(self._size):
            yield self[i]

    def __getitem__(self, i: int) -> Resident:
        """Return the i-th resident of this set; IndexError outside, TypeError if not an integer."""
        i = operator.index(i)
        if not -self._size <= i < self._size:
            raise IndexError(f"resident {i} of {self._size}")
        i %= self._size
        return Resident(self._columns, i if isinstance(self._rows, slice) else int(self._rows[i]))

    def __repr__(self) -> str:
        """Show the number of residents and the names of the columns."""
        return f"Residents({self._size} × {', '.join(self.columns)})"

    def select(
        self,
        which: ArrayLike | Callable[[Residents], ArrayLike] | None = None,
        at_most: int | float = float("inf"),
    ) -> Residents:
        """Return the residents for whom ``which`` is true, in order; selections compose.

        ``which`` is a boolean array with one entry per resident of this set, or a function that
        gets the set and returns one. ``at_most`` keeps the first so many of them; a float up to
        1 is a share of this set, rounded down.

        Raises:
            ValueError: the mask is not boolean or not of this set's length.
        """
        if which is None:
            which = np.ones(self._size, bool)
        mask = np.asarray(which(self) if callable(which) else which)
        if mask.dtype != bool or mask.shape != (self._size,):
            raise ValueError(
                f"select needs a boolean array of {self._size} entries, "
                f"not {mask.dtype} of shape {mask.shape}"
            )
        rows = np.flatnonzero(mask)
        if isinstance(at_most, float) and at_most <= 1.0:
            at_most = int(self._size * at_most)
        return self._subset(rows if at_most >= len(rows) else rows[: int(at_most)])

    @overload
    def get(self, names: str) -> Array: ...
    @overload
    def get(self, names: list[str]) -> list[Array]: ...
    def get(self, names: str | list[str]) -> Array | list[Array]:
        """Return a column, or a list of columns, of this set's residents.

        The array cannot be written to: write with `set`.

        Raises:
            AttributeError: unknown column.
        """
        if not isinstance(names, str):
            return [self.get(name) for name in names]
        values = self._columns.read(names)[self._rows].view()
        values.flags.writeable = False
        return values

    def set(self, name: str, values: ArrayLike) -> Residents:
        """Write ``values``, a scalar or one per resident, to column ``name``; return this set.

        Raises:
            AttributeError: unknown or read-only column.
        """
        self._columns.write(name, self._rows, values)
        return self

    def agg(
        self, name: str, function: Callable[[Array], Any] | Iterable[Callable[[Array], Any]]
    ) -> Any:
        """Return ``function`` of a column, or a list of results for several functions."""
        values = self.get(name)
        return function(values) if callable(function) else [f(values) for f in function]

    def do(self, function: Callable[[Residents], Any]) -> Residents:
        """Call ``function`` with this set (it may `set` columns) and return this set."""
        function(self)
        return self

    def groupby(self, by: str | Callable[[Residents], ArrayLike]) -> GroupBy:
        """Group by a column, or by the array a function of this set returns."""
        labels = np.asarray(by(self) if callable(by) else self.get(by))
        order = np.argsort(labels, kind="stable")
        ordered = labels[order]
        starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: len(labels)])
        parts = np.split(order, starts[1:])
        keys = ordered[starts].tolist()
        # A stable sort leaves each group's first member at its start.
        appearance = np.argsort(order[starts])
        return GroupBy({keys[i]: self._subset(parts[i]) for i in appearance})

    def sort(
        self, key: str | Callable[[Residents], ArrayLike], ascending: bool = False
    ) -> Residents:
        """Return this set in the order of a column or of a function of the set; ties keep theirs.

        Descending unless ``ascending``, as in Mesa.
        """
        values = np.asarray(key(self) if callable(key) else self.get(key))
        if ascending:
            return self._subset(np.argsort(values, kind="stable"))
        return self._subset(self._size - 1 - np.argsort(values[::-1], kind="stable")[::-1])

    def to_frame(self, names: Iterable[str] | None = None) -> pd.DataFrame:
        """Return columns (all by default) as a pandas DataFrame, indexed by row number."""
        import pandas as pd

        chosen = self.columns if names is None else tuple(names)
        index = np.arange(self._columns.size)[self._rows]
        return pd.DataFrame({name: self.get(name) for name in chosen}, index=index, copy=True)


class GroupBy:
    """Groups of residents by value, in order of first appearance, as Mesa's GroupBy."""

    def __init__(self, groups: dict[Hashable, Residents]) -> None:
        """Keep ``groups``, a dict of value → residents."""
        self.groups = groups

    def __iter__(self) -> Iterator[tuple[Hashable, Residents]]:
        """Yield (value, residents) pairs."""
        return iter(self.groups.items())

    def __len__(self) -> int:
        """Return the number of groups."""
        return len(self.groups)

    def __getitem__(self, value: Hashable) -> Residents:
        """Return the residents with ``value``."""
        return self.groups[value]

    def count(self) -> dict[Hashable, int]:
        """Return the number of residents per group."""
        return {value: len(group) for value, group in self}

    def agg(self, name: str, function: Callable[[Array], Any]) -> dict[Hashable, Any]:
        """Return ``function`` of a column per group."""
        return {value: group.agg(name, function) for value, group in self}

    def map(self, function: Callable[[Residents], Any]) -> dict[Hashable, Any]:
        """Return ``function`` of each group."""
        return {value: function(group) for value, group in self}

    def do(self, function: Callable[[Residents], Any]) -> GroupBy:
        """Call ``function`` with each group and return this grouping."""
        for _, group in self:
            function(group)
        return self
