"""Tokens of programs, stored as hashes, and the audit log, which only grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from felicity.errors import ConfigError
from felicity.store.tables import audit, tokens
from felicity.store.users import Transaction, UserTables


@dataclass(frozen=True)
class TokenRecord:
    """A token in the store: its ``prefix`` and its scopes, never the token itself; times in UTC.

    ``expires``, ``used`` (last, to the minute), ``revoked``: None for never.
    """

    id: int
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created: datetime
    expires: datetime | None
    used: datetime | None
    revoked: datetime | None

    def is_valid(self, now: datetime) -> bool:
        """Return whether the token opens anything."""
        return self.revoked is None and (self.expires is None or now < self.expires)


@dataclass(frozen=True)
class AuditRecord:
    """One entry: ``actor`` did ``action`` to ``subject`` at a time in UTC; ``detail`` holds names and numbers."""

    id: int
    time: datetime
    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any]


class AccessTables:
    """The tokens, the ``users`` and the audit log of a store; every method is one transaction, as in ``Store``."""

    def __init__(self, read: Transaction, write: Transaction) -> None:
        self._read, self._write = read, write
        self.users = UserTables(read, write)

    def add_token(
        self, name: str, prefix: str, digest: str, scopes: Sequence[str], expires: datetime | None
    ) -> TokenRecord:
        """Store a token. ``digest``: hash of the token, which is shown only once."""
        values = {
            "name": name,
            "prefix": prefix,
            "digest": digest,
            "scopes": list(scopes),
            "created": _now(),
            "expires": None if expires is None else int(expires.timestamp()),
        }
        with self._write("adding a token") as connection:
            made = connection.execute(sa.insert(tokens).values(**values).returning(tokens)).mappings().one()
        return _token(made)

    def list_tokens(self) -> list[TokenRecord]:
        """Return all tokens, including expired and revoked ones, in the order of their creation."""
        with self._read("reading tokens") as connection:
            return [_token(row) for row in connection.execute(sa.select(tokens).order_by(tokens.c.id)).mappings()]

    def find_token(self, digest: str) -> TokenRecord | None:
        """Return the token with that digest."""
        with self._read("reading tokens") as connection:
            row = connection.execute(sa.select(tokens).where(tokens.c.digest == digest)).mappings().one_or_none()
        return None if row is None else _token(row)

    def token_used(self, token_id: int) -> None:
        """Record that a token was used now."""
        with self._write("saying that a token was used") as connection:
            connection.execute(sa.update(tokens).where(tokens.c.id == token_id).values(used=_now()))

    def revoke_token(self, token_id: int) -> TokenRecord:
        """Revoke a token. Raises ConfigError if there is none, or if it was revoked before."""
        with self._write("revoking a token") as connection:
            mine = (tokens.c.id == token_id, tokens.c.revoked.is_(None))
            done = sa.update(tokens).where(*mine).values(revoked=_now()).returning(tokens)
            row = connection.execute(done).mappings().one_or_none()
        if row is None:
            raise ConfigError(f"there is no token {token_id} that could be revoked; see: felicity token list")
        return _token(row)

    def record(self, actor: str, action: str, subject: str, detail: Mapping[str, Any]) -> None:
        """Add an entry to the audit log."""
        with self._write("writing the audit log") as connection:
            connection.execute(
                sa.insert(audit).values(time=_now(), actor=actor, action=action, subject=subject, detail=dict(detail))
            )

    def read_audit(self, begin: datetime | None, end: datetime | None, most: int) -> list[AuditRecord]:
        """Return the last entries in ``begin`` … ``end``, at most ``most`` of them, the oldest first."""
        query = sa.select(audit).order_by(audit.c.id.desc()).limit(most)
        if begin is not None:
            query = query.where(audit.c.time >= begin.timestamp())
        if end is not None:
            query = query.where(audit.c.time < end.timestamp())
        with self._read("reading the audit log") as connection:
            rows = connection.execute(query).mappings().all()
        return [
            AuditRecord(**(dict(row) | {"time": datetime.fromtimestamp(row["time"], UTC)})) for row in reversed(rows)
        ]


def _token(row: Mapping[Any, Any]) -> TokenRecord:
    def time(name: str) -> datetime | None:
        return None if row[name] is None else datetime.fromtimestamp(row[name], UTC)

    return TokenRecord(
        id=row["id"],
        name=row["name"],
        prefix=row["prefix"],
        scopes=tuple(row["scopes"]),
        created=datetime.fromtimestamp(row["created"], UTC),
        expires=time("expires"),
        used=time("used"),
        revoked=time("revoked"),
    )


def _now() -> int:
    return int(datetime.now(UTC).timestamp())
