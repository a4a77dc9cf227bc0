"""The detector that found the faces of a run, beside its bundle; older windows do not say."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the column, empty for what is there."""
    op.add_column("models", sa.Column("detector", sa.Text, nullable=False, server_default=""))
