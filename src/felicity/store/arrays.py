"""Arrays to and from the bytes of a column, and rows to and from sums."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.windows.sums import Sums
from felicity.windows.window import CLASSES, Floats, Window

_UPPER = np.triu_indices(CLASSES)
_TRIANGLE = len(_UPPER[0])


def pack(array: npt.NDArray[Any]) -> bytes | None:
    """An array of 8, or the upper triangle of a symmetric (8, 8); None if all is zero."""
    if not array.any():
        return None
    flat = array if array.ndim == 1 else array[_UPPER]
    return flat.astype("<i8" if array.dtype.kind == "i" else "<f8").tobytes()


def unpack_counts(columns: Iterable[bytes | None]) -> npt.NDArray[np.int64]:
    """(R, 8) int64."""
    zero = bytes(8 * CLASSES)
    joined = b"".join(zero if c is None else c for c in columns)
    return np.frombuffer(joined, dtype="<i8").astype(np.int64).reshape(-1, CLASSES)


def unpack_vectors(columns: Iterable[bytes | None]) -> Floats:
    """(R, 8) float64."""
    zero = bytes(8 * CLASSES)
    joined = b"".join(zero if c is None else c for c in columns)
    return np.frombuffer(joined, dtype="<f8").astype(np.float64).reshape(-1, CLASSES)


def unpack_squares(columns: Iterable[bytes | None]) -> Floats:
    """(R, 8, 8) float64, symmetric."""
    zero = bytes(8 * _TRIANGLE)
    joined = b"".join(zero if c is None else c for c in columns)
    upper = np.frombuffer(joined, dtype="<f8").reshape(-1, _TRIANGLE)
    square = np.empty((len(upper), CLASSES, CLASSES))
    square[:, _UPPER[0], _UPPER[1]] = upper
    square[:, _UPPER[1], _UPPER[0]] = upper
    return square


def window_row(window: Window) -> dict[str, Any]:
    """A window's columns, apart from its key's."""
    return {
        "start": int(window.key.start.timestamp()),
        "seconds": window.key.seconds,
        "people_seen": int(window.people_seen),
        "people": int(window.people),
        "hard_counts": pack(window.hard_counts),
        "prob_sums": pack(window.prob_sums),
        "prob_cross": pack(window.prob_cross),
        "frames_seen": int(window.frames_seen),
        "frames_dropped": int(window.frames_dropped),
        "seconds_covered": float(window.seconds_covered),
        "rejected": dict(window.rejected) or None,
    }


WINDOW_COLUMNS = (
    "start",
    "seconds",
    "people_seen",
    "people",
    "hard_counts",
    "prob_sums",
    "prob_cross",
    "frames_seen",
    "frames_dropped",
    "seconds_covered",
    "rejected",
)


def windows_to_sums(rows: Sequence[Sequence[Any]]) -> Sums:
    """Rows of ``WINDOW_COLUMNS`` to sums, one row each."""
    if not rows:
        return Sums.empty()
    start, seconds, seen, people, hard, sums, cross, frames, dropped, covered, rejected = zip(*rows, strict=True)
    first = np.array(start, dtype=np.int64)
    return Sums.of_columns(
        people_seen=seen,
        people=people,
        hard_counts=unpack_counts(hard),
        prob_sums=unpack_vectors(sums),
        prob_cross=unpack_squares(cross),
        frames_seen=frames,
        frames_dropped=dropped,
        seconds_covered=covered,
        first=first,
        last=first + np.array(seconds, dtype=np.int64),
        rejected=tuple(tally or {} for tally in rejected),
    )


ROLLUP_COLUMNS = (
    "windows",
    "blocks",
    "people_seen",
    "people",
    "hard_counts",
    "prob_sums",
    "prob_cross",
    "block_cross",
    "frames_seen",
    "frames_dropped",
    "seconds_covered",
    "first",
    "last",
    "rejected",
)


def rollup_rows(sums: Sums) -> list[dict[str, Any]]:
    """The columns of each row of ``sums``."""
    rows = []
    for i in range(len(sums)):
        row: dict[str, Any] = {}
        for name in ROLLUP_COLUMNS:
            value = getattr(sums, name)[i]
            if name == "rejected":
                row[name] = dict(value) or None
            else:
                row[name] = pack(value) if getattr(value, "ndim", 0) else value.item()
        rows.append(row)
    return rows


def rollups_to_sums(rows: Sequence[Sequence[Any]]) -> Sums:
    """Rows of ``ROLLUP_COLUMNS`` to sums, one row each."""
    if not rows:
        return Sums.empty()
    column = dict(zip(ROLLUP_COLUMNS, zip(*rows, strict=True), strict=True))

    def whole(name: str) -> npt.NDArray[np.int64]:
        return np.array(column[name], dtype=np.int64)

    return Sums(
        windows=whole("windows"),
        blocks=whole("blocks"),
        people_seen=whole("people_seen"),
        people=whole("people"),
        hard_counts=unpack_counts(column["hard_counts"]),
        prob_sums=unpack_vectors(column["prob_sums"]),
        prob_cross=unpack_squares(column["prob_cross"]),
        block_cross=unpack_squares(column["block_cross"]),
        frames_seen=whole("frames_seen"),
        frames_dropped=whole("frames_dropped"),
        seconds_covered=np.array(column["seconds_covered"], dtype=np.float64),
        first=whole("first"),
        last=whole("last"),
        rejected=tuple(tally or {} for tally in column["rejected"]),
    )
