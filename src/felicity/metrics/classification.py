"""Classification metrics from confusion matrices, of one data set or of many resamples at once.

One convention holds for training, tuning, cross-validation and evaluation; it is scikit-learn's default:

- Rows are labels, columns are answers.
- A ratio without a denominator is 0: the recall of a class without images, the precision of a class that is never
  answered, the F1 of a class that neither occurs nor is answered.
- Macro means cover the classes that occur or are answered.
- Balanced accuracy is the mean recall of the classes that occur.
- Weighted means weigh each class by its images.
- A metric of no images at all is NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.labels import Expression

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


def is_right(labels: Rows, probabilities: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.bool_]:
    """Return for each image whether its most probable class, or highest logit, ``(N, C)`` is its label ``(N,)``."""
    return np.asarray(probabilities.argmax(1) == labels)


def confusion(labels: Rows, predicted: Rows, classes: int) -> Rows:
    """Return counts int64 ``(classes, classes)``: ``labels`` (N,) down, ``predicted`` (N,) across, from 0."""
    cells = np.bincount(labels * classes + predicted, minlength=classes * classes)
    return cells.astype(np.int64).reshape(classes, classes)


@dataclass(frozen=True, eq=False)
class Scores:
    """Figures of ``confusion`` ``(..., C, C)``, counts (or weights) of labels down and answers across.

    Metrics have the leading shape ``(...)`` of the matrices, those per class ``(..., C)``; all lie in 0 to 1, ``kappa``
    in -1 to 1.
    The module states the convention for classes that do not occur.
    """

    classes: tuple[str, ...]
    confusion: npt.NDArray[Any] = field(repr=False)

    @classmethod
    def of(cls, labels: Rows, probabilities: npt.NDArray[np.floating[Any]], classes: Sequence[str]) -> Scores:
        """Return scores of ``probabilities`` (N, C) against ``labels`` (N,); the most probable class is the answer."""
        return cls(tuple(classes), confusion(labels, probabilities.argmax(1).astype(np.int64), len(classes)))

    @property
    def _right(self) -> Floats:
        return floats(np.diagonal(self.confusion, axis1=-2, axis2=-1))

    @property
    def n(self) -> Floats:
        """Return the number of images, ``(...)``."""
        return floats(self.support.sum(-1))

    @property
    def support(self) -> Floats:
        """Return images of each class, ``(..., C)``."""
        return floats(self.confusion.sum(-1))

    @property
    def answers(self) -> Floats:
        """Return how often each class was answered, ``(..., C)``."""
        return floats(self.confusion.sum(-2))

    @property
    def accuracy(self) -> Floats:
        """Return the share of images whose answer is their label."""
        return ratio(self._right.sum(-1), self.n)

    @property
    def shares(self) -> Floats:
        """Return the share of each answer among a class's images, ``(..., C, C)``; NaN for a class without images."""
        return ratio(floats(self.confusion), self.support[..., None])

    @property
    def recall(self) -> Floats:
        """Return the recall: the share of a class's images that are answered so, ``(..., C)``."""
        return ratio(self._right, self.support, nothing=0)

    @property
    def precision(self) -> Floats:
        """Return the precision: the share of a class's answers that are right, ``(..., C)``."""
        return ratio(self._right, self.answers, nothing=0)

    @property
    def f1(self) -> Floats:
        """Return the harmonic mean of precision and recall, ``(..., C)``."""
        return ratio(2 * self._right, self.support + self.answers, nothing=0)

    @property
    def balanced_accuracy(self) -> Floats:
        """Return the mean recall of the classes that occur."""
        return ratio(self.recall.sum(-1), floats((self.support > 0).sum(-1)))

    @property
    def macro_precision(self) -> Floats:
        """Return the mean precision over the classes that occur or are answered."""
        return self._macro(self.precision)

    @property
    def macro_f1(self) -> Floats:
        """Return the mean F1 over the classes that occur or are answered."""
        return self._macro(self.f1)

    @property
    def weighted_precision(self) -> Floats:
        """Return the mean precision over images."""
        return self._weighted(self.precision)

    @property
    def weighted_f1(self) -> Floats:
        """Return the mean F1 over images. (Recall with these weights is the accuracy.)"""
        return self._weighted(self.f1)

    @property
    def kappa(self) -> Floats:
        """Return the agreement of answers and labels beyond chance (Cohen 1960), -1 to 1; NaN if chance agrees."""
        chance = ratio((self.support * self.answers).sum(-1), self.n**2)
        return ratio(self.accuracy - chance, 1 - chance)

    def _macro(self, values: Floats) -> Floats:
        there = self.support + self.answers > 0
        return ratio((values * there).sum(-1), floats(there.sum(-1)))

    def _weighted(self, values: Floats) -> Floats:
        return ratio((values * self.support).sum(-1), self.n)

    @property
    def happy(self) -> Scores | None:
        """Return happy against all other classes; None without that class, or with it alone."""
        return (
            self.against_rest(Expression.HAPPY) if Expression.HAPPY in self.classes and len(self.classes) > 1 else None
        )

    def against_rest(self, name: str) -> Scores:
        """Return scores of the class ``name`` against all others together."""
        i = self.classes.index(name)
        here, labelled, answered = self._right[..., i], self.support[..., i], self.answers[..., i]
        missed, false = labelled - here, answered - here
        cells = np.stack([here, missed, false, self.n - here - missed - false], -1)
        return Scores((name, f"not {name}"), cells.reshape(*cells.shape[:-1], 2, 2))


def floats(values: Any) -> Floats:
    """Return the counts as float64."""
    return np.asarray(values, dtype=np.float64)


def ratio(top: Floats, bottom: Floats, nothing: float = np.nan) -> Floats:
    """Return ``top / bottom``, ``nothing`` where ``bottom`` is 0."""
    out = np.full(np.broadcast(top, bottom).shape, float(nothing))
    return floats(np.divide(top, bottom, out=out, where=bottom > 0))
