"""Crowds: groups of people who are only ever shown together, so that no figure of few can be worked out.

The people of a place are divided, once and for all, into *crowds*: runs of neighbouring minutes with at least k people
each. Every published figure is made of whole crowds. Sums and differences of such figures, over any periods, hours of
the week or places, are made of whole crowds too: of nobody, or of at least k people. (Microaggregation; Domingo-Ferrer
& Mateo-Sanz 2002.) The division depends on the counts of all people alone, never on the question. Counts of people are
not figures of expression and stay visible.

The division follows the calendar. It first joins months of few people with their neighbours, then, within each crowd of
months, the weeks, days, hours and minutes. So a period with enough people is itself made of whole crowds, and days
suffice for figures by day.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from felicity.errors import ConfigError

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def check_k(k: int) -> None:
    """Raise ConfigError unless ``k`` is a whole number from 1."""
    if not isinstance(k, (int, np.integer)) or isinstance(k, bool) or k < 1:
        raise ConfigError(f"k is a whole number of at least 1, not {k!r}")


def crowds(people: npt.ArrayLike, places: npt.ArrayLike, *periods: npt.ArrayLike, k: int) -> Ints:
    """Return (R,): number of each row's crowd, counting up. Rows are ordered by place, then by time.

    ``people`` (R,): people of each row. ``places`` (R,): different places share no crowd. ``periods``: the coarser
    periods of the rows, coarsest first, such as month, week, day for rows that are hours; each is (R,), a number that
    changes at the end of a period. A crowd has at least ``k`` people, or all of its place. Rows without people may
    stand alone.
    """
    check_k(k)
    n = np.asarray(people, dtype=np.int64)
    if not len(n):
        return np.zeros(0, dtype=np.int64)
    new = _changes(places)
    crowd = np.cumsum(new) - 1
    for period in (*map(_changes, periods), np.ones(len(n), dtype=bool)):
        new = new | period
        begin = np.flatnonzero(new)
        joined = _joined(np.add.reduceat(n, begin), crowd[begin], k)
        crowd = np.repeat(np.cumsum(~joined) - 1, np.diff(np.append(begin, len(n))))
    return np.asarray(crowd)


def _changes(numbers: npt.ArrayLike) -> Mask:
    of = np.asarray(numbers)
    return np.concatenate([[True], of[1:] != of[:-1]])


def _joined(size: Ints, within: Ints, k: int) -> Mask:
    """Return (U,): True for a unit in the same crowd as the unit before it; both lie ``within`` one coarser crowd."""
    joined = np.zeros(len(size), dtype=bool)
    small = np.flatnonzero((size < k) & (size > 0))
    if not len(small):
        return joined
    few = size < k
    edge = np.concatenate([[True], (within[1:] != within[:-1]) | (few[1:] != few[:-1]), [True]])
    edges = np.flatnonzero(edge)
    # Stretches of neighbouring small units, of which at least one has people.
    for i in np.unique(np.searchsorted(edges, small, side="right") - 1).tolist():
        begin, end = int(edges[i]), int(edges[i + 1])
        if int(size[begin:end].sum()) >= k:
            _fill_up(size, joined, begin, end, k)
            continue
        before = begin > 0 and within[begin - 1] == within[begin]
        after = end < len(size) and within[end] == within[begin]
        if before and (not after or size[begin - 1] <= size[end]):
            joined[begin:end] = True
        else:
            joined[begin + 1 : end + after] = True
    return joined


def _fill_up(size: Ints, joined: Mask, begin: int, end: int, k: int) -> None:
    """Join the units of a stretch until they are enough, again and again; the rest joins the last."""
    held, first = 0, True
    for unit in range(begin, end):
        joined[unit] = not first
        held, first = held + int(size[unit]), False
        if held >= k:
            held, first = 0, True
            last = unit
    joined[last + 1 : end] = True


def together(units: npt.ArrayLike, crowd: npt.ArrayLike, people: npt.ArrayLike, rows: int) -> Ints:
    """Return (rows,): crowds of coarser rows, such as weeks made of days; rows that share a crowd get one number.

    ``units`` (U,): the row of each finer unit, never falling, 0 … ``rows`` - 1; ``crowd`` and ``people`` (U,): its
    crowd and its people.
    """
    row, of, n = (np.asarray(a, dtype=np.int64) for a in (units, crowd, people))
    held = np.flatnonzero(n > 0)
    linked = np.zeros(rows, dtype=np.int64)
    if len(held):
        row, of = row[held], of[held]
        same = np.flatnonzero(of[1:] == of[:-1])
        steps = np.zeros(rows + 1, dtype=np.int64)
        np.add.at(steps, row[same] + 1, 1)
        np.add.at(steps, row[same + 1] + 1, -1)
        linked = np.cumsum(steps)[:rows]
    return np.asarray(np.cumsum(linked == 0) - 1)


def alone(crowd: npt.ArrayLike, people: npt.ArrayLike, k: int) -> Mask:
    """Return (R,): True for a row that is all of its crowd and has ``k`` people, so that it may be shown by itself."""
    of, n = np.asarray(crowd, dtype=np.int64), np.asarray(people, dtype=np.int64)
    return np.asarray((n >= k) & (np.bincount(of, n)[of] == n))
