"""Reading sums: rollups for whole hours and days, windows for the rest at both ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import sqlalchemy as sa

from felicity.index.happiness import GroupKey, Groups
from felicity.notes import Note
from felicity.store.arrays import rollups_to_sums, windows_to_sums
from felicity.store.choosing import choose
from felicity.store.crowds import row_crowds, whole_range
from felicity.store.folded import notes_of, within_kept
from felicity.store.location_query import LocationQuery
from felicity.store.rollups import WINDOW_SELECT, rollup_select
from felicity.store.tables import days, hours, runs, windows
from felicity.style.language import say
from felicity.style.numbers import count
from felicity.windows.buckets import By, bucket
from felicity.windows.sums import Sums

_Part = tuple[Sums, list[int], list[int]]
"""Sums, the index of each row's place, and its start."""


def select_sums(
    connection: sa.Connection,
    by: By,
    begin: datetime | None,
    end: datetime | None,
    names: Sequence[str] | None,
    model: str | None,
    detector: str | None,
    k: int | None,
) -> Groups:
    """Return sums; see ``Store.sums``. The caller refuses unknown names."""
    named, notes = choose(connection, begin, end, names, model, detector)
    asked, dark = [within_kept(connection, place) for place in named], set[int]()
    notes += notes_of(connection, named, asked, by)
    places = list(asked)
    if k is not None:
        bounds = [whole_range(connection, place, k) for place in asked]
        dark = {i for i, found in enumerate(bounds) if found is None}
        places = [replace(p, begin=b[0], end=b[1]) if b else p for p, b in zip(asked, bounds, strict=True)]
    whole = [place for place in places if place.begin is None and place.end is None]
    parts: list[_Part] = []
    table = None if by == "minute" else hours if by == "hour" else days
    if table is not None and whole:
        parts.append(_read_whole(connection, table, places, whole))
    for index, place in enumerate(places):
        if table is not None and place.begin is None and place.end is None:
            continue
        read = _read_range(connection, table, index, place)
        if k is not None and place != asked[index] and sum(part[0].people.sum() for part in read) < k:
            # Without a whole crowd, the people are counted, and nothing else of them is shown.
            dark.add(index)
            places[index] = asked[index]
            read = _read_range(connection, table, index, asked[index])
        parts.extend(read)
    notes += _moved(asked, places, k)
    sums = Sums.concatenate([part[0] for part in parts])
    index_of = np.array([i for part in parts for i in part[1]], dtype=np.int64)
    start = np.array([s for part in parts for s in part[2]], dtype=np.int64)
    groups, row_place = _group(by, places, sums, index_of, start, tuple(notes))
    if k is None:
        return groups
    crowd = np.full(len(groups.keys), -1, dtype=np.int64)
    number = 0
    for i, place in enumerate(places):
        rows = np.flatnonzero(row_place == i)
        if i in dark or not len(rows):
            continue
        keys = [groups.keys[row] for row in rows]
        found = row_crowds(connection, place, by, k, np.array([key.start for key in keys]), keys[-1].end)
        crowd[rows] = np.where(found < 0, -1, number + found)
        number += int(found.max()) + 1
    return replace(groups, k=k, crowds=tuple(crowd.tolist()))


