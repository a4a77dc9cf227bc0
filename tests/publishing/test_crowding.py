"""Which waiting people become a crowd."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from felicity.publishing.crowding import form_crowds
from felicity.windows.buckets import bucket
from tests.support.town import FIRST, ZONE

BEGIN = int(FIRST.timestamp())
HOUR, DAY = 3600, 86_400


def crowds(listed: list[tuple[int, int]], until: int, k: int = 10) -> list[int]:
    """Crowds of windows given as seconds from the first midnight and people."""
    return form_crowds([BEGIN + at for at, _ in listed], [n for _, n in listed], BEGIN + until, ZONE, k).tolist()


def test_an_hour_with_enough_people_is_a_crowd_and_others_wait_for_the_day() -> None:
    listed = [(9 * HOUR, 6), (9 * HOUR + 600, 6), (10 * HOUR, 4), (15 * HOUR, 7)]
    assert crowds(listed, 10 * HOUR) == [0, 0, -1, -1]
    assert crowds(listed, 16 * HOUR) == [0, 0, 1, 1], "as soon as those of hours that are over are enough"


def test_an_hour_that_goes_on_keeps_its_people() -> None:
    listed = [(9 * HOUR, 6), (15 * HOUR, 7)]
    assert crowds(listed, 15 * HOUR + 600) == [-1, -1]
    assert crowds(listed, 16 * HOUR) == [0, 0]


def test_few_people_a_day_are_a_crowd_of_the_week_and_then_of_the_month() -> None:
    listed = [(0, 4), (DAY, 4), (2 * DAY, 4)]
    assert crowds(listed, 2 * DAY) == [-1, -1, -1]
    assert crowds(listed, 3 * DAY) == [0, 0, 0]
    weeks = [(0, 6), (7 * DAY, 6)]
    assert crowds(weeks, 8 * DAY) == [-1, -1], "the second week is not over"
    assert crowds(weeks, 14 * DAY) == [0, 0]


def test_windows_without_people_go_with_whoever_is_there() -> None:
    assert crowds([(3 * HOUR, 0), (9 * HOUR, 12)], 10 * HOUR) == [-1, 0]
    assert crowds([(9 * HOUR, 0), (9 * HOUR + 60, 12)], 10 * HOUR) == [0, 0]
    assert crowds([], DAY) == []


@given(
    listed=st.lists(st.tuples(st.integers(0, 70 * 24 * 12).map(lambda n: 300 * n), st.integers(0, 15)), max_size=60),
    until=st.integers(0, 75 * DAY),
    k=st.integers(1, 30),
    zone=st.sampled_from(["Europe/Paris", "Australia/Lord_Howe", "UTC"]),
)
def test_a_crowd_is_k_people_of_one_period_and_whoever_is_left_is_fewer(
    listed: list[tuple[int, int]], until: int, k: int, zone: str
) -> None:
    listed = sorted(row for row in listed if row[0] < until)
    start = np.array([BEGIN + at for at, _ in listed], dtype=np.int64)
    people = np.array([n for _, n in listed], dtype=np.int64)
    clock = ZoneInfo(zone)
    found = form_crowds(start, people, BEGIN + until, clock, k)
    for crowd in set(found.tolist()) - {-1}:
        assert people[found == crowd].sum() >= k
    assert sorted(set(found.tolist()) - {-1}) == list(range(found.max(initial=-1) + 1))
    for by in ("hour", "day", "month"):
        left = [i for i in np.flatnonzero(found < 0).tolist() if bucket(int(start[i]), by, clock)[1] <= BEGIN + until]
        for period in {bucket(int(start[i]), by, clock) for i in left}:
            assert sum(int(people[i]) for i in left if bucket(int(start[i]), by, clock) == period) < k


def test_k_is_checked() -> None:
    with pytest.raises(Exception, match="k is a whole number"):
        form_crowds([0], [1], 0, ZONE, 0)
