"""Dates and times for people, in the present language (``style.language``)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from itertools import pairwise

from felicity.style.language import say

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LONG_STEP = 27
"""Fewest days between two ticks that show months rather than days."""


def long_date(day: date) -> str:
    """Return ``4 May 2026``."""
    return say("{day} {month} {year}", day=day.day, month=say(MONTHS[day.month - 1]), year=day.year)


def day_span(first: date, last: date) -> str:
    """Return ``1 to 7 May 2026``, ``28 April to 4 May 2026``, or one day."""
    if (first.year, first.month, first.day) == (last.year, last.month, last.day):
        return long_date(last)
    if first.year != last.year:
        return say("{begin} to {end}", begin=long_date(first), end=long_date(last))
    if first.month == last.month:
        return say("{day} to {end}", day=first.day, end=long_date(last))
    begin = say("{day} {month}", day=first.day, month=say(MONTHS[first.month - 1]))
    return say("{begin} to {end}", begin=begin, end=long_date(last))


def short_date(day: date) -> str:
    """Return ``4 May``."""
    return say("{day} {month}", day=day.day, month=say(MONTHS[day.month - 1][:3]))


def moment(time: datetime, *, seconds: bool = False) -> str:
    """Return ``2026-05-04 09:00+02:00``: the local time, and its offset if the time has one."""
    return time.isoformat(" ", "seconds" if seconds else "minutes")


def span(start: datetime, end: datetime) -> str:
    """Return ``on 4 May 2026 from 09:00 to 17:00``, or both days if they differ; local times."""
    if start.date() == end.date():
        return say("on {day} from {start} to {end}", day=long_date(start), start=f"{start:%H:%M}", end=f"{end:%H:%M}")
    begin, until = (f"{long_date(time)}, {time:%H:%M}" for time in (start, end))
    return say("from {start} to {end}", start=begin, end=until)


def period(start: datetime, by: str) -> str:
    """Return a period by its begin: ``May 2026`` of a month, ``2026-05-04 00:00`` of all others."""
    return f"{say(MONTHS[start.month - 1])} {start.year}" if by == "month" else f"{start:%Y-%m-%d %H:%M}"


def tick_labels(times: Sequence[datetime]) -> list[str]:
    """Return a label for each tick of a time axis: hours, days, months or years, according to their distance.

    The part that stays the same from tick to tick (the day of hours, the year of days) appears once, below the first.
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
        return _said_once([say(MONTHS[time.month - 1][:3]) for time in times], years)
    return _said_once([short_date(time) for time in times], years)


def _said_once(labels: Sequence[str], below: Sequence[str]) -> list[str]:
    before = ("", *below)
    return [
        label if same == earlier else f"{label}\n{same}"
        for label, same, earlier in zip(labels, below, before, strict=False)
    ]
