"""The records of places in a report, made from sums of windows."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from felicity.cities.city import CityIndex
from felicity.cities.pattern import PatternRow, compute_pattern
from felicity.cities.ranking import Ranking
from felicity.errors import EstimateError
from felicity.index import Figure, Groups, IndexRow, SoftMatrix, compute_index
from felicity.notes import Note
from felicity.over_time.effect import Effect, estimate_effect
from felicity.over_time.series import Step, series_of
from felicity.over_time.trend import Trend
from felicity.over_time.trends import LocationTrend, estimate_location_trend
from felicity.windows import Location
from felicity.windows.buckets import midnight
from felicity.windows.sums import Sums

Matrices = Callable[[str, str], SoftMatrix | None]


@dataclass(frozen=True)
class Exposure:
    """The watched people, by outcome, with camera time in seconds, frames and windows."""

    people_seen: int
    people: int
    rejected: Mapping[str, int]
    seconds_covered: float
    frames_seen: int
    frames_dropped: int
    windows: int

    @classmethod
    def of(cls, sums: Sums) -> Exposure:
        """Add up all rows."""
        tally: Counter[str] = Counter()
        for rejected in sums.rejected:
            tally.update(rejected)
        return cls(
            people_seen=int(sums.people_seen.sum()),
            people=int(sums.people.sum()),
            rejected=dict(tally.most_common()),
            seconds_covered=float(sums.seconds_covered.sum()),
            frames_seen=int(sums.frames_seen.sum()),
            frames_dropped=int(sums.frames_dropped.sum()),
            windows=int(sums.windows.sum()),
        )


@dataclass(frozen=True)
class BeforeAfter:
    """Happy share before and from a date on, percent; ``difference`` in points, with its 95 % interval."""

    before: Figure
    after: Figure
    people_before: int
    people_after: int
    difference: Figure

    @classmethod
    def of(cls, before: IndexRow, after: IndexRow) -> BeforeAfter:
        """Compare two rows of the index.

        The interval joins those of the two shares (MOVER: Zou & Donner 2008), which it takes as independent. The common
        error of one soft matrix mostly cancels, so the interval is rather too wide than too narrow for that reason.
        """
        a, b = before.happy_share, after.happy_share
        raw = None if a.raw is None or b.raw is None else b.raw - a.raw
        if (
            a.adjusted is None
            or a.low is None
            or a.high is None
            or b.adjusted is None
            or b.low is None
            or b.high is None
        ):
            difference = Figure(raw=raw)
        else:
            point = b.adjusted - a.adjusted
            down = math.hypot(b.adjusted - b.low, a.high - a.adjusted)
            up = math.hypot(b.high - b.adjusted, a.adjusted - a.low)
            difference = Figure(raw, point, max(point - down, -100.0), min(point + up, 100.0))
        return cls(a, b, before.people, after.people, difference)


@dataclass(frozen=True)
class PlaceReport:
    """One location in the period of the report.

    ``total``: None if there is no window. ``hours`` by hour of the day (0 … 23), ``weekdays`` from Monday, 0.
    ``over_time`` (the trend, with shifts and limits), ``change``: None if there is none; ``trend_lack`` and
    ``change_lack`` then give the reason. ``effect``: the same change after removal of the earlier course, None if the
    days are too few.
    """

    location: Location
    total: IndexRow | None = None
    exposure: Exposure = field(default_factory=lambda: Exposure.of(Sums.empty()))
    days: tuple[IndexRow, ...] = ()
    hours: tuple[PatternRow, ...] = ()
    weekdays: tuple[PatternRow, ...] = ()
    weeks: tuple[IndexRow, ...] = ()
    over_time: LocationTrend | None = None
    trend_lack: str = ""
    change: BeforeAfter | None = None
    change_lack: str = ""
    effect: Effect | None = None

    @property
    def name(self) -> str:
        """Return the name of the location."""
        return self.location.name

    @property
    def trend(self) -> Trend | None:
        """Return the trend of the days, None if they are too few."""
        return self.over_time.trend if self.over_time else None

    @property
    def share(self) -> Figure:
        """Return the happy share of the period, empty if it is not shown."""
        return self.total.happy_share if self.total else Figure()

    @property
    def state(self) -> str:
        """Return ``shown``, ``suppressed`` (too few people), or ``missing`` (no window)."""
        return "missing" if self.total is None else "suppressed" if self.total.suppressed else "shown"


@dataclass(frozen=True)
class ModelCard:
    """A bundle: its ``identity`` and, if available, the facts of its ``bundle.json``."""

    identity: str
    facts: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class CityReport:
    """All data of a report.

    ``together``: all shown places, None if they cannot be joined. ``city``: the weighted index, None if it was not
    requested or ``city_lack`` gives the reason. ``effect``: of a measure on some places against others, likewise.
    ``ranking``: None if fewer than two places have a figure.
    """

    title: str
    places: Sequence[PlaceReport]
    together: IndexRow | None
    k: int
    at: date | None
    notes: tuple[Note, ...]
    models: Sequence[ModelCard]
    made: datetime
    city: CityIndex | None = None
    city_lack: str = ""
    effect: Effect | None = None
    effect_lack: str = ""
    ranking: Ranking | None = None

    @property
    def shown(self) -> list[PlaceReport]:
        """Return places with a figure."""
        return [place for place in self.places if place.state == "shown"]

    @property
    def all_notes(self) -> tuple[Note, ...]:
        """Return notes of the report and of its effect, each once, and why there is no city index or effect."""
        notes = [*self.notes, *(self.effect.notes if self.effect else ())]
        if self.city_lack:
            notes.append(Note("no-city-index", f"there is no weighted index of the city: {self.city_lack}"))
        if self.effect_lack:
            notes.append(Note("no-effect", f"the places cannot be compared with others: {self.effect_lack}"))
        return tuple(dict.fromkeys(notes))

    @property
    def period(self) -> tuple[datetime, datetime]:
        """Return the start of the first and the last moment of the last window, in the time zones of their places."""
        totals = [place.total for place in self.places if place.total]
        return min(row.start for row in totals), max(map(last_moment, totals))


def last_moment(row: IndexRow) -> datetime:
    """Return the last moment of a row: a row that ends at midnight belongs to the day before."""
    return row.end - timedelta(microseconds=1)


def make_place(
    location: Location,
    total: IndexRow | None,
    days: Groups,
    hours: Groups,
    soft_matrix: Matrices,
    *,
    k: int,
    at: date | None = None,
    weeks: Groups | None = None,
) -> PlaceReport:
    """Make one place from its sums by day, by hour and, for the course over many weeks, by week, all of one model.

    ``at``: the day that divides before from after. Nothing of fewer than ``k`` people is in the result.
    """
    if total is None:
        return PlaceReport(location, trend_lack="There are no data.", change_lack="There are no data.")
    rows = compute_index(days, soft_matrix, k=k)
    over_time, trend_lack = _over_time(location, rows)
    change, change_lack = _change(days, soft_matrix, k, at)
    return PlaceReport(
        location=location,
        total=total,
        exposure=Exposure.of(days.sums),
        days=tuple(rows),
        hours=tuple(compute_pattern(hours, lambda start: start.hour, soft_matrix, k=k)),
        weekdays=tuple(compute_pattern(days, lambda start: start.weekday(), soft_matrix, k=k)),
        weeks=tuple(compute_index(weeks, soft_matrix, k=k)) if weeks else (),
        over_time=over_time,
        trend_lack=trend_lack,
        change=change,
        change_lack=change_lack,
        effect=_effect(location, rows, at) if change else None,
    )


def _over_time(location: Location, rows: Sequence[IndexRow]) -> tuple[LocationTrend | None, str]:
    try:
        return estimate_location_trend(series_of(rows, Step.DAY)[location.name]), ""
    except EstimateError as error:
        return None, str(error).removeprefix(f"{location.name}: ")


def _effect(location: Location, rows: Sequence[IndexRow], at: date | None) -> Effect | None:
    if at is None:
        return None
    moment = datetime.fromtimestamp(midnight(at, location.zone), UTC).astimezone(location.zone)
    try:
        series = series_of(rows, Step.DAY)
        return estimate_effect(series, moment, [location.name])
    except EstimateError:
        return None


def _change(days: Groups, soft_matrix: Matrices, k: int, at: date | None) -> tuple[BeforeAfter | None, str]:
    if at is None:
        return None, ""
    sides = {row.level: row.index for row in compute_pattern(days, lambda s: int(s.date() >= at), soft_matrix, k=k)}
    if not sides:
        return None, "its people are only counted together with others, outside this period"
    if len(sides) < 2:
        return None, f"all data are {'from' if 1 in sides else 'before'} {at.isoformat()}{' on' if 1 in sides else ''}"
    if sides[0].suppressed or sides[1].suppressed:
        return None, f"there are fewer than {k} people on one side of {at.isoformat()}"
    return BeforeAfter.of(sides[0], sides[1]), ""
