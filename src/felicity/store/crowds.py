"""Crowds of a place (``index.suppression``) from its counts of people: by day, and by hour and minute where needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from felicity.index.suppression import crowds, together
from felicity.store.folded import folded_starts
from felicity.store.location_query import LocationQuery
from felicity.store.tables import days, hours, runs, windows
from felicity.windows.buckets import By, bucket

Ints = npt.NDArray[np.int64]
Level = Literal["day", "hour", "minute"]
LEVELS: tuple[Level, ...] = ("day", "hour", "minute")


@dataclass(frozen=True)
class Units:
    """Neighbouring days, hours or minutes of a place with windows, in order: start, end, people, crowd; (U,) each."""

    start: Ints
    end: Ints
    people: Ints
    crowd: Ints

    def crossing(self, begin: int, end: int) -> tuple[int, int] | None:
        """Return the extent of the crowds that overlap begin … end, or hold that moment; None if there are none."""
        first, last = self._extents()
        found = np.flatnonzero((first < end) & (last > begin)) if begin < end else self._holding(begin)
        return (int(first[found[0]]), int(last[found[-1]])) if len(found) else None

    def _holding(self, at: int) -> Ints:
        first, last = self._extents()
        return np.flatnonzero((first < at) & (at < last))

    def _extents(self) -> tuple[Ints, Ints]:
        _, begin = np.unique(self.crowd, return_index=True)
        return self.start[begin], self.end[np.append(begin[1:], len(self.crowd)) - 1] if len(begin) else self.end


def read_units(connection: sa.Connection, place: LocationQuery, level: Level, k: int, begin: int, end: int) -> Units:
    """Return the units of a level in all crowds of the coarser level that cross begin … end; for days, of all time."""
    if level == "day":
        start, people = _counts(connection, place, level, None)
        spans = [bucket(s, "day", place.zone) for s in start.tolist()]
        periods = ([bucket(s, by, place.zone)[0] for s in start.tolist()] for by in ("month", "week"))
        crowd = crowds(people, np.zeros(len(start)), *periods, k=k)
    else:
        coarser = read_units(connection, place, LEVELS[LEVELS.index(level) - 1], k, begin, end)
        start, people = _counts(connection, place, level, coarser.crossing(begin, end))
        spans = [bucket(s, level, place.zone) for s in start.tolist()]
        # Minutes and hours in which several windows begin are one unit.
        within = coarser.crowd[np.searchsorted(coarser.start, start, side="right") - 1]
        crowd = crowds(people, within, k=k)
    bounds = np.array(spans, dtype=np.int64).reshape(-1, 2)
    units = Units(bounds[:, 0], bounds[:, 1], people, crowd)
    return units if level == "day" else _undivided(connection, place, level, units, coarser, begin, end)


def _undivided(
    connection: sa.Connection, place: LocationQuery, level: Level, units: Units, coarser: Units, begin: int, end: int
) -> Units:
    """Keep crowds whole if parts of them were folded, because a new division could differ from the one shown before.

    So all figures after a folding consist of crowds that were shown before.
    """
    extent = coarser.crossing(begin, end)
    if extent is None or not len(gone := folded_starts(connection, place, level, *extent)):
        return units
    closed = np.unique(coarser.crowd[np.searchsorted(coarser.start, gone, side="right") - 1])
    inside = (coarser.start >= extent[0]) & (coarser.start < extent[1])
    whole = inside & np.isin(coarser.crowd, closed)
    own = coarser.crowd[np.searchsorted(coarser.start, units.start, side="right") - 1]
    divided = ~np.isin(own, closed)
    start = np.concatenate([units.start[divided], coarser.start[whole]])
    order = np.argsort(start)

    def joined(fine: Ints, coarse: Ints) -> Ints:
        return np.concatenate([fine[divided], coarse[whole]])[order]

    outer, inner = joined(own, coarser.crowd), joined(units.crowd, np.full(len(coarser.crowd), -1))
    new = np.concatenate([[True], (outer[1:] != outer[:-1]) | (inner[1:] != inner[:-1])])
    ends, people = joined(units.end, coarser.end), joined(units.people, coarser.people)
    return Units(start[order], ends, people, np.cumsum(new) - 1)


def _counts(
    connection: sa.Connection, place: LocationQuery, level: Level, extent: tuple[int, int] | None
) -> tuple[Ints, Ints]:
    """Return starts and people; of all time, or within an extent."""
    if level != "day" and extent is None:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    if level == "minute":
        query = sa.select(windows.c.start, windows.c.people).join(runs, runs.c.id == windows.c.run_id)
        query = query.where(windows.c.location_id == place.id, runs.c.model_id.in_(place.model_ids))
        column = windows.c.start
    else:
        table = days if level == "day" else hours
        query = sa.select(table.c.start, table.c.people)
        query = query.where(table.c.location_id == place.id, table.c.model_id.in_(place.model_ids))
        column = table.c.start
    if extent is not None:
        query = query.where(column >= extent[0], column < extent[1])
    rows = [tuple(row) for row in connection.execute(query.order_by(column))]
    found = np.array(rows, dtype=np.int64).reshape(-1, 2)
    starts = found[:, 0]
    if level == "minute":
        starts = np.array([bucket(s, "minute", place.zone)[0] for s in starts.tolist()], dtype=np.int64)
    unit, label = np.unique(starts, return_inverse=True)
    return unit, np.bincount(label, found[:, 1], len(unit)).astype(np.int64)


def whole_range(connection: sa.Connection, place: LocationQuery, k: int) -> tuple[int | None, int | None] | None:
    """Return the place's range, shortened at both ends so that it cuts no crowd; None if nothing is left."""
    begin, end = place.begin, place.end
    if begin is not None:
        begin = _cut(connection, place, k, begin)[1]
    if end is not None:
        end = _cut(connection, place, k, end)[0]
    return None if begin is not None and end is not None and begin >= end else (begin, end)


def _cut(connection: sa.Connection, place: LocationQuery, k: int, at: int) -> tuple[int, int]:
    """Return begin and end of the crowd that ``at`` would cut; ``at``, ``at`` if it cuts none."""
    extent: tuple[int, int] | None = None
    for level in LEVELS:
        extent = read_units(connection, place, level, k, at, at).crossing(at, at)
        if extent is None:
            return at, at
    assert extent is not None
    return extent


def row_crowds(connection: sa.Connection, place: LocationQuery, by: By, k: int, starts: Ints, end: int) -> Ints:
    """Return (R,): crowds of a place's rows by a period, which begin at ``starts`` and end by ``end``.

    -1 for a row that is only a part of an undivided crowd.
    """
    if by == "total":
        return np.zeros(len(starts), dtype=np.int64)
    level: Level = by if by in ("hour", "minute") else "day"
    units = read_units(connection, place, level, k, int(starts[0]), end)
    of = units.start if by == level else np.array([bucket(s, by, place.zone)[0] for s in units.start.tolist()])
    rows, label = np.unique(of, return_inverse=True)
    at = np.searchsorted(rows, starts, side="right") - 1
    crowd = together(label, units.crowd, units.people, len(rows))[at]
    if by != level:
        return crowd
    parts = [bucket(start, by, place.zone)[1] for start in starts.tolist()] != units.end[at]
    return np.where(parts, -1, crowd)
