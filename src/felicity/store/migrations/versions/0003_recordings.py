"""What a run's recording is made of, so that the same file counts once under whatever name and start."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column; it is null for older runs, of live sources and of photographs."""
    op.add_column("runs", sa.Column("recording", sa.Text))
