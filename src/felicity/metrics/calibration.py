"""Metrics of predicted probabilities: reliability, calibration error, proper scores.

Weights ``(..., N)`` weigh N images, such as those of a resample; a metric then has the shape ``(...)``. Without weights
every image counts once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.metrics.classification import Floats, Rows, floats, is_right, ratio

Probabilities = npt.NDArray[np.floating[Any]]

BINS = 15
SMALLEST_PROBABILITY = float(np.finfo(np.float64).eps)
"""Lower bound of probabilities in the log loss, which 0 would make infinite; scikit-learn's for float64."""


@dataclass(frozen=True, eq=False)
class Reliability:
    """Images by the probability of their answer (its confidence), in BINS bins of equal width.

    ``count``, ``confidence`` and ``right`` are ``(..., BINS)``: (weighted) number of images, sum of their
    confidence, number of right answers.
    """

    count: Floats = field(repr=False)
    confidence: Floats = field(repr=False)
    right: Floats = field(repr=False)

    @property
    def ece(self) -> Floats:
        """Return the expected calibration error ``(...)``, 0 to 1: mean gap between confidence and accuracy over bins.

        Source: Guo, Pleiss, Sun, Weinberger: On Calibration of Modern Neural Networks, ICML 2017, eq. 3.
        """
        return ratio(np.abs(self.right - self.confidence).sum(-1), self.count.sum(-1))

    @property
    def mean_confidence(self) -> Floats:
        """Return the mean confidence, ``(...)``; above the accuracy, the model is overconfident."""
        return ratio(self.confidence.sum(-1), self.count.sum(-1))


def reliability(labels: Rows, probabilities: Probabilities, weights: Floats | None = None) -> Reliability:
    """Bin ``probabilities`` (N, C) of ``labels`` (N,) by confidence."""
    confidence, weights = floats(probabilities.max(1)), _weights(labels, weights)
    member = np.eye(BINS)[np.minimum((confidence * BINS).astype(np.int64), BINS - 1)]  # (N, BINS)
    right = is_right(labels, probabilities)[:, None]
    return Reliability(weights @ member, weights @ (member * confidence[:, None]), weights @ (member * right))


def brier(labels: Rows, probabilities: Probabilities, weights: Floats | None = None) -> Floats:
    """Return the mean squared error over all classes, ``(...)``, 0 to 2 (Brier 1950)."""
    wrong = probabilities - np.eye(probabilities.shape[1])[labels]
    return _mean((wrong**2).sum(1), _weights(labels, weights))


def log_loss(labels: Rows, probabilities: Probabilities, weights: Floats | None = None) -> Floats:
    """Return the mean negative logarithm of the label's probability, ``(...)``, in nats."""
    given = np.maximum(floats(probabilities[np.arange(len(labels)), labels]), SMALLEST_PROBABILITY)
    return _mean(-np.log(given), _weights(labels, weights))


def cross_entropy(labels: Rows, logits: Probabilities) -> float:
    """Return the log loss of the softmax of ``logits`` (N, C), in nats; exact also where a probability underflows."""
    wide = logits.astype(np.float64)
    wide -= wide.max(1, keepdims=True)
    log_p = wide - np.log(np.exp(wide).sum(1, keepdims=True))
    return -float(log_p[np.arange(len(labels)), labels].mean())


def _weights(labels: Rows, weights: Floats | None) -> Floats:
    return np.ones(len(labels)) if weights is None else weights


def _mean(values: Floats, weights: Floats) -> Floats:
    return ratio(floats(weights @ values), floats(weights.sum(-1)))
