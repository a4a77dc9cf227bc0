"""The tables. No person is in them: the finest thing kept is a window.

The columns of windows and of their sums follow ``windows.columns``. Times are seconds
since the epoch, UTC; ``run_start`` is in microseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import sqlalchemy as sa

from felicity.windows.columns import SUM_COLUMNS, WINDOW_COLUMNS, Column, Tally

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _kept(columns: Iterable[Column]) -> Iterator[sa.Column[Any]]:
    """Columns of a table for those of a window or a sum; ``arrays`` says how values are kept in them."""
    for column in columns:
        if isinstance(column, Tally):
            yield sa.Column(column.name, sa.JSON(none_as_null=True))
        elif column.shape:
            yield sa.Column(column.name, sa.LargeBinary)
        else:
            kind = sa.Float if column.dtype is np.float64 else sa.BigInteger
            yield sa.Column(column.name, kind, nullable=False)


locations = sa.Table(
    "locations",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("timezone", sa.Text, nullable=False),
    sa.Column("geometry", sa.JSON(none_as_null=True)),
    sa.Column("population", sa.Float),
    sa.Column("site_type", sa.Text),
    sa.Column("code", sa.Text),
)

models = sa.Table(
    "models",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("identity", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text),
    sa.Column("soft_matrix", sa.JSON(none_as_null=True)),
)

calibrations = sa.Table(
    "calibrations",
    metadata,
    sa.Column("location_id", sa.ForeignKey("locations.id"), primary_key=True),
    sa.Column("model_id", sa.ForeignKey("models.id"), primary_key=True),
    sa.Column("soft_matrix", sa.JSON, nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("location_id", sa.ForeignKey("locations.id"), nullable=False),
    sa.Column("camera", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("run_start", sa.BigInteger, nullable=False),
    sa.Column("model_id", sa.ForeignKey("models.id"), nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="running"),
    sa.Column("heartbeat", sa.BigInteger),
    sa.Column("ended", sa.BigInteger),
    sa.Column("recording", sa.Text),
    sa.UniqueConstraint("location_id", "camera", "source", "run_start", "model_id"),
)

windows = sa.Table(
    "windows",
    metadata,
    sa.Column("location_id", sa.ForeignKey("locations.id"), primary_key=True),
    sa.Column("start", sa.BigInteger, primary_key=True),
    sa.Column("run_id", sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("seconds", sa.Integer, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    *_kept(WINDOW_COLUMNS),
    sa.Index("ix_windows_run_id", "run_id"),
    sqlite_with_rowid=False,
)


def _rollup(name: str) -> sa.Table:
    return sa.Table(
        name,
        metadata,
        sa.Column("location_id", sa.ForeignKey("locations.id"), primary_key=True),
        sa.Column("model_id", sa.ForeignKey("models.id"), primary_key=True),
        sa.Column("start", sa.BigInteger, primary_key=True),
        *_kept(SUM_COLUMNS),
        sqlite_with_rowid=False,
    )


hours = _rollup("hours")
"""Sums of windows by the hour, on the location's clock."""
days = _rollup("days")
"""Sums of hours by the day, on the location's clock."""
