"""The treated locations of a measure and its comparison locations, on one calendar around its date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from felicity.errors import ConfigError, EstimateError
from felicity.over_time.regression import least_squares
from felicity.over_time.seasonality import season_levels, season_of
from felicity.over_time.series import Floats, Series, Step, by_day, check_adjustable, zone_of
from felicity.style.language import say
from felicity.windows.buckets import bucket

MIN_SIDE_PERIODS = {Step.DAY: 21, Step.WEEK: 12}
"""Least number of periods with a figure before and after."""
_TOO_FEW = (
    "{name}: {periods} with a figure before {date}, and at least {least} are needed; watch longer or choose a longer "
    "period",
    "{name}: {periods} with a figure from {date}, and at least {least} are needed; watch longer or choose a longer "
    "period",
)


@dataclass(frozen=True)
class Panel:
    """Series of all locations on one calendar.

    ``starts``: n local times; ``days`` (n,) since the first. ``values``, ``errors`` (n,) by location: adjusted happy
    shares, percent, and their standard errors, points; NaN in gaps. ``post`` (n,): 1 from ``at`` on, else 0.
    ``season``: the name of the season; ``levels`` (n,): numbers of its levels.
    """

    at: datetime
    step: Step
    treated: tuple[str, ...]
    compared: tuple[str, ...]
    starts: tuple[datetime, ...]
    days: Floats
    values: Mapping[str, Floats]
    errors: Mapping[str, Floats]
    post: Floats
    season: str
    levels: Floats

    @classmethod
    def of(cls, series: Mapping[str, Series], at: datetime, treated: Sequence[str], compared: Sequence[str]) -> Panel:
        """Return a panel of ``series`` by name, all with one step; hours are summed up by day.

        A period that holds ``at`` within it has no value. Raises ConfigError for unknown or repeated locations,
        EstimateError if shares cannot be adjusted.
        """
        names = (*treated, *compared)
        _check_names(series, treated, names)
        hourly = series[names[0]].step is Step.HOUR
        seasons = {name: season_of(series[name]) for name in names} if hourly else {}
        daily = {name: by_day(series[name], seasons[name].values) if hourly else series[name] for name in names}
        # Locations may have different time zones; they share the local date.
        keys = sorted({start.date() for one in daily.values() for start in one.starts})
        place = {key: i for i, key in enumerate(keys)}
        starts: list[datetime] = [at] * len(keys)
        values, errors = {}, {}
        for name in reversed(names):
            one = daily[name]
            rows = [place[start.date()] for start in one.starts]
            values[name], errors[name] = np.full(len(keys), np.nan), np.full(len(keys), np.nan)
            values[name][rows], errors[name][rows] = one.share, one.error
            for row, start in zip(rows, one.starts, strict=True):
                starts[row] = start
        first = starts[0].date()
        step = daily[names[0]].step
        # A period that holds the date is neither before nor after.
        ends = [bucket(int(start.timestamp()), step.value, zone_of(start))[1] for start in starts]
        torn = np.array([start < at and end > at.timestamp() for start, end in zip(starts, ends, strict=True)])
        for name in names:
            values[name] = np.where(torn, np.nan, values[name])
        values = {name: values[name] for name in names}
        panel_series = Series(
            "",
            step,
            tuple(starts),
            np.where(np.isfinite(np.array([values[n] for n in names])).any(axis=0), 0.0, np.nan),
            np.full(len(keys), np.nan),
            np.zeros(len(keys), dtype=np.int64),
            np.zeros(len(keys), dtype=bool),
        )
        rhythm, levels = season_levels(panel_series)
        return cls(
            at=at,
            step=step,
            treated=tuple(treated),
            compared=tuple(compared),
            starts=tuple(starts),
            days=np.array([(start.date() - first).days for start in starts], dtype=np.float64),
            values=values,
            errors=errors,
            post=np.array([float(start >= at) for start in starts]),
            season=seasons[names[0]].name if hourly else rhythm,
            levels=levels.astype(np.float64),
        )

    def dummies(self) -> Floats:
        """Return (n, levels - 1): one column per level of the season but the first."""
        return np.asarray(self.levels[:, None] == np.unique(self.levels)[None, 1:], dtype=np.float64)

    def _centred(self, name: str) -> Floats:
        """Return a location's values minus its level before the date and its weekly season."""
        values = self.values[name]
        if not np.isfinite(values).any():
            return values
        design = np.hstack([np.ones((len(values), 1)), self.post[:, None], self.dummies()])
        if np.linalg.matrix_rank(design[np.isfinite(values)]) < design.shape[1]:
            return values - np.nanmean(values)
        own = least_squares(values, design)
        own[1] = 0.0
        return np.asarray(values - design @ own)

    def mean(self, names: Sequence[str]) -> Floats:
        """Return (n,): mean of the locations with a figure, each minus its own level, so that a gap is no jump."""
        return _row_mean(np.array([self._centred(name) for name in names]))

    def drawn(self, names: Sequence[str]) -> Floats:
        """Return (n,): as ``mean``, plus the locations' level before the date."""
        heights = [np.nanmean(np.where(self.post == 0, self.values[name], np.nan)) for name in names]
        return np.asarray(self.mean(names) + np.mean(heights))

    def base(self) -> Floats:
        """Return (n,), the base of the effect: the treated locations' mean, minus that of the comparison."""
        treated = self.mean(self.treated)
        return treated - self.mean(self.compared) if self.compared else treated

    @property
    def error(self) -> Floats:
        """Return (n,): sampling error of ``base``."""
        total = np.zeros(len(self.starts))
        for group in (self.treated, self.compared):
            if group:
                listed = np.array([self.errors[name] for name in group]) ** 2
                total += _row_mean(listed) / np.maximum(np.isfinite(listed).sum(axis=0), 1)
        return np.asarray(np.sqrt(total))

    def check_length(self) -> tuple[int, int]:
        """Return how many periods have a figure before and after. Raises EstimateError for too few."""
        least = MIN_SIDE_PERIODS[self.step]
        first, last = self.starts[0], self.starts[-1]
        if not first < self.at <= last:
            raise EstimateError(
                say(
                    "the date {date} lies outside the data, which run from {first} to {last}",
                    date=f"{self.at:%Y-%m-%d}",
                    first=f"{first:%Y-%m-%d}",
                    last=f"{last:%Y-%m-%d}",
                )
            )
        counts = (0, 0)
        whole = dict(self.values) | {say("the locations together"): self.base()}
        for name, values in whole.items():
            there = np.isfinite(values)
            counts = int((there & (self.post == 0)).sum()), int((there & (self.post > 0)).sum())
            for count, text in zip(counts, _TOO_FEW, strict=True):
                if count < least:
                    told = {"name": name, "periods": self.step.plural(count), "date": f"{self.at:%Y-%m-%d}"}
                    raise EstimateError(say(text, least=least, **told))
        return counts


def _row_mean(values: Floats) -> Floats:
    """Return (n,): mean over rows of (L, n), NaN if none has a figure."""
    there = np.isfinite(values)
    return np.asarray(np.where(there.any(axis=0), np.nansum(values, axis=0), np.nan) / np.maximum(there.sum(axis=0), 1))


def _check_names(series: Mapping[str, Series], treated: Sequence[str], names: Sequence[str]) -> None:
    if not treated:
        raise ConfigError(say("an effect needs at least one location that the measure touched"))
    if unknown := [name for name in names if name not in series]:
        if not series:
            raise ConfigError(say("there are no figures of {name}", name=repr(unknown[0])))
        text = "there are no figures of {name}; there are of {known}"
        raise ConfigError(say(text, name=repr(unknown[0]), known=", ".join(sorted(series))))
    if twice := sorted({name for name in names if names.count(name) > 1}):
        text = "{name} is named twice; name each location once, as touched or as comparison"
        raise ConfigError(say(text, name=repr(twice[0])))
    for name in names:
        check_adjustable(series[name])
