"""Temperature: found again where it is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from felicity.training.temperature import fit_temperature, probabilities_at


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
