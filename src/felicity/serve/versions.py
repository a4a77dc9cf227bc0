"""The version of the data on which answers depend: cheap to ask for, so that answers stay as long as the data do."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from felicity import api

if TYPE_CHECKING:
    from felicity.api.selection import StoreLike


class Versions:
    """Versions of a store's data and of its releases; both change with the hour, because pages speak of today."""

    def __init__(self, store: StoreLike) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._release: tuple[str, int] = ("", 0)

    def of_data(self) -> str:
        """Return a text that changes with all that is written to the store. Raises StoreError."""
        return f"{api.store_state(store=self._store)} {_hour()}"

    def of_releases(self) -> str:
        """Return a text that changes with each release. Raises StoreError."""
        state = api.store_state(store=self._store)
        with self._lock:
            seen, number = self._release
        if seen != state:
            number = api.published_version(store=self._store).number
            with self._lock:
                self._release = state, number
        return f"{number} {_hour()}"


def _hour() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d %H}"
