"""Rate limits: a bucket of requests for each caller, which refills by the minute."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

MOST_KEPT = 10_000
"""Number of callers who are remembered; of more, those who have been silent longest are forgotten."""


class Limiter:
    """Counts requests of callers. ``per_minute``: requests at once, and a minute; 0 for any number."""

    def __init__(self, per_minute: int, now: Callable[[], float] = monotonic) -> None:
        self.per_minute, self._now = per_minute, now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, caller: str) -> float:
        """Take one request of ``caller``; return 0, or the seconds until the next one is allowed."""
        if not self.per_minute:
            return 0.0
        now, rate = self._now(), self.per_minute / 60
        left, at = self._buckets.pop(caller, (float(self.per_minute), now))
        left = min(left + (now - at) * rate, float(self.per_minute))
        taken = left >= 1
        self._buckets[caller] = (left - 1 if taken else left, now)
        while len(self._buckets) > MOST_KEPT:
            self._buckets.popitem(last=False)
        return 0.0 if taken else (1 - left) / rate
