"""The ledger of releases: their numbers without gaps, the crowds of each, and later losses.

A *crowd* is a set of at least k people who are only ever published together. A row of ``crowds`` is a crowd as one
release published it; the row holds until a later release takes it back. Rows are added and marked as gone, never
changed. Call these functions within a transaction that holds ``lock``.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from felicity.store.arrays import rollup_rows
from felicity.store.engine import insert_missing
from felicity.store.tables import (
    crowds,
    locations,
    lost_windows,
    published_days,
    published_matrices,
    releases,
    runs,
    windows,
)
from felicity.windows.sums import Sums

NOWHERE = 0
"""Stands for the number of a removed location."""
_LOCK = 0x46656C6963697480


class ReleaseKind(StrEnum):
    """The kind of a release."""

    CROWDS = "crowds"
    """It publishes people who waited."""
    CORRECTION = "correction"
    """It takes crowds back, or publishes their present state."""
    CALIBRATION = "calibration"
    """It adjusts the same crowds with another soft matrix."""
    MERGED = "merged"
    """It adds the crowds of a location that was merged into this one."""
    LOCATION = "location"
    """The location has another name, area, time zone or population."""
    REMOVED = "removed"
    """The location was removed, and its crowds are taken back."""


def lock(connection: sa.Connection) -> None:
    """Lock the numbering against other transactions (SQLite has one writer anyway)."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def record(
    connection: sa.Connection,
    location_id: int,
    kind: ReleaseKind,
    *,
    k: int,
    waiting: int,
    until: int | None = None,
    made: int | None = None,
) -> int:
    """Add a release and return its number, one more than the last."""
    number = int(connection.execute(sa.select(sa.func.coalesce(sa.func.max(releases.c.number), 0))).scalar_one()) + 1
    name = connection.execute(sa.select(locations.c.name).where(locations.c.id == location_id)).scalar_one()
    values = {"location_id": location_id, "location": name, "kind": str(kind), "k": k, "waiting": waiting}
    made = int(time.time()) if made is None else made
    connection.execute(sa.insert(releases).values(number=number, made=made, until=until, **values))
    return number


def new_crowds(connection: sa.Connection, count: int) -> range:
    """Return ``count`` unused numbers of crowds."""
    last = connection.execute(sa.select(sa.func.max(crowds.c.crowd))).scalar() or 0
    return range(last + 1, last + 1 + count)


def enter(
    connection: sa.Connection,
    release: int,
    location_id: int,
    model_id: int,
    k: int,
    numbers: Sequence[int],
    last_starts: Sequence[int],
    sums: Sums,
) -> None:
    """Publish crowds ``numbers`` with ``sums``, one row per crowd, whose last windows begin at ``last_starts``."""
    common = {"entered": release, "location_id": location_id, "model_id": model_id, "k": k}
    rows = [
        common | {"crowd": number, "last_start": last} | row
        for number, last, row in zip(numbers, last_starts, rollup_rows(sums), strict=True)
    ]
    if rows:
        connection.execute(sa.insert(crowds), rows)


def take_back(connection: sa.Connection, release: int, numbers: Sequence[int]) -> None:
    """Take back the standing rows of crowds ``numbers`` from ``release`` on."""
    if numbers:
        mark = sa.update(crowds).where(crowds.c.crowd == sa.bindparam("number"), crowds.c.gone.is_(None))
        connection.execute(mark.values(gone=release), [{"number": number} for number in numbers])


