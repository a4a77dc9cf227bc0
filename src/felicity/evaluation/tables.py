"""An evaluation as rows of text, for the terminal and the report alike."""

from __future__ import annotations

import numpy as np

from felicity.evaluation.evaluate import Result
from felicity.evaluation.figures import Figures
from felicity.evaluation.intervals import Estimate
from felicity.style import numbers

Rows = list[tuple[str, ...]]
SHARES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy (mean recall)",
    "macro_precision": "precision, macro",
    "macro_f1": "F1, macro",
    "weighted_precision": "precision, weighted",
    "weighted_f1": "F1, weighted",
    "happy_precision": "happy: precision",
    "happy_recall": "happy: recall",
    "happy_f1": "happy: F1",
    "happy_accuracy": "happy or not: accuracy",
}
NUMBERS = {
    "kappa": "Cohen's kappa",
    "happy_auc": "happy: area under ROC",
    "macro_auc": "area under ROC, macro",
    "ece": "calibration error (ECE)",
    "brier": "Brier score",
    "log_loss": "log loss, nats",
}
NAMES = SHARES | NUMBERS


def overview(result: Result) -> tuple[tuple[str, ...], Rows]:
    """Return headings and rows: all images, and those without a near-duplicate in the training set, if they differ."""
    columns = {f"all {len(result.all):,} images": result.all}
    if result.unseen is not None and result.seen:
        columns[f"{len(result.unseen):,} without near-duplicates in training"] = result.unseen
    rows = [
        (title, *(shown(figures.found[name], name) for figures in columns.values()))
        for name, title in NAMES.items()
        if name in result.all.found
    ]
    return (result.title, *columns), rows


def classes(figures: Figures) -> tuple[tuple[str, ...], Rows]:
    """Return headings and rows: a line per class."""
    rows: Rows = []
    for i, name in enumerate(figures.classes):
        cells = (
            shown(figures.found[figure][i], figure)
            for figure in ("precision", "recall", "f1", "auc", "average_precision")
        )
        rows.append((name, f"{int(figures.scores.support[i]):,}", *cells))
    return ("class", "images", "precision", "recall", "F1", "area under ROC", "average precision"), rows


def shown(estimate: Estimate, name: str) -> str:
    """Return a figure with its interval, such as ``80.8 % (79.4 to 82.0)``."""
    if not np.isfinite(estimate.value):
        return "-"
    value, low, high = (float(part) for part in (estimate.value, estimate.low, estimate.high))
    if name in NUMBERS or name in ("auc", "average_precision"):
        return f"{value:.3f}" + (f" ({numbers.span(low, high, 3)})" if np.isfinite(low) else "")
    return numbers.share(value) + (f" ({numbers.span(low * 100, high * 100)})" if np.isfinite(low) else "")


def about_duplicates(result: Result) -> str:
    """Return a sentence on the duplicates between these images and the training set."""
    own = result.chosen.judge.run is not None
    part = "the training set" if own else "the data set's training set"
    shared = "a duplicate, a near-duplicate or the same subject"
    if not result.seen:
        return f"no image is known to have {shared} in {part}"
    if result.unseen is None:
        unless = "" if own else "if the bundle was trained on these data, "
        return f"every image has {shared} in {part}: {unless}these figures say what was learnt by heart"
    return f"{result.seen:,} of {len(result.chosen):,} images have {shared} in {part}"
