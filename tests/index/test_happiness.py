"""The index: rows, periods, suppression, and that sums of sums say the same as the windows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from felicity.errors import ConfigError
from felicity.index import GroupKey, Groups, IndexRow, SoftMatrix, compute_index
from felicity.labels import EXPRESSIONS
from felicity.schemas.index import IndexRowShape
from felicity.windows import Sums, Window
from felicity.windows.buckets import By, bucket
from tests.support.windows import MIDNIGHT, VALIDATION, make_windows, soft_matrix

SOFT = soft_matrix(np.random.default_rng(0))


def grouped(windows: Sequence[Window], by: By = "total", timezone: str = "UTC") -> Groups:
    """As a store groups them, for one location."""
    sums, zone = Sums.of(windows), ZoneInfo(timezone)
    bounds = [(0, 86_400) if by == "total" else bucket(int(start), by, zone) for start in sums.first]
    unique = sorted(set(bounds))
    keys = tuple(GroupKey("Harbour", timezone, "model-1", *bound) for bound in unique)
    return Groups(by, keys, sums.grouped([unique.index(bound) for bound in bounds], len(unique)))


def index(
    windows: Sequence[Window], by: By = "total", *, k: int = 10, soft: SoftMatrix | None = SOFT
) -> list[IndexRow]:
    return compute_index(grouped(windows, by), lambda *_: soft, k=k)


def figures(row: IndexRow) -> dict[str, Any]:
    value = IndexRowShape.model_validate(row).model_dump(mode="json")
    return {name: value[name] for name in ("happy_share", "balance", "ratio", "expressions", "effective_people")}


def flat(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [number for item in value.values() for number in flat(item)]
    return [] if value is None else [value]


def test_the_contract_of_a_row() -> None:
    windows = make_windows(np.random.default_rng(1), 200)
    (row,) = index(windows)
    value = IndexRowShape.model_validate(row).model_dump(mode="json")
    assert value["location"] == "Harbour" and value["model"] == "model-1"
    assert value["start"] == "1970-01-01T00:00:00+00:00"
    assert value["windows"] == 200 and value["suppressed"] is False
    assert value["people_seen"] == value["people"] + sum(value["rejected"].values())
    for figure in (value["happy_share"], value["balance"], value["ratio"], *value["expressions"].values()):
        assert set(figure) == {"raw", "adjusted", "low", "high"}
        assert figure["low"] <= figure["adjusted"] <= figure["high"]
    assert list(value["expressions"]) == [str(e) for e in EXPRESSIONS]
    assert abs(sum(f["adjusted"] for f in value["expressions"].values()) - 100) < 0.01
    assert value["expressions"]["happy"] == value["happy_share"]
    hard = sum(w.hard_counts for w in windows)
    assert value["happy_share"]["raw"] == pytest.approx(100 * hard[1] / hard.sum(), abs=1e-4)
    assert value["happy_share"]["low"] < 30 < value["happy_share"]["high"], "the true share"
    assert value["seconds_covered"] == pytest.approx(200 * 60, abs=60)


@settings(deadline=None, max_examples=40)
@given(order=st.permutations(range(24)), cuts=st.lists(st.integers(0, 24), max_size=6))
def test_windows_merged_in_any_order_and_grouping_give_the_same_index(order: list[int], cuts: list[int]) -> None:
    windows = make_windows(np.random.default_rng(1), 24, people=3)
    whole = Sums.of(windows).total()
    edges = [0, *sorted(cuts), 24]
    parts = [Sums.of([windows[i] for i in order[a:b]]).total() for a, b in pairwise(edges)]
    merged = Sums.concatenate([part for part in parts if part.windows[0]]).total()
    key = (GroupKey("Harbour", "UTC", "model-1", 0, 86_400),)
    rows = [compute_index(Groups("total", key, sums), lambda *_: SOFT)[0] for sums in (whole, merged)]
    assert np.allclose(flat(figures(rows[0])), flat(figures(rows[1])), atol=2e-4)
    assert [r.people for r in rows] == [whole.people[0]] * 2 and rows[0].rejected == rows[1].rejected


def test_few_people_are_not_shown() -> None:
    (row,) = index(make_windows(np.random.default_rng(1), 1, labels=[1] * 9))
    assert row.suppressed and row.people == 9 and flat(figures(row)) == []
    (row,) = index(make_windows(np.random.default_rng(1), 1, labels=[1] * 10))
    assert not row.suppressed and row.happy_share.adjusted is not None
    (row,) = index(make_windows(np.random.default_rng(1), 1, labels=[1] * 2), k=1)
    assert not row.suppressed
    with pytest.raises(ConfigError, match="at least 1"):
        index([], k=0)


def test_nobody_is_no_figure() -> None:
    (row,) = index(make_windows(np.random.default_rng(1), 3, labels=[]), k=1)
    assert row.suppressed and row.people == 0 and row.people_seen == 1 and flat(figures(row)) == []


def test_an_hour_that_would_reveal_another_is_hidden_too() -> None:
    windows = []
    for hour, people in enumerate((30, 4, 20, 15)):
        begin = MIDNIGHT + timedelta(hours=hour)
        windows += make_windows(
            np.random.default_rng(hour), 1, begin=begin, labels=[0, 1] * (people // 2) + [1] * (people % 2)
        )
    assert [row.suppressed for row in index(windows, "hour")] == [False, True, True, False]
    assert [row.suppressed for row in index(windows, "day")] == [False]


def test_a_hidden_day_cannot_be_had_from_its_hours() -> None:
    windows = []
    for day, people in enumerate((40, 4, 22)):
        for hour in range(2):
            begin = datetime(2024, 3, 5 + day, hour, tzinfo=UTC)
            windows += make_windows(np.random.default_rng(day), 1, begin=begin, labels=[1] * (people // 2))
    assert [row.suppressed for row in index(windows, "day")] == [False, True, True]
    hours = [row.suppressed for row in index(windows, "hour")]
    assert hours[:4] == [False, False, True, True]
    assert any(hours[4:]), "else the third day is the sum of its hours"


def test_without_a_matrix_only_counts_stand() -> None:
    (row,) = index(make_windows(np.random.default_rng(1), 50), soft=None)
    assert row.happy_share.raw is not None and row.happy_share.adjusted is None and row.effective_people is None


def test_an_expression_without_validation_faces_is_not_known() -> None:
    counts = VALIDATION.copy()
    counts[7] = 0
    (row,) = index(make_windows(np.random.default_rng(1), 50), soft=soft_matrix(np.random.default_rng(0), counts))
    assert row.expressions["contempt"].adjusted is None and row.expressions["contempt"].raw is not None
    assert row.happy_share.adjusted is not None
    counts[1] = 0
    (row,) = index(make_windows(np.random.default_rng(1), 50), soft=soft_matrix(np.random.default_rng(0), counts))
    assert row.happy_share.adjusted is None and row.ratio.adjusted is None and row.happy_share.raw is not None


def test_rows_are_on_the_locations_clock() -> None:
    zone = "Europe/Paris"
    windows = make_windows(np.random.default_rng(1), 1, begin=datetime(2024, 3, 31, 10, tzinfo=UTC), labels=[1] * 12)
    (row,) = compute_index(grouped(windows, "day", zone), lambda *_: SOFT)
    assert row.start.isoformat() == "2024-03-31T00:00:00+01:00" and row.end.isoformat() == "2024-04-01T00:00:00+02:00"
    assert (row.end.astimezone(UTC) - row.start.astimezone(UTC)) == timedelta(hours=23)


@pytest.mark.parametrize(
    ("time", "by", "zone", "start", "hours"),
    [
        ("2024-03-31T12:00Z", "day", "Europe/Paris", "2024-03-30T23:00Z", 23),
        ("2024-10-27T12:00Z", "day", "Europe/Paris", "2024-10-26T22:00Z", 25),
        ("2024-10-27T00:30Z", "hour", "Europe/Paris", "2024-10-27T00:00Z", 1),
        ("2024-10-27T01:30Z", "hour", "Europe/Paris", "2024-10-27T01:00Z", 1),
        ("2024-04-07T12:00Z", "day", "Australia/Lord_Howe", "2024-04-06T13:00Z", 24.5),
        ("2024-05-01T00:10Z", "hour", "Asia/Kolkata", "2024-04-30T23:30Z", 1),
        ("2024-04-26T12:00Z", "day", "Africa/Cairo", "2024-04-25T22:00Z", 23),  # midnight is skipped
        ("2024-03-31T12:00Z", "week", "Europe/Paris", "2024-03-24T23:00Z", 167),
        ("2024-03-31T12:00Z", "month", "Europe/Paris", "2024-02-29T23:00Z", 743),
        ("2023-12-31T23:30Z", "month", "Europe/Paris", "2023-12-31T23:00Z", 744),
        ("2024-05-01T00:10:59Z", "minute", "Asia/Kathmandu", "2024-05-01T00:10Z", 1 / 60),
    ],
)
def test_buckets(time: str, by: By, zone: str, start: str, hours: float) -> None:
    second = int(datetime.fromisoformat(time).timestamp())
    begin, end = bucket(second, by, ZoneInfo(zone))
    assert datetime.fromtimestamp(begin, UTC) == datetime.fromisoformat(start)
    assert (end - begin) / 3600 == hours
    assert begin <= second < end


@settings(deadline=None, max_examples=200)
@given(
    second=st.integers(1_500_000_000, 1_900_000_000),
    by=st.sampled_from(["minute", "hour", "day", "week", "month"]),
    zone=st.sampled_from(["Europe/Paris", "America/New_York", "Asia/Kolkata", "Africa/Cairo", "Pacific/Chatham"]),
)
def test_buckets_tile_time(second: int, by: By, zone: str) -> None:
    begin, end = bucket(second, by, ZoneInfo(zone))
    assert begin <= second < end
    assert bucket(begin, by, ZoneInfo(zone)) == bucket(end - 1, by, ZoneInfo(zone)) == (begin, end)
    assert bucket(end, by, ZoneInfo(zone))[0] == end