def lose(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> None:
    """Record which published windows of those ``where`` are about to be deleted, so that they never count as new."""
    gone = (
        sa.select(
            windows.c.location_id,
            runs.c.camera,
            runs.c.source,
            runs.c.run_start,
            windows.c.start,
            windows.c.seconds,
            windows.c.people,
            windows.c.crowd,
            runs.c.recording,
        )
        .join(runs, runs.c.id == windows.c.run_id)
        .where(windows.c.crowd.is_not(None), *where)
    )
    rows = [dict(row) for row in connection.execute(gone).mappings()]
    if rows:
        connection.execute(insert_missing(connection, lost_windows), rows)


def changed_location(connection: sa.Connection, location_id: int) -> None:
    """Add a release for a location's new name or details, if the location has any release."""
    if (last := _last(connection, location_id)) is not None:
        record(connection, location_id, ReleaseKind.LOCATION, k=last.k, waiting=last.waiting)


def move(connection: sa.Connection, source: int, target: int) -> None:
    """Publish the crowds of location ``source`` at ``target``, into which it is merged."""
    last = _last(connection, source)
    if last is not None:
        there = _last(connection, target)
        waiting = last.waiting + (there.waiting if there is not None else 0)
        number = record(connection, target, ReleaseKind.MERGED, k=max(last.k, there.k if there else 0), waiting=waiting)
        standing = (crowds.c.location_id == source, crowds.c.gone.is_(None))
        rows = [dict(row) for row in connection.execute(sa.select(crowds).where(*standing)).mappings()]
        connection.execute(sa.update(crowds).where(*standing).values(gone=number))
        if rows:
            connection.execute(
                sa.insert(crowds), [row | {"entered": number, "gone": None, "location_id": target} for row in rows]
            )
        _move_matrices(connection, source, target, number)
    _move_lost(connection, source, target)
    _detach(connection, source)


def _move_matrices(connection: sa.Connection, source: int, target: int, number: int) -> None:
    """Copy the matrices of models with which the target has not published."""
    own = matrices(connection, None)
    for (location_id, model_id), matrix in own.items():
        if location_id == source and (target, model_id) not in own:
            publish_matrix(connection, number, target, model_id, matrix)


def _move_lost(connection: sa.Connection, source: int, target: int) -> None:
    mine = lost_windows.c.location_id == source
    rows = [dict(row) for row in connection.execute(sa.select(lost_windows).where(mine)).mappings()]
    connection.execute(sa.delete(lost_windows).where(mine))
    if rows:
        moved = [row | {"location_id": target} for row in rows]
        connection.execute(insert_missing(connection, lost_windows), moved)


def forget(connection: sa.Connection, location_id: int) -> None:
    """Take back all standing crowds of a location that is about to be removed."""
    if (last := _last(connection, location_id)) is not None:
        number = record(connection, location_id, ReleaseKind.REMOVED, k=last.k, waiting=0)
        standing = (crowds.c.location_id == location_id, crowds.c.gone.is_(None))
        connection.execute(sa.update(crowds).where(*standing).values(gone=number))
    _move_lost(connection, location_id, NOWHERE)
    _detach(connection, location_id)


def _detach(connection: sa.Connection, location_id: int) -> None:
    """Keep the published crowds of a removed location, by its name alone."""
    for own in (published_matrices, published_days):
        connection.execute(sa.delete(own).where(own.c.location_id == location_id))
    for table in (crowds, releases):
        connection.execute(sa.update(table).where(table.c.location_id == location_id).values(location_id=None))


def _last(connection: sa.Connection, location_id: int) -> Any:
    """Return the latest release of a location, None without any."""
    query = sa.select(releases).where(releases.c.location_id == location_id)
    return connection.execute(query.order_by(releases.c.number.desc()).limit(1)).first()


def matrices(connection: sa.Connection, release: int | None) -> dict[tuple[int, int], Mapping[str, Any] | None]:
    """Return the published soft matrix by location and model, as JSON, as of a release; None stands for the latest."""
    query = sa.select(published_matrices).order_by(published_matrices.c.entered)
    if release is not None:
        query = query.where(published_matrices.c.entered <= release)
    return {(row.location_id, row.model_id): row.soft_matrix for row in connection.execute(query)}


def publish_matrix(
    connection: sa.Connection, release: int, location_id: int, model_id: int, matrix: Mapping[str, Any] | None
) -> None:
    """Record that a location's figures are adjusted with another soft matrix from ``release`` on."""
    key = {"location_id": location_id, "model_id": model_id, "entered": release}
    connection.execute(sa.insert(published_matrices).values(**key, soft_matrix=matrix))
