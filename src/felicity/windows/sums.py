"""Sums of windows, many groups at once: the form of hours, days and places.

All inputs of the index and its interval are additive, also the resemblance of people within a window: ``block_cross``
is the sum over windows of s sᵀ with s the window's ``prob_sums``. So a sum of sums holds the same information as the
windows themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.windows.columns import SUM_COLUMNS, WINDOW_COLUMNS, Floats, Grouping, Ints
from felicity.windows.window import Window


@dataclass(frozen=True)
class Sums:
    """R groups of windows, one row each; ``columns.SUM_COLUMNS`` defines each column.

    Counts are int64 ``(R,)``: ``windows``, ``blocks`` (windows with people in them), ``people_seen``, ``people``,
    ``frames_seen``, ``frames_dropped``; ``seconds_covered`` float ``(R,)``. ``hard_counts`` ``(R, 8)``, ``prob_sums``
    ``(R, 8)``, ``prob_cross`` ``(R, 8, 8)`` as in ``Window``; ``block_cross`` ``(R, 8, 8)``. ``first``, ``last``:
    seconds since the epoch, start of the first and end of the last window. ``rejected``, ``frames_unfit``: one tally
    per row. The columns of ``columns.SEEING_COLUMNS`` (R,).
    """

    windows: Ints
    blocks: Ints
    people_seen: Ints
    people: Ints
    hard_counts: Ints
    prob_sums: Floats
    prob_cross: Floats
    frames_seen: Ints
    frames_dropped: Ints
    seconds_covered: Floats
    rejected: tuple[Mapping[str, int], ...]
    frames_expected: Ints
    frames_damaged: Ints
    frames_frozen: Ints
    frames_unfit: tuple[Mapping[str, int], ...]
    pictures: Ints
    brightness: Floats
    contrast: Floats
    sharpness: Floats
    noise: Floats
    sized: Ints
    sides: Floats
    lifted: Ints
    block_cross: Floats
    first: Ints
    last: Ints

    def __len__(self) -> int:
        return len(self.windows)

    @classmethod
    def of(cls, windows: Iterable[Window]) -> Sums:
        """Return one row per window."""
        listed = list(windows)
        return cls.of_windows(
            start=[int(w.key.start.timestamp()) for w in listed],
            seconds=[w.key.seconds for w in listed],
            **{column.name: [getattr(w, column.name) for w in listed] for column in WINDOW_COLUMNS},
        )

    @classmethod
    def of_windows(cls, start: npt.ArrayLike, seconds: npt.ArrayLike, **columns: Any) -> Sums:
        """Return one row per window, from the windows' own columns; missing columns are all zero.

        ``start`` and ``seconds``: int ``(R,)``. Raises TypeError for an unknown column.
        """
        own: dict[str, Any] = {"start": np.asarray(start, np.int64), "seconds": np.asarray(seconds, np.int64)}
        for column in WINDOW_COLUMNS:
            given = columns.pop(column.name, None)
            own[column.name] = column.empty(len(own["start"])) if given is None else column.stacked(given)
        derived: dict[str, Any] = {column.name: column.derive(own) for column in SUM_COLUMNS if column.derive}
        return cls(**{column.name: own[column.name] for column in WINDOW_COLUMNS}, **derived, **columns)

    @classmethod
    def empty(cls) -> Sums:
        """Return sums without rows."""
        return cls.of([])

    @classmethod
    def concatenate(cls, parts: Sequence[Sums]) -> Sums:
        """Return the rows of all ``parts``, one after the other."""
        if not parts:
            return cls.empty()
        return cls(**{c.name: c.joined([getattr(part, c.name) for part in parts]) for c in SUM_COLUMNS})

    def take(self, rows: npt.ArrayLike) -> Sums:
        """Return the ``rows`` (indices or a mask), in that order."""
        chosen = np.arange(len(self))[np.asarray(rows)]
        return Sums(**{c.name: c.taken(getattr(self, c.name), chosen) for c in SUM_COLUMNS})

    def grouped(self, labels: npt.ArrayLike, groups: int) -> Sums:
        """Add up the rows of equal label: int ``(R,)`` in 0 … groups - 1. Rows are added in order."""
        grouping = Grouping.of(labels, groups)
        return Sums(**{c.name: c.grouped(getattr(self, c.name), grouping) for c in SUM_COLUMNS})

    def total(self) -> Sums:
        """Return the sum of all rows, as one row."""
        return self.grouped(np.zeros(len(self), dtype=np.int64), 1)
