"""Whether probabilities mean what they say: reliability, calibration error, proper scores.

Weights ``(B, N)`` weigh N images in each of B resamples; one row of ones is the data themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from felicity.metrics.classification import Floats, Rows, ratio

BINS = 15
LEAST = 1e-12
"""A probability of 0 counts as this in the log loss, which would be infinite."""


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
        """Expected calibration error ``(...)``, 0 to 1: mean gap between confidence and accuracy over bins.

        Source: Guo, Pleiss, Sun, Weinberger: On Calibration of Modern Neural Networks, ICML 2017, eq. 3.
        """
        return ratio(np.abs(self.right - self.confidence).sum(-1), self.count.sum(-1))

    @property
    def mean_confidence(self) -> Floats:
        """Of all images, ``(...)``; above the accuracy, the model is too sure of itself."""
        return ratio(self.confidence.sum(-1), self.count.sum(-1))


def reliability(labels: Rows, probabilities: Floats, weights: Floats) -> Reliability:
    """Of ``labels`` (N,) and ``probabilities`` (N, C) under ``weights`` (B, N)."""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels
    at = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    member = np.eye(BINS)[at]  # (N, BINS)
    return Reliability(weights @ member, weights @ (member * confidence[:, None]), weights @ (member * right[:, None]))


def brier(labels: Rows, probabilities: Floats, weights: Floats) -> Floats:
    """Mean squared error over all classes ``(B,)``, 0 to 2 (Brier 1950)."""
    wrong = probabilities - np.eye(probabilities.shape[1])[labels]
    return ratio(weights @ (wrong**2).sum(1), weights.sum(1))


def log_loss(labels: Rows, probabilities: Floats, weights: Floats) -> Floats:
    """Mean negative logarithm of the label's probability ``(B,)``, in nats."""
    given = np.maximum(probabilities[np.arange(len(labels)), labels], LEAST)
    return ratio(weights @ -np.log(given), weights.sum(1))
