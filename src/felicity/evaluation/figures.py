"""All figures of one model on one set of labelled images, each with its interval."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.evaluation.intervals import DRAWS, SEED, Estimate, estimates, settled, with_width
from felicity.evaluation.threshold_curves import auc, average_precision
from felicity.labels import Expression
from felicity.metrics.calibration import Reliability, brier, log_loss, reliability
from felicity.metrics.classification import Floats, Rows, Scores, ratio

Flags = npt.NDArray[np.bool_]
OVERALL = (
    "accuracy", "balanced_accuracy", "macro_precision", "macro_f1", "weighted_precision", "weighted_f1", "kappa",
    "macro_auc", "ece", "brier", "log_loss",
)  # fmt: skip
PER_CLASS = ("precision", "recall", "f1", "auc", "average_precision")
OF_HAPPY = ("precision", "recall", "f1", "accuracy", "auc")


@dataclass(frozen=True, eq=False)
class Figures:
    """Figures of N images.

    ``labels`` (N,) and ``probabilities`` (N, C) are kept for pictures. ``groups``: number of independent groups of
    images. ``found``: estimates by name, those of OVERALL of shape (), those of PER_CLASS ``(C,)``, those of OF_HAPPY
    under ``happy_…`` of shape () if that class exists; ``confusion_shares`` is ``(C, C)``.
    """

    classes: tuple[str, ...]
    labels: Rows = field(repr=False)
    probabilities: Floats = field(repr=False)
    groups: int
    scores: Scores
    reliability: Reliability = field(repr=False)
    found: dict[str, Estimate] = field(repr=False)

    def __len__(self) -> int:
        return len(self.labels)

    def plain(self) -> dict[str, Any]:
        """Return figures as plain numbers (None if undefined), and their intervals in the same order beside."""
        values, intervals = (self._tree(part) for part in (_value, _interval))
        counts = self.scores.confusion.astype(int).tolist()
        return {
            "n": len(self),
            "groups": self.groups,
            "classes": list(self.classes),
            **values,
            "confusion": counts,
            "intervals": intervals,
        }

    def _tree(self, part: Any) -> dict[str, Any]:
        tree: dict[str, Any] = {name: part(self.found[name]) for name in OVERALL}
        size = range(len(self.classes))
        tree["confusion_shares"] = [[part(self.found["confusion_shares"][i, j]) for j in size] for i in size]
        tree["happy"] = (
            {name: part(self.found[f"happy_{name}"]) for name in OF_HAPPY} if self.scores.happy is not None else None
        )
        tree["per_class"] = {
            name: {figure: part(self.found[figure][i]) for figure in PER_CLASS} | {"n": int(self.scores.support[i])}
            for i, name in enumerate(self.classes)
        }
        return tree


def _value(estimate: Estimate) -> float | None:
    return _number(estimate.value)


def _interval(estimate: Estimate) -> list[float | None]:
    return [_number(estimate.low), _number(estimate.high)]


def _number(value: Any) -> float | None:
    return round(float(value), 6) if np.isfinite(value) else None


def figures(
    labels: Rows,
    probabilities: Floats,
    classes: tuple[str, ...],
    groups: Rows,
    *,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Figures:
    """Measure ``probabilities`` (N, C) against ``labels`` (N,), which all are 0 to C - 1; ``groups`` (N,)."""
    probabilities = probabilities.astype(np.float64)
    size = len(classes)
    cells = np.eye(size * size)[labels * size + probabilities.argmax(1)]  # (N, C * C)
    is_class, is_answer = (given[:, None] == np.arange(size) for given in (labels, probabilities.argmax(1)))

    def measures(weights: Floats) -> dict[str, Floats]:
        scores = Scores(classes, (weights @ cells).reshape(-1, size, size))
        aucs, averages = (
            np.stack([area(is_class[:, i], probabilities[:, i], weights) for i in range(size)], axis=1)
            for area in (auc, average_precision)
        )
        values = {name: getattr(scores, name) for name in OVERALL[:7]}
        values |= {
            **_per_class(scores),
            "confusion_shares": scores.shares,
            "auc": aucs,
            "average_precision": averages,
            "macro_auc": ratio(np.nansum(aucs, 1), np.isfinite(aucs).sum(1)),
            "ece": reliability(labels, probabilities, weights).ece,
            "brier": brier(labels, probabilities, weights),
            "log_loss": log_loss(labels, probabilities, weights),
        }
        if (happy := scores.happy) is not None:
            values |= {f"happy_{name}": found[:, 0] for name, found in _per_class(happy).items()}
            values |= {"happy_accuracy": happy.accuracy, "happy_auc": aucs[:, classes.index(Expression.HAPPY)]}
        return values

    scores = Scores.of(labels, probabilities, classes)
    found = estimates(measures, groups, draws=draws, seed=seed, biased=frozenset({"ece"}))
    labelled, answered = _groups_of(is_class, groups), _groups_of(is_answer, groups)
    number = np.asarray(float(len(np.unique(groups))))
    found["confusion_shares"] = settled(found["confusion_shares"], labelled[:, None])
    for prefix, whole in (("", scores), ("happy_", scores.happy)):
        if whole is not None:
            at: Any = 0 if prefix else slice(None)
            here: Any = classes.index(Expression.HAPPY) if prefix else slice(None)
            for name, trials in (("recall", labelled[here]), ("precision", answered[here]), ("accuracy", number)):
                found[prefix + name] = settled(found[prefix + name], trials)
            found[f"{prefix}precision"] = replace(found[f"{prefix}precision"], value=whole.precision[at])
    found = {name: with_width(estimate) for name, estimate in found.items()}
    return Figures(
        classes=classes,
        labels=labels,
        probabilities=probabilities,
        groups=int(number),
        scores=scores,
        reliability=reliability(labels, probabilities),
        found=found,
    )


def _per_class(scores: Scores) -> dict[str, Floats]:
    """Return precision, recall and F1, each ``(B, C)``; NaN, not 0, in resamples that do not define them."""
    answered, labelled = scores.answers > 0, scores.support > 0
    return {
        "precision": np.where(answered, scores.precision, np.nan),
        "recall": np.where(labelled, scores.recall, np.nan),
        "f1": np.where(answered | labelled, scores.f1, np.nan),
    }


def _groups_of(member: Flags, groups: Rows) -> Floats:
    """Count the ``groups`` (N,) with a member, by column of ``member`` (N, C)."""
    return np.array([len(np.unique(groups[column])) for column in member.T], dtype=np.float64)
