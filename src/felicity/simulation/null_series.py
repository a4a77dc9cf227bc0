"""Tests over time put to the test: how often they cry wolf, and how often they see one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from felicity.index import SoftMatrix
from felicity.index.series import DAYS_PER_MONTH, Series, Step
from felicity.index.trend import estimate_trend
from felicity.simulation.days import index_of_days
from felicity.simulation.labelled import AnsweredFaces

Floats = npt.NDArray[np.float64]
DAYS = 84
PEOPLE = 60
"""A day."""
MEMORY = 0.5
"""Correlation of a day's true share with that of the next."""
SPREAD = 0.03
"""Standard deviation of a day's true share around its level."""
WEEKEND = 0.05
SLOPE = 5.0
"""Points per month, of the series that do have a trend."""
_FIRST = datetime(2026, 3, 2, tzinfo=UTC)
_Z95 = 1.959964


@dataclass(frozen=True)
class TestRates:
    """Of ``series`` simulated series each: percent in which ``test`` found something.

    ``false_alarms``: where there was nothing but noise with a memory; ``power``: where there was ``effect``.
    """

    __test__ = False  # not a test class, whatever pytest thinks of its name

    test: str
    series: int
    false_alarms: float
    power: float
    effect: str


def daily_shares(series: int, days: int, rng: np.random.Generator) -> Floats:
    """True shares (series, days), 0..1: a level, brighter weekends, and noise with a memory from day to day."""
    steps = rng.standard_normal((series, days)) * np.sqrt(1 - MEMORY**2)
    steps[:, 0] = rng.standard_normal(series)
    noise = lfilter([1.0], [1.0, -MEMORY], steps, axis=1)
    level = rng.uniform(0.25, 0.6, (series, 1))
    weekend = WEEKEND * (np.arange(days) % 7 >= 5)
    return np.asarray(level + weekend + SPREAD * noise)


def observed(shares: Floats, faces: AnsweredFaces, soft: SoftMatrix, rng: np.random.Generator) -> list[Series]:
    """What the index says of places with these true daily ``shares`` (S, D): correlated people, counted, adjusted."""
    count, days = shares.shape
    rows = index_of_days(np.clip(shares, 0, 1).ravel(), PEOPLE, faces, soft, rng, correlated=True)
    figures = np.array([(r.happy_share.adjusted, r.happy_share.low, r.happy_share.high) for r in rows], dtype=float)
    adjusted, low, high = figures.T.reshape(3, count, days)
    error = (high - low) / (2 * _Z95)
    starts = tuple(_FIRST + timedelta(days=i) for i in range(days))
    people, hidden = np.full(days, PEOPLE), np.zeros(days, dtype=bool)
    return [Series(f"place {i}", Step.DAY, starts, adjusted[i], error[i], people, hidden) for i in range(count)]


def trend_rates(faces: AnsweredFaces, soft: SoftMatrix, series: int, rng: np.random.Generator) -> TestRates:
    """False alarms and power of the trend test over 12 weeks."""
    null = daily_shares(series, DAYS, rng)
    rising = daily_shares(series, DAYS, rng) + SLOPE / 100 * np.arange(DAYS) / DAYS_PER_MONTH
    rates = []
    for shares in (null, rising):
        found = [estimate_trend(one).found for one in observed(shares, faces, soft, rng)]
        rates.append(100 * float(np.mean(found)))
    return TestRates("trend", series, rates[0], rates[1], effect=f"{SLOPE:g} points per month over {DAYS // 7} weeks")
