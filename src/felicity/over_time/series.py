"""Regular series of happy shares, one per location, for trends, limits and effects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from felicity.errors import ConfigError, EstimateError
from felicity.index.happiness import IndexRow
from felicity.style.language import say
from felicity.style.numbers import count as counted
from felicity.windows.buckets import bucket

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

Z95 = 1.959964
DAYS_PER_MONTH = 365.25 / 12
_COUNTED = {
    "hour": ("{count} hour", "{count} hours"),
    "day": ("{count} day", "{count} days"),
    "week": ("{count} week", "{count} weeks"),
}


class Step(StrEnum):
    """The length of a period of a series."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"

    @classmethod
    def _missing_(cls, value: object) -> Step:
        raise ConfigError(f"a series is by {', '.join(cls)}, not {value!r}")

    def plural(self, count: int) -> str:
        """Return ``1 day``, ``30 days``."""
        one, many = _COUNTED[self.value]
        return say(one if count == 1 else many, count=counted(count))


@dataclass(frozen=True)
class Series:
    """The happy share of one location, period by period, without holes in the calendar.

    ``starts``: n local times, each the beginning of a period. ``share`` (n,): adjusted happy share, percent, NaN if
    nobody was counted or the figure is suppressed. ``error`` (n,): its standard error, points, NaN if unknown.
    ``people`` (n,). ``suppressed`` (n,): counted, but too few to be shown. ``adjustable``: False if the store holds raw
    counts alone.
    """

    location: str
    step: Step
    starts: tuple[datetime, ...]
    share: Floats
    error: Floats
    people: Ints
    suppressed: Mask
    adjustable: bool = True

    def __post_init__(self) -> None:
        n = len(self.starts)
        for name in ("share", "error", "people", "suppressed"):
            if getattr(self, name).shape != (n,):
                raise ValueError(f"{name} has shape {getattr(self, name).shape}, expected ({n},)")

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def present(self) -> Mask:
        """Return (n,): True for periods with a figure."""
        return np.isfinite(self.share)

    @property
    def days(self) -> Floats:
        """Return (n,): days since the first period, by the calendar, so that every day is 1 whatever its hours."""
        if self.step is Step.HOUR:
            return np.array([s.timestamp() - self.starts[0].timestamp() for s in self.starts]) / 86_400
        return np.arange(len(self), dtype=np.float64) * (7.0 if self.step is Step.WEEK else 1.0)

    @property
    def hour_of_week(self) -> Ints:
        """Return (n,): 0 (Monday, midnight) … 167, in local time."""
        return np.array([24 * s.weekday() + s.hour for s in self.starts], dtype=np.int64)

    def between(self, begin: datetime | None, end: datetime | None) -> Series:
        """Return the periods that start from ``begin`` on and before ``end``."""
        keep = np.array([(not begin or s >= begin) and (not end or s < end) for s in self.starts], dtype=bool)
        return self._take(np.flatnonzero(keep))

    def with_share(self, share: Floats) -> Series:
        """Return the same periods with other values."""
        return replace(self, share=share)

    def _take(self, rows: Ints) -> Series:
        columns = {name: getattr(self, name)[rows] for name in ("share", "error", "people", "suppressed")}
        return replace(self, starts=tuple(self.starts[i] for i in rows), **columns)


def check_adjustable(series: Series) -> None:
    """Raise EstimateError if people are counted but their shares cannot be adjusted."""
    if not series.adjustable:
        raise EstimateError(
            say(
                "{name}: people are counted, but the store holds no soft matrix of their model to adjust their shares "
                "with; felicity calibrate measures one",
                name=series.location,
            )
        )


def series_of(rows: Iterable[IndexRow], step: Step) -> dict[str, Series]:
    """Turn rows of an index by ``step`` into one series per location, in the order of names.

    Each series runs from the location's first row to its last, in its time zone; periods without a row are gaps. Raises
    EstimateError if a row does not begin where a period does, and if two rows are of one period.
    """
    of: dict[str, list[IndexRow]] = {}
    for row in rows:
        of.setdefault(row.location, []).append(row)
    return {name: _one(name, of[name], step) for name in sorted(of)}


def _one(location: str, rows: Sequence[IndexRow], step: Step) -> Series:
    begins = [row.start for row in rows]
    zone = zone_of(begins[0])
    starts = calendar(min(begins), max(begins), step, zone)
    place = {start.timestamp(): i for i, start in enumerate(starts)}
    n = len(starts)
    share, error = np.full(n, np.nan), np.full(n, np.nan)
    people, suppressed = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=bool)
    filled = np.zeros(n, dtype=bool)
    for row in rows:
        i = place.get(row.start.timestamp())
        if i is None:
            raise EstimateError(
                f"{location}: a row begins at {row.start.isoformat()}, where no {step} begins in {zone.key}; "
                f"a series by {step} needs an index by {step}"
            )
        if filled[i]:
            raise EstimateError(
                f"{location}: two rows begin at {row.start.isoformat()}; a series is of one bundle, see --model"
            )
        filled[i], people[i], suppressed[i] = True, row.people, row.suppressed
        figure = row.happy_share
        if row.suppressed or figure.adjusted is None:
            continue
        share[i] = figure.adjusted
        if figure.low is not None and figure.high is not None:
            error[i] = (figure.high - figure.low) / (2 * Z95)
    counted = [row.happy_share for row in rows if row.happy_share.raw is not None]
    adjustable = not counted or any(figure.adjusted is not None for figure in counted)
    return Series(location, step, starts, share, error, people, suppressed, adjustable)


def calendar(first: datetime, last: datetime, step: Step, zone: ZoneInfo) -> tuple[datetime, ...]:
    """Return the begins of periods (``windows.buckets``), from the one that holds ``first`` to that of ``last``."""
    starts = []
    second, until = int(first.timestamp()), last.timestamp()
    while second <= until:
        begin, second = bucket(second, step.value, zone)
        starts.append(datetime.fromtimestamp(begin, zone))
    return tuple(starts)


def zone_of(time: datetime) -> ZoneInfo:
    """Return the IANA name of a time's time zone; UTC if it has another kind of time zone."""
    return time.tzinfo if isinstance(time.tzinfo, ZoneInfo) else ZoneInfo("UTC")


def by_day(series: Series, season: Floats | None = None) -> Series:
    """Average hours to days: means, weighted by people, of the shares minus their ``season`` (n,), with their errors.

    A series that is not hourly is returned as it is, minus its season.
    """
    share = series.share if season is None else series.share - season
    if series.step is not Step.HOUR or not len(series):
        return series.with_share(share)
    zone = zone_of(series.starts[0])
    days = calendar(series.starts[0], series.starts[-1], Step.DAY, zone)
    index = {start.date(): i for i, start in enumerate(days)}
    day = np.array([index[s.date()] for s in series.starts])
    weight = np.where(series.present, np.maximum(series.people, 1), 0).astype(np.float64)

    def total(values: Floats) -> Floats:
        return np.asarray(np.bincount(day, values, len(days)), dtype=np.float64)

    with np.errstate(invalid="ignore", divide="ignore"):
        of_all = total(weight)
        mean = total(weight * np.where(series.present, share, 0.0)) / np.where(of_all > 0, of_all, np.nan)
        error = np.sqrt(total((weight * np.nan_to_num(series.error)) ** 2)) / np.where(of_all > 0, of_all, np.nan)
    people = np.bincount(day, series.people, len(days)).astype(np.int64)
    hidden = np.bincount(day, series.suppressed, len(days)) > 0
    return Series(series.location, Step.DAY, days, mean, error, people, hidden & (of_all == 0), series.adjustable)
