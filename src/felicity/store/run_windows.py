"""Windows of runs: written over earlier ones, and read again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from felicity.errors import StoreError
from felicity.store import arrays, ledger, rollups
from felicity.store.choosing import instant
from felicity.store.engine import add_rows
from felicity.store.matrices import bundle_is, bundle_of
from felicity.store.runs import WatchRun, beat, lock_run
from felicity.store.tables import locations as places
from felicity.store.tables import models, runs
from felicity.store.tables import windows as stored
from felicity.windows.columns import WINDOW_COLUMNS
from felicity.windows.window import LONGEST, Window, WindowKey


def write_windows(connection: sa.Connection, run: WatchRun, added: Sequence[Window]) -> None:
    """Write windows; see ``Store.write_windows``. ``added``: at least one, all of ``run``."""
    place = lock_run(connection, run)
    if place.folded is not None and min(window.key.start.timestamp() for window in added) < place.folded:
        until = datetime.fromtimestamp(place.folded, ZoneInfo(place.timezone))
        raise StoreError(
            f"run {run.id} of {run.source!r} at {run.location!r}: its windows until {until:%Y-%m-%d %H:%M} have become "
            "hours or days, which cannot be replaced"
        )
    touched = _remove_replaced(connection, run.id, place, added)
    rows = [
        arrays.window_row(window) | {"location_id": place.location_id, "run_id": run.id, "generation": place.generation}
        for window in added
    ]
    add_rows(connection, stored, rows)
    touched |= {row["start"] for row in rows}
    rollups.refresh(connection, place.location_id, place.model_id, ZoneInfo(place.timezone), touched)
    beat(connection, run)


def latest(connection: sa.Connection) -> dict[str, datetime]:
    """Return the end of the last window of each location that has one, in UTC, by name."""
    last = sa.select(stored.c.start + stored.c.seconds).where(stored.c.location_id == places.c.id)
    end = last.order_by(stored.c.start.desc()).limit(1).correlate(places).scalar_subquery()
    rows = connection.execute(sa.select(places.c.name, end).order_by(places.c.name))
    return {name: datetime.fromtimestamp(at, UTC) for name, at in rows if at is not None}


def read_windows(
    connection: sa.Connection,
    *,
    begin: datetime | None,
    end: datetime | None,
    locations: Sequence[str] | None,
    model: str | None,
) -> Iterator[Window]:
    """Yield windows; see ``Store.windows``."""
    utc = ZoneInfo("UTC")
    columns = (*rollups.WINDOW_SELECT, places.c.name, runs.c.camera, runs.c.source, runs.c.run_start)
    query = (
        sa.select(*columns, models.c.identity, models.c.detector)
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
        query = query.where(bundle_is(model))
    for rows in connection.execution_options(yield_per=1000).execute(query).partitions():
        yield from _windows_of(rows)


def _remove_replaced(connection: sa.Connection, run_id: int, place: Any, added: Sequence[Window]) -> set[int]:
    """Delete the run's windows at these times: the same windows, and older ones of another length."""
    mine = (stored.c.location_id == place.location_id, stored.c.run_id == run_id)
    starts = [int(window.key.start.timestamp()) for window in added]
    begin, end = min(starts), max(s + w.key.seconds for s, w in zip(starts, added, strict=True))
    within = sa.select(stored.c.start, stored.c.crowd).where(*mine, stored.c.start >= min(starts), stored.c.start < end)
    again = {row.start: row.crowd for row in connection.execute(within)}
    if there := sorted(set(starts) & set(again)):  # most windows are new, and need no long list of their times
        if known := [start for start in there if again[start] is not None]:
            ledger.lose(connection, *mine, stored.c.start.in_(known))
        connection.execute(sa.delete(stored).where(*mine, stored.c.start.in_(there)))
    if place.generation == 1:
        return set()
    older = connection.execute(
        sa.select(stored.c.start, stored.c.seconds)
        .where(*mine, stored.c.generation < place.generation)
        .where(stored.c.start > begin - LONGEST, stored.c.start < end)
    ).all()
    spans = [(start, start + window.key.seconds) for start, window in zip(starts, added, strict=True)]
    gone = {row.start for row in older if any(a < row.start + row.seconds and row.start < b for a, b in spans)}
    if gone:
        ledger.lose(connection, *mine, stored.c.start.in_(gone))
        connection.execute(
            sa.delete(stored).where(*mine, stored.c.start == sa.bindparam("at")), [{"at": start} for start in gone]
        )
    return gone


def _windows_of(rows: Sequence[Any]) -> Iterator[Window]:
    width = len(arrays.WINDOW_NAMES)
    sums = arrays.windows_to_sums([row[:width] for row in rows])
    own = zip(*(column.values(getattr(sums, column.name)) for column in WINDOW_COLUMNS), strict=True)
    for row, values in zip(rows, own, strict=True):
        name, camera, source, micros, identity, detector = row[width:]
        key = WindowKey(
            location=name,
            camera=camera,
            source=source,
            run_start=datetime.fromtimestamp(micros // 1_000_000, UTC).replace(microsecond=micros % 1_000_000),
            model=bundle_of(identity, detector),
            start=datetime.fromtimestamp(row.start, UTC),
            seconds=row.seconds,
            detector=detector,
        )
        yield Window(key, *values)
