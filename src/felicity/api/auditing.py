"""The audit log: the entries on who changed data and who exported them."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from datetime import UTC, date
from typing import TYPE_CHECKING, Any

from felicity.api.selection import opened, to_datetime

if TYPE_CHECKING:
    from felicity.api.selection import StoreLike
    from felicity.store import Store
    from felicity.store.access import AuditRecord


def record(
    store: Store, action: str, subject: str, detail: Mapping[str, Any] | None = None, *, actor: str | None = None
) -> None:
    """Add an entry. ``actor``: by default the user of this machine. Raises StoreError."""
    store.access.record(actor or f"user {_user()}", action, subject, detail or {})


def audit_log(
    *, store: StoreLike = None, begin: date | None = None, end: date | None = None, most: int = 1000
) -> list[AuditRecord]:
    """Return the last ``most`` entries in ``begin`` ≤ time < ``end``, the oldest first. Raises StoreError, ConfigError.

    A time without a zone is UTC.
    """
    times = [None if time is None else to_datetime(time, name) for name, time in (("begin", begin), ("end", end))]
    first, last = (time.replace(tzinfo=UTC) if time and time.tzinfo is None else time for time in times)
    with opened(store) as open_store:
        return open_store.access.read_audit(first, last, most)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in some containers
        return "without a name"
