"""Control limits for single periods, and change points for lasting shifts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import pairwise

import numpy as np
from scipy.ndimage import uniform_filter1d

from felicity.errors import EstimateError
from felicity.over_time.noise import Bank, memory, sampling_part
from felicity.over_time.seasonality import remove_season, season_levels, season_of
from felicity.over_time.series import Floats, Mask, Series, Step, by_day
from felicity.style.language import say

SIGMAS = 3.0
MIN_LIMIT_PERIODS = {Step.DAY: 90, Step.WEEK: 26}
"""Least number of periods with a figure for limits and change points."""
_SHORTEST = {Step.DAY: 14, Step.WEEK: 4}
_NEIGHBOURS = {Step.DAY: 29, Step.WEEK: 13}
_PLACES = 120


@dataclass(frozen=True)
class Limits:
    """Control limits of a series: ``centre``, ``low``, ``high`` (n,), percent, including the season.

    ``outside`` (n,): True for periods beyond their limits.
    """

    starts: tuple[datetime, ...]
    share: Floats
    centre: Floats
    low: Floats
    high: Floats
    outside: Mask


@dataclass(frozen=True)
class LevelShift:
    """A lasting shift: from ``at`` on the mean is ``after``, until then it was ``before`` (percent, season removed)."""

    at: datetime
    before: float
    after: float


def control_limits(series: Series) -> Limits:
    """Compute median and season ± 3 sigma, sigma² = variance between periods + sampling variance by people.

    The p' chart of Laney (2002) for adjusted shares: a day of few people has wider limits. The variance between periods
    is the robust spread (median absolute deviation) beyond sampling error. Hours are averaged to days. Raises
    EstimateError for short series.
    """
    daily, season = _deseasoned(series)
    left = daily.share
    middle = float(np.nanmedian(left))
    known = np.isfinite(daily.error) & daily.present
    people = np.maximum(daily.people, 1)
    of_one = float(np.median(daily.error[known] ** 2 * people[known])) if known.any() else 0.0
    within = of_one / people
    total = (1.4826 * float(np.nanmedian(np.abs(left - middle)))) ** 2
    typical = float(np.median(within[daily.present]))
    # If errors exceed the whole spread, only their dependence on the number of people is used.
    scale = min(1.0, total / typical) if typical > 0 else 0.0
    sigma = np.sqrt(max(total - typical, 0.0) + scale * within)
    return Limits(
        starts=daily.starts,
        share=left + season,
        centre=middle + season,
        low=np.clip(middle + season - SIGMAS * sigma, 0.0, 100.0),
        high=np.clip(middle + season + SIGMAS * sigma, 0.0, 100.0),
        outside=np.abs(np.nan_to_num(left - middle)) > SIGMAS * sigma,
    )


def change_points(series: Series, *, seed: int = 0) -> list[LevelShift]:
    """Find lasting shifts of the mean by PELT (Killick, Fearnhead & Eckley 2012) with squared error.

    The penalty is the largest gain per shift that noise with the memory of the series reaches in 5 % of cases
    (``noise.Bank``). So a series without a shift shows one in about 5 % of cases. The memory is estimated after removal
    of a moving mean, which makes it robust to shifts. Raises EstimateError for short series.
    """
    import ruptures

    daily, _ = _deseasoned(series)
    present = daily.present
    kept = daily.share[present]
    shortest = _SHORTEST[daily.step]
    left = _local(daily.share[None], present, _NEIGHBOURS[daily.step])
    sampling = sampling_part(daily.error[present], left[0, present])
    levels, days = season_levels(daily)[1][present], daily.days[present]
    width = _NEIGHBOURS[daily.step]
    bank = _bank(present.tobytes(), levels.tobytes(), days.tobytes(), shortest, width, sampling, seed)
    null = bank.null(float(memory(left, present)[0]))
    # The bank's gains are in units of the variance after removal of a moving mean.
    penalty = null.critical * float(np.mean(left[0, present] ** 2))
    # A linear kernel is squared error; this implementation is compiled.
    search = ruptures.KernelCPD(kernel="linear", min_size=shortest).fit(kept)
    ends = search.predict(pen=max(penalty, 1e-9))
    places = np.flatnonzero(present)
    bounds = [0, *ends]
    means = [float(kept[a:b].mean()) for a, b in pairwise(bounds)]
    return [
        LevelShift(daily.starts[places[end]], before, after)
        for end, before, after in zip(ends[:-1], means, means[1:], strict=False)
    ]


def _deseasoned(series: Series) -> tuple[Series, Floats]:
    """Return the series by day or week minus its season, and that season (n,)."""
    season = season_of(series).values
    daily = by_day(series, season)
    periods = int(daily.present.sum())
    if periods < MIN_LIMIT_PERIODS[daily.step]:
        raise EstimateError(
            say(
                "{name}: control limits and change points need at least {least} with a figure, and there are {periods}",
                name=daily.location,
                least=daily.step.plural(MIN_LIMIT_PERIODS[daily.step]),
                periods=periods,
            )
        )
    return daily, season if series.step is not Step.HOUR else by_day(series).share - daily.share


def _local(values: Floats, present: Mask, width: int) -> Floats:
    """Return ``values`` (B, n) minus a moving mean over ``width`` periods, 0 in gaps."""
    filled = np.where(present, np.nan_to_num(values), 0.0)
    mass = uniform_filter1d(present.astype(np.float64), width, mode="constant")
    mean = uniform_filter1d(filled, width, axis=1, mode="constant") / np.maximum(mass, 1e-12)
    return np.asarray(np.where(present, filled - mean, 0.0))


@lru_cache(maxsize=32)
def _bank(present: bytes, levels: bytes, days: bytes, shortest: int, width: int, sampling: float, seed: int) -> Bank:
    there = np.frombuffer(present, np.bool_)
    level, at = np.frombuffer(levels, np.int64), np.frombuffer(days, np.float64)

    def treat(noise: Floats) -> tuple[Floats, Floats]:
        kept = remove_season(noise[:, there], level, at)
        on_calendar = np.zeros_like(noise)
        on_calendar[:, there] = kept
        return kept, _local(on_calendar, there, width)

    def gain(noise: Floats) -> tuple[Floats, Floats]:
        kept, left = treat(noise)
        return _largest_gain(kept, shortest), np.asarray(np.mean(left[:, there] ** 2, axis=1))

    return Bank(gain, lambda noise: memory(treat(noise)[1], there), len(there), sampling, seed)


def _largest_gain(values: Floats, shortest: int) -> Floats:
    """Return (B,): the reduction of the squared error of the rows of (B, m) by one shift, or by each of two."""
    m = values.shape[1]
    total = np.cumsum(values - values.mean(axis=1, keepdims=True), axis=1)
    ends = np.arange(shortest, m - shortest + 1, max(1, m // _PLACES))
    first = total[:, ends - 1]
    one = first**2 * m / (ends * (m - ends))
    best = one.max(axis=1)
    for i, end in enumerate(ends):
        later = ends[i + 1 :]
        later = later[later >= end + shortest]
        if len(later):
            middle, last = total[:, later - 1] - first[:, i : i + 1], total[:, later - 1]
            two = first[:, i : i + 1] ** 2 / end + middle**2 / (later - end) + last**2 / (m - later)
            np.maximum(best, two.max(axis=1) / 2, out=best)
    return np.asarray(best)
