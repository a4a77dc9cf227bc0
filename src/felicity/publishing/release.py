"""The making of releases: corrections first, then waiting people who are enough by now.

Each location is one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa

from felicity.errors import ConfigError
from felicity.index.suppression import check_k
from felicity.publishing.correcting import Correction, correct
from felicity.publishing.crowding import form_crowds
from felicity.publishing.sums import mark, sums_of
from felicity.publishing.waiting import current_model, passes, read_waiting
from felicity.store import Store, ledger, published_days
from felicity.store.matrices import stored_matrix
from felicity.store.places import check_names
from felicity.store.tables import crowds, locations
from felicity.windows.buckets import bucket

Over = Literal["day", "hour", "minute"]
"""The period that must be over before its people are published."""


@dataclass(frozen=True)
class Made:
    """The new releases of a location: their numbers, and how many people wait for a later one.

    ``blocked``: people who can never be published, because other windows of the same people were.
    """

    location: str
    releases: tuple[int, ...]
    waiting: int
    blocked: int


def make_releases(
    store: Store,
    *,
    over: Over = "day",
    wait: timedelta = timedelta(minutes=10),
    k: int = 10,
    names: Sequence[str] | None = None,
    now: datetime | None = None,
) -> list[Made]:
    """Publish the waiting people at the locations ``names``, or at all; one transaction for each of them.

    ``over``: days, hours or minutes, in the location's time zone, are published once they ended ``wait`` ago. Raises
    ConfigError for unknown locations, k below 1, a negative wait and a time without a time zone.
    """
    check_k(k)
    if over not in ("day", "hour", "minute"):
        raise ConfigError(f"releases are made by day, hour or minute, not {over!r}")
    if wait < timedelta(0):
        raise ConfigError(f"the wait after a period is a time from 0, not {wait}")
    at = datetime.now(UTC) if now is None else now
    if at.tzinfo is None:
        raise ConfigError(f"releases are made at a time with a time zone, not {at.isoformat()}")
    with store.transaction(writes=False, doing="reading locations") as connection:
        check_names(connection, names, None)
        rows = connection.execute(sa.select(locations.c.id, locations.c.name).order_by(locations.c.name))
        chosen = [row.id for row in rows if names is None or row.name in names]
    made = []
    for location_id in chosen:
        with store.transaction(writes=True, doing="making a release") as connection:
            ledger.lock(connection)
            query = sa.select(locations).where(locations.c.id == location_id).with_for_update()
            place = connection.execute(query).first()
            if place is not None:  # otherwise it was removed meanwhile
                made.append(_release(connection, place, over, wait, k, at))
    return made


def _release(connection: sa.Connection, place: Any, over: Over, wait: timedelta, k: int, now: datetime) -> Made:
    """Make the releases of one location."""
    zone = ZoneInfo(place.timezone)
    until = bucket(int((now - wait).timestamp()), over, zone)[0]
    known, current = passes(connection, place.id), current_model(connection, place.id)
    waiting = read_waiting(connection, place.id, known, current, until)
    new: dict[int, dict[tuple[int, int], int]] = {}
    left = 0
    for model_id, rows in waiting.new.items():
        label = form_crowds(rows[:, 0], rows[:, 2], until, zone, k)
        left += int(rows[label < 0, 2].sum())
        entering = {(int(rows[i, 0]), int(rows[i, 1])): int(label[i]) for i in np.flatnonzero(label >= 0).tolist()}
        if entering:
            new[model_id] = entering
    correction = correct(connection, place.id, known, waiting, current, k)
    say = {"k": k, "waiting": left, "until": until, "made": int(now.timestamp())}
    made = []
    if correction.publishes:
        made.append(ledger.record(connection, place.id, ledger.ReleaseKind.CORRECTION, **say))
    _apply(connection, place.id, k, made[0] if made else None, correction)
    if new:
        made.append(ledger.record(connection, place.id, ledger.ReleaseKind.CROWDS, **say))
        for model_id, entering in sorted(new.items()):
            _enter(connection, made[-1], place.id, model_id, k, entering)
    for release in made:
        published_days.refresh(connection, place.id, zone, release)
    if (number := _adjust_anew(connection, place.id, made, say)) is not None:
        made.append(number)
    return Made(place.name, tuple(made), left, waiting.blocked)


def _apply(connection: sa.Connection, location_id: int, k: int, release: int | None, correction: Correction) -> None:
    """Write the findings of a correction; without a release, only that windows came back unchanged."""
    correction.settle(connection, location_id)
    if release is None:
        return
    ledger.take_back(connection, release, correction.gone)
    for again in correction.entering:
        numbers = [again.number] if again.number is not None else list(ledger.new_crowds(connection, 1))
        members = (*again.members, *again.others)
        mark(connection, location_id, {(m.start, m.run_id): numbers[0] for m in members if m.run_id is not None})
        last = max(member.start for member in again.members)
        ledger.enter(connection, release, location_id, again.model_id, k, numbers, [last], again.sums)
    for rest in correction.rests:
        last = max(member.start for member in rest.members)
        ledger.enter(connection, release, location_id, rest.model_id, k, [rest.number], [last], rest.sums)
        ledger.take_back(connection, release, [rest.number])


def _enter(
    connection: sa.Connection, release: int, location_id: int, model_id: int, k: int, entering: dict[Any, int]
) -> None:
    count = max(entering.values()) + 1
    sums = sums_of(connection, location_id, entering, count)
    last = np.zeros(count, dtype=np.int64)
    for (start, _), label in entering.items():
        last[label] = max(last[label], start)
    numbers = ledger.new_crowds(connection, count)
    mark(connection, location_id, {key: numbers[label] for key, label in entering.items()})
    ledger.enter(connection, release, location_id, model_id, k, numbers, last.tolist(), sums)


def _adjust_anew(connection: sa.Connection, location_id: int, made: list[int], say: dict[str, Any]) -> int | None:
    """Publish soft matrices of new models with the last release, and changed ones as a release of their own."""
    published = ledger.matrices(connection, None)
    standing = sa.select(crowds.c.model_id).where(crowds.c.location_id == location_id, crowds.c.gone.is_(None))
    release = None
    for model_id in sorted(set(connection.execute(standing.distinct()).scalars())):
        matrix = stored_matrix(connection, location_id, model_id)
        if (location_id, model_id) not in published and made:
            ledger.publish_matrix(connection, made[-1], location_id, model_id, matrix)
        elif published.get((location_id, model_id)) != matrix:
            if release is None:
                release = ledger.record(connection, location_id, ledger.ReleaseKind.CALIBRATION, **say)
            ledger.publish_matrix(connection, release, location_id, model_id, matrix)
    return release
