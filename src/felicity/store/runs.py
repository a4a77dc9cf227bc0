"""Runs: begun, kept alive by heartbeats, finished, listed, taken back."""

from __future__ import annotations

import time
from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from felicity.errors import ConfigError, StoreError
from felicity.store import rollups
from felicity.store.engine import id_of
from felicity.store.tables import locations as places
from felicity.store.tables import models, runs
from felicity.store.tables import windows as stored
from felicity.windows.window import LONGEST, WindowKey

LOST_AFTER = timedelta(minutes=3)
"""A run that says it is running is lost if its last heartbeat is older than this."""


class RunState(StrEnum):
    """What became of a run."""

    RUNNING = "running"
    """It is watched at this moment."""
    ENDED = "ended"
    """Its source came to its end."""
    STOPPED = "stopped"
    """A person or a signal stopped it, and its open window was written."""
    LOST = "lost"
    """It failed, or its process is gone: no heartbeat came for ``LOST_AFTER``."""


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
class RunRecord:
    """A run as it stands in the store: what was watched, and what came of it.

    ``first``, ``last``: from the begin of its first window to the end of its last, on the location's clock; None
    without windows. ``people``: all tracks. ``heartbeat``: when its watch last said that it is running. ``ended``: when
    it ended or was stopped; both on the location's clock, None where that is not known.
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
    state: RunState
    heartbeat: datetime | None
    ended: datetime | None


def begin_run(
    connection: sa.Connection,
    location: str,
    camera: str,
    source: str,
    run_start: datetime,
    model: str,
    recording: str | None = None,
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
    if recording is not None:
        _check_recording(connection, location, source, recording, None if found is None else found.id, own)
    begun = {**_BEGUN, "recording": recording, "heartbeat": _now()}
    if found is None:
        generation = 1
        made = sa.insert(runs).values(**own, generation=generation, **begun).returning(runs.c.id)
        run_id = connection.execute(made).scalar_one()
    else:
        run_id, generation = found.id, found.generation + 1
        again = sa.update(runs).where(runs.c.id == run_id)
        connection.execute(again.values(generation=generation, **begun))
    return WatchRun(run_id, generation, location, camera, source, key.run_start, model)


def _check_recording(
    connection: sa.Connection, location: str, source: str, recording: str, own_id: int | None, own: dict[str, Any]
) -> None:
    """Raise ConfigError if another run at the location has counted the recording by the same model."""
    query = sa.select(runs.c.id, runs.c.source, runs.c.run_start).where(
        runs.c.location_id == own["location_id"], runs.c.model_id == own["model_id"], runs.c.recording == recording
    )
    other = next((row for row in connection.execute(query) if row.id != own_id), None)
    if other is not None:
        began = datetime.fromtimestamp(other.run_start / 1_000_000, UTC)
        raise ConfigError(
            f"{source}: run {other.id} has counted this recording at {location!r} already, as {other.source} from "
            f"{began:%Y-%m-%d %H:%M:%S} UTC on; to count it anew: felicity runs remove {other.id}"
        )


def beat(connection: sa.Connection, run: WatchRun) -> None:
    """See ``Store.heartbeat``."""
    mine = (runs.c.id == run.id, runs.c.generation == run.generation)
    connection.execute(sa.update(runs).where(*mine).values(heartbeat=_now()))


def finish_run(connection: sa.Connection, run: WatchRun, state: RunState) -> None:
    """See ``Store.finish_run``."""
    place = lock_run(connection, run)
    if state is RunState.ENDED:
        stale = (stored.c.run_id == run.id, stored.c.generation < run.generation)
        starts = set(connection.execute(sa.select(stored.c.start).where(*stale)).scalars())
        if starts:
            connection.execute(sa.delete(stored).where(*stale))
            rollups.refresh(connection, place.location_id, place.model_id, ZoneInfo(place.timezone), starts)
    done = {"state": str(state), "heartbeat": _now(), "ended": _now()}
    connection.execute(sa.update(runs).where(runs.c.id == run.id).values(**done))


def list_runs(connection: sa.Connection) -> list[RunRecord]:
    """See ``Store.runs``."""
    begin, end = sa.func.min(stored.c.start), sa.func.max(stored.c.start + stored.c.seconds)
    columns = (runs.c.id, places.c.name, places.c.timezone, runs.c.camera, runs.c.source, models.c.identity)
    sums = (sa.func.count(stored.c.start).label("windows"), sa.func.sum(stored.c.people_seen).label("people"))
    rows = connection.execute(
        sa.select(
            *columns, runs.c.state, runs.c.heartbeat, runs.c.ended, begin.label("first"), end.label("last"), *sums
        )
        .join(places, places.c.id == runs.c.location_id)
        .join(models, models.c.id == runs.c.model_id)
        .join(stored, stored.c.run_id == runs.c.id, isouter=True)
        .group_by(runs.c.id, places.c.name, places.c.timezone, models.c.identity)
        .order_by(places.c.name, begin, runs.c.id)
    ).all()

    def local(second: int | None, zone: str) -> datetime | None:
        return None if second is None else datetime.fromtimestamp(second, ZoneInfo(zone))

    return [
        RunRecord(
            id=row.id,
            location=row.name,
            camera=row.camera,
            source=row.source,
            model=row.identity,
            first=local(row.first, row.timezone),
            last=local(row.last, row.timezone),
            windows=row.windows,
            people=int(row.people or 0),
            state=_state(row.state, row.heartbeat),
            heartbeat=local(row.heartbeat, row.timezone),
            ended=local(row.ended, row.timezone),
        )
        for row in rows
    ]


def _state(said: str, heartbeat: int | None) -> RunState:
    """What became of a run, from what it said last and when."""
    silent = heartbeat is None or _now() - heartbeat > LOST_AFTER.total_seconds()
    return RunState.LOST if said == RunState.RUNNING and silent else RunState(said)


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
    place = lock_run(connection, run)
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


_BEGUN = {"state": str(RunState.RUNNING), "ended": None}


def _now() -> int:
    return int(time.time())


def _lock(connection: sa.Connection, location_id: int) -> None:
    """Let no other transaction add up this location's rollups meanwhile (SQLite has one writer anyway)."""
    connection.execute(sa.select(places.c.id).where(places.c.id == location_id).with_for_update())


def lock_run(connection: sa.Connection, run: WatchRun) -> Any:
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
