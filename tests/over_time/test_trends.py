"""Trends of several locations at once: with limits and shifts where the series carries them, and who is missing."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest

from felicity.errors import EstimateError
from felicity.over_time.series import Series, Step, calendar
from felicity.over_time.trends import Missing, estimate_trends
from felicity.schemas.over_time import TrendShape
from tests.over_time.series import ZONE, daily, noise

FIRST = datetime(2025, 3, 3, tzinfo=ZONE)


def test_each_location_gets_what_its_series_carries() -> None:
    level = noise(140, 0.3, np.random.default_rng(2)) + 6.0 * (np.arange(140) >= 80)
    level[20] += 30
    series = {
        "Harbour": daily(level),
        "Park": daily(noise(60, 0.3, np.random.default_rng(3)), name="Park"),
        "Lane": daily(np.zeros(10), name="Lane"),
    }
    found = estimate_trends(series, Step.DAY, absent=[Missing("Hall", "Hall: there are no windows in this period")])

    harbour, park = found.items
    assert (harbour.location, park.location) == ("Harbour", "Park")
    assert series["Harbour"].starts[20] in harbour.outside
    (shift,) = harbour.shifts
    assert abs((shift.at - datetime(2025, 5, 20, tzinfo=ZONE)).days) <= 2
    assert (park.limits, park.shifts, park.outside) == (None, (), ()), "long enough for a trend alone"
    assert [one.location for one in found.missing] == ["Lane", "Hall"]
    assert "a trend needs at least 42 days" in found.missing[0].reason
    assert [note.code for note in found.notes] == ["season-unknown"]

    answer = TrendShape.model_validate(harbour).model_dump(mode="json")
    assert answer["slope"] == harbour.trend.slope and answer["periods"] == 140
    assert answer["outside"] == [start.isoformat() for start in harbour.outside]
    assert answer["shifts"] == [{"at": shift.at.isoformat(), "before": shift.before, "after": shift.after}]


def test_two_years_tell_a_trend_from_the_season() -> None:
    starts = calendar(FIRST, FIRST + timedelta(weeks=105), Step.WEEK, ZONE)
    n = len(starts)
    share = 40 + noise(n, 0.0, np.random.default_rng(4))
    weeks = Series("Harbour", Step.WEEK, starts, share, np.ones(n), np.full(n, 300), np.zeros(n, dtype=bool))
    assert estimate_trends({"Harbour": weeks}, Step.WEEK).notes == ()


def test_no_trend_at_all_is_an_error_with_the_first_reason() -> None:
    with pytest.raises(EstimateError, match="Harbour: a trend needs at least 42 days"):
        estimate_trends({"Harbour": daily(np.zeros(10))}, Step.DAY)
    with pytest.raises(EstimateError, match="there is nothing counted in this store and period yet"):
        estimate_trends({}, Step.DAY)
