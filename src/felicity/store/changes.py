"""The state of a store's data as a short text, so that whoever keeps answers knows whether they still hold."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import suppress
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from felicity.errors import StoreError
from felicity.store.engine import explain

_QUESTIONS = {
    # Changes with each commit of another connection, in any process; the connection that asks never writes.
    "sqlite": "PRAGMA data_version",
    # The transactions whose work is visible: as long as they are the same, so is all that can be read.
    "postgresql": "SELECT pg_current_snapshot()::text",
}


class Changes:
    """Watches a store's data over a connection of its own, which opens at the first question."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._connection: Any = None
        self._opened = 0
        self._errors = (SQLAlchemyError, sqlite3.Error, engine.dialect.loaded_dbapi.Error)

    def state(self) -> str:
        """Return a text that stays the same only as long as the data do. Raises StoreError."""
        with self._lock:
            is_new = self._connection is None
            try:
                return self._ask()
            except self._errors as error:
                self._drop()
                if is_new:
                    raise self._failed(error) from error
            try:  # the database may have been away since the last question
                return self._ask()
            except self._errors as error:
                self._drop()
                raise self._failed(error) from error

    def _ask(self) -> str:
        if self._connection is None:
            pooled = self._engine.raw_connection()
            self._connection = pooled.driver_connection
            pooled.detach()
            self._opened += 1
        cursor = self._connection.cursor()
        cursor.execute(_QUESTIONS[self._engine.dialect.name])
        (told,) = cursor.fetchone()
        cursor.close()
        self._connection.rollback()
        return f"{self._opened} {told}"

    def _failed(self, error: Exception) -> StoreError:
        return StoreError(explain(self._engine.url, error, "looking for changes"))

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None  # a driver's connection, which no pool closes
        if connection is not None:
            with suppress(*self._errors):
                connection.close()
