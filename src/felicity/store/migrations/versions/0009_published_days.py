"""Sums of what stands published, by the day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_COUNTS = ("windows", "blocks", "people_seen", "people", "frames_seen", "frames_dropped", "first", "last")
_SEEN = ("frames_expected", "frames_damaged", "frames_frozen", "pictures", "sized")
_MEASURED = ("seconds_covered", "brightness", "contrast", "sharpness", "noise", "sides")
_ARRAYS = ("hard_counts", "prob_sums", "prob_cross", "block_cross")


def upgrade() -> None:
    """Make the table; releases fill it."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "published_days",
        sa.Column("location_id", number, nullable=False),
        sa.Column("model_id", number, nullable=False),
        sa.Column("start", sa.BigInteger, nullable=False),
        sa.Column("crowd", sa.BigInteger, nullable=False),
        sa.Column("k", sa.BigInteger, nullable=False),
        sa.Column("last_start", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in (*_COUNTS, *_SEEN)),
        *(sa.Column(name, sa.LargeBinary) for name in _ARRAYS),
        *(sa.Column(name, sa.Float, nullable=False) for name in _MEASURED),
        sa.Column("rejected", sa.JSON),
        sa.Column("frames_unfit", sa.JSON),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name="fk_published_days_location_id"),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name="fk_published_days_model_id"),
        sa.PrimaryKeyConstraint("location_id", "model_id", "start", "crowd", name="pk_published_days"),
        sqlite_with_rowid=False,
    )
