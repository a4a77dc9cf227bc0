"""The columns of windows and of sums of windows, defined once.

``Window``, its JSON form, the accumulator, ``Sums``, the store's tables and their rows follow this table. A new column
is a line here, a typed attribute in ``Window`` and ``Sums``, and a migration of the store.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from felicity.labels import EXPRESSIONS

CLASSES = len(EXPRESSIONS)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Grouping:
    """An assignment of R rows to ``groups`` groups, sorted once for all columns.

    ``label`` (R,): the group of each row. ``order`` (R,): rows by group, and in their own order within a group.
    ``present`` (G,): groups that have rows; ``begin`` (G,): where each of them begins in ``order``.
    """

    label: Ints
    groups: int
    order: npt.NDArray[np.intp]
    present: Ints
    begin: npt.NDArray[np.intp]

    @classmethod
    def of(cls, labels: npt.ArrayLike, groups: int) -> Self:
        """Sort rows by their label, int ``(R,)`` in 0 … groups - 1."""
        label = np.asarray(labels, dtype=np.int64)
        order = np.argsort(label, kind="stable")
        present, begin = np.unique(label[order], return_index=True)
        return cls(label, groups, order, present, begin)


@dataclass(frozen=True)
class Column:
    """A column of numbers: one window's value has this ``shape`` and ``dtype`` (int64 or float64), all from 0.

    ``shape``: () for a single number, (8,) by expression, (8, 8) for a symmetric matrix. ``reducer`` adds the values of
    two windows up; a group without windows has the value ``nothing``. ``derive``: None for values that a window holds
    itself; else it computes the column (R, *shape) of R windows from their own columns, ``start`` and ``seconds`` by
    name. ``since``: first version of the JSON form that holds the column; older windows have its zero.
    """

    name: str
    meaning: str
    dtype: type[np.int64] | type[np.float64] = np.int64
    shape: tuple[int, ...] = ()
    reducer: np.ufunc = np.add
    nothing: int = 0
    derive: Callable[[Mapping[str, Any]], npt.NDArray[Any]] | None = None
    since: int = 1

    def zero(self) -> Any:
        """Return the value of a window without people or frames."""
        return np.zeros(self.shape, self.dtype) if self.shape else self.dtype(0).item()

    def checked(self, value: Any) -> Any:
        """Return a value as a window keeps it: arrays are read-only copies.

        Raises ValueError for an impossible value.
        """
        if self.shape:
            return self._checked_array(value)
        if self.dtype is np.float64:
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{self.name} is a number from 0, not {value}")
        else:
            check_count(self.name, value)
        return value

    def _checked_array(self, value: Any) -> npt.NDArray[Any]:
        array = np.array(value)
        if self.dtype is np.int64 and array.dtype.kind not in "iu":
            raise ValueError(f"{self.name} are whole numbers, not {array.dtype}")
        array = array.astype(self.dtype, copy=False)
        if array.shape != self.shape or not 0 <= array.min() <= array.max() < math.inf:
            raise ValueError(f"{self.name} are non-negative numbers of shape {self.shape}, not {array.shape}")
        array.setflags(write=False)
        return array

    def plain(self, value: Any) -> Any:
        """Return a value in its JSON form."""
        if self.shape:
            return value.tolist()
        return float(value) if self.dtype is np.float64 else int(value)

    def added(self, first: Any, second: Any) -> Any:
        """Return the value of two windows together."""
        total = self.reducer(first, second)
        return total if self.shape else total.item()

    def stacked(self, values: Any) -> Any:
        """Return the values of R windows as a column, (R, *shape)."""
        return np.asarray(values, dtype=self.dtype).reshape(-1, *self.shape)

    def empty(self, rows: int) -> Any:
        """Return the column of ``count`` windows without people or frames."""
        return np.zeros((rows, *self.shape), self.dtype)

    def joined(self, parts: Sequence[Any]) -> Any:
        """Return several columns, at least one, behind each other."""
        return np.concatenate(parts)

    def taken(self, column: Any, rows: npt.NDArray[np.intp]) -> Any:
        """Return some rows of a column, by index."""
        return column[rows]

    def values(self, column: Any) -> Sequence[Any]:
        """Return the value of each window from a column."""
        return list(column) if self.shape else column.tolist()

    def grouped(self, column: Any, grouping: Grouping) -> Any:
        """Return a column of groups, (G, *shape), from the column of their rows, added in order."""
        total = np.full((grouping.groups, *self.shape), self.nothing, dtype=self.dtype)
        if len(column):
            total[grouping.present] = self.reducer.reduceat(column[grouping.order], grouping.begin, axis=0)
        return total


class Tally(Column):
    """A column of counts by name: a mapping for one window, a tuple of mappings for R of them."""

    def zero(self) -> dict[str, int]:
        """Return an empty tally."""
        return {}

    def checked(self, value: Mapping[str, int]) -> Mapping[str, int]:
        """Return a read-only tally, by name; raises ValueError unless its counts are whole numbers from 0."""
        for name, count in value.items():
            check_count(f"{self.name}: {name}", count)
        return MappingProxyType(dict(sorted(value.items())))

    def plain(self, value: Mapping[str, int]) -> dict[str, int]:
        """Return a tally in its JSON form."""
        return dict(value)

    def added(self, first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
        """Return the sum of two tallies."""
        total = dict(first)
        for name, count in second.items():
            total[name] = total.get(name, 0) + count
        return total

    def stacked(self, values: Any) -> tuple[Mapping[str, int], ...]:
        """Return the tallies of R windows."""
        return tuple(values)

    def empty(self, rows: int) -> tuple[Mapping[str, int], ...]:
        """Return ``count`` empty tallies."""
        return ({},) * rows

    def joined(self, parts: Sequence[tuple[Mapping[str, int], ...]]) -> tuple[Mapping[str, int], ...]:
        """Return the tallies of all parts."""
        return tuple(tally for part in parts for tally in part)

    def taken(self, column: Any, rows: npt.NDArray[np.intp]) -> tuple[Mapping[str, int], ...]:
        """Return some of the tallies, by index."""
        return tuple(column[row] for row in rows)

    def values(self, column: Any) -> Sequence[Any]:
        """Return the tally of each window."""
        return list(column)

    def grouped(self, column: Any, grouping: Grouping) -> tuple[Mapping[str, int], ...]:
        """Return a tally per group."""
        totals: list[dict[str, int]] = [{} for _ in range(grouping.groups)]
        for group, tally in zip(grouping.label.tolist(), column, strict=True):
            if tally:
                totals[group] = self.added(totals[group], tally)
        return tuple(totals)


def check_count(name: str, value: Any) -> None:
    """Raise ValueError unless ``value`` is a whole number from 0."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not 0 <= value <= _LARGEST:
        raise ValueError(f"{name} counts in whole numbers from 0, not {value!r:.40}")


