"""How answers are calibrated: chosen on images held out, refused for few, never to a larger error."""

from __future__ import annotations

import numpy as np
import pytest

from felicity.metrics.calibrating import FEWEST, calibrate
from felicity.metrics.calibration import reliability
from felicity.metrics.temperature import Scaling, softmax


def judged(n: int, seed: int, true: Scaling) -> tuple[np.ndarray, np.ndarray]:
    """Logits (n, 5), and labels drawn from what ``true`` makes of them."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (n, 5))
    p = softmax(true.apply(logits))
    return logits, (p.cumsum(1) < rng.random((n, 1))).sum(1).clip(max=4)


def test_temperature_and_bias_are_fitted_where_images_bear_them_out() -> None:
    true = Scaling(2.5, np.array([1.0, -1.0, 0.0, 0.0, 0.0]))
    found = calibrate(*judged(4000, 1, true))
    assert found.method == "temperature and bias" and found.scaling.temperature == pytest.approx(2.5, rel=0.15)
    assert found.ece is not None and found.log_loss is not None
    assert found.ece[1] < found.ece[0] and found.log_loss[1] < found.log_loss[0]


def test_two_images_calibrate_nothing() -> None:
    found = calibrate(np.array([[3.0, 0, 0], [3.0, 0, 0]]), np.array([0, 1]))
    assert (found.method, found.scaling.temperature, found.scaling.bias.tolist()) == ("none", 1.0, [0, 0, 0])
    assert found.plain() == {"method": "none", "fewest": FEWEST, "folds": 5, "images": [1, 1, 0]}


def test_a_class_of_few_images_gets_no_bias() -> None:
    logits, labels = judged(2000, 2, Scaling(2.0, np.array([1.0, -1.0, 0.0, 0.0, 0.0])))
    few = np.flatnonzero(labels == 4)[FEWEST - 1 :]
    found = calibrate(np.delete(logits, few, 0), np.delete(labels, few))
    assert found.images[4] == FEWEST - 1 and found.scaling.bias[4] == 0 and found.scaling.bias[0] > 0.5


@pytest.mark.parametrize("seed", range(12))
def test_the_calibration_error_is_never_raised(seed: int) -> None:
    """Of answers that are calibrated already, any scaling fits noise."""
    logits, labels = judged(150, seed, Scaling(1.0, np.zeros(5)))
    found = calibrate(logits, labels)
    before, after = (float(reliability(labels, softmax(part)).ece) for part in (logits, found.scaling.apply(logits)))
    assert after <= before + 1e-4
    assert found.ece is not None and found.ece[1] <= found.ece[0]
