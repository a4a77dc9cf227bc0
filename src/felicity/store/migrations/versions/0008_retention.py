"""Rules of how long windows and hours are kept, and the sums that stand for those that are gone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_COUNTS = ("windows", "blocks", "people_seen", "people", "frames_seen", "frames_dropped", "first", "last")
_SEEN = ("frames_expected", "frames_damaged", "frames_frozen", "pictures", "sized")
_MEASURED = ("seconds_covered", "brightness", "contrast", "sharpness", "noise", "sides")
_ARRAYS = ("hard_counts", "prob_sums", "prob_cross", "block_cross")


def upgrade() -> None:
    """Make the tables; ``folded`` has the columns of hours, and says whether a row is one or a day."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "retention",
        sa.Column("id", number, nullable=False),
        sa.Column("location_id", number),
        sa.Column("days", sa.Integer),
        sa.Column("months", sa.Integer),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name="fk_retention_location_id"),
        sa.PrimaryKeyConstraint("id", name="pk_retention"),
        sa.UniqueConstraint("location_id", name="uq_retention_location_id"),
    )
    op.create_table(
        "folded",
        sa.Column("location_id", number, nullable=False),
        sa.Column("model_id", number, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("start", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in (*_COUNTS, *_SEEN)),
        *(sa.Column(name, sa.LargeBinary) for name in _ARRAYS),
        *(sa.Column(name, sa.Float, nullable=False) for name in _MEASURED),
        sa.Column("rejected", sa.JSON),
        sa.Column("frames_unfit", sa.JSON),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name="fk_folded_location_id"),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name="fk_folded_model_id"),
        sa.PrimaryKeyConstraint("location_id", "model_id", "by", "start", name="pk_folded"),
        sqlite_with_rowid=False,
    )
    op.add_column("runs", sa.Column("folded", sa.BigInteger))
