"""Runs and their windows: begun, written in place of what was there before, finished, read again."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from felicity.errors import ConfigError, StoreError
from felicity.store import arrays, rollups
from felicity.store.engine import id_of
from felicity.store.query import instant
from felicity.store.tables import locations as places
from felicity.store.tables import models, runs
from felicity.store.tables import windows as stored
from felicity.windows.columns import WINDOW_COLUMNS
from felicity.windows.window import LONGEST, Window, WindowKey


@dataclass(frozen=True)
class WatchRun:
    """One pass over a source. ``generation`` counts how often it was begun."""

    id: int
    generation: int
    location: str
    camera: str
    source: str
    run_start: datetime
    model: str


@dataclass(frozen=True)
class Recorded:
    """A run as it stands in the store: what was watched, and what came of it.

    ``first``, ``last``: from the begin of its first window to the end of its last, on the location's clock; None
    without windows. ``people``: all tracks. ``finished``: False while it is watched, or where that was broken off.
    """

    id: int
    location: str
    camera: str
    source: str
    model: str
    first: datetime | None
    last: datetime | None
    windows: int
    people: int
    finished: bool


def begin_run(
    connection: sa.Connection, location: str, camera: str, source: str, run_start: datetime, model: str
) -> WatchRun:
    """See ``Store.begin_run``."""
    key = WindowKey(location, camera, source, run_start, model, datetime.fromtimestamp(0, UTC), 1)
    location_id = id_of(connection, places.c.name, location, timezone="UTC")
    model_id = id_of(connection, models.c.identity, model)
    _lock(connection, location_id)
    own = {
        "location_id": location_id,
        "camera": camera,
        "source": source,
        "run_start": round(key.run_start.timestamp() * 1_000_000),
        "model_id": model_id,
    }
    same = (runs.c[column] == value for column, value in own.items())
    found = connection.execute(sa.select(runs.c.id, runs.c.generation).where(*same)).one_or_none()
    if found is None:
        generation = 1
        made = sa.insert(runs).values(**own, generation=generation, finished=False).returning(runs.c.id)
        run_id = connection.execute(made).scalar_one()
    else:
        run_id, generation = found.id, found.generation + 1
        connection.execute(sa.update(runs).where(runs.c.id == run_id).values(generation=generation, finished=False))
    return WatchRun(run_id, generation, location, camera, source, key.run_start, model)


def write_windows(connection: sa.Connection, run: WatchRun, added: Sequence[Window]) -> None:
    """See ``Store.write_windows``. ``added``: one at least, all of ``run``."""
    place = _place_of(connection, run)
    touched = _remove_replaced(connection, run.id, place, added)
    rows = [
        arrays.window_row(window) | {"location_id": place.location_id, "run_id": run.id, "generation": place.generation}
        for window in added
    ]
    connection.execute(sa.insert(stored), rows)
    touched |= {row["start"] for row in rows}
    rollups.refresh(connection, place.location_id, place.model_id, ZoneInfo(place.timezone), touched)


def finish_run(connection: sa.Connection, run: WatchRun) -> None:
    """See ``Store.finish_run``."""
    place = _place_of(connection, run)
    stale = (stored.c.run_id == run.id, stored.c.generation < run.generation)
    starts = set(connection.execute(sa.select(stored.c.start).where(*stale)).scalars())
    if starts:
        connection.execute(sa.delete(stored).where(*stale))
        rollups.refresh(connection, place.location_id, place.model_id, ZoneInfo(place.timezone), starts)
    connection.execute(sa.update(runs).where(runs.c.id == run.id).values(finished=True))


def list_runs(connection: sa.Connection) -> list[Recorded]:
    """See ``Store.runs``."""
    begin, end = sa.func.min(stored.c.start), sa.func.max(stored.c.start + stored.c.seconds)
    columns = (runs.c.id, places.c.name, places.c.timezone, runs.c.camera, runs.c.source, models.c.identity)
    sums = (sa.func.count(stored.c.start).label("windows"), sa.func.sum(stored.c.people_seen).label("people"))
    rows = connection.execute(
        sa.select(*columns, runs.c.finished, begin.label("first"), end.label("last"), *sums)
        .join(places, places.c.id == runs.c.location_id)
        .join(models, models.c.id == runs.c.model_id)
        .join(stored, stored.c.run_id == runs.c.id, isouter=True)
        .group_by(runs.c.id, places.c.name, places.c.timezone, models.c.identity)
        .order_by(places.c.name, begin, runs.c.id)
    ).all()

    def local(second: int | None, zone: str) -> datetime | None:
        return None if second is None else datetime.fromtimestamp(second, ZoneInfo(zone))

    return [
        Recorded(
            id=row.id,
            location=row.name,
            camera=row.camera,
            source=row.source,
            model=row.identity,
            first=local(row.first, row.timezone),
            last=local(row.last, row.timezone),
            windows=row.windows,
            people=int(row.people or 0),
            finished=row.finished,
        )
        for row in rows
    ]


def remove_run(connection: sa.Connection, run_id: int) -> None:
    """See ``Store.remove_runs``."""
    query = sa.select(runs.c.location_id, runs.c.model_id, places.c.timezone).where(runs.c.id == run_id)
    place = connection.execute(query.join(places, places.c.id == runs.c.location_id)).one_or_none()
    if place is None:
        raise ConfigError(f"there is no run {run_id} in this store; see: felicity runs list")
    _lock(connection, place.location_id)
    starts = set(connection.execute(sa.select(stored.c.start).where(stored.c.run_id == run_id)).scalars())
    connection.execute(sa.delete(stored).where(stored.c.run_id == run_id))
    rollups.refresh(connection, place.location_id, place.model_id, ZoneInfo(place.timezone), starts)
    connection.execute(sa.delete(runs).where(runs.c.id == run_id))


def overlapping(connection: sa.Connection, run: WatchRun) -> int:
    """See ``Store.overlapping``."""
    place = _place_of(connection, run)
    columns = sa.select(stored.c.start, stored.c.seconds).where(stored.c.location_id == place.location_id)
    mine = connection.execute(columns.where(stored.c.run_id == run.id).order_by(stored.c.start)).all()
    if not mine:
        return 0
    others = connection.execute(
        columns.join(runs, runs.c.id == stored.c.run_id)
        .where(runs.c.id != run.id, runs.c.model_id == place.model_id)
        .where(sa.or_(runs.c.camera == run.camera, runs.c.source == run.source))
        .where(stored.c.people_seen > 0)
        .where(stored.c.start > mine[0].start - LONGEST, stored.c.start < mine[-1].start + mine[-1].seconds)
    ).all()
    begin = [row.start for row in mine]
    # The last of this run's windows that begins before the other ends: they are one behind the other.
    last = [bisect_left(begin, row.start + row.seconds) - 1 for row in others]
    return sum(i >= 0 and begin[i] + mine[i].seconds > row.start for i, row in zip(last, others, strict=True))


def read_windows(
    connection: sa.Connection,
    *,
    begin: datetime | None,
    end: datetime | None,
    locations: Sequence[str] | None,
    model: str | None,
) -> Iterator[Window]:
    """See ``Store.windows``."""
    utc = ZoneInfo("UTC")
    columns = (*rollups.WINDOW_SELECT, places.c.name, runs.c.camera, runs.c.source, runs.c.run_start)
    query = (
        sa.select(*columns, models.c.identity)
        .join(places, places.c.id == stored.c.location_id)
        .join(runs, runs.c.id == stored.c.run_id)
        .join(models, models.c.id == runs.c.model_id)
        .order_by(places.c.name, stored.c.start, stored.c.run_id)
    )
    if (low := instant(begin, utc)) is not None:
        query = query.where(stored.c.start >= low)
    if (high := instant(end, utc)) is not None:
        query = query.where(stored.c.start < high)
    if locations is not None:
        query = query.where(places.c.name.in_(list(locations)))
    if model is not None:
        query = query.where(models.c.identity == model)
    for rows in connection.execution_options(yield_per=1000).execute(query).partitions():
        yield from _windows_of(rows)


def _lock(connection: sa.Connection, location_id: int) -> None:
    """Let no other transaction add up this location's rollups meanwhile (SQLite has one writer anyway)."""
    connection.execute(sa.select(places.c.id).where(places.c.id == location_id).with_for_update())


