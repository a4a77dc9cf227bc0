"""A period beside the same hours of the weeks before: 19 of 20 ordinary ones are called so, and a shift is seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import felicity
from felicity.errors import ConfigError, EstimateError
from felicity.index import Figure, IndexRow
from felicity.over_time.usual import compare_with_usual
from tests.support.town import FIRST, fill

SATURDAY = datetime(2026, 5, 30, 18, tzinfo=UTC)


def row(share: float | None, week: int, error: float = 2.0) -> IndexRow:
    start = SATURDAY - timedelta(weeks=week)
    figure = Figure(share, share, share, share, error, 1.0) if share is not None else Figure()
    return IndexRow("Quay", start, start + timedelta(hours=4), "m", 90, 90, 4, share is None, happy_share=figure)


def test_nineteen_of_twenty_ordinary_periods_are_as_usual() -> None:
    rng = np.random.default_rng(1)
    draws = 50 + 6 * rng.standard_normal((2000, 9))
    unusual = [
        compare_with_usual(row(d[0], 0), [row(v, i) for i, v in enumerate(d[1:], 1)], asked=8).found for d in draws
    ]
    assert 0.04 < np.mean(unusual) < 0.06


def test_a_period_of_fewer_people_is_allowed_to_scatter_more() -> None:
    before = [row(50 + v, i) for i, v in enumerate((1, -1, 2, -2, 0), 1)]
    many, few = (compare_with_usual(row(57, 0, error), before, asked=5) for error in (2.0, 9.0))
    assert many.found and not few.found and few.low < many.low < many.usual == 50
    assert many.difference == 7 and many.weeks == many.asked == 5


def test_too_few_weeks_say_nothing() -> None:
    with pytest.raises(
        EstimateError, match=r"needs 4 earlier weeks with a figure at these hours, and there are 3 of 5"
    ):
        compare_with_usual(row(50, 0), [row(v, i) for i, v in enumerate((50, 51, None, 52), 1)], asked=5)
    with pytest.raises(EstimateError, match="its figure is not shown"):
        compare_with_usual(row(None, 0), [row(50, i) for i in range(1, 6)], asked=5)


def test_hours_are_those_of_the_clock_on_the_wall(tmp_path: Path) -> None:
    """Seven weeks in Paris with the change of summer time among them; the last Saturday is happier by 30 points."""
    truth = {"Quay": lambda day: 0.7 if day == 61 else 0.4, "Hall": lambda day: 0.4}
    store = fill(tmp_path / "s.db", truth, 63, people=60)
    day = FIRST.replace(tzinfo=None) + timedelta(days=61)
    found = felicity.usual(day.replace(hour=9), day.replace(hour=19), weeks=7, store=store, locations=["Quay", "Hall"])
    hall, quay = sorted(found.items, key=lambda one: one.location)
    assert (quay.found, hall.found) == (True, False) and quay.difference > 20 and quay.weeks == 7
    assert quay.start.isoformat() == f"{day.date()}T09:00:00+02:00"
    with pytest.raises(ConfigError, match="lasts a week at most"):
        felicity.usual(day, day + timedelta(days=8), store=store)
    with pytest.raises(ConfigError, match="weeks is a whole number from 4 to 520, not 2"):
        felicity.usual(day, day + timedelta(days=1), weeks=2, store=store)
