"""Receiver operating characteristic of one class against the rest."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from felicity.metrics.classification import Floats, ratio

Flags = npt.NDArray[np.bool_]


def curve(positive: Flags, score: Floats) -> tuple[Floats, Floats]:
    """False and true positive rate, each ``(K,)`` from 0 to 1, as the threshold on ``score`` (N,) falls."""
    below, above = _sorted(positive, score, np.ones((1, len(score))))
    false, true = (np.append(0, side[0, ::-1].cumsum()) for side in (below, above))
    return ratio(false, false[-1:]), ratio(true, true[-1:])


def auc(positive: Flags, score: Floats, weights: Floats) -> Floats:
    """Area under the curve ``(B,)``: how often a positive scores above a negative, ties as half.

    ``positive`` (N,), ``score`` (N,), ``weights`` (B, N). NaN where there are positives or negatives only.
    """
    negatives, positives = _sorted(positive, score, weights)
    lower = negatives.cumsum(1) - negatives / 2
    return ratio((positives * lower).sum(1), positives.sum(1) * negatives.sum(1))


def _sorted(positive: Flags, score: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Weights of negatives and positives, each ``(B, U)``, by distinct score from the least."""
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(score[order]) > 0))
    ordered, flags = weights[:, order], positive[order]
    return np.add.reduceat(ordered * ~flags, starts, axis=1), np.add.reduceat(ordered * flags, starts, axis=1)