def _place_of(connection: sa.Connection, run: WatchRun) -> Any:
    """What there is to know of a run to write its windows, locked like ``_lock``."""
    query = (
        sa.select(runs.c.location_id, runs.c.model_id, runs.c.generation, places.c.timezone)
        .join(places, places.c.id == runs.c.location_id)
        .where(runs.c.id == run.id)
        .with_for_update()
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise StoreError(f"run {run.id} of {run.source!r} at {run.location!r} is not in this store")
    return row


def _remove_replaced(connection: sa.Connection, run_id: int, place: Any, added: Sequence[Window]) -> set[int]:
    """Delete what the run has at these times: the same windows, and older ones of another length."""
    mine = (stored.c.location_id == place.location_id, stored.c.run_id == run_id)
    starts = [int(window.key.start.timestamp()) for window in added]
    connection.execute(
        sa.delete(stored).where(*mine, stored.c.start == sa.bindparam("at")), [{"at": start} for start in starts]
    )
    if place.generation == 1:
        return set()
    begin, end = min(starts), max(s + w.key.seconds for s, w in zip(starts, added, strict=True))
    older = connection.execute(
        sa.select(stored.c.start, stored.c.seconds)
        .where(*mine, stored.c.generation < place.generation)
        .where(stored.c.start > begin - LONGEST, stored.c.start < end)
    ).all()
    spans = [(start, start + window.key.seconds) for start, window in zip(starts, added, strict=True)]
    gone = {row.start for row in older if any(a < row.start + row.seconds and row.start < b for a, b in spans)}
    if gone:
        connection.execute(
            sa.delete(stored).where(*mine, stored.c.start == sa.bindparam("at")), [{"at": start} for start in gone]
        )
    return gone


def _windows_of(rows: Sequence[Any]) -> Iterator[Window]:
    width = len(arrays.WINDOW_NAMES)
    sums = arrays.windows_to_sums([row[:width] for row in rows])
    own = zip(*(column.values(getattr(sums, column.name)) for column in WINDOW_COLUMNS), strict=True)
    for row, values in zip(rows, own, strict=True):
        name, camera, source, micros, identity = row[width:]
        key = WindowKey(
            location=name,
            camera=camera,
            source=source,
            run_start=datetime.fromtimestamp(micros // 1_000_000, UTC).replace(microsecond=micros % 1_000_000),
            model=identity,
            start=datetime.fromtimestamp(row.start, UTC),
            seconds=row.seconds,
        )
        yield Window(key, *values)
