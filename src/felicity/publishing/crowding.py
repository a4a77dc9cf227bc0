"""The forming of crowds from waiting people: those of an hour, else of a day, a week, a month, once they are k."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from felicity.index.suppression import check_k
from felicity.windows.buckets import By, bucket

Ints = npt.NDArray[np.int64]
LEVELS: tuple[By, ...] = ("hour", "day", "week", "month")


def form_crowds(start: npt.ArrayLike, people: npt.ArrayLike, until: int, zone: ZoneInfo, k: int) -> Ints:
    """Return (W,): number of each waiting window's crowd, from 0; -1 for those that go on waiting.

    ``start``, ``people`` (W,): begin of a window in seconds since the epoch, and its number of people. All who wait in
    an hour become a crowd if they are at least ``k``. Once the hour is over (it ends by ``until``), the others wait
    with the rest of the day, then of the week within the month, then of the month, and then with all others who wait.
    Late windows are treated alike: they never join an existing crowd. Counts of people alone decide.
    """
    check_k(k)
    at, n = np.asarray(start, dtype=np.int64), np.asarray(people, dtype=np.int64)
    crowd = np.full(len(at), -1, dtype=np.int64)
    begins, ends = zip(*(spans(at, by, zone) for by in LEVELS), strict=True)
    # Weeks are cut by months, so that each period lies within the next.
    begins = (*begins[:2], np.maximum(begins[2], begins[3]), begins[3], np.zeros(len(at), dtype=np.int64))
    ends = (*ends[:2], np.minimum(ends[2], ends[3]), ends[3])
    moved_on = np.ones(len(at), dtype=bool)
    for level, begin in enumerate(begins):
        if level:
            moved_on = ends[level - 1] <= until
        rows = np.flatnonzero((crowd < 0) & moved_on)
        _, period = np.unique(begin[rows], return_inverse=True)
        enough = np.bincount(period, n[rows]) >= k
        number = np.cumsum(enough) - 1 + crowd.max(initial=-1) + 1
        crowd[rows] = np.where(enough[period], number[period], -1)
    return crowd


def spans(start: Ints, by: By, zone: ZoneInfo) -> tuple[Ints, Ints]:
    """Return begin and end (W,) of the periods that hold ``start`` (W,) in the time zone ``zone``."""
    found, label = np.unique(start, return_inverse=True)
    bounds = np.empty((len(found), 2), dtype=np.int64)
    begin = end = -(1 << 62)
    for i, second in enumerate(found.tolist()):
        if second >= end:
            begin, end = bucket(second, by, zone)
        bounds[i] = begin, end
    return bounds[label, 0], bounds[label, 1]
