"""The charts of a report's page: a place's course and patterns as SVG, and the ranking's bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from felicity.cities.pattern import PatternRow
from felicity.index import IndexRow
from felicity.reports.place import CityReport, PlaceReport
from felicity.reports.plots import best
from felicity.style.dates import WEEKDAYS, long_date, short_date, tick_labels
from felicity.style.language import say
from felicity.style.numbers import interval, people, percent
from felicity.style.svg import Line, Mark, Ticks, categories, course, fit_range

_WEEKLY_FROM = 42
"""Days from which on the course is drawn by week."""
_WIDE, _NARROW = (760.0, 210.0), (330.0, 200.0)
_DAY = 86400.0


@dataclass(frozen=True)
class Bar:
    """A location in the ranking: its ranks, and the positions of its share and interval, percent of the axis."""

    rank: str
    place: PlaceReport
    at: float
    low: float
    high: float


@dataclass(frozen=True)
class Bars:
    """The ranking as bars on one axis, with its ``ticks``."""

    bars: Sequence[Bar]
    ticks: Ticks


def ranking_bars(report: CityReport) -> Bars | None:
    """Return bars of all shown places that have an interval, the happiest first; None without any."""
    places = [p for p in report.shown if p.share.adjusted is not None and p.share.low is not None]
    if not places:
        return None
    places.sort(key=lambda p: (-(p.share.adjusted or 0.0), p.name))
    ranks = {place.location: place.rank for place in report.ranking.places} if report.ranking else {}
    low, high, step = fit_range([Mark(0, p.share.adjusted, p.share.low, p.share.high, "") for p in places])

    def along(value: float | None) -> float:
        return round(100 * ((value or 0.0) - low) / (high - low), 2)

    ticks = [(along(low + i * step), f"{low + i * step:g} %") for i in range(round((high - low) / step) + 1)]
    return Bars(
        [
            Bar(ranks.get(p.name, ""), p, along(p.share.adjusted), along(p.share.low), along(p.share.high))
            for p in places
        ],
        ticks,
    )


@dataclass(frozen=True)
class PlaceCharts:
    """Charts of a place as SVG elements; None if there is too little to draw. ``by``: periods of the course."""

    course: str | None
    narrow_course: str | None
    hours: str | None
    weekdays: str | None
    by: str


def place_charts(place: PlaceReport, report: CityReport) -> PlaceCharts:
    """Draw a place's course over time, by week if there are many, and its day and week."""
    weekly = len(place.weeks) > 0 and len(place.days) >= _WEEKLY_FROM
    rows = [row for row in (place.weeks if weekly else place.days) if row.people]
    drawn = (
        [_course(rows, place, report, size, weekly=weekly) for size in (_WIDE, _NARROW)]
        if _several(rows)
        else [None] * 2
    )
    hours = [row for row in place.hours if row.index.people]
    return PlaceCharts(
        course=drawn[0],
        narrow_course=drawn[1],
        hours=_pattern(hours, [f"{row.level}" for row in hours], "hour of the day", place.name, 470, every=8),
        weekdays=_pattern(
            place.weekdays, [say(WEEKDAYS[row.level]) for row in place.weekdays], "weekday", place.name, 290, every=7
        ),
        by="week" if weekly else "day",
    )


def _several(rows: Sequence[IndexRow]) -> bool:
    return sum(best(row.happy_share) is not None for row in rows) > 1


def _course(
    rows: Sequence[IndexRow], place: PlaceReport, report: CityReport, size: tuple[float, float], *, weekly: bool
) -> str:
    length = timedelta(days=7 if weekly else 1)
    marks, before = [], None
    for row in rows:
        joined = before is not None and abs((row.start.replace(tzinfo=None) - before) - length) < timedelta(hours=2)
        before = row.start.replace(tzinfo=None)
        name = say("Week from {day}", day=long_date(row.start)) if weekly else long_date(row.start)
        marks.append(_mark(row, _middle(row.start, length), name, joined=joined))
    fit = None
    if place.trend is not None and place.trend.found:
        line = place.trend.line
        ends = (0, len(line) - 1)
        fit = Line([(_middle(place.trend.starts[i], timedelta(days=1)), float(line[i])) for i in ends])
    return course(
        marks,
        ticks=_date_ticks([row.start for row in rows], 8 if size is _WIDE else 4, length),
        label=say(
            "Happy share at {name} by week, with 95 % intervals"
            if weekly
            else "Happy share at {name} by day, with 95 % intervals",
            name=place.name,
        ),
        width=size[0],
        height=size[1],
        fit=fit,
        events=_events(place, report.at, marks),
    )


def _events(place: PlaceReport, at: date | None, marks: Sequence[Mark]) -> Ticks:
    """Return the date that divides before from after and the lasting shifts, unless their names would overlap."""
    first, last = marks[0].at, marks[-1].at
    events = []
    if at is not None and first < (cut := _seconds(datetime(at.year, at.month, at.day))) < last:
        events.append((cut, short_date(at)))
    for shift in place.over_time.shifts if place.over_time else ():
        moment = _seconds(shift.at)
        if all(abs(moment - other) > 0.08 * (last - first) for other, _ in events):
            events.append((moment, say("shift")))
    return events


def _pattern(
    rows: Sequence[PatternRow], names: Sequence[str], by: str, place: str, width: float, *, every: int
) -> str | None:
    if not _several([row.index for row in rows]):
        return None
    marks = [
        _mark(row.index, float(row.level), f"{name}{' h' if by.startswith('hour') else ''}")
        for row, name in zip(rows, names, strict=True)
    ]
    apart = 1 + (len(rows) - 1) // every
    ticks = [(mark.at, name) for i, (mark, name) in enumerate(zip(marks, names, strict=True)) if i % apart == 0]
    return categories(
        marks,
        ticks=ticks,
        label=say("Happy share at {name} {by}", name=place, by=say(f"by {by}")),
        width=width,
        height=190,
    )


def _mark(row: IndexRow, at: float, name: str, *, joined: bool = True) -> Mark:
    share = row.happy_share
    if row.suppressed:
        return Mark(at, None, None, None, say("{name}: not shown, made of too few people", name=name), joined=False)
    shown = percent(best(share))
    if share.low is not None:
        shown += f" ({interval(share.low, share.high)} %)"
    return Mark(at, best(share), share.low, share.high, f"{name}: {shown}, {people(row.people)}", joined=joined)


def _date_ticks(starts: Sequence[datetime], most: int, length: timedelta) -> Ticks:
    apart = 1 + (len(starts) - 1) // most
    shown = list(starts)[::apart]
    labels = [label.replace("\n", " ") for label in tick_labels([datetime(s.year, s.month, s.day) for s in shown])]
    return [(_middle(start, length), label) for start, label in zip(shown, labels, strict=True)]


def _seconds(time: datetime) -> float:
    """Return seconds in the local time of the place, so that days are equally long."""
    return (time.replace(tzinfo=None) - datetime(1970, 1, 1)).total_seconds()


def _middle(start: datetime, length: timedelta) -> float:
    return _seconds(start) + length.total_seconds() / 2
