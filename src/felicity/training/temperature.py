"""Temperature: how sure a network's answers are made to be, so that they are right as often as they say."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
COLDEST, HOTTEST = 0.1, 10.0


def probabilities_at(logits: npt.NDArray[np.floating[Any]], temperature: float) -> Floats:
    """Softmax of logits ``(N, C)`` over the temperature, in float64; rows sum to 1."""
    z = logits.astype(np.float64) / temperature
    z = np.exp(z - z.max(1, keepdims=True))
    return np.asarray(z / z.sum(1, keepdims=True))


def fit_temperature(logits: npt.NDArray[np.floating[Any]], labels: npt.NDArray[np.integer[Any]]) -> float:
    """The one number, 0.1 to 10, that makes the labels ``(N,)`` likeliest under ``logits / temperature``.

    It changes how sure the answers are, never which is first. Guo et al. 2017, arXiv:1706.04599.
    """
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(labels))

    def loss(log_t: float) -> float:
        z = logits.astype(np.float64) / np.exp(log_t)
        z -= z.max(1, keepdims=True)
        return float((np.log(np.exp(z).sum(1)) - z[rows, labels]).mean())

    found = minimize_scalar(loss, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded")
    return round(float(np.exp(found.x)), 4)
