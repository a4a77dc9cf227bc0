"""Control limits and lasting shifts."""

from __future__ import annotations

import numpy as np
import pytest

from felicity.errors import EstimateError
from felicity.over_time.control import change_points, control_limits
from tests.over_time.series import daily, noise


def test_a_day_out_of_the_ordinary_is_marked_and_few_people_widen_the_limits() -> None:
    rng = np.random.default_rng(0)
    people = np.where(np.arange(120) % 10 == 0, 60, 600)
    level = noise(120, 0.3, rng) + rng.standard_normal(120) * 60 / np.sqrt(people)
    level[53] += 25
    series = daily(level, people=people, error=60 / np.sqrt(550))
    limits = control_limits(series)
    assert limits.outside[53]
    assert limits.outside.sum() <= 3
    width = limits.high - limits.low
    assert width[people == 60].min() > 1.4 * width[people == 600].max()
    assert (limits.low <= limits.centre).all()


def test_limits_follow_the_week() -> None:
    limits = control_limits(daily(noise(120, 0.0, np.random.default_rng(1)) / 10))
    saturday = np.array([start.weekday() == 5 for start in limits.starts])
    assert limits.centre[saturday].mean() - limits.centre[~saturday].mean() == pytest.approx(4 - 1, abs=0.2)


def test_a_lasting_shift_is_dated() -> None:
    level = noise(140, 0.3, np.random.default_rng(2)) + 6.0 * (np.arange(140) >= 80)
    series = daily(level)
    (change,) = change_points(series)
    assert abs((change.at - series.starts[80]).days) <= 2
    assert change.after - change.before == pytest.approx(6, abs=1)


def test_noise_with_memory_rarely_shifts() -> None:
    rng = np.random.default_rng(3)
    false = [bool(change_points(daily(3 * noise(120, 0.5, rng)))) for _ in range(100)]
    assert np.mean(false) <= 0.12


def test_short_series_have_no_limits() -> None:
    with pytest.raises(EstimateError, match="at least 90 days with a figure, and there are 40"):
        control_limits(daily(np.zeros(40)))
