"""The soft matrix: what it is made of, how it joins, what its draws say of its precision."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from felicity.index import SoftMatrix
from tests.support.windows import VALIDATION, answers, soft_matrix


def test_columns_are_mean_answers_to_faces_of_a_label() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 8, 300)
    p = answers(rng, labels)
    soft = SoftMatrix.from_probabilities(p, labels)
    for j in range(8):
        mine = p[labels == j]
        assert np.allclose(soft.matrix[:, j], mine.mean(axis=0))
        assert np.allclose(soft.cross[j], mine.T @ mine / len(mine))
        assert soft.counts[j] == len(mine)


@settings(deadline=None, max_examples=25)
@given(cuts=st.lists(st.integers(0, 200), min_size=1, max_size=4), seed=st.integers(0, 100))
def test_parts_join_to_the_whole(cuts: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 8, 200)
    p = answers(rng, labels)
    edges = sorted({0, 200, *cuts})
    parts = [SoftMatrix.from_probabilities(p[a:b], labels[a:b]) for a, b in pairwise(edges)]
    whole, joined = SoftMatrix.from_probabilities(p, labels), SoftMatrix.combine(parts)
    assert (whole.counts == joined.counts).all()
    assert np.allclose(whole.matrix, joined.matrix) and np.allclose(whole.cross, joined.cross)


def test_json_goes_there_and_back() -> None:
    soft = soft_matrix(np.random.default_rng(1))
    back = SoftMatrix.from_json(json.loads(json.dumps(soft.to_json())))
    assert back.to_json() == soft.to_json()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"matrix": [[0.1] * 8] * 8}, "sums to 1"),
        ({"counts": [1.5] * 8}, "whole numbers"),
        ({"counts": [0] * 8}, "at least one"),
        ({"cross": [[[0.0] * 8] * 8] * 8}, "cross"),
        ({"matrix": "x"}, "not a soft matrix"),
        ({"more": 1}, "has matrix, counts and cross"),
    ],
)
def test_what_no_soft_matrix_can_be_is_refused(change: dict[str, Any], message: str) -> None:
    good = soft_matrix(np.random.default_rng(1)).to_json()
    with pytest.raises(ValueError, match=message):
        SoftMatrix.from_json(good | change)


@pytest.mark.parametrize(
    ("p", "y"),
    [
        (np.zeros((0, 8)), np.zeros(0, dtype=int)),
        (np.full((3, 7), 1 / 7), [0, 1, 2]),
        (np.full((2, 8), 1 / 8), [0, 8]),
        (np.full((2, 8), 0.5), [0, 1]),
    ],
)
def test_wrong_answers_are_refused(p: Any, y: Any) -> None:
    with pytest.raises(ValueError, match=r"probabilities|labels"):
        SoftMatrix.from_probabilities(p, y)


def test_draws_scatter_as_samples_of_faces_do() -> None:
    rng = np.random.default_rng(1)
    samples = np.stack([soft_matrix(rng).matrix for _ in range(300)])
    drawn = soft_matrix(rng).draw(rng, 2000)
    assert np.abs(drawn.sum(axis=1) - 1).max() < 1e-9 and drawn.min() >= 0
    for j, count in enumerate(VALIDATION):
        total = samples[:, :, j].var(axis=0).sum(), drawn[:, :, j].var(axis=0).sum()
        # One sample of 21 faces does not know its own spread well.
        assert 1 / 1.7 < total[1] / total[0] < (1.7 if count > 50 else 2.5)


def test_draws_of_few_faces_and_of_none() -> None:
    rng = np.random.default_rng(1)
    soft = soft_matrix(rng, np.array([500, 400, 50, 50, 2, 1, 50, 0]))
    drawn = soft.draw(rng, 500)
    assert np.isfinite(drawn).all() and drawn.min() >= 0
    assert np.abs(drawn.sum(axis=1) - soft.known).max() < 1e-9
    assert drawn[:, :, 5].std(axis=0).max() > 0.1, "one face says little about others"
    again = soft.draw(np.random.default_rng(7), 10)
    assert (again == soft.draw(np.random.default_rng(7), 10)).all()


def test_the_error_of_a_happy_share_is_that_of_matrices_drawn_anew() -> None:
    rng = np.random.default_rng(5)
    y = np.repeat(np.arange(8), [400, 300, 80, 60, 20, 10, 60, 10])
    logits = rng.normal(0, 1, (len(y), 8)) + 3 * np.eye(8)[y]
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    soft = SoftMatrix.from_probabilities(p, y)
    others = np.where(np.arange(8) == 1, 0, soft.counts) / (len(y) - 300)
    for share in (0.1, 0.3, 0.8):
        mean = share * soft.matrix[1, 1] + (1 - share) * soft.matrix[1] @ others
        drawn = soft.draw(rng, 4000)[:, 1]
        wrong = drawn @ others
        found = (mean - wrong) / (drawn[:, 1] - wrong)
        assert soft.happy_error(share) == pytest.approx(found.std(), rel=0.25)
    nobody = SoftMatrix.from_probabilities(p[y != 1], y[y != 1])
    assert nobody.happy_error(0.3) is None
