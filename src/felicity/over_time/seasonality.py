"""The weekly season: the part of a happy share that depends on the hour of the week."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from felicity.over_time.series import Floats, Ints, Mask, Series, Step

_LEAST = 3


@dataclass(frozen=True)
class Season:
    """A season: ``name`` of its levels; ``levels`` (n,): level of each period, 0 …; ``values`` (n,): points, mean 0."""

    name: str
    levels: Ints
    values: Floats


def season_of(series: Series) -> Season:
    """Estimate the weekly season of a series: by hour of the week, else hour of the day; for days, by day of the week.

    The function chooses the finest season that has at least three figures at a typical level; none for weeks and for
    short series. Each level's value is the median, weighted by precision, of the residuals of a straight line; an
    outlying day does not change it.
    """
    name, levels = season_levels(series)
    present = series.present
    values = np.zeros(len(series))
    if name != "none":
        kept = series.share[present]
        left = remove_season(
            kept[None], levels[present], series.days[present], _precision(kept, series.error[present])
        )[0]
        found = kept - left
        values[present] = found
        # Periods without a figure have a season, too.
        for level in np.unique(levels[~present]):
            same = levels[present] == level
            values[(levels == level) & ~present] = found[same][0] if same.any() else 0.0
    return Season(name, levels, values)


def season_levels(series: Series) -> tuple[str, Ints]:
    """Return name and levels (n,) of the finest season that the series carries."""
    hour_of_week, present = series.hour_of_week, series.present
    choices: list[tuple[str, Ints]] = []
    if series.step is Step.HOUR:
        choices = [("hour of week", hour_of_week), ("hour of day", hour_of_week % 24)]
    elif series.step is Step.DAY:
        choices = [("day of week", hour_of_week // 24)]
    for name, levels in choices:
        if _carried(levels, present):
            return name, np.unique(levels, return_inverse=True)[1].astype(np.int64)
    return "none", np.zeros(len(series), dtype=np.int64)


def _carried(levels: Ints, present: Mask) -> bool:
    counts = np.unique(levels[present], return_counts=True)[1]
    return len(counts) > 1 and float(np.median(counts)) >= _LEAST


def _precision(values: Floats, error: Floats) -> Floats:
    """Return inverse variances: between periods (robust) plus within periods (known errors)."""
    known = np.isfinite(error)
    if not known.any():
        return np.ones(len(values))
    within = np.where(known, error, np.median(error[known])) ** 2
    spread = 1.4826 * np.median(np.abs(values - np.median(values)))
    return np.asarray(1.0 / np.maximum(max(spread**2 - float(np.median(within)), 0.0) + within, 1e-9))


def remove_season(values: Floats, levels: Ints, days: Floats, weights: Floats | None = None) -> Floats:
    """Return ``values`` (B, n), n periods without gaps at ``days`` (n,), minus the medians of their ``levels`` (n,).

    The medians are those of the residuals of a straight line whose slope is that within levels, so that no season,
    however strong, passes for a slope. A row's mean is kept.
    """
    groups = [np.flatnonzero(levels == level) for level in np.unique(levels)]
    if len(groups) < 2:
        return values
    within = days.copy()
    for group in groups:
        within[group] -= days[group].mean()
    slope = values @ within / max(float(within @ within), 1e-12)
    left = values - slope[:, None] * days
    season = np.empty_like(values)
    for group in groups:
        season[:, group] = _median(left[:, group], None if weights is None else weights[group])[:, None]
    return np.asarray(values - season + season.mean(axis=1, keepdims=True))


def straight_line(values: Floats, days: Floats) -> Floats:
    """Fit a least-squares line through each row of ``values`` (B, n) at ``days`` (n,): (B, n)."""
    centred = days - days.mean()
    slope = values @ centred / max(float(centred @ centred), 1e-12)
    return np.asarray(values.mean(axis=1, keepdims=True) + slope[:, None] * centred)


def _median(values: Floats, weights: Floats | None) -> Floats:
    if weights is None:
        return np.asarray(np.median(values, axis=1))
    order = np.argsort(values, axis=1)
    mass = np.cumsum(weights[order], axis=1)
    middle = np.argmax(mass >= 0.5 * mass[:, -1:], axis=1)
    return np.asarray(np.take_along_axis(np.take_along_axis(values, order, 1), middle[:, None], 1)[:, 0])
