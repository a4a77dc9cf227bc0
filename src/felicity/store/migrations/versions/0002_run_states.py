"""What became of a run, when it last said that it is running, and when it ended, in place of ``finished``."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns. A run without a heartbeat that has not ended is read as lost."""
    op.add_column("runs", sa.Column("state", sa.Text, nullable=False, server_default="running"))
    op.add_column("runs", sa.Column("heartbeat", sa.BigInteger))
    op.add_column("runs", sa.Column("ended", sa.BigInteger))
    runs = sa.table("runs", sa.column("state", sa.Text), sa.column("finished", sa.Boolean))
    op.execute(sa.update(runs).where(runs.c.finished).values(state="ended"))
    op.drop_column("runs", "finished")
