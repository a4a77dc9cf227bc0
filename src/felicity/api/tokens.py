"""Tokens: the credentials of programs at a server."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from felicity.api.auditing import record
from felicity.api.selection import opened
from felicity.errors import ConfigError

if TYPE_CHECKING:
    from felicity.api.selection import StoreLike
    from felicity.store.access import TokenRecord as TokenRecord

SCOPES = ("read", "classify", "admin")
"""Beside these there is ``push:LOCATION``, and ``push:*`` for all locations."""
MARK = "fel_"
"""The prefix of every token, by which scanners for leaked secrets recognise it."""
DAYS = 365


@dataclass(frozen=True)
class NewToken:
    """A new token: the ``token`` itself, which is never shown again, and its ``record``."""

    token: str
    record: TokenRecord


def add_token(name: str, scopes: Sequence[str], *, days: int = DAYS, store: StoreLike = None) -> NewToken:
    """Create a token of 256 random bits and store its hash.

    ``scopes``: of ``SCOPES``, ``push:LOCATION`` or ``push:*``. ``days``: how long it is valid; 0 for ever. Raises
    StoreError; ConfigError for other scopes and for unknown locations.
    """
    if not name.strip() or len(name) > 200 or not name.isprintable():
        raise ConfigError(f"a token's name is one line of at most 200 characters, not {name!r:.60}")
    if days < 0 or days > 36_500:
        raise ConfigError(f"a token is valid for 1 to 36500 days, or 0 for ever, not {days}")
    token = MARK + secrets.token_urlsafe(32)
    with opened(store) as open_store:
        known = {location.name for location in open_store.locations()}
        wanted = tuple(dict.fromkeys(scopes))
        _check_scopes(wanted, known)
        expires = datetime.now(UTC) + timedelta(days=days) if days else None
        made = open_store.access.add_token(name.strip(), token[: len(MARK) + 4], digest(token), wanted, expires)
        record(open_store, "token-add", made.name, {"id": made.id, "scopes": list(wanted)})
    return NewToken(token, made)


def list_tokens(*, store: StoreLike = None) -> list[TokenRecord]:
    """Return all tokens, including expired and revoked ones. Raises StoreError."""
    with opened(store) as open_store:
        return open_store.access.list_tokens()


def revoke_token(token_id: int, *, store: StoreLike = None) -> TokenRecord:
    """Revoke a token. Raises StoreError; ConfigError if there is no such token."""
    with opened(store) as open_store:
        gone = open_store.access.revoke_token(token_id)
        record(open_store, "token-revoke", gone.name, {"id": gone.id})
    return gone


def find_token(token: str, *, store: StoreLike = None) -> TokenRecord | None:
    """Return the record of a token, valid or not; None for an unknown one. Raises StoreError."""
    with opened(store) as open_store:
        return open_store.access.find_token(digest(token))


def token_used(token_id: int, *, store: StoreLike = None) -> None:
    """Record that a token was used now. Raises StoreError."""
    with opened(store) as open_store:
        open_store.access.token_used(token_id)


def digest(token: str) -> str:
    """Return the stored hash of a token. A token has 256 random bits, so its hash needs neither salt nor slowness."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _check_scopes(scopes: Sequence[str], known: set[str]) -> None:
    if not scopes:
        raise ConfigError(f"a token needs a scope: {', '.join(SCOPES)}, push:LOCATION or push:*")
    for scope in scopes:
        kind, _, location = scope.partition(":")
        if kind == "push" and location == "*":
            continue
        if kind == "push" and location:
            if location not in known:
                raise ConfigError(
                    f"scope {scope!r}: there is no location {location!r}; add it with: felicity locations add"
                )
        elif scope not in SCOPES:
            raise ConfigError(f"scope {scope!r} is unknown; choose from {', '.join(SCOPES)}, push:LOCATION and push:*")
