"""Sums of windows, many groups at once: what hours, days and places are.

Everything the index and its interval need is additive, also the resemblance of people within a window:
``block_cross`` is the sum over windows of s sᵀ with s the window's ``prob_sums``. So a sum of sums
says the same as the windows themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from felicity.windows.window import CLASSES, Floats, Window, add_counts

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Sums:
    """R groups of windows, one row each.

    Counts are int64 ``(R,)``: ``windows``, ``blocks`` (windows with people in them), ``people_seen``,
    ``people``, ``frames_seen``, ``frames_dropped``; ``seconds_covered`` float ``(R,)``. ``hard_counts``
    ``(R, 8)``, ``prob_sums`` ``(R, 8)``, ``prob_cross`` ``(R, 8, 8)`` as in ``Window``; ``block_cross``
    ``(R, 8, 8)``. ``first``, ``last``: seconds since the epoch, start of the first and end of the last
    window. ``rejected``: one tally per row.
    """

    windows: Ints
    blocks: Ints
    people_seen: Ints
    people: Ints
    hard_counts: Ints
    prob_sums: Floats
    prob_cross: Floats
    block_cross: Floats
    frames_seen: Ints
    frames_dropped: Ints
    seconds_covered: Floats
    first: Ints
    last: Ints
    rejected: tuple[Mapping[str, int], ...]

    def __len__(self) -> int:
        return len(self.windows)

    @classmethod
    def of(cls, windows: Iterable[Window]) -> Sums:
        """One row per window."""
        listed = list(windows)
        start = np.array([int(w.key.start.timestamp()) for w in listed], dtype=np.int64)
        length = np.array([w.key.seconds for w in listed], dtype=np.int64)
        return cls.of_columns(
            people_seen=[w.people_seen for w in listed],
            people=[w.people for w in listed],
            hard_counts=np.array([w.hard_counts for w in listed], dtype=np.int64),
            prob_sums=np.array([w.prob_sums for w in listed], dtype=np.float64),
            prob_cross=np.array([w.prob_cross for w in listed], dtype=np.float64),
            frames_seen=[w.frames_seen for w in listed],
            frames_dropped=[w.frames_dropped for w in listed],
            seconds_covered=[w.seconds_covered for w in listed],
            first=start,
            last=start + length,
            rejected=tuple(w.rejected for w in listed),
        )

    @classmethod
    def of_columns(
        cls,
        *,
        people_seen: npt.ArrayLike,
        people: npt.ArrayLike,
        hard_counts: Ints,
        prob_sums: Floats,
        prob_cross: Floats,
        frames_seen: npt.ArrayLike,
        frames_dropped: npt.ArrayLike,
        seconds_covered: npt.ArrayLike,
        first: Ints,
        last: Ints,
        rejected: tuple[Mapping[str, int], ...],
    ) -> Sums:
        """One row per window, from the windows' columns."""
        judged = np.asarray(people, dtype=np.int64)
        sums = prob_sums.reshape(-1, CLASSES)
        return cls(
            windows=np.ones(len(judged), dtype=np.int64),
            blocks=(judged > 0).astype(np.int64),
            people_seen=np.asarray(people_seen, dtype=np.int64),
            people=judged,
            hard_counts=hard_counts.reshape(-1, CLASSES),
            prob_sums=sums,
            prob_cross=prob_cross.reshape(-1, CLASSES, CLASSES),
            block_cross=sums[:, :, None] * sums[:, None, :],
            frames_seen=np.asarray(frames_seen, dtype=np.int64),
            frames_dropped=np.asarray(frames_dropped, dtype=np.int64),
            seconds_covered=np.asarray(seconds_covered, dtype=np.float64),
            first=first,
            last=last,
            rejected=rejected,
        )

    @classmethod
    def empty(cls) -> Sums:
        """No row."""
        return cls.of([])

    @classmethod
    def concatenate(cls, parts: Sequence[Sums]) -> Sums:
        """The rows of all ``parts``, one after the other."""
        if not parts:
            return cls.empty()
        columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _ARRAYS}
        return cls(**columns, rejected=tuple(tally for part in parts for tally in part.rejected))

    def take(self, rows: npt.ArrayLike) -> Sums:
        """The ``rows`` (indices or a mask), in that order."""
        chosen = np.arange(len(self))[np.asarray(rows)]
        columns = {name: getattr(self, name)[chosen] for name in _ARRAYS}
        return Sums(**columns, rejected=tuple(self.rejected[i] for i in chosen))

    def grouped(self, labels: npt.ArrayLike, groups: int) -> Sums:
        """Add up the rows of equal label: int ``(R,)`` in 0 … groups - 1. Rows are added in order."""
        label = np.asarray(labels, dtype=np.int64)
        order = np.argsort(label, kind="stable")
        present, begin = np.unique(label[order], return_index=True)
        columns = {}
        for name in _ARRAYS:
            column = getattr(self, name)
            add, nothing = _ADD.get(name, (np.add, 0))
            total = np.full((groups, *column.shape[1:]), nothing, dtype=column.dtype)
            if len(label):
                total[present] = add.reduceat(column[order], begin, axis=0)
            columns[name] = total
        tallies: list[dict[str, int]] = [{} for _ in range(groups)]
        for i, tally in zip(label.tolist(), self.rejected, strict=True):
            if tally:
                tallies[i] = add_counts(tallies[i], tally)
        return Sums(**columns, rejected=tuple(tallies))

    def total(self) -> Sums:
        """All rows added up: one row."""
        return self.grouped(np.zeros(len(self), dtype=np.int64), 1)


_ADD: dict[str, tuple[np.ufunc, int]] = {
    "first": (np.minimum, np.iinfo(np.int64).max),
    "last": (np.maximum, np.iinfo(np.int64).min),
}
_ARRAYS = tuple(f.name for f in fields(Sums) if f.name != "rejected")
