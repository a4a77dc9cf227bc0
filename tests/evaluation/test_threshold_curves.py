"""Curves over all thresholds, and the areas under them, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from felicity.evaluation.threshold_curves import auc, average_precision, precision_recall_curve, roc_curve


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
    ours = roc_curve(positive, score)
    assert ours[0].tolist() == pytest.approx(false.tolist()) and ours[1].tolist() == pytest.approx(true.tolist())


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 30), st.booleans())
def test_average_precision_is_scikit_learns_also_with_ties_and_weights(seed: int, n: int, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    score = rng.integers(0, 4, n) / 4.0 if ties else rng.random(n)
    positive = rng.random(n) < 0.5
    positive[:2] = True, False
    weights = rng.integers(0, 3, (3, n)).astype(float)
    weights[:, :2] = 1
    found = average_precision(positive, score, weights)
    for i in range(3):
        assert found[i] == pytest.approx(reference.average_precision_score(positive, score, sample_weight=weights[i]))
    precision, recall, _ = reference.precision_recall_curve(positive, score)
    ours = precision_recall_curve(positive, score)
    assert ours[0].tolist() == pytest.approx(recall[-2::-1].tolist())
    assert ours[1].tolist() == pytest.approx(precision[-2::-1].tolist())


def test_average_precision_needs_a_positive() -> None:
    assert np.isnan(average_precision(np.array([False, False]), np.array([0.2, 0.4]), np.ones((1, 2)))[0])


def test_area_needs_both_sides() -> None:
    assert np.isnan(auc(np.array([True, True]), np.array([0.2, 0.4]), np.ones((1, 2)))[0])
