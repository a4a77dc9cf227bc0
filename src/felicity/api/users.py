"""Users: people who sign in to a server with a name and a password, and their browsers' sessions."""

from __future__ import annotations

import secrets
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from felicity.api.auditing import record
from felicity.api.selection import opened
from felicity.api.tokens import digest
from felicity.errors import ConfigError, require

if TYPE_CHECKING:
    from felicity.api.selection import StoreLike
    from felicity.store.users import SessionRecord as SessionRecord
    from felicity.store.users import UserRecord as UserRecord

ROLES: dict[str, tuple[str, ...]] = {"viewer": ("read",), "analyst": ("read", "classify"), "operator": ("admin",)}
"""Each role with its scopes, from the least to the most. A viewer reads releases alone."""
SHORTEST, LONGEST = 12, 200
"""Characters of a password."""
IDLE = timedelta(hours=8)
"""Time without a request after which a session ends."""
LASTING = timedelta(days=7)
"""Time after which a session ends in any case."""


@dataclass(frozen=True)
class NewSession:
    """A new session: its random ``id``, which only the browser keeps, and the user."""

    id: str
    user: UserRecord


def add_user(name: str, role: str, password: str, *, store: StoreLike = None) -> UserRecord:
    """Add a user and store the Argon2id hash of the password.

    Raises StoreError; ExtraMissingError without argon2-cffi; ConfigError for an unknown role, a name that exists or is
    not one line of at most 100 characters, and a password of fewer than 12 or more than 200 characters.
    """
    name = _name(name)
    if role not in ROLES:
        raise ConfigError(f"role {role!r} is unknown; choose from {', '.join(ROLES)}")
    kept = _hashed(name, password)
    with opened(store) as open_store:
        added = open_store.access.users.add(name, role, kept)
        record(open_store, "user-add", added.name, {"role": role})
    return added


def list_users(*, store: StoreLike = None) -> list[UserRecord]:
    """Return all users, by name. Raises StoreError."""
    with opened(store) as open_store:
        return open_store.access.users.list_users()


def has_viewers(*, store: StoreLike = None) -> bool:
    """Return whether a user reads releases alone, so that there have to be releases. Raises StoreError."""
    return any(user.role == "viewer" for user in list_users(store=store))


def remove_user(name: str, *, store: StoreLike = None) -> UserRecord:
    """Remove a user and end their sessions. Raises StoreError; ConfigError if there is no such user."""
    with opened(store) as open_store:
        gone = open_store.access.users.remove(_name(name))
        record(open_store, "user-remove", gone.name)
    return gone


def change_password(name: str, password: str, *, store: StoreLike = None) -> UserRecord:
    """Give a user another password and end their sessions. Raises as ``add_user``."""
    name = _name(name)
    kept = _hashed(name, password)
    with opened(store) as open_store:
        changed = open_store.access.users.set_password(name, kept)
        record(open_store, "user-password", changed.name)
    return changed


def sign_in(name: str, password: str, *, store: StoreLike = None) -> NewSession | None:
    """Begin a session; None if the name or the password is wrong, which takes as long. Raises StoreError."""
    with opened(store) as open_store:
        found = open_store.access.users.find(unicodedata.normalize("NFKC", name).strip())
        kept = found[1] if found else _nobodys()
        if not _is_right(kept, password) or found is None:
            return None
        user, made = found[0], secrets.token_urlsafe(32)
        open_store.access.users.begin_session(user.id, digest(made), datetime.now(UTC) + LASTING)
        record(open_store, "sign-in", user.name, actor=f"account {user.name}")
    return NewSession(made, user)


def sign_in_refused(name: str, *, store: StoreLike = None) -> None:
    """Record that wrong passwords were sent for a user, if there is one of that name. Raises StoreError."""
    with opened(store) as open_store:
        if found := open_store.access.users.find(unicodedata.normalize("NFKC", name).strip()):
            record(open_store, "sign-in-refused", found[0].name, actor="somebody unknown")


def find_session(session: str, *, store: StoreLike = None) -> SessionRecord | None:
    """Return the session with that id; None for one that is unknown or has ended. Raises StoreError."""
    with opened(store) as open_store:
        found = open_store.access.users.find_session(digest(session))
    now = datetime.now(UTC)
    return found if found and now < found.expires and now - found.used < IDLE else None


def session_used(session: str, *, store: StoreLike = None) -> None:
    """Record that a session was used now. Raises StoreError."""
    with opened(store) as open_store:
        open_store.access.users.session_used(digest(session))


def sign_out(session: str, *, store: StoreLike = None) -> None:
    """End a session. Raises StoreError."""
    with opened(store) as open_store:
        found = open_store.access.users.find_session(digest(session))
        if found is not None:
            open_store.access.users.end_session(digest(session))
            record(open_store, "sign-out", found.user.name, actor=f"account {found.user.name}")


def _name(name: str) -> str:
    bare = unicodedata.normalize("NFKC", name).strip()
    if not bare or len(bare) > 100 or not bare.isprintable():
        raise ConfigError(f"a user's name is one line of at most 100 characters, not {name!r:.60}")
    return bare


def _hashed(name: str, password: str) -> str:
    if not SHORTEST <= len(password) <= LONGEST:
        raise ConfigError(f"a password has {SHORTEST} to {LONGEST} characters; this one has {len(password)}")
    if name.casefold() in password.casefold() and len(password) - len(name) < SHORTEST:
        raise ConfigError(f"the password is little more than the user's name; add {SHORTEST} characters to it")
    if len(set(password)) < 5:
        raise ConfigError("the password repeats a few characters; use at least 5 different ones")
    return str(_hasher().hash(_bytes(password)))


def _is_right(kept: str, password: str) -> bool:
    require("argon2", "serve")
    from argon2.exceptions import Argon2Error, InvalidHashError

    try:
        return len(password) <= LONGEST and bool(_hasher().verify(kept, _bytes(password)))
    except (Argon2Error, InvalidHashError):
        return False


@cache
def _hasher() -> Any:
    require("argon2", "serve")
    from argon2 import PasswordHasher

    return PasswordHasher()


@cache
def _nobodys() -> str:
    """Return a hash that no password has, to be compared where there is no such user."""
    return str(_hasher().hash(secrets.token_bytes(32)))


def _bytes(password: str) -> bytes:
    """Return the bytes that are hashed: the same for all ways in which keyboards compose a character."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
