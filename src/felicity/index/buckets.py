"""Minutes, hours, days, weeks and months by a place's own clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal, get_args
from zoneinfo import ZoneInfo

By = Literal["total", "minute", "hour", "day", "week", "month"]
BUCKETS: tuple[By, ...] = get_args(By)


@lru_cache(maxsize=65_536)
def bucket(second: int, by: By, zone: ZoneInfo) -> tuple[int, int]:
    """Start and end, in seconds since the epoch, of the bucket of ``second`` on the clock of ``zone``.

    Days begin at local midnight, or at the first moment after it where the clock skips midnight, so
    they last 23, 24 or 25 hours. Weeks begin on Monday (ISO 8601). The hour that an autumn night has
    twice is two hours. ``total`` is not a bucket of time: ValueError.
    """
    if by in ("minute", "hour"):
        length = 60 if by == "minute" else 3600
        local = datetime.fromtimestamp(second, zone)
        offset = local.utcoffset() or timedelta()
        start = second - (second + int(offset.total_seconds())) % length
        return start, start + length
    day = datetime.fromtimestamp(second, zone).date()
    if by == "day":
        return midnight(day, zone), midnight(day + timedelta(days=1), zone)
    if by == "week":
        day -= timedelta(days=day.weekday())
        return midnight(day, zone), midnight(day + timedelta(days=7), zone)
    if by == "month":
        day = day.replace(day=1)
        return midnight(day, zone), midnight((day + timedelta(days=31)).replace(day=1), zone)
    raise ValueError(f"{by!r} is not a bucket of time")


@lru_cache(maxsize=65_536)
def midnight(day: date, zone: ZoneInfo) -> int:
    """When ``day`` begins in ``zone``, in seconds since the epoch."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC).timestamp())
