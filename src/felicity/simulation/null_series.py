"""The rates of the tests over time: their false alarms, and their power."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from felicity.index import SoftMatrix
from felicity.over_time.effect import estimate_effect
from felicity.over_time.series import DAYS_PER_MONTH, Series, Step
from felicity.over_time.trend import estimate_trend
from felicity.simulation.days import estimated_share, simulated_days
from felicity.simulation.labelled import AnsweredFaces

Floats = npt.NDArray[np.float64]
DAYS = 84
PEOPLE = 60
"""People a day."""
MEMORY = 0.5
"""Correlation of a day's true share with that of the next day."""
SPREAD = 0.03
"""Standard deviation of a day's true share around its level."""
WEEKEND = 0.05
SLOPE = 5.0
"""Points per month, for the series with a trend."""
STEP = 10.0
"""Points from the middle of the series on, for the series with an effect."""
COMPARED = 2
"""Number of comparison locations, for difference in differences."""
_FIRST = datetime(2026, 3, 2, tzinfo=UTC)
_MIDDLE = _FIRST + timedelta(days=DAYS // 2)
_Z95 = 1.959964


@dataclass(frozen=True)
class Answer:
    """A test's answer on one series: whether it ``found`` something, and the ends of its 95 % interval."""

    found: bool
    low: float
    high: float


@dataclass(frozen=True)
class TestRates:
    """Rates over ``series`` simulated series each: percent in which ``test`` found something.

    ``false_alarms``: in autocorrelated noise alone; ``power``: with ``effect``; ``coverage``: of the 95 % interval with
    ``effect``.
    """

    __test__ = False  # not a test class, whatever pytest thinks of its name

    test: str
    series: int
    effect: str
    false_alarms: float
    power: float
    coverage: float


def daily_shares(series: int, days: int, rng: np.random.Generator) -> Floats:
    """Return true shares (series, days), 0..1: a level, brighter weekends, and autocorrelated noise."""
    steps = rng.standard_normal((series, days)) * np.sqrt(1 - MEMORY**2)
    steps[:, 0] = rng.standard_normal(series)
    noise = lfilter([1.0], [1.0, -MEMORY], steps, axis=1)
    level = rng.uniform(0.25, 0.6, (series, 1))
    weekend = WEEKEND * (np.arange(days) % 7 >= 5)
    return np.asarray(level + weekend + SPREAD * noise)


def observed(shares: Floats, faces: AnsweredFaces, soft: SoftMatrix, rng: np.random.Generator) -> list[Series]:
    """Return the index of places with these true daily ``shares`` (S, D): correlated people, counted, adjusted."""
    count, days = shares.shape
    sums = simulated_days(np.clip(shares, 0, 1).ravel(), PEOPLE, faces, rng, correlated=True)
    adjusted, low, high = estimated_share(sums, soft).reshape(3, count, days)
    error = (high - low) / (2 * _Z95)
    starts = tuple(_FIRST + timedelta(days=i) for i in range(days))
    people, hidden = np.full(days, PEOPLE), np.zeros(days, dtype=bool)
    return [Series(f"place {i}", Step.DAY, starts, adjusted[i], error[i], people, hidden) for i in range(count)]


def rates_of_tests(
    faces: AnsweredFaces,
    soft: SoftMatrix,
    series: int,
    rng: np.random.Generator,
) -> tuple[TestRates, ...]:
    """Return false alarms and power of the tests for trend and effect over 12 weeks, by day, on simulated series."""
    day = np.arange(DAYS)

    def places(change: npt.NDArray[np.floating]) -> list[Series]:
        return observed(np.asarray(daily_shares(series, DAYS, rng) + change / 100), faces, soft, rng)

    quiet = places(np.zeros(DAYS))
    compared = [places(np.zeros(DAYS)) for _ in range(COMPARED)]
    rising = places(SLOPE * day / DAYS_PER_MONTH)
    stepped = places(STEP * (day >= DAYS // 2))
    months, half = f"over {DAYS // 7} weeks", f"a step of {STEP:g} points half-way through {DAYS // 7} weeks"
    return (
        _rates(
            "trend",
            f"{SLOPE:g} points a month {months}",
            SLOPE,
            [_trend(x) for x in quiet],
            [_trend(x) for x in rising],
        ),
        _rates("effect", f"{half}, one place", STEP, [_effect(x) for x in quiet], [_effect(x) for x in stepped]),
        _rates(
            "effect beside others",
            f"{half}, one place beside {COMPARED}",
            STEP,
            *([_effect(*row) for row in zip(touched, *compared, strict=True)] for touched in (quiet, stepped)),
        ),
    )


def _rates(test: str, effect: str, size: float, null: list[Answer], real: list[Answer]) -> TestRates:
    """Return the rates of answers on series without an effect, and on as many with one of ``size``."""
    return TestRates(
        test,
        len(null),
        effect,
        false_alarms=100 * float(np.mean([one.found for one in null])),
        power=100 * float(np.mean([one.found for one in real])),
        coverage=100 * float(np.mean([one.low <= size <= one.high for one in real])),
    )


def _trend(series: Series) -> Answer:
    found = estimate_trend(series)
    return Answer(found.found, found.low, found.high)


def _effect(touched: Series, *others: Series) -> Answer:
    """Return the step in the middle, against the earlier course or against ``others``."""
    names = [f"other {i}" for i in range(len(others))]
    found = estimate_effect({"touched": touched, **dict(zip(names, others, strict=True))}, _MIDDLE, ["touched"], names)
    return Answer(found.found, found.low, found.high)
