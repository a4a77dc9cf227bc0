"""Simulated people: true expressions, and the answers of a classifier with a known soft matrix."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from felicity.labels import EXPRESSIONS, HAPPY_INDEX

OTHERS = np.array([0.62, 0.0, 0.14, 0.09, 0.03, 0.02, 0.08, 0.02])
"""Shares (8,) of the expressions among people who are not happy; sums to 1."""


def true_shares(happy: float) -> npt.NDArray[np.float64]:
    """Return shares (8,) of a place where ``happy`` (0..1) of the people are happy."""
    shares = OTHERS * (1 - happy)
    shares[HAPPY_INDEX] = happy
    return shares


class AnswerModel:
    """Draws a classifier's answers to faces of given labels.

    Each label's answers are Dirichlet distributed with the mean of the soft matrix' column and the total variance of
    its second moments. So simulated answers are as wrong and as scattered as those to the held-out faces on which the
    matrix was measured.
    """

    def __init__(self, matrix: npt.NDArray[np.float64], cross: npt.NDArray[np.float64]) -> None:
        """Create the model; ``matrix`` (8, 8): mean p_i given label j; ``cross`` (8, 8, 8): mean p pᵀ by label."""
        mean = np.clip(matrix.T, 1e-6, None)  # (label, expression)
        mean /= mean.sum(1, keepdims=True)
        square = (mean**2).sum(1)
        variance = np.trace(cross, axis1=1, axis2=2) - square
        concentration = (1 - square) / np.clip(variance, 1e-6, None) - 1
        self._alpha = mean * np.clip(concentration, 0.05, 1e4)[:, None]

    def draw(self, labels: npt.NDArray[np.intp], rng: np.random.Generator) -> npt.NDArray[np.float64]:
        """Return probabilities (N, 8) for people with true ``labels`` (N,), each an index of ``EXPRESSIONS``."""
        gamma = rng.standard_gamma(self._alpha[labels]) + 1e-12
        answers: npt.NDArray[np.float64] = gamma / gamma.sum(1, keepdims=True)
        return answers


def draw_labels(happy: npt.NDArray[np.float64], rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """Return true labels (N,) of people of whom each is happy with its own probability ``happy`` (N,), 0..1."""
    others = rng.choice(len(EXPRESSIONS), size=len(happy), p=OTHERS)
    return np.where(rng.random(len(happy)) < happy, HAPPY_INDEX, others).astype(np.intp)
