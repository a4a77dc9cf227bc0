"""Connections: engines from URLs, transactions that succeed or leave nothing, errors in one sentence."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from felicity import paths
from felicity.errors import ConfigError, StoreError, require
from felicity.store import migrations
from felicity.store.migrations import VERSION_TABLE

BUSY_SECONDS = 30.0
"""Seconds for which a write waits until another process has finished its own."""
FEW = 20
"""Rows up to which a statement for each is as quick as a stream."""
LOCK_NOT_AVAILABLE = "55P03"
"""PostgreSQL's code for a lock that was not given in time."""
_LOG_AHEAD = "PRAGMA journal_mode=WAL"  # readers never wait for the writer; a killed process leaves the file whole


def parse_url(url: str | Path | None) -> sa.URL:
    """Return the store's URL; None stands for the user's own SQLite file, and a bare path for a SQLite file.

    Raises ConfigError for other databases and for text that is not a URL.
    """
    if url is None:
        return sa.URL.create("sqlite", database=str(paths.home() / "felicity.db"))
    if not isinstance(url, (str, Path)):
        raise ConfigError(f"a store is a path, a URL or an open Store, not {url!r}")
    if isinstance(url, Path) or "://" not in url:
        return sa.URL.create("sqlite", database=str(paths.expanded(url)))
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


def make_engine(url: sa.URL, busy_seconds: float = BUSY_SECONDS, *, alone: bool = False) -> sa.Engine:
    """Return an engine for ``url``, which is not connected yet. Raises ExtraMissingError without psycopg.

    ``alone``: read a SQLite store while all other processes are locked out, which needs no room on its disk.
    """
    if url.get_backend_name() == "postgresql":
        require("psycopg", "postgres")
        return sa.create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 10})
    engine = sa.create_engine(url, connect_args={"timeout": busy_seconds, "isolation_level": None})
    if alone:
        sa.event.listen(engine, "connect", _shut_out)
    sa.event.listen(engine, "connect", _on_connect)
    sa.event.listen(engine, "begin", _on_begin)
    return engine


def _shut_out(connection: Any, _record: Any) -> None:
    # SQLite then keeps the index of its log in memory, and not in a file that all processes share.
    connection.execute("PRAGMA locking_mode=EXCLUSIVE")
    connection.execute("PRAGMA temp_store=MEMORY")


def _lacks_room(error: StoreError) -> bool:
    """Return whether SQLite may have failed because the disk is full, or files may not grow."""
    cause = getattr(error.__cause__, "orig", None)
    return isinstance(cause, sqlite3.OperationalError) and ("full" in str(cause) or "disk I/O" in str(cause))


def _on_connect(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    if cursor.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (VERSION_TABLE,)).fetchone():
        cursor.execute(_LOG_AHEAD)  # files of other programs stay as they are
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def log_ahead(engine: sa.Engine) -> None:
    """Make a new SQLite store keep a write-ahead log, as every later connection does. Raises StoreError."""
    if engine.dialect.name != "sqlite":
        return
    try:
        with closing(engine.raw_connection()) as connection:
            connection.cursor().execute(_LOG_AHEAD)
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise StoreError(explain(engine.url, error, "making it")) from error


def _on_begin(connection: sa.Connection) -> None:
    # A transaction that will write takes the lock at once; one that reads first could not get it later.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def transaction(engine: sa.Engine, *, writes: bool, doing: str) -> Iterator[sa.Connection]:
    """Run one transaction: committed as a whole, or rolled back with StoreError."""
    try:
        with engine.connect() as connection:
            connection = connection.execution_options(writes=writes)
            with connection.begin():
                yield connection
    except SQLAlchemyError as error:
        raise StoreError(explain(engine.url, error, doing)) from error


def connect(url: sa.URL, busy_seconds: float, create: bool) -> tuple[sa.Engine, bool]:
    """Return an engine for a store that answers, and whether its schema is this version's.

    Reading alone (not ``create``) needs no room on the disk. Raises StoreError and SchemaError as ``open_store``.
    """
    engine = make_engine(url, busy_seconds)
    try:
        try:
            return engine, _is_ready(engine, create)
        except StoreError as error:
            if create or not _lacks_room(error):
                raise
        engine.dispose()
        engine = make_engine(url, busy_seconds, alone=True)
        return engine, _is_ready(engine, create)
    except BaseException:
        engine.dispose()
        raise


def _is_ready(engine: sa.Engine, create: bool) -> bool:
    name = engine.url.render_as_string(hide_password=True)
    with transaction(engine, writes=False, doing="opening it") as connection:
        ready = migrations.check(connection, name)
        if not ready:
            migrations.check_own(connection, name, create)
    return ready


def explain(url: sa.URL, error: Exception, doing: str) -> str:
    """Return an error's sentence: the store without its password, the action, the failure."""
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
        hint = "; nothing of it was kept; check that the disk has room and is writable, and try again"
    elif getattr(cause, "sqlstate", None) == LOCK_NOT_AVAILABLE:
        hint = "; another program holds its tables, and nothing was changed: end its transaction, and try again"
    elif isinstance(cause, sqlite3.DatabaseError) and "not a database" in text:
        hint = "; choose another file"
    return f"store {url.render_as_string(hide_password=True)}: {doing} failed: {text}{hint}"


def add_rows(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many rows with the same columns; into PostgreSQL in one stream, which spares it a statement for each."""
    if connection.dialect.name != "postgresql" or len(rows) < FEW:
        connection.execute(sa.insert(table), rows)
        return
    from psycopg import Error
    from psycopg.sql import SQL, Identifier

    columns = list(rows[0])
    dialect = connection.dialect
    # What SQLAlchemy would do to a value of the column, such as writing a dictionary as JSON.
    made = {name: table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in columns}
    text = SQL("COPY {} ({}) FROM STDIN").format(Identifier(table.name), SQL(", ").join(map(Identifier, columns)))
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(text) as copy:
            for row in rows:
                copy.write_row([make(row[name]) if (make := made[name]) else row[name] for name in columns])
    except Error as error:
        raise sa.exc.DBAPIError.instance("COPY", None, error, Error) from error


def insert_missing(connection: sa.Connection, table: sa.FromClause) -> Any:
    """Return the statement that inserts rows and passes over those that are there already."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert
    else:
        from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]
    return insert(table).on_conflict_do_nothing()  # type: ignore[arg-type]


def id_of(connection: sa.Connection, column: sa.Column[Any], value: str, **rest: Any) -> int:
    """Return the id of the row whose ``column`` is ``value``; insert it with ``rest`` if it is missing."""
    query = sa.select(column.table.c.id).where(column == value)
    if (found := connection.execute(query).scalar_one_or_none()) is not None:
        return int(found)
    # Another process may be adding the row at this moment.
    connection.execute(insert_missing(connection, column.table).values({column.name: value, **rest}))
    return int(connection.execute(query).scalar_one())
