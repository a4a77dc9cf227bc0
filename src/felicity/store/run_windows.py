"""Windows of runs: written in place of what was there before, and read again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from felicity.store import arrays, rollups
from felicity.store.query import instant
from felicity.store.runs import WatchRun, beat, lock_run
from felicity.store.tables import locations as places
from felicity.store.tables import models, runs
from felicity.store.tables import windows as stored
from felicity.windows.columns import WINDOW_COLUMNS
from felicity.windows.window import LONGEST, Window, WindowKey


def write_windows(connection: sa.Connection, run: WatchRun, added: Sequence[Window]) -> None:
    """See ``Store.write_windows``. ``added``: one at least, all of ``run``."""
    place = lock_run(connection, run)
    touched = _remove_replaced(connection, run.id, place, added)
    rows = [
        arrays.window_row(window) | {"location_id": place.location_id, "run_id": run.id, "generation": place.generation}
        for window in added
    ]
    connection.execute(sa.insert(stored), rows)
    touched |= {row["start"] for row in rows}
    rollups.refresh(connection, place.location_id, place.model_id, ZoneInfo(place.timezone), touched)
    beat(connection, run)


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
