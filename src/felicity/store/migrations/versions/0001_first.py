"""Locations, models, calibrations, runs, windows, and their sums by hour and day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "locations",
        sa.Column("id", number, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("timezone", sa.Text, nullable=False),
        sa.Column("geometry", sa.JSON),
        sa.Column("population", sa.Float),
        sa.Column("site_type", sa.Text),
        sa.Column("code", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_locations"),
        sa.UniqueConstraint("name", name="uq_locations_name"),
    )
    op.create_table(
        "models",
        sa.Column("id", number, nullable=False),
        sa.Column("identity", sa.Text, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("soft_matrix", sa.JSON),
        sa.PrimaryKeyConstraint("id", name="pk_models"),
        sa.UniqueConstraint("identity", name="uq_models_identity"),
    )
    op.create_table(
        "calibrations",
        sa.Column("location_id", number, nullable=False),
        sa.Column("model_id", number, nullable=False),
        sa.Column("soft_matrix", sa.JSON, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name="fk_calibrations_location_id"),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name="fk_calibrations_model_id"),
        sa.PrimaryKeyConstraint("location_id", "model_id", name="pk_calibrations"),
    )
    op.create_table(
        "runs",
        sa.Column("id", number, nullable=False),
        sa.Column("location_id", number, nullable=False),
        sa.Column("camera", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("run_start", sa.BigInteger, nullable=False),
        sa.Column("model_id", number, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("finished", sa.Boolean, nullable=False),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name="fk_runs_location_id"),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name="fk_runs_model_id"),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sa.UniqueConstraint("location_id", "camera", "source", "run_start", "model_id", name="uq_runs_location_id"),
    )
    op.create_table(
        "windows",
        sa.Column("location_id", number, nullable=False),
        sa.Column("start", sa.BigInteger, nullable=False),
        sa.Column("run_id", number, nullable=False),
        sa.Column("seconds", sa.Integer, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("people_seen", sa.BigInteger, nullable=False),
        sa.Column("people", sa.BigInteger, nullable=False),
        sa.Column("hard_counts", sa.LargeBinary),
        sa.Column("prob_sums", sa.LargeBinary),
        sa.Column("prob_cross", sa.LargeBinary),
        sa.Column("frames_seen", sa.BigInteger, nullable=False),
        sa.Column("frames_dropped", sa.BigInteger, nullable=False),
        sa.Column("seconds_covered", sa.Float, nullable=False),
        sa.Column("rejected", sa.JSON),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name="fk_windows_location_id"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_windows_run_id"),
        sa.PrimaryKeyConstraint("location_id", "start", "run_id", name="pk_windows"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_windows_run_id", "windows", ["run_id"])
    for name in ("hours", "days"):
        op.create_table(
            name,
            sa.Column("location_id", number, nullable=False),
            sa.Column("model_id", number, nullable=False),
            sa.Column("start", sa.BigInteger, nullable=False),
            sa.Column("windows", sa.BigInteger, nullable=False),
            sa.Column("blocks", sa.BigInteger, nullable=False),
            sa.Column("people_seen", sa.BigInteger, nullable=False),
            sa.Column("people", sa.BigInteger, nullable=False),
            sa.Column("hard_counts", sa.LargeBinary),
            sa.Column("prob_sums", sa.LargeBinary),
            sa.Column("prob_cross", sa.LargeBinary),
            sa.Column("block_cross", sa.LargeBinary),
            sa.Column("frames_seen", sa.BigInteger, nullable=False),
            sa.Column("frames_dropped", sa.BigInteger, nullable=False),
            sa.Column("seconds_covered", sa.Float, nullable=False),
            sa.Column("first", sa.BigInteger, nullable=False),
            sa.Column("last", sa.BigInteger, nullable=False),
            sa.Column("rejected", sa.JSON),
            sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=f"fk_{name}_location_id"),
            sa.ForeignKeyConstraint(["model_id"], ["models.id"], name=f"fk_{name}_model_id"),
            sa.PrimaryKeyConstraint("location_id", "model_id", "start", name=f"pk_{name}"),
            sqlite_with_rowid=False,
        )
