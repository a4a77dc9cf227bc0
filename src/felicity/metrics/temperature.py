"""Temperature scaling: logits scaled so that stated probabilities equal the accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Logits = npt.NDArray[np.floating[Any]]
COLDEST, HOTTEST = 0.1, 10.0


@dataclass(frozen=True)
class Scaling:
    """``temperature`` divides logits, then ``bias`` (C,) is added."""

    temperature: float
    bias: Floats

    def apply(self, logits: Logits) -> Floats:
        """Return scaled logits ``(N, C)``, float64."""
        return logits.astype(np.float64) / self.temperature + self.bias


def softmax(logits: Logits) -> Floats:
    """Return the softmax of ``(N, C)`` in float64; rows sum to 1."""
    z = logits.astype(np.float64)
    z = np.exp(z - z.max(1, keepdims=True))
    return np.asarray(z / z.sum(1, keepdims=True))


def fit_scaling(
    logits: Logits, labels: npt.NDArray[np.integer[Any]], biased: npt.NDArray[np.bool_] | None = None
) -> Scaling:
    """Return the temperature, 0.1 to 10, and the bias by class that make the labels ``(N,)`` most likely.

    A network that learnt shares of votes answers how people voted; the bias turns that into how often each class wins.
    The bias is held near 0 as by a prior of deviation 1, which matters if a class has few faces, and sums to 0. Classes
    that do not occur keep 0, and so do those that ``biased`` (C,) leaves out. Bias-corrected temperature scaling:
    Alexandari, Kundaje & Shrikumar 2020 (arXiv:1901.06852); temperature: Guo et al. 2017 (arXiv:1706.04599).
    """
    from scipy.optimize import minimize

    n, classes = logits.shape
    there = np.bincount(labels, minlength=classes) > 0
    if biased is not None:
        there &= biased
    right = np.zeros((n, classes))
    right[np.arange(n), labels] = 1
    z = logits.astype(np.float64)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        scale, bias = np.exp(-parameters[0]), np.where(there, parameters[1:], 0.0)
        scaled = z * scale + bias
        scaled -= scaled.max(1, keepdims=True)
        log_p = scaled - np.log(np.exp(scaled).sum(1, keepdims=True))
        apart = (np.exp(log_p) - right) / n  # the gradient of the scaled logits
        slope = np.concatenate([[-(apart * z).sum() * scale], np.where(there, apart.sum(0) + bias / n, 0.0)])
        return float(-(log_p * right).sum() / n + (bias**2).sum() / (2 * n)), slope

    limits = [(np.log(COLDEST), np.log(HOTTEST)), *[(-10.0, 10.0)] * classes]
    found = minimize(loss, np.zeros(classes + 1), jac=True, method="L-BFGS-B", bounds=limits).x
    bias = np.where(there, found[1:] - found[1:][there].mean(), 0.0) if there.any() else np.zeros(classes)
    return Scaling(round(float(np.exp(found[0])), 4), bias.round(4))
