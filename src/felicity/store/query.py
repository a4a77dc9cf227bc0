"""Reading sums: rollups where whole hours and days are asked for, windows at the ragged ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa

from felicity.index.happiness import GroupKey, Groups
from felicity.notes import Note
from felicity.store.arrays import rollups_to_sums, windows_to_sums
from felicity.store.crowds import row_crowds, whole_range
from felicity.store.location_query import LocationQuery
from felicity.store.rollups import WINDOW_SELECT, rollup_select
from felicity.store.tables import days, hours, locations, models, runs, windows
from felicity.windows.buckets import By, bucket
from felicity.windows.sums import Sums
from felicity.windows.window import LONGEST

_Part = tuple[Sums, list[int], list[int]]
"""Sums, the index of each row's place, and its start."""


def instant(time: datetime | None, zone: ZoneInfo) -> int | None:
    """Return seconds since the epoch, rounded up; a time without a zone is in the location's time zone."""
    if time is None:
        return None
    aware = time if time.tzinfo else time.replace(tzinfo=zone)
    return -int(-aware.timestamp() // 1)


def select_sums(
    connection: sa.Connection,
    by: By,
    begin: datetime | None,
    end: datetime | None,
    names: Sequence[str] | None,
    model: str | None,
    k: int | None,
) -> Groups:
    """See ``Store.sums``; unknown names are the caller's to refuse."""
    places, notes = _places(connection, begin, end, names, model)
    asked, dark = list(places), set[int]()
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
            # No whole crowd: the people are counted, and nothing of them is shown.
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
        crowd[rows] = number + found
        number += int(found.max()) + 1
    return replace(groups, k=k, crowds=tuple(crowd.tolist()))


def _moved(asked: list[LocationQuery], places: list[LocationQuery], k: int | None) -> list[Note]:
    """Whose ends were moved inwards."""
    moved = [
        (one.name, max(abs(a - b) for a, b in ((one.begin, other.begin), (one.end, other.end)) if a and b))
        for one, other in zip(asked, places, strict=True)
        if one != other
    ]
    if not moved:
        return []
    names = ", ".join(name for name, _ in moved[:3]) + (f" and {len(moved) - 3} more" if len(moved) > 3 else "")
    furthest = -(-max(seconds for _, seconds in moved) // 60)
    text = (
        f"{names}: the period is up to {furthest:,} min shorter at an end than asked for, "
        f"so that no difference of figures tells of fewer than {k} people"
    )
    return [Note("period-shortened", text, moved[0][0] if len(moved) == 1 else None)]


def _places(
    connection: sa.Connection,
    begin: datetime | None,
    end: datetime | None,
    names: Sequence[str] | None,
    model: str | None,
) -> tuple[list[LocationQuery], list[Note]]:
    """Each location with the model to use for it: the one asked for, or that of its latest windows."""
    wanted = sa.select(locations.c.id, locations.c.name, locations.c.timezone).order_by(locations.c.name)
    if names is not None:
        wanted = wanted.where(locations.c.name.in_(list(names)))
    seen: dict[int, list[Any]] = {}
    extent = (
        sa.select(
            days.c.location_id,
            days.c.model_id,
            models.c.identity,
            sa.func.min(days.c.first).label("first"),
            sa.func.max(days.c.last).label("last"),
            sa.func.sum(days.c.windows).label("windows"),
            sa.func.sum(days.c.people).label("people"),
        )
        .join(models, models.c.id == days.c.model_id)
        .group_by(days.c.location_id, days.c.model_id, models.c.identity)
    )
    for row in connection.execute(extent):
        seen.setdefault(row.location_id, []).append(row)
    places: list[LocationQuery] = []
    notes: list[Note] = []
    for location_id, name, timezone in connection.execute(wanted):
        zone = ZoneInfo(timezone)
        low, high = instant(begin, zone), instant(end, zone)
        latest = {row.model_id: _latest(connection, row, low, high, zone) for row in seen.get(location_id, [])}
        inside = [row for row in seen.get(location_id, []) if latest[row.model_id] is not None]
        if model is None:
            inside.sort(key=lambda row: (latest[row.model_id], row.model_id))
            used, others = inside[-1:], inside[:-1]
        else:
            used = [row for row in inside if row.identity == model]
            others = [row for row in inside if row.identity != model]
        for row in used:
            # Bounds that cut nothing off are no bounds: the quick way is then open.
            cut_low = low if low is not None and low > row.first else None
            cut_high = high if high is not None and high < row.last else None
            places.append(LocationQuery(location_id, name, timezone, cut_low, cut_high, row.model_id, row.identity))
        for row in others:
            instead = f"model {used[0].identity}" if used else "no other model"
            text = (
                f"{name}: windows of model {row.identity} are left out ({int(row.windows)} windows, "
                f"{int(row.people)} people in all), {instead} is shown; models are never mixed"
            )
            notes.append(Note("model-skipped", text, name))
    return places, notes


def _latest(connection: sa.Connection, extent: Any, low: int | None, high: int | None, zone: ZoneInfo) -> int | None:
    """Where the last window that starts within low … high ends, of one place and model; None if none starts there."""
    if (low is not None and low >= extent.last) or (high is not None and high <= extent.first):
        return None
    if (low is None or low <= max(extent.first, extent.last - LONGEST)) and (high is None or high >= extent.last):
        return int(extent.last)
    touching = sa.select(sa.func.max(days.c.start)).where(
        days.c.location_id == extent.location_id, days.c.model_id == extent.model_id
    )
    if low is not None:
        touching = touching.where(days.c.last > low)
    if high is not None:
        touching = touching.where(days.c.first < high)
    day = connection.execute(touching).scalar()
    if day is None:
        return None
    begin, end = bucket(day, "day", zone)
    found = (
        sa.select(windows.c.start + windows.c.seconds)
        .join(runs, runs.c.id == windows.c.run_id)
        .where(windows.c.location_id == extent.location_id, runs.c.model_id == extent.model_id)
        .where(windows.c.start >= max(begin, low or begin), windows.c.start < min(end, high or end))
        .order_by(windows.c.start.desc())
        .limit(1)
    )
    last = connection.execute(found).scalar()
    return None if last is None else int(last)


def _read_whole(
    connection: sa.Connection, table: sa.Table, places: list[LocationQuery], whole: list[LocationQuery]
) -> _Part:
    position = {(place.id, place.model_id): i for i, place in enumerate(places)}
    query = sa.select(*rollup_select(table), table.c.location_id, table.c.model_id, table.c.start).order_by(
        table.c.location_id, table.c.model_id, table.c.start
    )
    if len(whole) < 50:
        query = query.where(table.c.location_id.in_({place.id for place in whole}))
    chosen = {(place.id, place.model_id) for place in whole}
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
    """Windows (``table`` None), hours or days that start in begin … end."""
    source = windows if table is None else table
    if table is None:
        query = sa.select(*WINDOW_SELECT, windows.c.start).join(runs, runs.c.id == windows.c.run_id)
        query = query.where(runs.c.model_id == place.model_id).order_by(windows.c.start, windows.c.run_id)
    else:
        query = sa.select(*rollup_select(table), table.c.start).where(table.c.model_id == place.model_id)
        query = query.order_by(table.c.start)
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
    """Cut the range into windows, hours and days: the coarsest that fit."""
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
    """Rows by place and bucket, and the index of each row's place."""
    if by == "total":
        bounds = [(0, 0)] * len(start)
    else:
        zones = [place.zone for place in places]
        bounds = [bucket(s, by, zones[i]) for i, s in zip(index.tolist(), start.tolist(), strict=True)]
    begins = np.array([b[0] for b in bounds], dtype=np.int64)
    ends = np.array([b[1] for b in bounds], dtype=np.int64)
    # Place and time as one number, which sorts by place and then time.
    unique, first, label = np.unique(index * (1 << 40) + begins, return_index=True, return_inverse=True)
    grouped = sums.take(first) if len(unique) == len(index) else sums.grouped(label, len(unique))
    keys = []
    for row, (i, begin) in enumerate(zip(index[first].tolist(), begins[first].tolist(), strict=True)):
        place = places[i]
        low, high = (
            (int(grouped.first[row]), int(grouped.last[row])) if by == "total" else (begin, int(ends[first[row]]))
        )
        keys.append(GroupKey(place.name, place.timezone, place.model, low, high))
    return Groups(by, tuple(keys), grouped, notes), index[first]
