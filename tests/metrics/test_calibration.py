"""Calibration and proper scores against scikit-learn and plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from felicity.metrics.calibration import BINS, brier, cross_entropy, log_loss, reliability
from felicity.metrics.temperature import softmax
from tests.support.judged import judged


def test_calibration_error_is_the_mean_gap_over_bins() -> None:
    labels, p = judged()
    confidence, right = p.max(1), p.argmax(1) == labels
    expected = 0.0
    for i in range(BINS):
        here = (confidence >= i / BINS) & (confidence < (i + 1) / BINS)
        if here.any():
            expected += here.mean() * abs(right[here].mean() - confidence[here].mean())
    found = reliability(labels, p)
    assert found.ece == pytest.approx(expected)
    assert found.mean_confidence == pytest.approx(confidence.mean())
    assert found.count.sum() == len(labels)


def test_a_sure_answer_is_in_the_last_bin() -> None:
    found = reliability(np.array([0, 1]), np.eye(2))
    assert found.count[-1] == 2 and found.ece == 0


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(2, 6), st.booleans())
def test_proper_scores_are_scikit_learns_also_with_weights_and_certain_answers(
    seed: int, n: int, classes: int, certain: bool
) -> None:
    labels, p = judged(n, classes, seed)  # few images: some classes have none
    if certain:
        p = np.eye(classes)[p.argmax(1)]
    weights = np.random.default_rng(seed).integers(0, 3, (2, 2, n)).astype(np.float64)
    weights[..., 0] = 1
    found, errors = log_loss(labels, p, weights), brier(labels, p, weights)
    assert found.shape == errors.shape == (2, 2)
    assert log_loss(labels, p) == pytest.approx(reference.log_loss(labels, p, labels=range(classes)))
    assert brier(labels, p) == pytest.approx(
        reference.brier_score_loss(labels, p, labels=range(classes), scale_by_half=False)
    )
    for at in np.ndindex(2, 2):
        own = {"sample_weight": weights[at], "labels": range(classes)}
        assert found[at] == pytest.approx(reference.log_loss(labels, p, **own))
        assert errors[at] == pytest.approx(reference.brier_score_loss(labels, p, scale_by_half=False, **own))


def test_cross_entropy_is_the_log_loss_of_the_softmax_and_exact_beyond_its_bound() -> None:
    rng = np.random.default_rng(5)
    labels, logits = rng.integers(0, 4, 50), rng.normal(0, 3, (50, 4))
    assert cross_entropy(labels, logits) == pytest.approx(float(log_loss(labels, softmax(logits))))
    assert cross_entropy(np.array([0]), np.array([[0.0, 500.0]])) == pytest.approx(500)


def test_an_image_that_weighs_two_counts_as_two_images() -> None:
    labels, p = judged(40)
    weights = np.random.default_rng(3).integers(0, 3, 40)
    rows = np.repeat(np.arange(40), weights)
    for figure in (brier, log_loss, lambda *a: reliability(*a).ece):
        assert figure(labels, p, weights.astype(float)) == pytest.approx(figure(labels[rows], p[rows]))
