"""Crowds: whatever one adds up and subtracts, nothing follows about fewer than k people."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from felicity.errors import ConfigError
from felicity.index.suppression import alone, crowds, together


def smallest_revealed(people: np.ndarray, published: list[np.ndarray]) -> int | None:
    """Fewest people, above none, whose figures follow from published sums (masks of units) by adding and subtracting.

    A set of units can be worked out if its indicator is a linear combination of the published ones.
    """
    someone = np.flatnonzero(people > 0)
    if not len(someone) or not published:
        return None
    matrix = np.array(published, dtype=np.float64)[:, someone]
    chosen = np.array(list(product([0.0, 1.0], repeat=len(someone))))
    followed = np.abs(chosen - chosen @ np.linalg.pinv(matrix) @ matrix).max(axis=1) < 1e-9
    sizes = chosen[followed] @ people[someone]
    return int(sizes[sizes > 0].min(initial=1 << 40))


PEOPLE = st.lists(st.integers(0, 14), min_size=1, max_size=9)
CUTS = st.lists(st.integers(0, 1), min_size=9, max_size=9)


@settings(deadline=None, max_examples=200)
@given(people=PEOPLE, weeks=CUTS, months=CUTS, days=CUTS, k=st.integers(1, 10))
@example(people=[2, 10, 3, 10, 3], weeks=[0, 0, 1] + [0] * 6, months=[0, 1] + [0] * 7, days=[1] * 9, k=10)
def test_periods_that_do_not_divide_each_other_reveal_nothing_together(
    people: list[int], weeks: list[int], months: list[int], days: list[int], k: int
) -> None:
    """Hours, days, weeks, months and the total are published at once; weeks cross months."""
    n = np.array(people)
    month, week = (np.cumsum(np.array(cuts[: len(n)])) for cuts in (months, weeks))
    day = np.cumsum(np.array([a | b | c for a, b, c in zip(months, weeks, days, strict=True)])[: len(n)])
    by_hour = crowds(n, np.zeros(len(n)), month, week, day, k=k)
    size_of_day = np.bincount(day - day[0], n).astype(int)
    first = np.unique(day, return_index=True)[1]
    by_day = crowds(size_of_day, np.zeros(len(first)), month[first], week[first], k=k)
    published = [np.arange(len(n)) == hour for hour in np.flatnonzero(alone(by_hour, n, k))]
    for period in (day, week, month, np.zeros(len(n), dtype=int)):
        _, rows = np.unique(period[first], return_inverse=True)
        total = np.bincount(rows, size_of_day).astype(int)
        of_row = together(rows, by_day, size_of_day, len(total))
        values = np.unique(period)
        published += [period == values[row] for row in np.flatnonzero(alone(of_row, total, k))]
    revealed = smallest_revealed(n, published)
    assert revealed is None or revealed >= k


@settings(deadline=None, max_examples=200)
@given(people=st.lists(st.integers(0, 14), min_size=1, max_size=60), places=CUTS, k=st.integers(1, 30))
def test_a_crowd_has_k_people_or_is_all_of_its_place(people: list[int], places: list[int], k: int) -> None:
    n = np.array(people)
    place = np.sort(np.resize(np.array(places), len(n)))
    crowd = crowds(n, place, np.arange(len(n)) // 7, k=k)
    assert (np.diff(crowd) >= 0).all(), "neighbours"
    for number in np.unique(crowd):
        held = crowd == number
        (own,) = np.unique(place[held])
        assert n[held].sum() >= k or n[held].sum() in (0, n[place == own].sum())


@settings(deadline=None, max_examples=100)
@given(people=st.lists(st.integers(0, 14), min_size=2, max_size=40), k=st.integers(1, 12))
def test_finer_crowds_divide_coarser_ones(people: list[int], k: int) -> None:
    """So what is shown by the day and what by the hour are made of the same crowds."""
    n, day = np.array(people), np.arange(len(people)) // 4
    by_day = crowds(np.bincount(day, n), np.zeros(day[-1] + 1), k=k)
    by_hour = crowds(n, np.zeros(len(n)), day, k=k)
    within = crowds(n, by_day[day], k=k)
    assert by_hour.tolist() == within.tolist(), "each part may be divided by itself"
    for number in np.unique(by_hour):
        assert len(np.unique(by_day[day][by_hour == number])) == 1


def shown(people: list[int], k: int = 10) -> list[bool]:
    return [bool(x) for x in alone(crowds(people, np.zeros(len(people)), k=k), people, k)]


def test_little_is_hidden() -> None:
    assert shown([30, 40, 25]) == [True] * 3
    assert shown([30, 4, 20, 15]) == [True, False, False, True], "the smaller neighbour takes them in"
    assert shown([5, 6, 25]) == [False, False, True], "together they are k"
    assert shown([40, 6, 7, 3, 25]) == [True, False, False, False, True], "the rest goes with those who are hidden"
    assert shown([0, 0, 25]) == [False, False, True], "nobody needs no protection"
    assert shown([1, 2, 3], k=1) == [True] * 3
    assert shown([]) == []


def test_a_period_with_enough_people_keeps_them_for_itself() -> None:
    """3 people on a Sunday go with the days of their own week, not with the Monday after, which is smaller."""
    week = [0] * 7 + [1] * 7
    people = [30] * 6 + [3] + [12] + [30] * 6
    crowd = crowds(people, np.zeros(14), week, k=10)
    assert crowd[6] == crowd[5] != crowd[7]


def test_places_do_not_protect_each_other() -> None:
    assert crowds([3, 40, 50], [0, 1, 2], k=10).tolist() == [0, 1, 2]


def test_weeks_that_share_a_crowd_of_days_are_shown_together() -> None:
    assert together([0, 0, 1, 1, 2], [0, 1, 1, 2, 3], [20, 4, 8, 20, 30], 3).tolist() == [0, 0, 1]
    assert together([0, 0, 1, 1, 2], [0, 1, 1, 2, 3], [20, 12, 0, 20, 30], 3).tolist() == [0, 1, 2], "nobody is shared"


def test_k_is_at_least_one() -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        crowds([1], [0], k=0)
