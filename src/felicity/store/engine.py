"""Connections: a URL to an engine, a transaction that succeeds or leaves nothing, an error in one sentence."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from felicity import paths
from felicity.errors import ConfigError, StoreError, require
from felicity.store.migrations import VERSION_TABLE

BUSY_SECONDS = 30.0
"""How long a write waits for another process to finish its own."""
_LOG_AHEAD = "PRAGMA journal_mode=WAL"  # readers do not wait for the writer, and a killed process leaves a whole file


def parse_url(url: str | Path | None) -> sa.URL:
    """The store's URL; None is the user's own SQLite file, a bare path is a SQLite file too.

    Raises ConfigError for other databases and for what is no URL.
    """
    if url is None:
        return sa.URL.create("sqlite", database=str(paths.home() / "felicity.db"))
    if not isinstance(url, (str, Path)):
        raise ConfigError(f"a store is a path, a URL or an open Store, not {url!r}")
    if isinstance(url, Path) or "://" not in url:
        return sa.URL.create("sqlite", database=str(Path(url).expanduser()))
    try:
        parsed = sa.make_url(url)
    except (ArgumentError, ValueError) as error:
        raise ConfigError(
            "the store's URL cannot be read; use a path, sqlite:///FILE or postgresql://USER@HOST/DATABASE"
        ) from error
    backend = parsed.get_backend_name()
    if backend == "postgresql" or parsed.drivername == "postgres":
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise ConfigError(f"a store is SQLite or PostgreSQL, not {backend!r}")
    if not parsed.database:
        raise ConfigError("a SQLite store needs a file: sqlite:///FILE")
    return parsed.set(drivername="sqlite")


def make_engine(url: sa.URL, busy_seconds: float = BUSY_SECONDS) -> sa.Engine:
    """An engine for ``url``; nothing is connected yet. Raises ExtraMissingError without psycopg."""
    if url.get_backend_name() == "postgresql":
        require("psycopg", "postgres")
        return sa.create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 10})
    engine = sa.create_engine(url, connect_args={"timeout": busy_seconds, "isolation_level": None})
    sa.event.listen(engine, "connect", _on_connect)
    sa.event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    if cursor.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (VERSION_TABLE,)).fetchone():
        cursor.execute(_LOG_AHEAD)  # others' files are left alone
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def log_ahead(engine: sa.Engine) -> None:
    """Let a new SQLite store keep a log ahead of its file, as every later connection does. Raises StoreError."""
    if engine.dialect.name != "sqlite":
        return
    try:
        with closing(engine.raw_connection()) as connection:
            connection.cursor().execute(_LOG_AHEAD)
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise StoreError(explain(engine.url, error, "making it")) from error


def _on_begin(connection: sa.Connection) -> None:
    # A transaction that will write takes the lock at once: one that reads first could not get it later.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def transaction(engine: sa.Engine, *, writes: bool, doing: str) -> Iterator[sa.Connection]:
    """One transaction: committed as a whole, or StoreError and nothing of it is kept."""
    try:
        with engine.connect() as connection:
            connection = connection.execution_options(writes=writes)
            with connection.begin():
                yield connection
    except SQLAlchemyError as error:
        raise StoreError(explain(engine.url, error, doing)) from error


def explain(url: sa.URL, error: Exception, doing: str) -> str:
    """What happened to which store while doing what, without the password."""
    cause = getattr(error, "orig", None) or error
    text = " ".join(str(cause).split()) or type(cause).__name__
    if url.password:
        text = text.replace(str(url.password), "***")
    hint = ""
    if isinstance(error, NoSuchModuleError):
        hint = "; use SQLite or PostgreSQL"
    elif isinstance(cause, sqlite3.OperationalError) and "locked" in text:
        hint = "; another process is writing to it, try again when it is done"
    elif isinstance(cause, sqlite3.OperationalError) and "full" in text:
        hint = "; nothing of it was kept, make room and try again"
    elif isinstance(cause, sqlite3.OperationalError) and "disk I/O" in text:
        hint = "; nothing of it was kept, look whether the disk has room and can be written to, and try again"
    elif isinstance(cause, sqlite3.DatabaseError) and "not a database" in text:
        hint = "; choose another file"
    return f"store {url.render_as_string(hide_password=True)}: {doing} failed: {text}{hint}"


def id_of(connection: sa.Connection, column: sa.Column[Any], value: str, **rest: Any) -> int:
    """The id of the row whose ``column`` is ``value``, made with ``rest`` if it is not there."""
    table = column.table
    query = sa.select(table.c.id).where(column == value)
    if (found := connection.execute(query).scalar_one_or_none()) is not None:
        return int(found)
    from sqlalchemy.dialects import postgresql, sqlite

    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    # Another process may be adding it at this moment.
    connection.execute(insert(table).values({column.name: value, **rest}).on_conflict_do_nothing())
    return int(connection.execute(query).scalar_one())
