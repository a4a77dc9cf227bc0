"""Temperature and measures, against figures worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from felicity.training.calibration import (
    confusion,
    expected_calibration_error,
    fit_temperature,
    measures,
    probabilities_at,
)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.3, 5.0))
def test_a_temperature_is_found_again(seed: int, temperature: float) -> None:
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (8000, 5)) * temperature
    p = probabilities_at(logits, temperature)
    labels = (p.cumsum(1) < rng.random((len(p), 1))).sum(1).clip(max=4)
    assert fit_temperature(logits, labels) == pytest.approx(temperature, rel=0.12)


def test_probabilities_do_not_overflow() -> None:
    p = probabilities_at(np.array([[-1e4, 1e4, 1e4]]), 0.1)
    assert p.tolist() == [[0, 0.5, 0.5]]


def test_calibration_error_is_the_gap_between_sure_and_right() -> None:
    p = np.array([[0.9, 0.1]] * 4 + [[0.4, 0.6]] * 6)
    labels = np.array([0, 0, 0, 1] + [1] * 6)
    assert expected_calibration_error(p, labels) == pytest.approx(0.4 * 0.15 + 0.6 * 0.4)


def test_measures_by_hand() -> None:
    answers = np.array([1, 1, 1, 0, 0, 2])
    labels = np.array([1, 1, 0, 0, 0, 0])
    p = np.eye(8)[answers]
    found = measures(p, labels)
    assert found["faces"] == 6
    assert found["accuracy"] == round(4 / 6, 4)
    assert found["balanced_accuracy"] == round((2 / 4 + 2 / 2) / 2, 4)
    assert found["happy_f1"] == round(2 * 2 / (3 + 2), 4)
    assert found["ece"] == round(1 - 4 / 6, 4)
    assert confusion(p, labels)[:3, :3].tolist() == [[2, 1, 1], [0, 2, 0], [0, 0, 0]]


def test_happy_is_left_out_where_nobody_is() -> None:
    assert "happy_f1" not in measures(np.eye(8)[[0, 2]], np.array([0, 2]))
