"""Temperature and bias: found again where they are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from felicity.metrics.temperature import Scaling, fit_scaling, softmax


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.3, 5.0), st.floats(-1.5, 1.5))
def test_temperature_and_bias_are_found_again(seed: int, temperature: float, bias: float) -> None:
    rng = np.random.default_rng(seed)
    true = Scaling(temperature, np.array([bias, -bias, 0.0, 0.0, 0.0]))
    logits = rng.normal(0, 2, (8000, 5)) * temperature
    p = softmax(true.apply(logits))
    labels = (p.cumsum(1) < rng.random((len(p), 1))).sum(1).clip(max=4)
    found = fit_scaling(logits, labels)
    assert found.temperature == pytest.approx(temperature, rel=0.12)
    np.testing.assert_allclose(found.bias, true.bias, atol=0.25)
    # On average the answers now name each class as often as it occurs.
    np.testing.assert_allclose(softmax(found.apply(logits)).mean(0), np.bincount(labels, minlength=5) / 8000, atol=2e-3)


def test_classes_that_do_not_occur_are_left_alone_and_few_faces_move_little() -> None:
    rng = np.random.default_rng(0)
    labels = np.array([0] * 500 + [1] * 2)
    logits = rng.normal(0, 1, (502, 4)) + 4 * np.eye(4)[labels]
    logits[:, 2:] = -1e4
    found = fit_scaling(logits, labels)
    assert found.bias[2:].tolist() == [0, 0] and found.bias.sum() == pytest.approx(0, abs=1e-3)
    assert abs(found.bias[0]) < 4


def test_probabilities_do_not_overflow() -> None:
    assert softmax(np.array([[-1e5, 1e5, 1e5]])).tolist() == [[0, 0.5, 0.5]]
