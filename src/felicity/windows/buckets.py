"""Minutes, hours, days, weeks and months in a place's time zone."""

from __future__ import annotations

import re
from bisect import bisect_left
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from felicity.notes import Note
from felicity.style.dates import moment
from felicity.style.language import say

By = Literal["total", "minute", "hour", "day", "week", "month"]
BUCKETS: tuple[By, ...] = get_args(By)


@lru_cache(maxsize=65_536)
def bucket(second: int, by: By, zone: ZoneInfo) -> tuple[int, int]:
    """Return start and end, in seconds since the epoch, of the bucket of ``second`` in the time zone ``zone``.

    Days begin at local midnight, or at the first moment after it if the local time skips midnight, so they last 23, 24
    or 25 hours. Weeks begin on Monday (ISO 8601). The hour that the end of summer time repeats is two hours. Where the
    local time changes within an hour, as by half an hour on Lord Howe Island, that hour ends there and another begins.
    So buckets of a kind follow each other without overlap or gap. ``total`` is not a bucket of time: raises ValueError.
    """
    if by in ("minute", "hour"):
        return _even(second, 60 if by == "minute" else 3600, zone)
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


def _even(second: int, length: int, zone: ZoneInfo) -> tuple[int, int]:
    """Return the bucket of ``length`` that holds ``second``, cut where the UTC offset changes by no multiple of it."""

    def phase(at: int) -> int:
        return int((datetime.fromtimestamp(at, zone).utcoffset() or timedelta()).total_seconds()) % length

    own = phase(second)
    start = second - (second + own) % length
    end = start + length
    if phase(start) != own:
        start += bisect_left(range(start, second), True, key=lambda at: phase(at) == own)
    if phase(end - 1) != own:
        end = second + bisect_left(range(second, end - 1), True, key=lambda at: phase(at) != own)
    return start, end


def read_time(text: str) -> datetime:
    """Parse ISO 8601: a date alone, or a date, ``T`` or a space, and a time. Raises ValueError."""
    # datetime accepts any character for the T: it reads the offset of 2026-05-01+02:00 as a time of day.
    date.fromisoformat(re.split("[Tt ]", text, maxsplit=1)[0])
    return datetime.fromisoformat(text)


def clock_doubt(time: datetime, zone: ZoneInfo) -> Note | None:
    """Return a note on a time without a time zone that ``zone`` skips or repeats, else None."""
    first, second = (time.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return None
    skipped = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != time.replace(fold=0)
    taken = (second if time.fold else first).astimezone(UTC).astimezone(zone)
    told = {"time": moment(time, seconds=True), "zone": zone.key, "taken": moment(taken, seconds=True)}
    if skipped:
        text = (
            "{time} is a time that the clock of {zone} skips; it is taken for {taken}; give it with its offset from "
            "UTC to be sure"
        )
    else:
        text = (
            "{time} is a time that the clock of {zone} shows twice; it is taken for {taken}; give it with its offset "
            "from UTC to be sure"
        )
    return Note("clock-skipped" if skipped else "clock-twice", say(text, **told))


@lru_cache(maxsize=65_536)
def midnight(day: date, zone: ZoneInfo) -> int:
    """Return the begin of ``day`` in ``zone``, in seconds since the epoch."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC).timestamp())
