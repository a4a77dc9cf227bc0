"""How well probabilities agree with labels, in the few figures that choose between trainings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from felicity.labels import Expression


@dataclass(frozen=True)
class Scores:
    """Shares are 0 to 1. ``loss``: mean cross-entropy in nats. ``happy_f1``: None where happy is no class.

    ``balanced_accuracy``: mean recall of the classes that occur. ``macro_f1``: mean F1 of the classes that occur or
    are answered.
    """

    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    happy_f1: float | None
    loss: float


def score(probabilities: npt.NDArray[np.float32], labels: npt.NDArray[np.int64], classes: tuple[str, ...]) -> Scores:
    """``probabilities`` ``(N, C)``, rows sum to 1; ``labels`` ``(N,)``, 0 to C - 1, at least one."""
    answers = probabilities.argmax(1)
    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)  # label down, answer across
    np.add.at(counts, (labels, answers), 1)
    right, there, answered = counts.diagonal(), counts.sum(1), counts.sum(0)
    f1 = 2 * right / np.maximum(there + answered, 1)
    happy = classes.index(Expression.HAPPY) if Expression.HAPPY in classes else None
    of_label = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return Scores(
        accuracy=float(right.sum() / len(labels)),
        balanced_accuracy=float((right[there > 0] / there[there > 0]).mean()),
        macro_f1=float(f1[there + answered > 0].mean()),
        happy_f1=None if happy is None else float(f1[happy]),
        loss=-float(np.log(np.maximum(of_label, 1e-12)).mean()),
    )
