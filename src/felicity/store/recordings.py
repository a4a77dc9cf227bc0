"""The run that has counted a recording."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from felicity.store.runs import RunState
from felicity.store.store import Store
from felicity.store.tables import locations as places
from felicity.store.tables import models, runs


@dataclass(frozen=True)
class CountedRecording:
    """A run of a recording; ``ended``: it came to its end, and all its windows are there."""

    run: int
    camera: str
    source: str
    run_start: datetime
    ended: bool


def find_recording(store: Store, location: str, recording: str, model: str, detector: str) -> CountedRecording | None:
    """Return the run that has counted a recording at a location with this bundle and detector, the latest of several.

    ``recording``: as for ``Store.begin_run``. Raises StoreError.
    """
    query = (
        sa.select(runs.c.id, runs.c.camera, runs.c.source, runs.c.run_start, runs.c.state)
        .join(places, places.c.id == runs.c.location_id)
        .join(models, models.c.id == runs.c.model_id)
        .where(places.c.name == location, runs.c.recording == recording)
        .where(models.c.identity.in_([model, f"{model}/{detector}"]), models.c.detector.in_(["", detector]))
        .order_by(runs.c.id.desc())
    )
    with store.transaction(writes=False, doing="looking for a recording") as connection:
        row = connection.execute(query).first()
    if row is None:
        return None
    begin = datetime.fromtimestamp(row.run_start // 1_000_000, UTC).replace(microsecond=row.run_start % 1_000_000)
    return CountedRecording(row.id, row.camera, row.source, begin, row.state == RunState.ENDED)
