from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from felicity.cities.pattern import compute_pattern, compute_together, most_of_crowd
from felicity.index import GroupKey, Groups, compute_index
from felicity.index.happiness import crowds_of
from felicity.windows import Sums
from tests.support.windows import MIDNIGHT, make_windows, soft_matrix

SOFT = soft_matrix(np.random.default_rng(0))
MONDAY = MIDNIGHT + timedelta(days=2)


def matrix(*_: str) -> object:
    return SOFT


def of_people(counts: list[int], by: str = "day", step: timedelta = timedelta(days=1), location: str = "A") -> Groups:
    """One window in each period, with so many people."""
    rng = np.random.default_rng(1)
    windows = []
    for i, people in enumerate(counts):
        windows += make_windows(rng, 1, begin=MONDAY + i * step, labels=np.ones(people, dtype=int), people=0)  # type: ignore[arg-type]
    starts = [int((MONDAY + i * step).timestamp()) for i in range(len(counts))]
    keys = tuple(GroupKey(location, "UTC", "m", s, s + int(step.total_seconds())) for s in starts)
    return Groups(by, keys, Sums.of(windows))  # type: ignore[arg-type]


def weekday(start: datetime) -> int:
    return start.weekday()


def test_a_weekday_is_the_sum_of_its_days() -> None:
    groups = of_people([20 + i for i in range(14)])
    rows = compute_pattern(groups, weekday, matrix, k=10)  # type: ignore[arg-type]
    assert [row.level for row in rows] == list(range(7))
    assert [row.index.people for row in rows] == [2 * 20 + 2 * i + 7 for i in range(7)]
    assert {row.days for row in rows} == {2}
    tuesdays = Groups("total", groups.keys[1:2], groups.sums.take([1, 8]).total())
    assert rows[1].index.happy_share == compute_index(tuesdays, matrix)[0].happy_share  # type: ignore[arg-type]


def test_a_day_of_few_people_counts_where_most_of_its_crowd_came() -> None:
    rows = compute_pattern(of_people([3, 40, 12, 50]), weekday, matrix, k=10)  # type: ignore[arg-type]
    assert [(row.level, row.index.people, row.days) for row in rows] == [(1, 43, 2), (2, 12, 1), (3, 50, 1)]
    (row,) = compute_pattern(of_people([3, 0, 4]), weekday, matrix, k=10)  # type: ignore[arg-type]
    assert row.index.suppressed and row.index.happy_share.raw is None


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=21), st.integers(1, 12))
def test_nothing_of_fewer_than_k_people_can_be_worked_out(counts: list[int], k: int) -> None:
    """Not from the pattern, the days and the total together: all are made of whole crowds."""
    groups = of_people(counts)
    days = compute_index(groups, matrix, k=k)  # type: ignore[arg-type]
    pattern = compute_pattern(groups, weekday, matrix, k=k)  # type: ignore[arg-type]
    assert sum(row.index.people for row in pattern) == sum(counts), "nobody is lost"
    crowd = crowds_of(groups, k)
    of_crowd = np.bincount(crowd, counts)
    assert ((of_crowd >= k) | (of_crowd == 0) | (of_crowd == sum(counts))).all()
    levels = most_of_crowd(crowd, np.arange(len(counts)) % 7, np.array(counts))
    for row in pattern:
        assert row.index.suppressed == (row.index.people < k)
        assert row.index.people == sum(n for n, level in zip(counts, levels, strict=True) if level == row.level)
    assert all(len(set(levels[crowd == number])) == 1 for number in crowd), "no crowd is divided"
    for day, number in zip(days, crowd, strict=True):
        assert day.suppressed == (day.people < k or day.people != of_crowd[number])


def test_together_is_made_of_shown_places_only() -> None:
    parts = [of_people([n], "total", location=name) for n, name in ((100, "A"), (50, "B"), (4, "C"))]
    groups = Groups("total", tuple(p.keys[0] for p in parts), Sums.concatenate([p.sums for p in parts]))
    row = compute_together(groups, matrix, k=10, name="All")  # type: ignore[arg-type]
    assert row is not None
    assert (row.location, row.people, row.suppressed) == ("All", 150, False)
    assert compute_together(groups, matrix, k=60, name="All") is None  # type: ignore[arg-type]


def test_places_with_matrices_of_their_own_are_not_joined() -> None:
    parts = [of_people([n], "total", location=name) for n, name in ((100, "A"), (50, "B"))]
    groups = Groups("total", tuple(p.keys[0] for p in parts), Sums.concatenate([p.sums for p in parts]))
    own = {"A": SOFT, "B": soft_matrix(np.random.default_rng(3))}
    assert compute_together(groups, lambda name, _: own[name], name="All") is None


@pytest.mark.parametrize("k", [1, 10])
def test_without_any_group_there_is_no_pattern(k: int) -> None:
    assert compute_pattern(Groups("day", (), Sums.empty()), weekday, matrix, k=k) == []  # type: ignore[arg-type]
