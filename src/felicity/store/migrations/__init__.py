"""The history of the schema, one file per step in ``versions``; opening a store brings it up to date."""

from __future__ import annotations

import re
from pathlib import Path

import sqlalchemy as sa

from felicity.errors import SchemaError, StoreError

VERSION_TABLE = "felicity_version"
_LOCK = 0x46656C6963697479
_HERE = Path(__file__).parent

HEAD = max(m[1] for p in (_HERE / "versions").iterdir() if (m := re.fullmatch(r"(\d{4})_\w+\.py", p.name)))
"""The schema that this version of Felicity writes."""


def current(connection: sa.Connection) -> str | None:
    """Return the schema of a store, or None if it has none yet."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    version: str | None = connection.execute(sa.text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
    return version


def check(connection: sa.Connection, name: str) -> bool:
    """Return whether the schema is this version's; False if it is older or missing.

    Raises SchemaError if it is newer.
    """
    found = current(connection)
    if found is not None and found > HEAD:
        raise SchemaError(
            f"store {name} has schema {found}, this version of Felicity knows schemas up to {HEAD}; "
            "upgrade it: pip install --upgrade felicity"
        )
    return found == HEAD


def check_own(connection: sa.Connection, name: str, create: bool) -> None:
    """Raise StoreError if there is no store and none may be created: in read-only use, and in another program's file.

    A PostgreSQL database may be shared with other programs, whose tables have different names.
    """
    if current(connection) is not None:
        return
    there = sorted(sa.inspect(connection).get_table_names())
    if there and connection.dialect.name == "sqlite":
        raise StoreError(
            f"store {name}: is a database of another program, with {', '.join(there[:3])}"
            f"{' and others' if there[3:] else ''} in it; choose another file"
        )
    if not create:
        raise StoreError(f"store {name}: there is no store in it; name another one, or make it with felicity watch")


def upgrade(connection: sa.Connection, busy_seconds: float) -> None:
    """Bring a store up to date within the transaction of ``connection``; two processes at once do it once.

    In PostgreSQL a change waits at most ``busy_seconds`` for each table, because everybody else waits behind it.
    """
    from alembic import command
    from alembic.config import Config

    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        connection.execute(
            sa.text("SELECT set_config('lock_timeout', :most, true)"), {"most": f"{1000 * busy_seconds:.0f}ms"}
        )
    config = Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
