"""Hours and days as sums of windows, kept in step with them within the same transaction.

An hour is always added up anew from its windows, in their order, and a day from its hours; nothing is
added to or taken from a stored sum. So a rollup equals the sum of its windows to the last bit, however
often these were replaced.
"""

from __future__ import annotations

from collections.abc import Iterable
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa

from felicity.store.arrays import SUM_NAMES, WINDOW_NAMES, rollup_rows, rollups_to_sums, windows_to_sums
from felicity.store.tables import days, hours, runs, windows
from felicity.windows.buckets import bucket
from felicity.windows.sums import Sums

WINDOW_SELECT = tuple(windows.c[name] for name in WINDOW_NAMES)


def rollup_select(table: sa.Table) -> tuple[sa.Column[object], ...]:
    """The columns that ``rollups_to_sums`` reads."""
    return tuple(table.c[name] for name in SUM_NAMES)


def refresh(connection: sa.Connection, location_id: int, model_id: int, zone: ZoneInfo, starts: Iterable[int]) -> None:
    """Add up anew the hours and days in which windows begin at ``starts``."""
    of_day: dict[tuple[int, int], set[tuple[int, int]]] = {}
    for start in set(starts):
        of_day.setdefault(bucket(start, "day", zone), set()).add(bucket(start, "hour", zone))
    for (day, day_end), touched in sorted(of_day.items()):
        begin, end = min(touched)[0], max(hour_end for _, hour_end in touched)
        rows = connection.execute(
            sa.select(*WINDOW_SELECT)
            .join(runs, runs.c.id == windows.c.run_id)
            .where(windows.c.location_id == location_id, runs.c.model_id == model_id)
            .where(windows.c.start >= begin, windows.c.start < end)
            .order_by(windows.c.start, windows.c.run_id)
        ).all()
        wanted = {start for start, _ in touched}
        label = [bucket(row.start, "hour", zone)[0] for row in rows]
        kept = [row for row, hour in zip(rows, label, strict=True) if hour in wanted]
        _replace(
            connection, hours, location_id, model_id, wanted, [h for h in label if h in wanted], windows_to_sums(kept)
        )
        summed = connection.execute(
            sa.select(*rollup_select(hours))
            .where(hours.c.location_id == location_id, hours.c.model_id == model_id)
            .where(hours.c.start >= day, hours.c.start < day_end)
            .order_by(hours.c.start)
        ).all()
        _replace(connection, days, location_id, model_id, {day}, [day] * len(summed), rollups_to_sums(summed))


def _replace(
    connection: sa.Connection,
    table: sa.Table,
    location_id: int,
    model_id: int,
    buckets: set[int],
    labels: list[int],
    sums: Sums,
) -> None:
    """Put in the place of ``buckets`` the sums of the rows labelled with them; empty ones go."""
    connection.execute(
        sa.delete(table).where(
            table.c.location_id == location_id, table.c.model_id == model_id, table.c.start == sa.bindparam("bucket")
        ),
        [{"bucket": start} for start in sorted(buckets)],
    )
    present, index = np.unique(np.array(labels, dtype=np.int64), return_inverse=True)
    if not len(present):
        return
    rows = rollup_rows(sums.grouped(index, len(present)))
    for row, start in zip(rows, present.tolist(), strict=True):
        row |= {"location_id": location_id, "model_id": model_id, "start": start}
    connection.execute(sa.insert(table), rows)


def rebuild(connection: sa.Connection, location_id: int, zone: ZoneInfo) -> None:
    """Add up anew everything at a location, because its clock has changed."""
    for table in (hours, days):
        connection.execute(sa.delete(table).where(table.c.location_id == location_id))
    found = connection.execute(
        sa.select(runs.c.model_id, windows.c.start)
        .join(runs, runs.c.id == windows.c.run_id)
        .where(windows.c.location_id == location_id)
        .distinct()
    ).all()
    starts: dict[int, list[int]] = {}
    for model_id, start in found:
        starts.setdefault(model_id, []).append(start)
    for model_id, listed in starts.items():
        refresh(connection, location_id, model_id, zone, listed)
