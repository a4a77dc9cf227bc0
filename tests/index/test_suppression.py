"""Hidden figures stay hidden, whatever one adds up and subtracts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from felicity.index.suppression import hide


def outputs(people: np.ndarray, chain: Sequence[np.ndarray], k: int) -> list[np.ndarray]:
    """What one can learn: each output of each level as masks of rows whose sums are published.

    An output by a coarser level is suppressed by the same rule, with the levels above it.
    """
    published = []
    levels = [*chain, np.arange(len(people))]
    for depth, level in enumerate(levels):
        labels = np.unique(level)
        size = np.array([people[level == label].sum() for label in labels])
        above = [np.array([chain[d][level == label][0] for label in labels]) for d in range(depth)]
        hidden = hide(size, above, k=k)
        published += [level == label for label, dark in zip(labels, hidden, strict=True) if not dark]
    return published


def smallest_revealed_group(people: np.ndarray, published: Sequence[np.ndarray]) -> int | None:
    """Fewest people, above none, whose figures follow from the published ones by adding and subtracting.

    A set of people's rows can be worked out if its indicator is a linear combination of the published ones.
    """
    someone = np.flatnonzero(people > 0)
    if not len(someone) or not published:
        return None
    matrix = np.array(published, dtype=np.float64)[:, someone]
    chosen = np.array(list(product([0.0, 1.0], repeat=len(someone))))
    followed = np.abs(chosen - chosen @ np.linalg.pinv(matrix) @ matrix).max(axis=1) < 1e-9
    sizes = chosen[followed] @ people[someone]
    return int(sizes[sizes > 0].min())


@settings(deadline=None, max_examples=150)
@given(
    people=st.lists(st.integers(0, 14), min_size=1, max_size=8),
    cuts=st.lists(st.integers(0, 3), min_size=8, max_size=8),
    finer=st.lists(st.integers(0, 1), min_size=8, max_size=8),
    k=st.integers(1, 10),
)
@example(people=[3, 12, 12, 12], cuts=[0] * 8, finer=[0] * 8, k=10)
@example(people=[3, 2, 10, 10, 30], cuts=[0, 1, 1, 1, 2, 0, 0, 0], finer=[0] * 8, k=10)
@example(people=[3, 6, 6, 4, 4, 2, 8], cuts=[0, 1, 1, 2, 2, 3, 3, 0], finer=[0, 0, 1, 0, 1, 0, 1, 0], k=5)
def test_nothing_follows_about_fewer_than_k_people(
    people: list[int], cuts: list[int], finer: list[int], k: int
) -> None:
    n = np.array(people)
    day = np.sort(np.array(cuts[: len(n)]))
    hour = day * 2 + np.array(finer[: len(n)])
    chain = [np.zeros(len(n), dtype=int), day, hour]
    published = outputs(n, chain, k)
    revealed = smallest_revealed_group(n, published)
    assert revealed is None or revealed >= k


def test_only_what_is_needed_is_hidden() -> None:
    hidden = hide([3, 40, 25, 60], [[0, 0, 0, 0]], k=10)
    assert hidden.tolist() == [True, False, True, False], "the smallest that protects"
    assert hide([30, 40, 25], [[0, 0, 0]], k=10).tolist() == [False] * 3
    assert hide([5, 6, 25], [[0, 0, 0]], k=10).tolist() == [True, True, False], "together they are k"
    assert hide([0, 0, 25], [[0, 0, 0]], k=10).tolist() == [True, True, False], "nobody needs no protection"
    assert hide([1, 2, 3], [[0, 0, 0]], k=1).tolist() == [False] * 3
    assert hide([], [[]], k=10).tolist() == []


def test_places_do_not_protect_each_other() -> None:
    # A city's figure is made of the places that are shown, so it does not reveal the others.
    assert hide([3, 40, 50], [[0, 1, 2]], k=10).tolist() == [True, False, False]


def test_two_chains_hold_at_once() -> None:
    rng = np.random.default_rng(1)
    for _ in range(30):
        n = rng.poisson(12, 40)
        total, month, week = np.zeros(40, dtype=int), np.arange(40) // 30, np.arange(40) // 7
        hidden = hide(n, [total, month], [total, week], k=10)
        for level in (total, month, week):
            for label in np.unique(level):
                dark = n[(level == label) & hidden].sum()
                assert dark == 0 or dark >= 10 or n[level == label].sum() < 10


def test_two_rows_that_would_reveal_a_third_are_not_both_shown() -> None:
    n = np.array([4, 11, 30, 9, 20])
    hidden = hide(n, [np.zeros(5, dtype=int)], k=10)
    for a, b in combinations(range(5), 2):
        rest = [i for i in range(5) if i not in (a, b) and not hidden[i]]
        assert not (hidden[a] ^ hidden[b] and len(rest) == 3)


def test_k_is_at_least_one() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        hide([1], k=0)
