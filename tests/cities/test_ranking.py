"""Rankings: places alike share their ranks, places that differ do not, and many pairs find nothing by chance."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from felicity.cities.ranking import Ranking, rank_locations
from felicity.errors import EstimateError
from felicity.index import GroupKey, Groups, SoftMatrix
from felicity.reports.sentences import ranking_sentence
from felicity.windows import Sums
from tests.support.windows import answers, shares, soft_matrix


def place(rng: np.random.Generator, happy: float, *, windows: int, people: int, likeness: float = 0.0) -> Sums:
    """Windows of a place; ``likeness`` moves the true share of each window up or down."""
    parts = []
    for start in range(windows):
        here = float(np.clip(happy + likeness * rng.standard_normal(), 0.01, 0.99))
        p = answers(rng, rng.choice(8, people, p=shares(here)))
        parts.append((start, len(p), np.bincount(p.argmax(axis=1), minlength=8), p.sum(axis=0), p.T @ p))
    start, n, hard, sums, cross = map(np.array, zip(*parts, strict=True))
    return Sums.of_windows(
        start=60 * start, seconds=[60] * windows, people_seen=n, people=n, hard_counts=hard, prob_sums=sums,
        prob_cross=cross, frames_seen=[1] * windows, seconds_covered=[60.0] * windows,
    ).total()  # fmt: skip


def ranking(shown: dict[str, Sums], matrix: SoftMatrix) -> Ranking:
    start = int(datetime(2026, 5, 4, tzinfo=UTC).timestamp())
    keys = tuple(GroupKey(name, "UTC", "m", start, start + 86400) for name in shown)
    return rank_locations(Groups("total", keys, Sums.concatenate(list(shown.values()))), lambda *_: matrix)


def test_places_that_differ_have_a_rank_each_and_places_alike_share_theirs() -> None:
    rng = np.random.default_rng(1)
    matrix = soft_matrix(rng)
    shown = {"Quay": 0.30, "Hall": 0.70, "Lane": 0.31, "Park": 0.5}
    found = ranking({name: place(rng, h, windows=40, people=30) for name, h in shown.items()}, matrix)
    assert [one.rank for one in found.places] == ["1", "2", "3\N{EN DASH}4", "3\N{EN DASH}4"]
    assert [one.location for one in found.places][:2] == ["Hall", "Park"]
    assert [one.location for one in found.happiest] == ["Hall"]
    assert len(found.differences) == 6
    assert ranking_sentence(found).startswith("Hall looks happiest: ")
    assert "more than Park, the runner-up" in ranking_sentence(found)


def test_a_few_people_are_not_ranked_and_one_place_is_no_ranking() -> None:
    rng = np.random.default_rng(1)
    matrix = soft_matrix(rng)
    shown = {"Quay": place(rng, 0.3, windows=4, people=30), "Hall": place(rng, 0.3, windows=4, people=30)}
    found = ranking(shown | {"Lane": place(rng, 0.9, windows=2, people=4)}, matrix)
    assert found.missing == (("Lane", "fewer than 10 people were counted there"),)
    assert [one.rank for one in found.places] == ["1\N{EN DASH}2"] * 2
    assert "No location can be told from the others" in ranking_sentence(found)
    with pytest.raises(EstimateError, match="a ranking needs two locations with figures, and there are 1; Lane: fewer"):
        ranking({"Hall": shown["Hall"], "Lane": place(rng, 0.9, windows=2, people=4)}, matrix)


def test_among_places_alike_a_difference_is_found_in_five_of_a_hundred_towns_at_most() -> None:
    """28 pairs of 8 places, windows that differ: without Holm's method nearly every other town would show one."""
    rng = np.random.default_rng(3)
    wrong = 0
    for _ in range(60):
        matrix = soft_matrix(rng)
        town = {f"{i}": place(rng, 0.4, windows=12, people=20, likeness=0.08) for i in range(8)}
        wrong += any(pair.found for pair in ranking(town, matrix).differences)
    assert wrong <= 7, "5 % of 60 are 3; more than 7 come by chance in one of a hundred such tests"


def test_an_unlucky_matrix_moves_both_places_alike() -> None:
    """A matrix from few faces makes each share vague, and the difference of two like mixes hardly."""
    rng = np.random.default_rng(4)
    few = soft_matrix(rng, counts=np.array([60, 50, 30, 30, 12, 6, 30, 6]))
    found = ranking({name: place(rng, h, windows=60, people=60) for name, h in (("Quay", 0.4), ("Hall", 0.4))}, few)
    (pair,) = found.differences
    first, second = found.places
    assert pair.high - pair.low < 0.6 * np.hypot(first.high - first.low, second.high - second.low)
    assert pair.low < 0 < pair.high
