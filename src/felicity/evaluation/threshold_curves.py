"""Curves over all thresholds, one class against the rest: receiver operating characteristic, precision-recall."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from felicity.metrics.classification import Floats, ratio

Flags = npt.NDArray[np.bool_]


def roc_curve(positive: Flags, score: Floats) -> tuple[Floats, Floats]:
    """Return false and true positive rate, each ``(K,)`` from 0 to 1, as the threshold on ``score`` (N,) falls."""
    below, above = _sorted(positive, score, np.ones((1, len(score))))
    false, true = (np.append(0, side[0, ::-1].cumsum()) for side in (below, above))
    return ratio(false, false[-1:]), ratio(true, true[-1:])


def auc(positive: Flags, score: Floats, weights: Floats) -> Floats:
    """Return the area under the curve ``(B,)``: how often a positive scores above a negative, ties as half.

    ``positive`` (N,), ``score`` (N,), ``weights`` (B, N). NaN without positives or without negatives.
    """
    negatives, positives = _sorted(positive, score, weights)
    lower = negatives.cumsum(1) - negatives / 2
    return ratio((positives * lower).sum(1), positives.sum(1) * negatives.sum(1))


def precision_recall_curve(positive: Flags, score: Floats) -> tuple[Floats, Floats]:
    """Return recall and precision, each ``(K,)``, at every distinct ``score`` (N,) as the threshold falls."""
    below, above = _sorted(positive, score, np.ones((1, len(score))))
    found, answered = (_from_the_top(side)[0, ::-1] for side in (above, above + below))
    return ratio(found, found[-1:]), ratio(found, answered)


def average_precision(positive: Flags, score: Floats, weights: Floats) -> Floats:
    """Return the mean precision over the positives ``(B,)``, each at its own score: the area under the step curve.

    Arguments as for ``auc``. NaN without positives. Source: Manning, Raghavan & Schütze 2008, ch. 8.4.
    """
    negatives, positives = _sorted(positive, score, weights)
    found, answered = _from_the_top(positives), _from_the_top(positives + negatives)
    return ratio((positives * ratio(found, answered, nothing=0)).sum(1), positives.sum(1))


def _from_the_top(weights: Floats) -> Floats:
    return weights[:, ::-1].cumsum(1)[:, ::-1]


def _sorted(positive: Flags, score: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return weights of negatives and positives, each ``(B, U)``, by distinct score from the least."""
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(score[order]) > 0))
    ordered, flags = weights[:, order], positive[order]
    return np.add.reduceat(ordered * ~flags, starts, axis=1), np.add.reduceat(ordered * flags, starts, axis=1)
