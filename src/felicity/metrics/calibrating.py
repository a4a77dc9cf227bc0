"""The choice of a calibration: the method that improves images it was not fitted to, or none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.metrics.calibration import cross_entropy, reliability
from felicity.metrics.classification import Rows
from felicity.metrics.temperature import Floats, Logits, Scaling, fit_scaling, softmax

FEWEST = 10
"""Least number of images of a class for a bias; a temperature needs two classes with as many."""
FOLDS = 5
NONE = "none"


@dataclass(frozen=True)
class Calibration:
    """The chosen ``scaling``, and its choice.

    ``method``: ``temperature and bias``, ``temperature`` or ``none``. ``images``: of each class, (C,). ``ece`` and
    ``log_loss``: before and after, cross-validated; None if too few images allowed no trial.
    """

    scaling: Scaling
    method: str
    images: tuple[int, ...]
    ece: tuple[float, float] | None = field(default=None)
    log_loss: tuple[float, float] | None = field(default=None)

    def plain(self) -> dict[str, Any]:
        """Return the choice as plain values."""
        tried = {} if self.ece is None else {"ece": list(self.ece), "log_loss": list(self.log_loss or ())}
        return {"method": self.method, "fewest": FEWEST, "folds": FOLDS, "images": list(self.images), **tried}


def calibrate(logits: Logits, labels: Rows) -> Calibration:
    """Choose a scaling of ``logits`` (N, C) for ``labels`` (N,).

    The candidates are a temperature with a bias for each class, a temperature alone, and nothing. The function chooses
    the one with the least log loss on folds that it was not fitted to. It rejects a candidate that raises the
    calibration error, on such folds or on all images. A class of fewer than FEWEST images gets no bias.
    """
    counts = np.bincount(labels, minlength=logits.shape[1])
    images, enough = tuple(int(n) for n in counts), counts >= FEWEST
    nothing = Scaling(1.0, np.zeros(logits.shape[1]))
    if enough.sum() < 2:
        return Calibration(nothing, NONE, images)
    before = _measured(labels, nothing.apply(logits))
    best = Calibration(nothing, NONE, images, (before[0],) * 2, (before[1],) * 2)
    for method, biased in (("temperature and bias", enough), ("temperature", np.zeros_like(enough))):
        whole = fit_scaling(logits, labels, biased)
        ece, loss = _measured(labels, _held_out(logits, labels, biased))
        highest = max(ece, _measured(labels, whole.apply(logits))[0])
        if highest <= before[0] and loss < (best.log_loss or before)[1]:
            best = Calibration(whole, method, images, (before[0], ece), (before[1], loss))
    return best


def _held_out(logits: Logits, labels: Rows, biased: npt.NDArray[np.bool_]) -> Floats:
    """Return the scaled logits of each image by a scaling fitted to the other folds; folds hold every class alike."""
    order = np.lexsort((np.random.default_rng(0).permutation(len(labels)), labels))
    fold = np.empty(len(labels), dtype=np.int64)
    fold[order] = np.arange(len(labels)) % FOLDS
    scaled = np.empty(logits.shape)
    for number in range(FOLDS):
        held = fold == number
        scaled[held] = fit_scaling(logits[~held], labels[~held], biased).apply(logits[held])
    return scaled


def _measured(labels: Rows, scaled: Floats) -> tuple[float, float]:
    """Return calibration error and log loss, rounded for output."""
    error = float(reliability(labels, softmax(scaled)).ece)
    return round(error, 4), round(cross_entropy(labels, scaled), 4)
