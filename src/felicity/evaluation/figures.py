"""All figures of one model on one set of labelled images, each with its interval."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from felicity.evaluation.calibration import Reliability, brier, log_loss, reliability
from felicity.evaluation.intervals import DRAWS, SEED, Estimate, estimates
from felicity.evaluation.metrics import HAPPY, Floats, Rows, Scores
from felicity.evaluation.roc import auc

OVERALL = (
    "accuracy", "balanced_accuracy", "macro_precision", "macro_f1", "weighted_precision", "weighted_f1",
    "macro_auc", "ece", "brier", "log_loss",
)  # fmt: skip
PER_CLASS = ("precision", "recall", "f1", "auc")
OF_HAPPY = ("precision", "recall", "f1", "accuracy", "auc")


@dataclass(frozen=True, eq=False)
class Figures:
    """Figures of N images.

    ``labels`` (N,) and ``probabilities`` (N, C) are kept for pictures. ``groups``: how many independent groups the
    images are of. ``found``: estimates by name, those of OVERALL of shape (), those of PER_CLASS ``(C,)``, those of
    OF_HAPPY under ``happy_…`` of shape (), where there is that class.
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

    def to_json(self) -> dict[str, Any]:
        """Figures as plain numbers (None where not defined), and their intervals in the same order beside."""
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
    is_class = labels[:, None] == np.arange(size)

    def measures(weights: Floats) -> dict[str, Floats]:
        scores = Scores(classes, (weights @ cells).reshape(-1, size, size))
        aucs = np.stack([auc(is_class[:, i], probabilities[:, i], weights) for i in range(size)], axis=1)
        values = {name: getattr(scores, name) for name in (*OVERALL[:6], "precision", "recall", "f1")}
        values |= {
            "auc": aucs,
            "macro_auc": scores.macro(aucs),
            "ece": reliability(labels, probabilities, weights).ece,
            "brier": brier(labels, probabilities, weights),
            "log_loss": log_loss(labels, probabilities, weights),
        }
        if (happy := scores.happy) is not None:
            values |= {f"happy_{name}": getattr(happy, name)[:, 0] for name in ("precision", "recall", "f1")}
            values |= {"happy_accuracy": happy.accuracy, "happy_auc": aucs[:, classes.index(HAPPY)]}
        return values

    everything = np.ones((1, len(labels)))
    whole = reliability(labels, probabilities, everything)
    return Figures(
        classes=classes,
        labels=labels,
        probabilities=probabilities,
        groups=len(np.unique(groups)),
        scores=Scores.of(labels, probabilities, classes),
        reliability=Reliability(whole.count[0], whole.confidence[0], whole.right[0]),
        found=estimates(measures, groups, draws=draws, seed=seed, biased=frozenset({"ece"})),
    )
