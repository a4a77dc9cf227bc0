"""Standing published sums by day: a row for the crowds that lie wholly within a day, and one for each longer crowd.

As in ``rollups`` for windows, each row is summed again from its crowds whenever one of them comes or goes.
"""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from felicity.store.arrays import rollup_rows, rollups_to_sums
from felicity.store.rollups import rollup_select
from felicity.store.tables import crowds, published_days
from felicity.windows.buckets import bucket

_OWN = (crowds.c.crowd, crowds.c.model_id, crowds.c.k, crowds.c.last_start)


def refresh(connection: sa.Connection, location_id: int, zone: ZoneInfo, release: int | None = None) -> None:
    """Sum again the rows that a release changed at a location; without a release, all rows."""
    mine = (crowds.c.location_id == location_id,)
    changed = sa.select(crowds.c.crowd, crowds.c.model_id, crowds.c.first, crowds.c.last_start).where(*mine)
    if release is None:
        connection.execute(sa.delete(published_days).where(published_days.c.location_id == location_id))
        changed = changed.where(crowds.c.gone.is_(None))
    else:
        changed = changed.where(sa.or_(crowds.c.entered == release, crowds.c.gone == release))
    days: set[tuple[int, int, int]] = set()
    longer: set[tuple[int, int, int]] = set()
    for row in connection.execute(changed):
        begin, end = bucket(row.first, "day", zone)
        if row.last_start < end:
            days.add((row.model_id, begin, end))
        else:
            longer.add((row.model_id, row.crowd, row.first))
    standing = sa.select(*_OWN, *rollup_select(crowds)).where(*mine, crowds.c.gone.is_(None))
    keys = [(model_id, begin, 0) for model_id, begin, _ in sorted(days)]
    keys += [(model_id, first, number) for model_id, number, first in sorted(longer)]
    _forget(connection, location_id, keys)
    ends = {(model_id, begin): end for model_id, begin, end in days}
    rows = []
    for model_id, start, number in keys:
        chosen = crowds.c.crowd == number
        if not number:
            end = ends[model_id, start]
            within = (crowds.c.model_id == model_id, crowds.c.first >= start, crowds.c.first < end)
            chosen = sa.and_(*within, crowds.c.last_start < end)
        found = connection.execute(standing.where(chosen).order_by(crowds.c.first, crowds.c.crowd)).all()
        if found:
            rows.append(_row(found) | {"location_id": location_id, "start": start, "crowd": number})
    if rows:
        connection.execute(sa.insert(published_days), rows)


def _forget(connection: sa.Connection, location_id: int, keys: list[tuple[int, int, int]]) -> None:
    names = ("model_id", "start", "crowd")
    gone = sa.delete(published_days).where(
        published_days.c.location_id == location_id,
        *(published_days.c[name] == sa.bindparam(f"{name}_") for name in names),
    )
    if keys:
        connection.execute(gone, [{f"{name}_": value for name, value in zip(names, key, strict=True)} for key in keys])


def _row(found: Any) -> dict[str, Any]:
    """Return the sums of some crowds of one model."""
    (total,) = rollup_rows(rollups_to_sums([row[len(_OWN) :] for row in found]).total())
    last_start, k = max(row.last_start for row in found), min(row.k for row in found)
    return total | {"model_id": found[0].model_id, "k": k, "last_start": last_start}
