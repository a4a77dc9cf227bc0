"""Held-out faces that stand for all labelled ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from felicity.evaluation.stratify import clearness, stratified_weights
from felicity.index.soft_matrix import SoftMatrix


def faces(rng: np.random.Generator, n: int, unclear: float) -> tuple[np.ndarray, np.ndarray]:
    """Labels of two classes, and how clear they are: a share of them is doubtful, and fewer conventions agree there."""
    labels = rng.integers(0, 2, n)
    doubtful = rng.random(n) < unclear
    share = np.where(doubtful, 0.5, 1.0)
    agrees = rng.random(n) < np.where(doubtful, 0.4, 0.9)
    return labels, np.column_stack([share, agrees])


def test_a_sample_with_too_many_unclear_faces_is_put_right() -> None:
    """Of a quantity that depends on clearness alone, the weighted mean is that of all faces; the plain one is not."""
    rng = np.random.default_rng(3)
    everyone, sample = faces(rng, 50_000, 0.4), faces(rng, 2_000, 0.7)

    def right(clear: np.ndarray) -> np.ndarray:
        return np.asarray(0.5 + 0.3 * (clear[:, 0] == 1) + 0.1 * clear[:, 1])

    w = stratified_weights(*sample, *everyone)
    for label in (0, 1):
        mine, all_ = sample[0] == label, everyone[0] == label
        wanted = right(everyone[1][all_]).mean()
        assert abs(right(sample[1][mine]).mean() - wanted) > 0.05
        assert np.average(right(sample[1][mine]), weights=w[mine]) == pytest.approx(wanted, abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 400), st.floats(0, 1))
def test_classes_keep_their_sizes_and_few_faces_their_weight(seed: int, n: int, unclear: float) -> None:
    rng = np.random.default_rng(seed)
    labels, clear = faces(rng, n, unclear)
    clear[:, 0] = rng.integers(3, 11, n) / 10
    everyone = faces(rng, 5_000, 0.3)
    w = stratified_weights(labels, clear, *everyone)
    assert w.min() >= 0 and np.isfinite(w).all()
    for label in np.unique(labels):
        mine = w[labels == label]
        assert mine.mean() == pytest.approx(1)
        if len(mine) < 100:
            assert (mine == 1).all()


def test_a_sample_like_all_faces_keeps_its_weights() -> None:
    labels, clear = faces(np.random.default_rng(1), 3_000, 0.5)
    np.testing.assert_allclose(stratified_weights(labels, clear, labels, clear), 1)


def test_clearness_is_votes_and_agreement() -> None:
    votes = np.array([[0.9, 0.1], [0.4, 0.6], [0.7, 0.3]])
    labels = np.array([0, 1, 0])
    np.testing.assert_allclose(clearness(labels, votes, np.array([0, 0, -1])), [[0.9, 1], [0.6, 0], [0.7, 0]])
    np.testing.assert_allclose(clearness(labels, votes, None)[:, 1], 0)


def test_a_face_of_weight_two_counts_as_two_in_the_soft_matrix() -> None:
    rng = np.random.default_rng(2)
    p, y = rng.dirichlet(np.ones(8), 40), rng.integers(0, 8, 40)
    twice = rng.integers(1, 3, 40)
    weighted = SoftMatrix.from_probabilities(p, y, twice)
    repeated = SoftMatrix.from_probabilities(np.repeat(p, twice, axis=0), np.repeat(y, twice))
    np.testing.assert_allclose(weighted.matrix, repeated.matrix)
    np.testing.assert_allclose(weighted.cross, repeated.cross)
    assert weighted.counts.sum() == 40
