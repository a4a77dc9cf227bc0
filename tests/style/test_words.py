"""Numbers and dates as people read them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from felicity.style import dates, numbers

DASH = numbers.NO_FIGURE


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (numbers.percent(46.25, 0), "46 %"),
        (numbers.percent(None), DASH),
        (numbers.share(0.4624), "46.2 %"),
        (numbers.share(None), DASH),
        (numbers.number(float("nan")), DASH),
        (numbers.number(-1234.56), "\u22121,234.6"),
        (numbers.count(1234567), "1,234,567"),
        (numbers.span(1.04, 2.0), "1.0 to 2.0"),
        (numbers.span(None, 2.0), DASH),
        (numbers.percent_span(46.2, 53), "46.2 to 53.0 %"),
        (numbers.percent_span(46.2, None), DASH),
        (numbers.interval(-1.0, 2.0), "95 % interval \u22121.0 to 2.0"),
        (numbers.points(3.06), "+3.1"),
        (numbers.points(-3.06), "\u22123.1"),
        (numbers.points(None), DASH),
        (numbers.points_span(-1.0, 5.2), "\u22121.0 to +5.2"),
        (numbers.points_span(-1.0, None), DASH),
        (numbers.in_points(1.04), "1.0 point"),
        (numbers.in_points(2), "2.0 points"),
        (numbers.people(1), "1 person"),
        (numbers.people(1234), "1,234 people"),
        (numbers.duration(42.4), "42 s"),
        (numbers.duration(74_040), "1,234 min"),
        (numbers.listed(["A"]), "A"),
        (numbers.listed(["A", "B", "C"]), "A, B and C"),
        (dates.long_date(date(2026, 5, 4)), "4 May 2026"),
        (dates.period(datetime(2026, 5, 1), "month"), "May 2026"),
        (dates.period(datetime(2026, 5, 1), "day"), "2026-05-01 00:00"),
        (dates.short_date(date(2026, 12, 24)), "24 Dec"),
        (dates.moment(datetime(2026, 5, 4, 9, tzinfo=timezone(timedelta(hours=2)))), "2026-05-04 09:00+02:00"),
        (dates.moment(datetime(2026, 5, 4, 9, 0, 7), seconds=True), "2026-05-04 09:00:07"),
    ],
)  # fmt: skip
def test_what_is_shown(shown: str, expected: str) -> None:
    assert shown == expected


@pytest.mark.parametrize(
    ("times", "labels"),
    [
        ([], []),
        ([datetime(2026, 5, 4, hour) for hour in (12, 18)], ["12:00\n4 May 2026", "18:00"]),
        ([datetime(2026, 5, 4, 12), datetime(2026, 5, 5)], ["12:00\n4 May 2026", "00:00\n5 May 2026"]),
        ([datetime(2026, 5, day, tzinfo=UTC) for day in (1, 15)], ["1 May\n2026", "15 May"]),
        ([datetime(2026, month, 1) for month in (11, 12)] + [datetime(2027, 1, 1)], ["Nov\n2026", "Dec", "Jan\n2027"]),
        ([datetime(year, 1, 1) for year in (2025, 2026)], ["2025", "2026"]),
    ],
)  # fmt: skip
def test_ticks_say_once_what_stays_the_same(times: list[datetime], labels: list[str]) -> None:
    assert dates.tick_labels(times) == labels
