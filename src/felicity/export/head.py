"""The facts of a bundle's head: calibrated on the validation set, measured on all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.index.soft_matrix import SoftMatrix
from felicity.labels import EXPRESSIONS
from felicity.metrics.calibrating import calibrate
from felicity.metrics.calibration import reliability
from felicity.metrics.classification import Floats, Rows, Scores
from felicity.metrics.temperature import Scaling, softmax
from felicity.models.prior import prior_shift, towards_even

Logits = npt.NDArray[np.floating[Any]]
VALIDATION, TEST = "validation", "test"


@dataclass(frozen=True)
class LabelledLogits:
    """``logits`` (N, 8) and ``labels`` (N,), places among the eight expressions."""

    logits: Logits = field(repr=False)
    labels: Rows = field(repr=False)

    @classmethod
    def of(cls, logits: Logits, labels: Rows | None, places: Sequence[int]) -> LabelledLogits:
        """Fit a head on faces with ``labels`` (-1: undecided, left out); ``places`` of its classes among the eight."""
        assert labels is not None  # a head was trained on data that have its labels
        return cls(logits[labels >= 0], np.asarray(places)[labels[labels >= 0]])


@dataclass(frozen=True)
class Weighted:
    """``rows`` (N,) of a part's labelled faces; ``weights`` (N,) of each among those of its label, None: all alike."""

    rows: Rows = field(repr=False)
    weights: Floats | None = field(default=None, repr=False)


def calibrated(parts: Mapping[str, LabelledLogits]) -> tuple[dict[str, Any], Scaling]:
    """Return scaling, its choice, shares of the labels it was fitted to, and measures, for ``bundle.json``."""
    held_out = parts[VALIDATION]
    chosen = calibrate(held_out.logits, held_out.labels)
    scaling = chosen.scaling
    shares = np.bincount(held_out.labels, minlength=len(EXPRESSIONS)) / len(held_out.labels)
    return {
        "temperature": scaling.temperature,
        "bias": scaling.bias.tolist(),
        "calibration": chosen.plain(),
        "prior": shares.round(6).tolist(),
        "metrics": {name: measures(part.logits, part.labels, scaling) for name, part in parts.items()},
    }, scaling


def main_head(
    parts: Mapping[str, LabelledLogits], evenness: float, matrix_of: Mapping[str, Weighted] | None = None
) -> dict[str, Any]:
    """Return the same of the head that classifies, with what is measured of its answers as they are made in use.

    ``evenness``: see ``models.prior.towards_even``. ``matrix_of``: the faces of each part that make the soft matrix;
    by default those of the validation set, all alike.
    """
    facts, scaling = calibrated(parts)
    wanted = towards_even(facts["prior"], evenness).round(6)
    shift = prior_shift(facts["prior"], wanted)
    in_use = {name: scaling.apply(part.logits) + shift for name, part in parts.items()}
    held_out = parts[VALIDATION]
    matrices = {
        name: SoftMatrix.from_probabilities(
            softmax(in_use[name][of.rows]), parts[name].labels[of.rows], of.weights
        ).rounded()
        for name, of in (matrix_of or {VALIDATION: Weighted(np.arange(len(held_out.labels)))}).items()
    }
    p = softmax(in_use[VALIDATION])
    facts |= {
        "soft_matrix": SoftMatrix.combine([*matrices.values()]).rounded().to_json(),
        "confusion": Scores.of(held_out.labels, p, EXPRESSIONS).confusion.tolist(),
    }
    if len(matrices) > 1:
        facts["soft_matrix_parts"] = {name: matrix.to_json() for name, matrix in matrices.items()}
    if evenness:
        facts["answer_prior"] = wanted.tolist()
        facts["metrics"] |= {f"{name}_in_use": measures(given, parts[name].labels) for name, given in in_use.items()}
    return facts


def measures(logits: Logits, labels: Rows, scaling: Scaling | None = None) -> dict[str, float]:
    """Return the figures of a bundle on N labelled faces: their number, then figures from 0 to 1, see ``evaluation``.

    ``logits`` (N, 8). ``happy_f1`` is left out where nobody is happy; what ends in ``_before`` is without ``scaling``,
    as the run answers.
    """
    p = softmax(scaling.apply(logits) if scaling else logits)
    scores = Scores.of(labels, p, EXPRESSIONS)
    figures = {"accuracy": scores.accuracy, "balanced_accuracy": scores.balanced_accuracy}
    if scores.happy is not None and scores.happy.support[0]:
        figures["happy_f1"] = scores.happy.f1[0]
    figures["ece"] = reliability(labels, p).ece
    if scaling:
        own = softmax(logits)
        figures |= {"ece_before": reliability(labels, own).ece}
        figures |= {"accuracy_before": Scores.of(labels, own, EXPRESSIONS).accuracy}
    return {"faces": len(labels)} | {name: round(float(value), 4) for name, value in figures.items()}
