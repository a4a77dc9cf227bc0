"""Patterns: a place by hour of the day, by weekday, or before and after a date; and places together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from felicity.index.happiness import DEFAULT_K, GroupKey, Groups, IndexRow, compute_index, crowds_of, hidden_rows
from felicity.index.soft_matrix import SoftMatrix

Matrices = Callable[[str, str], SoftMatrix | None]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PatternRow:
    """The index of one location in all periods of one ``level``, such as all that begin at 9 o'clock.

    ``index``: from the first to the last of these periods. ``days``: the number of days with such a period.
    """

    level: int
    days: int
    index: IndexRow


def compute_pattern(
    groups: Groups, level: Callable[[datetime], int], soft_matrix: Matrices, *, k: int = DEFAULT_K
) -> list[PatternRow]:
    """Compute the index of each location by ``level``, a function from the local start of a group's period to a number.

    Groups that are only counted together (``index.suppression``) count in the level of most of their people.
    """
    crowd = crowds_of(groups, k)
    known = np.flatnonzero(crowd >= 0)
    if not len(known):
        return []
    keys = [groups.keys[i] for i in known]
    zones = {name: ZoneInfo(name) for name in {key.timezone for key in keys}}
    starts = [datetime.fromtimestamp(key.start, UTC).astimezone(zones[key.timezone]) for key in keys]
    own, days = np.array([level(start) for start in starts]), [start.date() for start in starts]
    levels = most_of_crowd(crowd[known], own, groups.sums.people[known])
    places = {name: i for i, name in enumerate(dict.fromkeys((key.location, key.model) for key in keys))}
    place = np.array([places[key.location, key.model] for key in keys])
    found, first, label = np.unique(np.stack([place, levels]), axis=1, return_index=True, return_inverse=True)
    sums = groups.sums.take(known).grouped(label.reshape(-1), len(first))
    joined = [
        replace(keys[i], start=int(begin), end=int(end))
        for i, begin, end in zip(first.tolist(), sums.first, sums.last, strict=True)
    ]
    # Each level stands alone: it is made of whole crowds.
    rows = compute_index(Groups("total", tuple(joined), sums, k=k, crowds=tuple(range(len(first)))), soft_matrix, k=k)
    of_level = [
        len({day for of, day in zip(label.reshape(-1), days, strict=True) if of == i}) for i in range(len(first))
    ]
    return [PatternRow(*row) for row in zip(found[1].tolist(), of_level, rows, strict=True)]


def most_of_crowd(crowd: Ints, levels: Ints, people: Ints) -> Ints:
    """Return (R,): the level of most people of the row's crowd, the first of several. Counts alone decide."""
    pairs, label = np.unique(np.stack([crowd, levels]), axis=1, return_inverse=True)
    held = np.bincount(label.reshape(-1), people, pairs.shape[1])
    order = np.lexsort((pairs[1], -held, pairs[0]))
    of, best = np.unique(pairs[0][order], return_index=True)
    return np.asarray(pairs[1][order][best][np.searchsorted(of, crowd)])


def compute_together(groups: Groups, soft_matrix: Matrices, *, k: int = DEFAULT_K, name: str) -> IndexRow | None:
    """Compute the index of all people of the totals ``groups`` together, called ``name``; each person counts the same.

    Only locations that are shown take part. None unless at least two are shown, all of one model and one soft matrix.
    """
    shown = np.flatnonzero(~hidden_rows(groups, k))
    keys = [groups.keys[i] for i in shown]
    matrices = {id(soft_matrix(key.location, key.model)) for key in keys}
    if len(keys) < 2 or len(matrices) > 1 or len({key.model for key in keys}) > 1:
        return None
    sums = groups.sums.take(shown).total()
    zone = keys[0].timezone if len({key.timezone for key in keys}) == 1 else "UTC"
    key = GroupKey(name, zone, keys[0].model, int(sums.first[0]), int(sums.last[0]), keys[0].detector)
    matrix = soft_matrix(keys[0].location, keys[0].model)
    return compute_index(Groups("total", (key,), sums), lambda *_: matrix, k=k)[0]
