"""The ledger of releases: what was published of whom, and windows that are gone from what was published."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_COUNTS = ("windows", "blocks", "people_seen", "people", "frames_seen", "frames_dropped", "first", "last")
_SEEN = ("frames_expected", "frames_damaged", "frames_frozen", "pictures", "sized")
_MEASURED = ("seconds_covered", "brightness", "contrast", "sharpness", "noise", "sides")
_ARRAYS = ("hard_counts", "prob_sums", "prob_cross", "block_cross")


def upgrade() -> None:
    """Make the tables, and let each window say which crowd it was published in."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "releases",
        sa.Column("number", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("location_id", number),
        sa.Column("location", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("made", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger),
        sa.Column("k", sa.BigInteger, nullable=False),
        sa.Column("waiting", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name="fk_releases_location_id"),
        sa.PrimaryKeyConstraint("number", name="pk_releases"),
    )
    op.create_table(
        "crowds",
        sa.Column("crowd", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("entered", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("gone", sa.BigInteger),
        sa.Column("location_id", number),
        sa.Column("model_id", number, nullable=False),
        sa.Column("k", sa.BigInteger, nullable=False),
        sa.Column("last_start", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in (*_COUNTS, *_SEEN)),
        *(sa.Column(name, sa.LargeBinary) for name in _ARRAYS),
        *(sa.Column(name, sa.Float, nullable=False) for name in _MEASURED),
        sa.Column("rejected", sa.JSON),
        sa.Column("frames_unfit", sa.JSON),
        sa.ForeignKeyConstraint(["entered"], ["releases.number"], name="fk_crowds_entered"),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name="fk_crowds_location_id"),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name="fk_crowds_model_id"),
        sa.PrimaryKeyConstraint("crowd", "entered", name="pk_crowds"),
    )
    op.create_index("ix_crowds_location_id", "crowds", ["location_id", "first"])
    _keep_matrices_and_losses(number)
    op.add_column("windows", sa.Column("crowd", sa.BigInteger))
    waiting = sa.text("crowd IS NULL")
    op.create_index(
        "ix_windows_waiting", "windows", ["location_id", "start"], sqlite_where=waiting, postgresql_where=waiting
    )


def _keep_matrices_and_losses(number: sa.types.TypeEngine[int]) -> None:
    op.create_table(
        "published_matrices",
        sa.Column("location_id", number, nullable=False, autoincrement=False),
        sa.Column("model_id", number, nullable=False, autoincrement=False),
        sa.Column("entered", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("soft_matrix", sa.JSON),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name="fk_published_matrices_location_id"),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name="fk_published_matrices_model_id"),
        sa.PrimaryKeyConstraint("location_id", "model_id", "entered", name="pk_published_matrices"),
    )
    op.create_table(
        "lost_windows",
        sa.Column("location_id", number, nullable=False, autoincrement=False),
        sa.Column("camera", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("run_start", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("start", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("seconds", sa.BigInteger, nullable=False),
        sa.Column("people", sa.BigInteger, nullable=False),
        sa.Column("crowd", sa.BigInteger, nullable=False),
        sa.Column("recording", sa.Text),
        sa.PrimaryKeyConstraint("location_id", "camera", "source", "run_start", "start", name="pk_lost_windows"),
    )
