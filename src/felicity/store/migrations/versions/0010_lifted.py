"""How many people were judged by faces whose contrast was raised."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the column, zero for existing rows."""
    for table in ("windows", "hours", "days", "folded", "crowds", "published_days"):
        op.add_column(table, sa.Column("lifted", sa.BigInteger, nullable=False, server_default="0"))
