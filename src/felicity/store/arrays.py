"""Conversion of columns to and from the values in a database, and of rows to and from sums; by ``windows.columns``.

A number is a number, a tally JSON. Arrays are little-endian float64 or int64, symmetric ones their upper triangle row
by row; NULL stands for all zeros.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.windows.columns import CLASSES, SUM_COLUMNS, WINDOW_COLUMNS, Column, Tally
from felicity.windows.sums import Sums
from felicity.windows.window import Window

WINDOW_NAMES = ("start", "seconds", *(column.name for column in WINDOW_COLUMNS))
SUM_NAMES = tuple(column.name for column in SUM_COLUMNS)

_UPPER = np.triu_indices(CLASSES)


def pack(column: Column, value: Any) -> Any:
    """Return the stored form of one window's value."""
    if isinstance(column, Tally):
        return column.plain(value) or None
    if not column.shape:
        return column.plain(value)
    if not value.any():
        return None
    flat = value if len(column.shape) == 1 else value[_UPPER]
    return flat.astype(_stored(column)).tobytes()


def unpack(column: Column, kept: Iterable[Any]) -> Any:
    """Return the column (R, *shape) of R stored values."""
    if isinstance(column, Tally):
        return column.stacked(value or {} for value in kept)
    if not column.shape:
        return column.stacked(kept)
    width = column.shape[0] if len(column.shape) == 1 else len(_UPPER[0])
    zero = bytes(8 * width)
    joined = b"".join(zero if value is None else value for value in kept)
    flat = np.frombuffer(joined, dtype=_stored(column)).reshape(-1, width)
    return flat.astype(column.dtype) if len(column.shape) == 1 else _square(flat)


def _stored(column: Column) -> str:
    return "<i8" if column.dtype is np.int64 else "<f8"


def _square(upper: npt.NDArray[Any]) -> npt.NDArray[Any]:
    square = np.empty((len(upper), CLASSES, CLASSES), dtype=upper.dtype.newbyteorder("="))
    square[:, _UPPER[0], _UPPER[1]] = upper
    square[:, _UPPER[1], _UPPER[0]] = upper
    return square


def window_row(window: Window) -> dict[str, Any]:
    """Return a window's columns, without those of its key."""
    own = {column.name: pack(column, getattr(window, column.name)) for column in WINDOW_COLUMNS}
    return {"start": int(window.key.start.timestamp()), "seconds": window.key.seconds} | own


def windows_to_sums(rows: Sequence[Sequence[Any]]) -> Sums:
    """Return rows of ``WINDOW_NAMES`` as sums, one row each."""
    if not rows:
        return Sums.empty()
    start, seconds, *own = zip(*rows, strict=True)
    return Sums.of_windows(
        start, seconds, **{c.name: unpack(c, kept) for c, kept in zip(WINDOW_COLUMNS, own, strict=True)}
    )


def rollup_rows(sums: Sums) -> list[dict[str, Any]]:
    """Return the columns of each row of ``sums``."""
    kept = [[pack(column, value) for value in column.values(getattr(sums, column.name))] for column in SUM_COLUMNS]
    return [dict(zip(SUM_NAMES, row, strict=True)) for row in zip(*kept, strict=True)]


def rollups_to_sums(rows: Sequence[Sequence[Any]]) -> Sums:
    """Return rows of ``SUM_NAMES`` as sums, one row each."""
    if not rows:
        return Sums.empty()
    return Sums(**{c.name: unpack(c, kept) for c, kept in zip(SUM_COLUMNS, zip(*rows, strict=True), strict=True)})
