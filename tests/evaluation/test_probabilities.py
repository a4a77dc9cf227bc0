"""Calibration, proper scores and ROC against scikit-learn and plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from felicity.evaluation.roc import auc, curve
from felicity.metrics.calibration import BINS, brier, log_loss, reliability
from felicity.metrics.classification import Floats, Rows


def judged(n: int = 300, classes: int = 5, seed: int = 0) -> tuple[Rows, Floats]:
    """Labels drawn from the probabilities themselves."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.full(classes, 0.4), n)
    return (p.cumsum(1) > rng.random(n)[:, None]).argmax(1), p


def test_calibration_error_is_the_mean_gap_over_bins() -> None:
    labels, p = judged()
    confidence, right = p.max(1), p.argmax(1) == labels
    expected = 0.0
    for i in range(BINS):
        here = (confidence >= i / BINS) & (confidence < (i + 1) / BINS)
        if here.any():
            expected += here.mean() * abs(right[here].mean() - confidence[here].mean())
    found = reliability(labels, p, np.ones((1, len(labels))))
    assert found.ece[0] == pytest.approx(expected)
    assert found.mean_confidence[0] == pytest.approx(confidence.mean())
    assert found.count.sum() == len(labels)


def test_a_sure_answer_is_in_the_last_bin() -> None:
    found = reliability(np.array([0, 1]), np.eye(2), np.ones((1, 2)))
    assert found.count[0, -1] == 2 and found.ece[0] == 0


def test_proper_scores_are_scikit_learns() -> None:
    labels, p = judged()
    once = np.ones((1, len(labels)))
    assert log_loss(labels, p, once)[0] == pytest.approx(reference.log_loss(labels, p, labels=range(5)))
    assert brier(labels, p, once)[0] == pytest.approx(((p - np.eye(5)[labels]) ** 2).sum(1).mean())
    assert np.isfinite(log_loss(np.array([1]), np.array([[1.0, 0.0]]), np.ones((1, 1)))[0])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 30), st.booleans())
def test_area_under_the_curve_is_scikit_learns_also_with_ties_and_weights(seed: int, n: int, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    score = rng.integers(0, 4, n) / 4.0 if ties else rng.random(n)
    positive = rng.random(n) < 0.5
    positive[:2] = True, False
    weights = rng.integers(0, 3, (3, n)).astype(float)
    weights[:, :2] = 1
    found = auc(positive, score, weights)
    for i in range(3):
        assert found[i] == pytest.approx(reference.roc_auc_score(positive, score, sample_weight=weights[i]))
    false, true, _ = reference.roc_curve(positive, score, drop_intermediate=False)
    ours = curve(positive, score)
    assert ours[0].tolist() == pytest.approx(false.tolist()) and ours[1].tolist() == pytest.approx(true.tolist())


def test_area_needs_both_sides() -> None:
    assert np.isnan(auc(np.array([True, True]), np.array([0.2, 0.4]), np.ones((1, 2)))[0])


def test_an_image_that_weighs_two_counts_as_two_images() -> None:
    labels, p = judged(40)
    weights = np.random.default_rng(3).integers(0, 3, 40)
    rows = np.repeat(np.arange(40), weights)
    for figure in (brier, log_loss, lambda *a: reliability(*a).ece):
        weighted = figure(labels, p, weights[None].astype(float))
        repeated = figure(labels[rows], p[rows], np.ones((1, len(rows))))
        assert weighted[0] == pytest.approx(repeated[0])
