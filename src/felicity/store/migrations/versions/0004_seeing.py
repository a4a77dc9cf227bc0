"""How well each window could see; older windows say nothing of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_COUNTS = ("frames_expected", "frames_damaged", "frames_frozen", "pictures", "sized")
_SUMS = ("brightness", "contrast", "sharpness", "noise", "sides")


def upgrade() -> None:
    """Add the columns, zero for what is there."""
    for table in ("windows", "hours", "days"):
        for names, kind in ((_COUNTS, sa.BigInteger), (_SUMS, sa.Float)):
            for name in names:
                op.add_column(table, sa.Column(name, kind, nullable=False, server_default="0"))
        op.add_column(table, sa.Column("frames_unfit", sa.JSON))