def _moved(asked: list[LocationQuery], places: list[LocationQuery], k: int | None) -> list[Note]:
    """Return a note on the locations whose period is shorter than asked."""
    moved = [
        (one.name, max(abs(a - b) for a, b in ((one.begin, other.begin), (one.end, other.end)) if a and b))
        for one, other in zip(asked, places, strict=True)
        if one != other
    ]
    if not moved:
        return []
    names = ", ".join(name for name, _ in moved[:3])
    if len(moved) > 3:
        names = f"{names} {say('and {number} more', number=len(moved) - 3)}"
    text = say(
        "{names}: the period is up to {minutes} min shorter at an end than asked for, so that no difference of figures "
        "tells of fewer than {k} people",
        names=names,
        minutes=count(-(-max(seconds for _, seconds in moved) // 60)),
        k=k,
    )
    return [Note("period-shortened", text, moved[0][0] if len(moved) == 1 else None)]


def _read_whole(
    connection: sa.Connection, table: sa.Table, places: list[LocationQuery], whole: list[LocationQuery]
) -> _Part:
    position = {(place.id, model_id): i for i, place in enumerate(places) for model_id in place.model_ids}
    query = sa.select(*rollup_select(table), table.c.location_id, table.c.model_id, table.c.start).order_by(
        table.c.location_id, table.c.model_id, table.c.start
    )
    if len(whole) < 50:
        query = query.where(table.c.location_id.in_({place.id for place in whole}))
    chosen = {(place.id, model_id) for place in whole for model_id in place.model_ids}
    found: Sequence[Sequence[Any]] = connection.execute(query).all()
    rows = [row for row in found if (row[-3], row[-2]) in chosen]
    sums = rollups_to_sums([row[:-3] for row in rows])
    return sums, [position[row[-3], row[-2]] for row in rows], [row[-1] for row in rows]


def _read(
    connection: sa.Connection,
    table: sa.Table | None,
    index: int,
    place: LocationQuery,
    begin: int | None,
    end: int | None,
) -> _Part:
    """Return windows (``table`` None), hours or days that start in begin … end."""
    source = windows if table is None else table
    if table is None:
        query = sa.select(*WINDOW_SELECT, windows.c.start).join(runs, runs.c.id == windows.c.run_id)
        query = query.where(runs.c.model_id.in_(place.model_ids)).order_by(windows.c.start, windows.c.run_id)
    else:
        query = sa.select(*rollup_select(table), table.c.start).where(table.c.model_id.in_(place.model_ids))
        query = query.order_by(table.c.start, table.c.model_id)
    query = query.where(source.c.location_id == place.id)
    if begin is not None:
        query = query.where(source.c.start >= begin)
    if end is not None:
        query = query.where(source.c.start < end)
    rows = connection.execute(query).all()
    parts = [row[:-1] for row in rows]
    sums = windows_to_sums(parts) if table is None else rollups_to_sums(parts)
    return sums, [index] * len(rows), [row[-1] for row in rows]


def _read_range(connection: sa.Connection, table: sa.Table | None, index: int, place: LocationQuery) -> list[_Part]:
    if table is None:
        return [_read(connection, None, index, place, place.begin, place.end)]
    return _read_ragged(connection, table, index, place)


def _read_ragged(connection: sa.Connection, table: sa.Table, index: int, place: LocationQuery) -> list[_Part]:
    """Return the range as windows, hours and days: the coarsest that fit."""
    begin, end = place.begin, place.end
    finer: list[tuple[sa.Table | None, By]] = [(None, "hour")]
    if table is days:
        finer.append((hours, "day"))
    before, after = [], []
    for source, unit in finer:
        # Inwards from both ends to the next whole unit.
        if begin is not None:
            start, stop = bucket(begin, unit, place.zone)
            edge = begin if start == begin else stop
            if end is not None:
                edge = min(edge, end)
            before.append((source, begin, edge))
            begin = edge
        if end is not None:
            edge = bucket(end, unit, place.zone)[0]
            if begin is not None:
                edge = max(edge, begin)
            after.append((source, edge, end))
            end = edge
    pieces = [*before, (table, begin, end), *reversed(after)]
    return [
        _read(connection, source, index, place, low, high)
        for source, low, high in pieces
        if low is None or high is None or low < high
    ]


def _group(
    by: By, places: list[LocationQuery], sums: Sums, index: np.ndarray, start: np.ndarray, notes: tuple[Note, ...]
) -> tuple[Groups, np.ndarray]:
    """Return rows by place and bucket, and the index of each row's place."""
    if by == "total":
        bounds = [(0, 0)] * len(start)
    else:
        zones = [place.zone for place in places]
        bounds = [bucket(s, by, zones[i]) for i, s in zip(index.tolist(), start.tolist(), strict=True)]
    begins = np.array([b[0] for b in bounds], dtype=np.int64)
    ends = np.array([b[1] for b in bounds], dtype=np.int64)
    # Place and time in one number, which sorts by place and then time.
    unique, first, label = np.unique(index * (1 << 40) + begins, return_index=True, return_inverse=True)
    grouped = sums.take(first) if len(unique) == len(index) else sums.grouped(label, len(unique))
    keys = []
    for row, (i, begin) in enumerate(zip(index[first].tolist(), begins[first].tolist(), strict=True)):
        place = places[i]
        low, high = (
            (int(grouped.first[row]), int(grouped.last[row])) if by == "total" else (begin, int(ends[first[row]]))
        )
        keys.append(GroupKey(place.name, place.timezone, place.model, low, high, place.detector))
    return Groups(by, tuple(keys), grouped, notes), index[first]