SEEING_COLUMNS: tuple[Column, ...] = (
    Column("frames_expected", "frames that the source gave or should have given: whole, left out or damaged", since=2),
    Column("frames_damaged", "frames that could not be decoded whole", since=2),
    Column("frames_frozen", "frames of a picture that did not change any more", since=2),
    Tally("frames_unfit", "frames in which faces are missed, by the reason why", since=2),
    Column("pictures", "pictures whose light, contrast, sharpness and noise were measured", since=2),
    Column("brightness", "sum of brightness over these pictures, each 0 to 255", np.float64, since=2),
    Column("contrast", "sum of contrast over these pictures, grey levels", np.float64, since=2),
    Column("sharpness", "sum of sharpness over these pictures", np.float64, since=2),
    Column("noise", "sum of noise over these pictures, grey levels", np.float64, since=2),
    Column("sized", "people whose size in the picture was measured", since=2),
    Column("sides", "sum of the longer sides of their faces, pixels", np.float64, since=2),
    Column("lifted", "judged people whose faces were so faint that their contrast was at least doubled first", since=3),
)
"""The seeing conditions of a window. Windows from before these columns hold none of them: no ``pictures``."""

WINDOW_COLUMNS: tuple[Column, ...] = (
    Column("people_seen", "people: all tracks that ended in the window"),
    Column("people", "people with a face good enough to be judged"),
    Column("hard_counts", "judged people by their most probable expression", np.int64, (CLASSES,)),
    Column("prob_sums", "sum of p over judged people", np.float64, (CLASSES,)),
    Column("prob_cross", "sum of p pᵀ over judged people", np.float64, (CLASSES, CLASSES)),
    Column("frames_seen", "frames that were looked at"),
    Column("frames_dropped", "frames that came faster than they could be looked at"),
    Column("seconds_covered", "seconds between frames that follow each other closely", np.float64),
    Tally("rejected", "people without a good face, by the reason why"),
    *SEEING_COLUMNS,
)
"""The columns of a window, in the order of its JSON form."""

_LARGEST = int(np.iinfo(np.int64).max)

SUM_COLUMNS: tuple[Column, ...] = (
    Column("windows", "windows", derive=lambda window: np.ones(len(window["start"]), dtype=np.int64)),
    Column("blocks", "windows with judged people", derive=lambda window: (window["people"] > 0).astype(np.int64)),
    *WINDOW_COLUMNS,
    Column(
        "block_cross",
        "sum over windows of s sᵀ, s being a window's prob_sums",
        np.float64,
        (CLASSES, CLASSES),
        derive=lambda window: window["prob_sums"][:, :, None] * window["prob_sums"][:, None, :],
    ),
    Column(
        "first",
        "start of the first window, seconds since the epoch",
        reducer=np.minimum,
        nothing=_LARGEST,
        derive=lambda window: window["start"],
    ),
    Column(
        "last",
        "end of the last window, seconds since the epoch",
        reducer=np.maximum,
        nothing=-_LARGEST - 1,
        derive=lambda window: window["start"] + window["seconds"],
    ),
)
"""The columns of a sum of windows; all of them add up."""

COLUMN: Mapping[str, Column] = {column.name: column for column in SUM_COLUMNS}
"""The columns by name."""
