"""Runs: begun, kept alive by heartbeats, finished, listed, removed."""

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
from felicity.store import ledger, rollups
from felicity.store.engine import id_of
from felicity.store.matrices import bundle_of, model_id_of
from felicity.store.tables import locations as places
from felicity.store.tables import models, runs
from felicity.store.tables import windows as stored
from felicity.windows.window import LONGEST, WindowKey

LOST_AFTER = timedelta(minutes=3)
"""A running run is lost if its last heartbeat is older than this."""


class RunState(StrEnum):
    """The state of a run."""

    RUNNING = "running"
    """It is being watched."""
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
    detector: str = ""


@dataclass(frozen=True)
class RunRecord:
    """A run in the store: its source and its outcome.

    ``first``, ``last``: from the begin of its first window to the end of its last, in the location's time zone; None
    without windows. ``detector``: empty if unknown. ``people``: all face tracks. ``heartbeat``: the time of its last
    heartbeat. ``ended``: when it ended or was stopped; both in the location's time zone, None if unknown.
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
    detector: str = ""


def begin_run(
    connection: sa.Connection,
    location: str,
    camera: str,
    source: str,
    run_start: datetime,
    model: str,
    recording: str | None = None,
    detector: str = "",
    *,
    go_on: bool = False,
) -> WatchRun:
    """Begin a run; see ``Store.begin_run``."""
    key = WindowKey(location, camera, source, run_start, model, datetime.fromtimestamp(0, UTC), 1, detector)
    location_id = id_of(connection, places.c.name, location, timezone="UTC")
    model_id, unsaid = model_id_of(connection, model, detector), model_id_of(connection, model, "")
    _lock(connection, location_id)
    own = {
        "location_id": location_id,
        "camera": camera,
        "source": source,
        "run_start": round(key.run_start.timestamp() * 1_000_000),
        "model_id": model_id,
    }
    same = [runs.c[column] == value for column, value in own.items()]
    if detector:
        _take_over(connection, own, unsaid)
    found = connection.execute(sa.select(runs.c.id, runs.c.generation, runs.c.folded).where(*same)).one_or_none()
    if recording is not None:
        if found is not None and found.folded is not None:
            raise ConfigError(
                f"{source}: run {found.id} has counted it at {location!r}, and its windows have become hours or days, "
                "which cannot be replaced"
            )
        _check_recording(connection, location, source, recording, None if found is None else found.id, own, unsaid)
    begun = {**_BEGUN, "recording": recording, "heartbeat": _now()}
    if found is None:
        generation = 1
        made = sa.insert(runs).values(**own, generation=generation, **begun).returning(runs.c.id)
        run_id = connection.execute(made).scalar_one()
    else:
        run_id, generation = found.id, found.generation + (not go_on)
        again = sa.update(runs).where(runs.c.id == run_id)
        connection.execute(again.values(generation=generation, **begun))
    return WatchRun(run_id, generation, location, camera, source, key.run_start, model, detector)


def _take_over(connection: sa.Connection, own: dict[str, Any], unsaid: int) -> None:
    """Set the detector of an older run without one to that of the same run begun again."""
    others = [runs.c[column] == value for column, value in own.items() if column != "model_id"]
    known = sa.select(runs.c.id).where(*others, runs.c.model_id == own["model_id"])
    if connection.execute(known).first() is not None:
        return
    before = connection.execute(sa.select(runs.c.id).where(*others, runs.c.model_id == unsaid)).scalar()
    if before is None:
        return
    connection.execute(sa.update(runs).where(runs.c.id == before).values(model_id=own["model_id"]))
    place = own["location_id"]
    zone = ZoneInfo(connection.execute(sa.select(places.c.timezone).where(places.c.id == place)).scalar_one())
    starts = set(connection.execute(sa.select(stored.c.start).where(stored.c.run_id == before)).scalars())
    for model_id in (unsaid, own["model_id"]):
        rollups.refresh(connection, place, model_id, zone, starts)


def _check_recording(
    connection: sa.Connection,
    location: str,
    source: str,
    recording: str,
    own_id: int | None,
    own: dict[str, Any],
    unsaid: int,
) -> None:
    """Raise ConfigError if another run at the location has counted the recording by the same model and detector."""
    query = sa.select(runs.c.id, runs.c.source, runs.c.run_start).where(
        runs.c.location_id == own["location_id"],
        runs.c.model_id.in_({own["model_id"], unsaid}),
        runs.c.recording == recording,
    )
    other = next((row for row in connection.execute(query) if row.id != own_id), None)
    if other is not None:
        began = datetime.fromtimestamp(other.run_start / 1_000_000, UTC)
        raise ConfigError(
            f"{source}: run {other.id} has counted this recording at {location!r} already, as {other.source} from "
            f"{began:%Y-%m-%d %H:%M:%S} UTC on; to count it again: felicity runs remove {other.id}"
        )


def beat(connection: sa.Connection, run: WatchRun) -> None:
    """Record a heartbeat; see ``Store.heartbeat``."""
    mine = (runs.c.id == run.id, runs.c.generation == run.generation)
    connection.execute(sa.update(runs).where(*mine).values(heartbeat=_now()))


def finish_run(connection: sa.Connection, run: WatchRun, state: RunState) -> None:
    """End a run; see ``Store.finish_run``."""
    place = lock_run(connection, run)
    if state is RunState.ENDED:
        stale = (stored.c.run_id == run.id, stored.c.generation < run.generation)
        starts = set(connection.execute(sa.select(stored.c.start).where(*stale)).scalars())
        if starts:
            ledger.lose(connection, *stale)
            connection.execute(sa.delete(stored).where(*stale))
            rollups.refresh(connection, place.location_id, place.model_id, ZoneInfo(place.timezone), starts)
    done = {"state": str(state), "heartbeat": _now(), "ended": _now()}
    connection.execute(sa.update(runs).where(runs.c.id == run.id).values(**done))


def list_runs(connection: sa.Connection) -> list[RunRecord]:
    """Return runs; see ``Store.runs``."""
    begin, end = sa.func.min(stored.c.start), sa.func.max(stored.c.start + stored.c.seconds)
    columns = (
        runs.c.id,
        places.c.name,
        places.c.timezone,
        runs.c.camera,
        runs.c.source,
        models.c.identity,
        models.c.detector,
    )
    sums = (sa.func.count(stored.c.start).label("windows"), sa.func.sum(stored.c.people_seen).label("people"))
    rows = connection.execute(
        sa.select(
            *columns, runs.c.state, runs.c.heartbeat, runs.c.ended, begin.label("first"), end.label("last"), *sums
        )
        .join(places, places.c.id == runs.c.location_id)
        .join(models, models.c.id == runs.c.model_id)
        .join(stored, stored.c.run_id == runs.c.id, isouter=True)
        .group_by(runs.c.id, places.c.name, places.c.timezone, models.c.identity, models.c.detector)
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
            model=bundle_of(row.identity, row.detector),
            detector=row.detector,
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
    """Return the state of a run, from its last heartbeat."""
    silent = heartbeat is None or _now() - heartbeat > LOST_AFTER.total_seconds()
    return RunState.LOST if said == RunState.RUNNING and silent else RunState(said)


def remove_run(connection: sa.Connection, run_id: int) -> None:
    """Remove a run; see ``Store.remove_runs``."""
    query = sa.select(runs.c.location_id, runs.c.model_id, runs.c.folded, places.c.name, places.c.timezone)
    query = query.where(runs.c.id == run_id)
    place = connection.execute(query.join(places, places.c.id == runs.c.location_id)).one_or_none()
    if place is None:
        raise ConfigError(f"there is no run {run_id} in this store; see: felicity runs list")
    if place.folded is not None:
        until = datetime.fromtimestamp(place.folded, ZoneInfo(place.timezone))
        raise ConfigError(
            f"run {run_id}: its windows until {until:%Y-%m-%d %H:%M} are part of hours or days of {place.name!r} and "
            "cannot be taken back; remove the location as a whole"
        )
    _lock(connection, place.location_id)
    starts = set(connection.execute(sa.select(stored.c.start).where(stored.c.run_id == run_id)).scalars())
    ledger.lose(connection, stored.c.run_id == run_id)
    connection.execute(sa.delete(stored).where(stored.c.run_id == run_id))
    rollups.refresh(connection, place.location_id, place.model_id, ZoneInfo(place.timezone), starts)
    connection.execute(sa.delete(runs).where(runs.c.id == run_id))


def overlapping(connection: sa.Connection, run: WatchRun) -> int:
    """Count overlapping windows; see ``Store.overlapping``."""
    place = lock_run(connection, run)
    columns = sa.select(stored.c.start, stored.c.seconds).where(stored.c.location_id == place.location_id)
    mine = connection.execute(columns.where(stored.c.run_id == run.id).order_by(stored.c.start)).all()
    if not mine:
        return 0
    others = connection.execute(
        columns.join(runs, runs.c.id == stored.c.run_id)
        .where(runs.c.id != run.id, runs.c.model_id.in_({place.model_id, model_id_of(connection, run.model, "")}))
        .where(sa.or_(runs.c.camera == run.camera, runs.c.source == run.source))
        .where(stored.c.people_seen > 0)
        .where(stored.c.start > mine[0].start - LONGEST, stored.c.start < mine[-1].start + mine[-1].seconds)
    ).all()
    begin = [row.start for row in mine]
    # Of this run's windows, the last that begins before the other ends; windows of a run follow each other.
    last = [bisect_left(begin, row.start + row.seconds) - 1 for row in others]
    return sum(i >= 0 and begin[i] + mine[i].seconds > row.start for i, row in zip(last, others, strict=True))


_BEGUN = {"state": str(RunState.RUNNING), "ended": None}


def _now() -> int:
    return int(time.time())


def _lock(connection: sa.Connection, location_id: int) -> None:
    """Lock this location's rollups against other transactions (SQLite has one writer anyway)."""
    connection.execute(sa.select(places.c.id).where(places.c.id == location_id).with_for_update())


def lock_run(connection: sa.Connection, run: WatchRun) -> Any:
    """Return the facts of a run that its windows need, locked like ``_lock``."""
    query = (
        sa.select(runs.c.location_id, runs.c.model_id, runs.c.generation, runs.c.folded, places.c.timezone)
        .join(places, places.c.id == runs.c.location_id)
        .where(runs.c.id == run.id)
        .with_for_update()
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise StoreError(f"run {run.id} of {run.source!r} at {run.location!r} is not in this store")
    return row
