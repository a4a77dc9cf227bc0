"""Hours and days as sums of windows, updated with them within the same transaction.

An hour is always summed again from its windows, in their order, and a day from its hours; nothing is added to or
subtracted from a stored sum. So a rollup equals the sum of its windows to the last bit, however often these were
replaced. The sums of folded windows and hours (``retention``) are added to them.
"""

from __future__ import annotations

from collections.abc import Iterable
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa

from felicity.store.arrays import SUM_NAMES, WINDOW_NAMES, rollup_rows, rollups_to_sums, windows_to_sums
from felicity.store.tables import days, folded, hours, runs, windows
from felicity.windows.buckets import bucket
from felicity.windows.sums import Sums

WINDOW_SELECT = tuple(windows.c[name] for name in WINDOW_NAMES)


def rollup_select(table: sa.Table) -> tuple[sa.Column[object], ...]:
    """Return the columns that ``rollups_to_sums`` reads."""
    return tuple(table.c[name] for name in SUM_NAMES)


def refresh(connection: sa.Connection, location_id: int, model_id: int, zone: ZoneInfo, starts: Iterable[int]) -> None:
    """Sum again the hours and days in which windows begin at ``starts``."""
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
        old, old_label = _read(connection, folded, location_id, model_id, begin, end, by="hour")
        sums = Sums.concatenate([old.take(np.isin(old_label, list(wanted))), windows_to_sums(kept)])
        labels = [h for h in (*old_label, *label) if h in wanted]
        _replace(connection, hours, location_id, model_id, wanted, labels, sums)
        summed, _ = _read(connection, hours, location_id, model_id, day, day_end)
        old, _ = _read(connection, folded, location_id, model_id, day, day_end, by="day")
        whole = Sums.concatenate([old, summed])
        _replace(connection, days, location_id, model_id, {day}, [day] * len(whole), whole)


def _read(
    connection: sa.Connection,
    table: sa.Table,
    location_id: int,
    model_id: int,
    begin: int,
    end: int,
    *,
    by: str | None = None,
) -> tuple[Sums, list[int]]:
    """Return sums that start in begin … end, in order, and their starts; ``by``: the kind of folded sums."""
    query = (
        sa.select(*rollup_select(table), table.c.start)
        .where(table.c.location_id == location_id, table.c.model_id == model_id)
        .where(table.c.start >= begin, table.c.start < end)
        .order_by(table.c.start)
    )
    rows = connection.execute(query if by is None else query.where(table.c.by == by)).all()
    return rollups_to_sums([row[:-1] for row in rows]), [row.start for row in rows]


def _replace(
    connection: sa.Connection,
    table: sa.Table,
    location_id: int,
    model_id: int,
    buckets: set[int],
    labels: list[int],
    sums: Sums,
) -> None:
    """Replace ``buckets`` by the sums of the rows labelled with them; empty ones are removed."""
    own = (table.c.location_id == location_id, table.c.model_id == model_id)
    connection.execute(sa.delete(table).where(*own, table.c.start.in_(sorted(buckets))))
    present, index = np.unique(np.array(labels, dtype=np.int64), return_inverse=True)
    if not len(present):
        return
    rows = rollup_rows(sums.grouped(index, len(present)))
    for row, start in zip(rows, present.tolist(), strict=True):
        row |= {"location_id": location_id, "model_id": model_id, "start": start}
    connection.execute(sa.insert(table), rows)


def rebuild(connection: sa.Connection, location_id: int, zone: ZoneInfo) -> None:
    """Sum again everything at a location, after a change of its time zone."""
    for table in (hours, days):
        connection.execute(sa.delete(table).where(table.c.location_id == location_id))
    found = connection.execute(
        sa.select(runs.c.model_id, windows.c.start)
        .join(runs, runs.c.id == windows.c.run_id)
        .where(windows.c.location_id == location_id)
        .union(sa.select(folded.c.model_id, folded.c.start).where(folded.c.location_id == location_id))
    ).all()
    starts: dict[int, list[int]] = {}
    for model_id, start in found:
        starts.setdefault(model_id, []).append(start)
    for model_id, listed in starts.items():
        refresh(connection, location_id, model_id, zone, listed)
