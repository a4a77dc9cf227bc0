"""Users of a server: names, roles and password hashes, and the sessions of their browsers, stored as hashes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from felicity.errors import ConfigError
from felicity.store.tables import sessions, users

Transaction = Callable[[str], AbstractContextManager[sa.Connection]]


@dataclass(frozen=True)
class UserRecord:
    """A user in the store, without the hash of the password; times in UTC. ``used``: last sign-in, None for never."""

    id: int
    name: str
    role: str
    created: datetime
    used: datetime | None


@dataclass(frozen=True)
class SessionRecord:
    """The session of a browser: its ``user``, the last request (to the minute), and the time at which it ends."""

    user: UserRecord
    used: datetime
    expires: datetime


class UserTables:
    """The users of a store and their sessions; every method is one transaction, as in ``Store``."""

    def __init__(self, read: Transaction, write: Transaction) -> None:
        self._read, self._write = read, write

    def add(self, name: str, role: str, password: str) -> UserRecord:
        """Add a user. ``password``: its hash. Raises ConfigError if there is a user of that name."""
        with self._write("adding a user") as connection:
            if connection.execute(sa.select(users.c.id).where(users.c.name == name)).first() is not None:
                raise ConfigError(f"there is a user {name!r} already; see: felicity user list")
            values = {"name": name, "role": role, "password": password, "created": _now()}
            return _user(connection.execute(sa.insert(users).values(**values).returning(users)).mappings().one())

    def list_users(self) -> list[UserRecord]:
        """Return all users, by name."""
        with self._read("reading users") as connection:
            return [_user(row) for row in connection.execute(sa.select(users).order_by(users.c.name)).mappings()]

    def find(self, name: str) -> tuple[UserRecord, str] | None:
        """Return the user of that name, and the hash of the password."""
        with self._read("reading users") as connection:
            row = connection.execute(sa.select(users).where(users.c.name == name)).mappings().one_or_none()
        return None if row is None else (_user(row), row["password"])

    def set_password(self, name: str, password: str) -> UserRecord:
        """Store another hash, and end all sessions of the user. Raises ConfigError if there is no such user."""
        with self._write("changing a password") as connection:
            done = sa.update(users).where(users.c.name == name).values(password=password).returning(users)
            user = _found(connection.execute(done).mappings().one_or_none(), name)
            connection.execute(sa.delete(sessions).where(sessions.c.user_id == user.id))
        return user

    def remove(self, name: str) -> UserRecord:
        """Remove a user with all sessions. Raises ConfigError if there is no such user."""
        with self._write("removing a user") as connection:
            gone = connection.execute(sa.delete(users).where(users.c.name == name).returning(users))
            return _found(gone.mappings().one_or_none(), name)

    def begin_session(self, user_id: int, digest: str, expires: datetime) -> None:
        """Begin a session, and forget all that have expired. ``digest``: hash of its id."""
        now = _now()
        with self._write("beginning a session") as connection:
            connection.execute(sa.delete(sessions).where(sessions.c.expires <= now))
            connection.execute(sa.update(users).where(users.c.id == user_id).values(used=now))
            values = {"digest": digest, "user_id": user_id, "used": now, "expires": int(expires.timestamp())}
            connection.execute(sa.insert(sessions).values(**values))

    def find_session(self, digest: str) -> SessionRecord | None:
        """Return the session with that hash, valid or not."""
        query = sa.select(users, sessions.c.used.label("seen"), sessions.c.expires).join_from(sessions, users)
        with self._read("reading sessions") as connection:
            row = connection.execute(query.where(sessions.c.digest == digest)).mappings().one_or_none()
        return None if row is None else SessionRecord(_user(row), _time(row["seen"]), _time(row["expires"]))

    def session_used(self, digest: str) -> None:
        """Record that a session was used now."""
        with self._write("saying that a session was used") as connection:
            connection.execute(sa.update(sessions).where(sessions.c.digest == digest).values(used=_now()))

    def end_session(self, digest: str) -> None:
        """End a session, if there is one with that hash."""
        with self._write("ending a session") as connection:
            connection.execute(sa.delete(sessions).where(sessions.c.digest == digest))


def _found(row: Mapping[Any, Any] | None, name: str) -> UserRecord:
    if row is None:
        raise ConfigError(f"there is no user {name!r}; see: felicity user list")
    return _user(row)


def _user(row: Mapping[Any, Any]) -> UserRecord:
    used = None if row["used"] is None else _time(row["used"])
    return UserRecord(row["id"], row["name"], row["role"], _time(row["created"]), used)


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _now() -> int:
    return int(datetime.now(UTC).timestamp())
