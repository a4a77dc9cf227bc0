"""Trend: right slope, right size under autocorrelation, refusal of too little."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.sandwich_covariance import S_hac_simple
from statsmodels.tsa.stattools import acf

from felicity.errors import EstimateError
from felicity.over_time.noise import bandwidth, memory, newey_west
from felicity.over_time.seasonality import season_of
from felicity.over_time.series import DAYS_PER_MONTH, Step, calendar, series_of
from felicity.over_time.trend import estimate_trend, kendall_scores, pair_slopes
from felicity.reports.sentences import trend_sentence
from tests.over_time.series import daily, noise


def test_slope_and_score_are_those_of_scipy() -> None:
    rng = np.random.default_rng(0)
    days, values = np.arange(80.0), rng.standard_normal(80).cumsum()
    assert np.median(pair_slopes(values, days)) == pytest.approx(stats.theilslopes(values, days).slope)
    tau = kendall_scores(values[None])[0] / (80 * 79 / 2)
    assert tau == pytest.approx(stats.kendalltau(days, values).statistic)


def test_the_noise_behind_the_test_is_measured_as_statsmodels_measures_it() -> None:
    """Long-run variance and autocorrelation decide what counts as a trend; slope and score statsmodels has not."""
    values = noise(120, 0.6, np.random.default_rng(3))
    values = values - values.mean()
    lags = bandwidth(120)
    assert newey_west(values[None], lags)[0] == pytest.approx(
        float(np.squeeze(S_hac_simple(values[:, None], nlags=lags)))
    )
    assert memory(values[None], np.ones(120, dtype=bool))[0] == pytest.approx(
        acf(values, adjusted=True, nlags=2)[1:].sum()
    )


def test_a_straight_line_with_a_rhythm_and_gaps_is_read_exactly() -> None:
    level = 0.05 * np.arange(90.0)
    level[[3, 4, 40, 41, 42]] = np.nan
    found = estimate_trend(daily(level))
    assert found.slope == pytest.approx(0.05 * DAYS_PER_MONTH, abs=1e-9)
    assert (found.periods, found.span, found.season) == (85, 90, "day of week")
    assert np.isnan(found.adjusted[[3, 4]]).all()
    np.testing.assert_allclose(found.line[-1] - found.line[0], 0.05 * 89)


def test_the_rhythm_of_the_week_is_taken_out_even_when_one_day_is_out_of_line() -> None:
    level = np.zeros(84)
    level[10] = 40.0
    season = season_of(daily(level))
    spread = season.values - np.array([0.0, 0.0, 1.0, 0.0, 2.0, 4.0, 3.0])[[s.weekday() for s in daily(level).starts]]
    assert np.ptp(spread) < 0.5


@settings(max_examples=15, deadline=None)
@given(slope=st.floats(-3, 3), lift=st.floats(-20, 20), seed=st.integers(0, 99))
def test_adding_a_line_adds_its_slope_and_nothing_else(slope: float, lift: float, seed: int) -> None:
    level = 3 * noise(60, 0.4, np.random.default_rng(seed))
    plain, tilted = estimate_trend(daily(level)), estimate_trend(daily(level + lift + slope * np.arange(60)))
    for name in ("slope", "low", "high"):
        assert getattr(tilted, name) == pytest.approx(getattr(plain, name) + slope * DAYS_PER_MONTH, abs=1e-6)
    assert tilted.phi == pytest.approx(plain.phi, abs=1e-6)
    assert plain.low <= plain.slope <= plain.high


def test_noise_with_memory_is_rarely_called_a_trend() -> None:
    """5 % are wanted; 300 null series with autocorrelation 0.6 give 2 to 9 % (a plain test gives 33 %)."""
    rng = np.random.default_rng(7)
    trends = [estimate_trend(daily(3 * noise(70, 0.6, rng))) for _ in range(300)]
    false = np.mean([trend.found for trend in trends])
    assert 0.02 <= false <= 0.09
    covered = np.mean([trend.low <= 0 <= trend.high for trend in trends])
    assert covered == pytest.approx(1 - false, abs=0.01), "test and interval agree"
    assert np.median([trend.phi for trend in trends]) == pytest.approx(0.6, abs=0.08)


def test_the_slope_that_is_said_to_be_detectable_is_detected() -> None:
    rng = np.random.default_rng(8)
    slope = float(np.median([estimate_trend(daily(3 * noise(70, 0.3, rng))).detectable for _ in range(20)]))
    line = slope / DAYS_PER_MONTH * np.arange(70)
    found = [estimate_trend(daily(3 * noise(70, 0.3, rng) + line)).found for _ in range(100)]
    assert 0.68 <= np.mean(found) <= 0.95


def test_the_same_series_gives_the_same_answer() -> None:
    level = 3 * noise(60, 0.5, np.random.default_rng(2))
    one, other = estimate_trend(daily(level)), estimate_trend(daily(level))
    assert (one.slope, one.low, one.high, one.p_value) == (other.slope, other.low, other.high, other.p_value)


def test_too_little_is_refused_with_what_is_needed() -> None:
    with pytest.raises(EstimateError, match=r"Harbour: a trend needs at least 42 days with a figure, and there are 30"):
        estimate_trend(daily(np.zeros(30)))


def test_the_sentence_says_which_way() -> None:
    rng = np.random.default_rng(3)
    rising = trend_sentence(estimate_trend(daily(noise(60, 0.2, rng) + 0.2 * np.arange(60))))
    assert rising.startswith("Harbour looks happier by ")
    falling = trend_sentence(estimate_trend(daily(noise(60, 0.2, rng) - 0.2 * np.arange(60))))
    assert falling.startswith("Harbour looks less happy by ")
    flat = trend_sentence(estimate_trend(daily(noise(60, 0.2, rng))))
    assert "neither happier nor less happy" in flat
    assert "would very likely have shown" in flat


def test_an_empty_index_has_no_series() -> None:
    assert series_of([], Step.DAY) == {}
    start = daily(np.zeros(2)).starts[0]
    assert len(calendar(start, start, Step.WEEK, start.tzinfo)) == 1  # type: ignore[arg-type]
