"""Series: a regular calendar in the location's time zone, in which gaps stay gaps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from felicity.errors import EstimateError
from felicity.index import Figure, IndexRow
from felicity.over_time.seasonality import season_of
from felicity.over_time.series import Series, Step, by_day, calendar, series_of
from felicity.windows.buckets import By, bucket

PARIS = ZoneInfo("Europe/Paris")


def row(start: datetime, share: float | None, *, people: int = 50, location: str = "Harbour") -> IndexRow:
    shown = {} if share is None else {"happy_share": Figure(share, share, share - 2, share + 2)}
    return IndexRow(location, start, start, "m", people, people, 1, share is None, **shown)


@pytest.mark.parametrize(("day", "hours"), [((2026, 3, 29), 23), ((2026, 7, 1), 24), ((2026, 10, 25), 25)])
def test_a_day_has_as_many_hours_as_its_clock_gives_it(day: tuple[int, int, int], hours: int) -> None:
    midnight = datetime(*day, tzinfo=PARIS)
    starts = calendar(midnight, midnight + timedelta(days=1), Step.HOUR, PARIS)
    assert sum(start.date() == midnight.date() for start in starts) == hours
    assert {b.timestamp() - a.timestamp() for a, b in pairwise(starts)} == {3600.0}


@pytest.mark.parametrize(
    ("zone", "change"),
    [
        ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
        ("Asia/Pyongyang", datetime(2015, 8, 14, 15, tzinfo=UTC)),
        ("Europe/Paris", datetime(2026, 10, 25, 1, tzinfo=UTC)),
        ("Asia/Kolkata", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    ],
)
@pytest.mark.parametrize("by", ["minute", "hour", "day"])
def test_periods_follow_each_other_without_overlap_or_gap(zone: str, change: datetime, by: By) -> None:
    clock, at = ZoneInfo(zone), int(change.timestamp())
    found = [bucket(second, by, clock) for second in range(at - 7200, at + 7200, 30)]
    for (begin, end), (next_begin, next_end) in pairwise(found):
        assert (begin, end) == (next_begin, next_end) or end == next_begin
    assert all(
        begin <= second < end for second, (begin, end) in zip(range(at - 7200, at + 7200, 30), found, strict=True)
    )


def test_days_and_weeks_begin_at_local_midnight_across_a_change_of_the_clock() -> None:
    days = calendar(datetime(2026, 3, 27, 12, tzinfo=UTC), datetime(2026, 4, 2, tzinfo=UTC), Step.DAY, PARIS)
    assert [(d.day, d.hour) for d in days] == [(27, 0), (28, 0), (29, 0), (30, 0), (31, 0), (1, 0), (2, 0)]
    weeks = calendar(days[0], days[-1], Step.WEEK, PARIS)
    assert [(w.day, w.weekday(), w.hour) for w in weeks] == [(23, 0, 0), (30, 0, 0)]


def test_missing_and_suppressed_periods_are_gaps() -> None:
    first = datetime(2026, 5, 1, tzinfo=PARIS)
    rows = [row(first, 40.0), row(first + timedelta(days=1), None, people=4), row(first + timedelta(days=4), 44.0)]
    one = series_of(rows, Step.DAY)["Harbour"]
    np.testing.assert_array_equal(one.share, [40, np.nan, np.nan, np.nan, 44])
    np.testing.assert_array_equal(one.suppressed, [False, True, False, False, False])
    np.testing.assert_allclose(one.error[0], 4 / (2 * 1.959964))
    np.testing.assert_array_equal(one.days, np.arange(5))


def test_rows_that_do_not_fit_the_calendar_are_refused() -> None:
    first = datetime(2026, 5, 1, tzinfo=PARIS)
    with pytest.raises(EstimateError, match="no day begins in Europe/Paris"):
        series_of([row(first + timedelta(hours=9), 40.0)], Step.DAY)
    with pytest.raises(EstimateError, match="two rows begin"):
        series_of([row(first, 40.0), row(first, 41.0)], Step.DAY)


def hourly(days: int, share: np.ndarray, people: np.ndarray) -> Series:
    first = datetime(2026, 4, 6, tzinfo=PARIS)
    starts = calendar(first, first + timedelta(days=days, hours=-1), Step.HOUR, PARIS)
    n = len(starts)
    return Series("Harbour", Step.HOUR, starts, share[:n], np.full(n, 2.0), people[:n], np.zeros(n, dtype=bool))


def test_an_hourly_rhythm_is_found_whatever_hours_are_watched() -> None:
    """Cameras that move from mornings to evenings must not make a trend of the time of day."""
    rng = np.random.default_rng(0)
    n = 8 * 7 * 24
    hour = np.arange(n) % 24
    late = np.arange(n) > n // 2
    share = 40 + 10 * np.sin(hour / 24 * 2 * np.pi) + rng.normal(0, 0.3, n)
    watched = np.where(late, (hour >= 11) & (hour < 20), (hour >= 8) & (hour < 17))
    one = hourly(56, np.where(watched, share, np.nan), np.full(n, 30))
    season = season_of(one)
    assert season.name == "hour of week"
    plain, even = by_day(one), by_day(one, season.values)
    half = len(plain) // 2
    assert abs(np.nanmean(plain.share[half + 1 :]) - np.nanmean(plain.share[:half])) > 4
    assert abs(np.nanmean(even.share[half + 1 :]) - np.nanmean(even.share[:half])) < 0.3


def test_hours_make_days_by_people() -> None:
    people = np.array([10, 30] * 12 * 30)
    one = hourly(28, np.array([20.0, 60.0] * 12 * 30), people)
    days = by_day(one)
    np.testing.assert_allclose(days.share[:20], 50.0)
    assert days.people[0] == 480
    np.testing.assert_allclose(days.error[0], np.sqrt(12 * (20.0**2 + 60.0**2)) / 480)


def test_short_series_have_a_coarser_season_or_none() -> None:
    share = np.random.default_rng(1).normal(40, 2, 24 * 40)
    people = np.full(24 * 40, 20)
    assert season_of(hourly(30, share, people)).name == "hour of week"
    assert season_of(hourly(7, share, people)).name == "hour of day"
    assert season_of(hourly(2, share, people)).name == "none"
