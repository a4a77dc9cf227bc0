"""What a network's logits are worth on held-out faces: temperature, and measures that need nothing else."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from felicity.labels import INDEX, Expression

Floats = npt.NDArray[np.float64]
BINS = 15
COLDEST, HOTTEST = 0.1, 10.0


def probabilities_at(logits: npt.NDArray[np.floating], temperature: float) -> Floats:
    """Softmax of logits ``(N, C)`` over the temperature, in float64; rows sum to 1."""
    z = logits.astype(np.float64) / temperature
    z = np.exp(z - z.max(1, keepdims=True))
    return np.asarray(z / z.sum(1, keepdims=True))


def fit_temperature(logits: npt.NDArray[np.floating], labels: npt.NDArray[np.integer]) -> float:
    """The one number, 0.1 to 10, that makes the labels ``(N,)`` likeliest under ``logits / temperature``.

    It changes how sure the answers are, never which is first. Guo et al. 2017, arXiv:1706.04599.
    """
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(labels))

    def loss(log_t: float) -> float:
        z = logits.astype(np.float64) / np.exp(log_t)
        z -= z.max(1, keepdims=True)
        return float((np.log(np.exp(z).sum(1)) - z[rows, labels]).mean())

    found = minimize_scalar(loss, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded")
    return round(float(np.exp(found.x)), 4)


def expected_calibration_error(probabilities: Floats, labels: npt.NDArray[np.integer]) -> float:
    """Mean gap between confidence and accuracy over 15 bins of equal width, 0 to 1 (Guo et al. 2017)."""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [abs((right[bins == b] - confidence[bins == b]).mean()) * (bins == b).mean() for b in np.unique(bins)]
    return float(sum(gaps))


def measures(probabilities: Floats, labels: npt.NDArray[np.integer]) -> dict[str, float]:
    """Of answers ``(N, 8)`` to N labelled faces, by name, 0 to 1 but for the number of faces.

    Accuracy; balanced accuracy (mean recall of the labels that occur); F1 of happy against the rest, left out where
    nobody is or is called happy; calibration error.
    """
    happy, answers = INDEX[Expression.HAPPY], probabilities.argmax(1)
    recalls = [(answers[labels == label] == label).mean() for label in np.unique(labels)]
    found: dict[str, float] = {
        "faces": len(labels),
        "accuracy": round(float((answers == labels).mean()), 4),
        "balanced_accuracy": round(float(np.mean(recalls)), 4),
    }
    if called := int((answers == happy).sum() + (labels == happy).sum()):
        found["happy_f1"] = round(2 * int(((answers == happy) & (labels == happy)).sum()) / called, 4)
    return found | {"ece": round(expected_calibration_error(probabilities, labels), 4)}


def confusion(probabilities: Floats, labels: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """``(C, C)``: faces by label (row) and by likeliest answer (column)."""
    counts = np.zeros((probabilities.shape[1],) * 2, dtype=np.int64)
    np.add.at(counts, (labels, probabilities.argmax(1)), 1)
    return counts
