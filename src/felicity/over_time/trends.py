"""Trends of several locations, each with its control limits and lasting shifts, and the locations without one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from felicity.errors import EstimateError
from felicity.notes import Note
from felicity.over_time.control import LevelShift, Limits, change_points, control_limits
from felicity.over_time.series import Series, Step
from felicity.over_time.trend import Trend, estimate_trend
from felicity.style.language import say

SEASON_YEARS = 2
"""Least years of data that distinguish a trend from the season of the year."""


@dataclass(frozen=True)
class LocationTrend:
    """One location: its ``trend`` and lasting ``shifts``; ``limits`` for control, None for a series too short."""

    trend: Trend
    limits: Limits | None = None
    shifts: tuple[LevelShift, ...] = ()

    @property
    def location(self) -> str:
        """Return the name of the location."""
        return self.trend.location

    @property
    def outside(self) -> tuple[datetime, ...]:
        """Return the starts of the periods beyond their control limits."""
        return tuple(self.limits.starts[i] for i in self.limits.outside.nonzero()[0]) if self.limits else ()


@dataclass(frozen=True)
class Missing:
    """A location without a figure, and the reason."""

    location: str
    reason: str


@dataclass(frozen=True)
class Trends:
    """Trends of locations, by name, from series by ``step``.

    ``missing``: locations without a trend. ``notes``: left-out data, and cautions.
    """

    items: tuple[LocationTrend, ...]
    step: Step
    missing: tuple[Missing, ...] = ()
    notes: tuple[Note, ...] = ()


def estimate_trends(series: Mapping[str, Series], step: Step, *, absent: Iterable[Missing] = ()) -> Trends:
    """Estimate the trend, limits and shifts of each series, all by ``step``.

    ``absent``: requested locations that have no series. Raises EstimateError if no location has a trend.
    """
    found, missing = [], []
    for name, one in series.items():
        try:
            found.append(estimate_location_trend(one))
        except EstimateError as error:
            missing.append(Missing(name, str(error)))
    missing += absent
    if not found:
        nothing = say("there is nothing counted in this store and period yet")
        raise EstimateError(missing[0].reason if missing else nothing)
    short = any((one.trend.starts[-1] - one.trend.starts[0]).days < 365 * SEASON_YEARS for one in found)
    text = say("in less than {years} years a trend cannot be told from the season of the year", years=SEASON_YEARS)
    return Trends(tuple(found), step, tuple(missing), (Note("season-unknown", text),) if short else ())


def estimate_location_trend(series: Series) -> LocationTrend:
    """Estimate the trend of one location, its limits and shifts. Raises EstimateError for too short a series."""
    trend = estimate_trend(series)
    try:
        return LocationTrend(trend, control_limits(series), tuple(change_points(series)))
    except EstimateError:  # long enough for a trend alone
        return LocationTrend(trend)
