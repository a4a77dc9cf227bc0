"""Trend: Theil-Sen slope with a Mann-Kendall test that keeps its size in autocorrelated series."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import numpy as np

from felicity.errors import EstimateError
from felicity.over_time.noise import Bank, bandwidth, memory, newey_west, sampling_part
from felicity.over_time.seasonality import remove_season, season_levels, season_of, straight_line
from felicity.over_time.series import DAYS_PER_MONTH, Floats, Ints, Mask, Series, Step, by_day, check_adjustable
from felicity.style.language import say
from felicity.style.numbers import count

MIN_TREND_PERIODS = {Step.DAY: 42, Step.WEEK: 20}
"""Least number of periods with a figure for a trend."""
MAX_TREND_PERIODS = 4000
"""Number of periods beyond which there are too many pairs of periods."""
_FLOOR = 0.05


@dataclass(frozen=True)
class Trend:
    """The trend of one location's happy share.

    ``slope``, ``low``, ``high``: points per month (a twelfth of a year), 95 %. ``p_value``: of no trend. ``tau``:
    Kendall's tau of share and time. ``phi``: autocorrelation from period to period. ``detectable``: slope that 80 % of
    such series would detect. ``periods``: those with a figure, of ``span`` in the calendar. ``adjusted``: the series
    minus its ``season``, NaN in gaps; ``line``: the fitted line, both on ``starts``.
    """

    location: str
    step: Step
    slope: float
    low: float
    high: float
    p_value: float
    tau: float
    phi: float
    detectable: float
    periods: int
    span: int
    people: int
    season: str
    starts: tuple[datetime, ...]
    adjusted: Floats
    line: Floats

    @property
    def found(self) -> bool:
        """Return whether there is a trend at the 5 % level."""
        return self.p_value <= 0.05


def estimate_trend(series: Series, *, seed: int = 0) -> Trend:
    """Estimate slope, interval and test of a series; hours lose their weekly season and are then averaged to days.

    Slope: median of the slopes of all pairs (Theil 1950, Sen 1968). Test: Mann-Kendall's S (Mann 1945, Kendall 1948)
    over a Newey-West standard error, compared with the same statistic in noise with the memory of the series
    (``noise.Bank``). Interval: the slopes that this test does not reject (Sen's ranks), so that test and interval
    agree. Raises EstimateError if there is too little data.
    """
    season = season_of(series)
    daily = by_day(series, season.values) if series.step is Step.HOUR else series
    _check_length(daily)
    present, days = daily.present, daily.days[daily.present]
    levels = season_levels(daily)[1][present]
    share = daily.share[present]
    kept = remove_season(share[None], levels, days)[0] if series.step is Step.HOUR else share - season.values[present]

    slopes = pair_slopes(kept, days)
    residuals = _residuals(kept[None], days, present)
    scale = float(_standard_error(residuals, present)[0])
    score = len(slopes) - 2.0 * np.count_nonzero(slopes < 0) - np.count_nonzero(slopes == 0)
    sampling = sampling_part(daily.error[present], residuals[0, present])
    bank = _bank(days.tobytes(), present.tobytes(), levels.tobytes(), sampling, seed)
    null = bank.null(float(memory(residuals, present)[0]))
    slope = float(np.median(slopes))
    low, high = _sen_interval(slopes, null.critical * scale)
    month = DAYS_PER_MONTH
    middle = float(np.median(kept - slope * days))
    adjusted = np.full(len(daily), np.nan)
    adjusted[present] = kept
    return Trend(
        location=series.location,
        step=daily.step,
        slope=slope * month,
        low=low * month,
        high=high * month,
        p_value=null.p_value(score / scale),
        tau=float(score / len(slopes)),
        phi=null.phi,
        detectable=(high - low) / 2 * month * null.detected / null.critical,
        periods=len(days),
        span=len(daily),
        people=int(series.people.sum()),
        season=season.name,
        starts=daily.starts,
        adjusted=adjusted,
        line=middle + slope * daily.days,
    )


def _check_length(daily: Series) -> None:
    check_adjustable(daily)
    least, periods = MIN_TREND_PERIODS[daily.step], int(daily.present.sum())
    if periods < least:
        raise EstimateError(
            say(
                "{name}: a trend needs at least {least} with a figure, and there are {periods}; watch longer or choose "
                "a longer period",
                name=daily.location,
                least=daily.step.plural(least),
                periods=periods,
            )
        )
    if periods > MAX_TREND_PERIODS:
        raise EstimateError(
            say(
                "{name}: a trend takes at most {most}, and there are {periods}; use --by week",
                name=daily.location,
                most=daily.step.plural(MAX_TREND_PERIODS),
                periods=count(periods),
            )
        )


def pair_slopes(values: Floats, days: Floats) -> Floats:
    """Return slopes between all pairs of ``values`` (n,) at ``days`` (n,), sorted: (n (n - 1) / 2,)."""
    i, j = np.triu_indices(len(values), 1)
    return np.sort((values[j] - values[i]) / (days[j] - days[i]))


def _sen_interval(slopes: Floats, reach: float) -> tuple[float, float]:
    """Return the ends between which Mann-Kendall's S of the series minus its slope stays within ``reach``."""
    below = int(np.floor((len(slopes) - reach) / 2))
    if below < 0:
        return float(slopes[0]), float(slopes[-1])
    return float(slopes[below]), float(slopes[len(slopes) - 1 - below])


def kendall_scores(values: Floats) -> Ints:
    """Return (B,): Mann-Kendall's S of each row of ``values`` (B, n), without ties."""
    columns = np.ascontiguousarray(values.T, dtype=np.float32)  # (n, B)
    n, rows = columns.shape
    rising = np.zeros(rows, dtype=np.int64)
    for first in range(n - 1):
        rising += np.count_nonzero(columns[first + 1 :] > columns[first], axis=0)
    return np.asarray(2 * rising - n * (n - 1) // 2)


def _residuals(kept: Floats, days: Floats, present: Mask) -> Floats:
    """Return the residuals of a straight line through ``kept`` (B, m), on the calendar (B, n), 0 in gaps."""
    on_calendar = np.zeros((len(kept), len(present)))
    on_calendar[:, present] = kept - straight_line(kept, days)
    return on_calendar


def _standard_error(residuals: Floats, present: Mask) -> Floats:
    """Return (B,): the standard error of S for independent periods, times the root of long-run over plain variance."""
    m = int(present.sum())
    independent = m * (m - 1) * (2 * m + 5) / 18
    plain = np.einsum("bn,bn->b", residuals, residuals)
    ratio = newey_west(residuals, bandwidth(m)) / np.maximum(plain, 1e-12)
    return np.asarray(np.sqrt(independent * np.maximum(ratio, _FLOOR)))


@lru_cache(maxsize=16)
def _bank(days: bytes, present: bytes, levels: bytes, sampling: float, seed: int) -> Bank:
    """Return the bank of a calendar. Its keys are bytes, since arrays cannot be keys, so equal calendars share it."""
    at, there = np.frombuffer(days, np.float64), np.frombuffer(present, np.bool_)
    level = np.frombuffer(levels, np.int64)

    def treat(noise: Floats) -> tuple[Floats, Floats]:
        kept = remove_season(noise[:, there], level, at)
        return kept, _residuals(kept, at, there)

    def statistic(noise: Floats) -> tuple[Floats, Floats]:
        kept, left = treat(noise)
        return kendall_scores(kept).astype(np.float64), _standard_error(left, there)

    return Bank(statistic, lambda noise: memory(treat(noise)[1], there), len(there), sampling, seed)
