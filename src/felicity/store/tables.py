"""The tables. No person is in them: their finest record is a window.

The columns of windows and of their sums follow ``windows.columns``. Times are seconds since the epoch, UTC;
``run_start`` is in microseconds.
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
    """Yield columns of a table for those of a window or a sum; ``arrays`` gives their stored form."""
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
    sa.Column("detector", sa.Text, nullable=False, server_default=""),
)
"""A bundle, or a bundle with its ``detector``: ``identity`` is then ``BUNDLE/DETECTOR``."""

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
    sa.Column("folded", sa.BigInteger),
    sa.UniqueConstraint("location_id", "camera", "source", "run_start", "model_id"),
)

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("prefix", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False, unique=True),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("expires", sa.BigInteger),
    sa.Column("used", sa.BigInteger),
    sa.Column("revoked", sa.BigInteger),
)
"""``digest``: SHA-256 of a token; the token itself is not stored."""

users = sa.Table(
    "users",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("password", sa.Text, nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("used", sa.BigInteger),
)
"""``password``: Argon2id hash of the password, which itself is not stored."""

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("user_id", sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("used", sa.BigInteger, nullable=False),
    sa.Column("expires", sa.BigInteger, nullable=False),
)
"""``digest``: SHA-256 of the random id in a browser's cookie, which itself is not stored."""

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("time", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
)
"""Entries are only added."""

windows = sa.Table(
    "windows",
    metadata,
    sa.Column("location_id", sa.ForeignKey("locations.id"), primary_key=True),
    sa.Column("start", sa.BigInteger, primary_key=True),
    sa.Column("run_id", sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("seconds", sa.Integer, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    *_kept(WINDOW_COLUMNS),
    sa.Column("crowd", sa.BigInteger),
    sa.Index("ix_windows_run_id", "run_id"),
    sa.Index(
        "ix_windows_waiting",
        "location_id",
        "start",
        sqlite_where=sa.text("crowd IS NULL"),
        postgresql_where=sa.text("crowd IS NULL"),
    ),
    sqlite_with_rowid=False,
)
"""``crowd``: the crowd that published the window; null for windows that wait."""


def _rollup(name: str, *key: sa.Column[Any]) -> sa.Table:
    return sa.Table(
        name,
        metadata,
        sa.Column("location_id", sa.ForeignKey("locations.id"), primary_key=True),
        sa.Column("model_id", sa.ForeignKey("models.id"), primary_key=True),
        *key,
        sa.Column("start", sa.BigInteger, primary_key=True),
        *_kept(SUM_COLUMNS),
        sqlite_with_rowid=False,
    )


hours = _rollup("hours")
"""Sums of windows by hour, in the location's time zone; those of folded days are gone."""
days = _rollup("days")
"""Sums of hours by day, in the location's time zone."""

releases = sa.Table(
    "releases",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("location_id", sa.ForeignKey("locations.id")),
    sa.Column("location", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("made", sa.BigInteger, nullable=False),
    sa.Column("until", sa.BigInteger),
    sa.Column("k", sa.BigInteger, nullable=False),
    sa.Column("waiting", sa.BigInteger, nullable=False),
)
"""The releases, in the order of ``number``; see ``ledger``. ``location``: its name at that time."""

crowds = sa.Table(
    "crowds",
    metadata,
    sa.Column("crowd", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("entered", sa.ForeignKey("releases.number"), primary_key=True, autoincrement=False),
    sa.Column("gone", sa.BigInteger),
    sa.Column("location_id", sa.ForeignKey("locations.id")),
    sa.Column("model_id", sa.ForeignKey("models.id"), nullable=False),
    sa.Column("k", sa.BigInteger, nullable=False),
    sa.Column("last_start", sa.BigInteger, nullable=False),
    *_kept(SUM_COLUMNS),
    sa.Index("ix_crowds_location_id", "location_id", "first"),
)
"""Sums of each crowd as published from release ``entered`` on, until release ``gone`` took them back."""

published_days = sa.Table(
    "published_days",
    metadata,
    sa.Column("location_id", sa.ForeignKey("locations.id"), primary_key=True),
    sa.Column("model_id", sa.ForeignKey("models.id"), primary_key=True),
    sa.Column("start", sa.BigInteger, primary_key=True),
    sa.Column("crowd", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("k", sa.BigInteger, nullable=False),
    sa.Column("last_start", sa.BigInteger, nullable=False),
    *_kept(SUM_COLUMNS),
    sqlite_with_rowid=False,
)
"""Sums of the standing crowds of each day; ``crowd``: 0, or the number of one that is longer than a day."""

published_matrices = sa.Table(
    "published_matrices",
    metadata,
    sa.Column("location_id", sa.ForeignKey("locations.id"), primary_key=True, autoincrement=False),
    sa.Column("model_id", sa.ForeignKey("models.id"), primary_key=True, autoincrement=False),
    sa.Column("entered", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("soft_matrix", sa.JSON(none_as_null=True)),
)
"""The soft matrix that a location's figures are adjusted with from release ``entered`` on."""

lost_windows = sa.Table(
    "lost_windows",
    metadata,
    sa.Column("location_id", Id, primary_key=True, autoincrement=False),
    sa.Column("camera", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("run_start", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("start", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("seconds", sa.BigInteger, nullable=False),
    sa.Column("people", sa.BigInteger, nullable=False),
    sa.Column("crowd", sa.BigInteger, nullable=False),
    sa.Column("recording", sa.Text),
)
"""Published windows that are gone since; if one comes back, it counts in its crowd again.

``location_id``: 0 for a removed location.
"""

folded = _rollup("folded", sa.Column("by", sa.Text, primary_key=True))
"""Sums of deleted windows: of an hour or, once hours are deleted, too, of a day. See ``retention``."""

retention = sa.Table(
    "retention",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("location_id", sa.ForeignKey("locations.id"), unique=True),
    sa.Column("days", sa.Integer),
    sa.Column("months", sa.Integer),
)
"""The retention of windows and hours of a location; without one, of all locations without a rule."""
