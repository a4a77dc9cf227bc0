"""Dates and times as people read them, in English whatever the locale of the machine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from itertools import pairwise

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LONG_STEP = 27
"""Days between two ticks from which on a tick is a month rather than a day."""


def long_date(day: date) -> str:
    """Return ``4 May 2026``."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def short_date(day: date) -> str:
    """Return ``4 May``."""
    return f"{day.day} {MONTHS[day.month - 1][:3]}"


def moment(time: datetime, *, seconds: bool = False) -> str:
    """Return ``2026-05-04 09:00+02:00``: what a clock of the place shows, and its offset if the time has one."""
    return time.isoformat(" ", "seconds" if seconds else "minutes")


def period(start: datetime, by: str) -> str:
    """Return a period by its begin: ``May 2026`` of a month, ``2026-05-04 00:00`` of all others."""
    return f"{MONTHS[start.month - 1]} {start.year}" if by == "month" else f"{start:%Y-%m-%d %H:%M}"


def tick_labels(times: Sequence[datetime]) -> list[str]:
    """Return a label for each tick of an axis of time: hours, days, months or years, as they are apart.

    What stays the same from tick to tick (the day of hours, the year of days) is said once, below the first.
    """
    if not times:
        return []
    if any((time.hour, time.minute, time.second) != (0, 0, 0) for time in times):
        return _said_once([f"{time:%H:%M}" for time in times], [f"{short_date(time)} {time.year}" for time in times])
    apart = min(((later - time).days for time, later in pairwise(times)), default=0)
    years = [str(time.year) for time in times]
    if apart >= 365:
        return years
    if apart >= LONG_STEP and all(time.day == 1 for time in times):
        return _said_once([MONTHS[time.month - 1][:3] for time in times], years)
    return _said_once([short_date(time) for time in times], years)


def _said_once(labels: Sequence[str], below: Sequence[str]) -> list[str]:
    before = ("", *below)
    return [
        label if same == earlier else f"{label}\n{same}"
        for label, same, earlier in zip(labels, below, before, strict=False)
    ]
