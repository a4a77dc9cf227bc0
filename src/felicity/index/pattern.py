"""Patterns: a place by hour of the day, by weekday, or before and after a date; and places together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from felicity.index.happiness import DEFAULT_K, GroupKey, Groups, IndexRow, compute_index, hidden_rows
from felicity.index.soft_matrix import SoftMatrix
from felicity.index.sums import Sums

Matrices = Callable[[str, str], SoftMatrix | None]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class PatternRow:
    """The index of one location in all periods of one ``level``, such as all that begin at 9 o'clock.

    ``index``: from the first to the last of these periods. ``periods``: how many count.
    """

    level: int
    periods: int
    index: IndexRow


def compute_pattern(
    groups: Groups, level: Callable[[datetime], int], soft_matrix: Matrices, *, k: int = DEFAULT_K
) -> list[PatternRow]:
    """The index of each location by ``level``, a number for the local start of a group's period.

    Groups that ``compute_index`` hides count here, but not where those of a level are fewer than ``k`` people: the
    difference to the groups that it shows would tell of them. Suppressed are levels of fewer than ``k`` people. What
    is thereby missing from a location's total is nothing, or at least ``k`` people; if need be, further hidden
    groups do not count, and further levels are suppressed, smallest first.
    """
    dark = hidden_rows(groups, k)
    places: dict[tuple[str, str], list[int]] = {}
    for i, key in enumerate(groups.keys):
        places.setdefault((key.location, key.model), []).append(i)
    keys: list[GroupKey] = []
    parts: list[Sums] = []
    levels: list[int] = []
    periods: list[int] = []
    hidden: list[bool] = []
    for members in places.values():
        first = groups.keys[members[0]]
        zone = ZoneInfo(first.timezone)
        all_levels = np.array(
            [level(datetime.fromtimestamp(groups.keys[i].start, UTC).astimezone(zone)) for i in members]
        )
        counted, empty, lost = _counted(groups.sums.people[members], all_levels, dark[members], k)
        present, label = np.unique(all_levels[counted], return_inverse=True)
        sums = groups.sums.take(np.array(members)[counted]).grouped(label, len(present))
        hidden += _protect(sums.people, np.isin(present, all_levels[empty]), lost, k).tolist()
        keys += [replace(first, start=int(a), end=int(b)) for a, b in zip(sums.first, sums.last, strict=True)]
        parts.append(sums)
        levels += present.tolist()
        periods += np.bincount(label, minlength=len(present)).tolist()
    rows = _index(keys, Sums.concatenate(parts), np.array(hidden, dtype=bool), soft_matrix, k)
    return [PatternRow(*row) for row in zip(levels, periods, rows, strict=True)]


def compute_together(groups: Groups, soft_matrix: Matrices, *, k: int = DEFAULT_K, name: str) -> IndexRow | None:
    """The index of all people of the totals ``groups`` together, called ``name``; each person counts the same.

    Only locations that are shown take part, so that no difference tells of one that is not. None unless
    two or more are shown, all of one model and one soft matrix.
    """
    shown = np.flatnonzero(~hidden_rows(groups, k))
    keys = [groups.keys[i] for i in shown]
    matrices = {id(soft_matrix(key.location, key.model)) for key in keys}
    if len(keys) < 2 or len(matrices) > 1 or len({key.model for key in keys}) > 1:
        return None
    sums = groups.sums.take(shown).total()
    zone = keys[0].timezone if len({key.timezone for key in keys}) == 1 else "UTC"
    key = GroupKey(name, zone, keys[0].model, int(sums.first[0]), int(sums.last[0]))
    matrix = soft_matrix(keys[0].location, keys[0].model)
    return compute_index(Groups("total", (key,), sums), lambda *_: matrix, k=k)[0]


def _counted(people: Ints, level: Ints, dark: Mask, k: int) -> tuple[Mask, Mask, int]:
    """Which groups of a place count, of which levels none does, and people neither counted nor in such a level.

    Groups of those levels are among the first, so that their people can be told; both masks are (R,).
    """
    _, label = np.unique(level, return_inverse=True)
    unseen = np.bincount(label, people * dark)[label]

    def split(kept: Mask) -> tuple[Mask, Mask, int]:
        empty = ~(np.bincount(label, people * kept)[label] > 0)
        return kept | empty, empty, int(people[~kept].sum())

    counted, empty, lost = split(~dark | (unseen >= k))
    if 0 < lost < k:
        counted, empty, lost = split(~dark)
    return counted, empty, lost - int(people[empty].sum())


def _protect(people: Ints, hidden: Mask, lost: int, k: int) -> Mask:
    """Hide levels of fewer than k people, and more, smallest first, until what is missing is none or at least k."""
    hidden = hidden | (people < k)
    for i in np.argsort(people, kind="stable"):
        if not 0 < lost + int(people[hidden].sum()) < k:
            break
        hidden[i] = True
    return np.asarray(hidden)


def _index(keys: list[GroupKey], sums: Sums, hidden: Mask, soft_matrix: Matrices, k: int) -> list[IndexRow]:
    rows: list[IndexRow | None] = [None] * len(keys)
    # Each level stands alone here: totals hide no others for its sake.
    shown = np.flatnonzero(~hidden)
    index = compute_index(Groups("total", tuple(keys[i] for i in shown), sums.take(shown)), soft_matrix, k=k)
    for i, row in zip(shown.tolist(), index, strict=True):
        rows[i] = row
    for i in np.flatnonzero(hidden).tolist():
        key, zone = keys[i], ZoneInfo(keys[i].timezone)
        rows[i] = IndexRow(
            location=key.location,
            start=datetime.fromtimestamp(key.start, UTC).astimezone(zone),
            end=datetime.fromtimestamp(key.end, UTC).astimezone(zone),
            model=key.model,
            people_seen=int(sums.people_seen[i]),
            people=int(sums.people[i]),
            windows=int(sums.windows[i]),
            suppressed=True,
            seconds_covered=float(sums.seconds_covered[i]),
            rejected=sums.rejected[i],
        )
    return [row for row in rows if row is not None]
