"""A short memory of what the store holds on credentials, so that not every request reads it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")
SECONDS = 2.0
"""Seconds for which a credential is remembered; one that was revoked opens nothing after that."""
USED_SECONDS = 60.0
"""Seconds between two records of a credential's use."""
MOST = 1000


class Known(Generic[T]):
    """Remembers what ``find`` returned for a key."""

    def __init__(self, find: Callable[[str], T]) -> None:
        self._find = find
        self._lock = threading.Lock()
        self._values: OrderedDict[str, tuple[float, T]] = OrderedDict()
        self._used: OrderedDict[str, float] = OrderedDict()

    def get(self, secret: str, key: str) -> T:
        """Return what is known of a secret under ``key``, its hash; look it up if that was too long ago."""
        now = monotonic()
        with self._lock:
            if (there := self._values.get(key)) is not None and there[0] > now:
                return there[1]
        found = self._find(secret)
        with self._lock:
            _put(self._values, key, (now + SECONDS, found))
        return found

    def forget(self, key: str) -> None:
        """Look the key up again at the next request."""
        with self._lock:
            self._values.pop(key, None)

    def say_used(self, key: str, record: Callable[[], None]) -> None:
        """Call ``record`` unless it was called for ``key`` within the last minute; again if it fails."""
        now = monotonic()
        with self._lock:
            if now < self._used.get(key, -USED_SECONDS) + USED_SECONDS:
                return
            _put(self._used, key, now)
        try:
            record()
        except Exception:
            with self._lock:
                self._used.pop(key, None)
            raise


def _put(values: OrderedDict[str, T], key: str, value: T) -> None:
    values[key] = value
    values.move_to_end(key)
    while len(values) > MOST:
        values.popitem(last=False)
