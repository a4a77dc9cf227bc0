"""Sums of the windows of crowds, read in portions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import sqlalchemy as sa

from felicity.store.arrays import windows_to_sums
from felicity.store.rollups import WINDOW_SELECT
from felicity.store.tables import windows
from felicity.windows.sums import Sums

PORTION = 5_000
"""Windows held in memory at once."""
Key = tuple[int, int]
"""Start and run of a window."""


def sums_of(connection: sa.Connection, location_id: int, crowd: Mapping[Key, int], count: int) -> Sums:
    """Return the sums of ``count`` crowds, a row each, from the windows of a location whose crowds are given."""
    if not crowd:
        return Sums.empty()
    parts: list[Sums] = []
    labels: list[Any] = []
    low, high = min(crowd)[0], max(crowd)[0]
    query = sa.select(*WINDOW_SELECT, windows.c.run_id).where(
        windows.c.location_id == location_id, windows.c.start.between(low, high)
    )
    query = query.order_by(windows.c.start, windows.c.run_id)
    for rows in connection.execute(query.execution_options(yield_per=PORTION)).partitions():
        mine = [(row, number) for row in rows if (number := crowd.get((row.start, row.run_id))) is not None]
        if not mine:
            continue
        found, label = np.unique([number for _, number in mine], return_inverse=True)
        parts.append(windows_to_sums([row[:-1] for row, _ in mine]).grouped(label, len(found)))
        labels.append(found)
    return Sums.concatenate(parts).grouped(np.concatenate(labels), count)


def mark(connection: sa.Connection, location_id: int, crowd: Mapping[Key, int]) -> None:
    """Record the crowd of each published window of a location."""
    if not crowd:
        return
    change = sa.update(windows).where(
        windows.c.location_id == location_id,
        windows.c.start == sa.bindparam("at"),
        windows.c.run_id == sa.bindparam("run"),
    )
    rows = [{"at": start, "run": run_id, "number": number} for (start, run_id), number in crowd.items()]
    connection.execute(change.values(crowd=sa.bindparam("number")), rows)
