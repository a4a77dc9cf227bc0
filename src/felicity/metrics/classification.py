"""Figures of merit that follow from a confusion matrix: of one, or of many resamples at once.

Conventions as in scikit-learn: rows are labels, columns answers; the precision of a class that is never
answered is 0; a class of which there is no image has no recall and does not enter the means.
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
HAPPY = str(Expression.HAPPY)


def confusion(labels: Rows, predicted: Rows, classes: int) -> Rows:
    """Counts int64 ``(classes, classes)``: ``labels`` (N,) down, ``predicted`` (N,) across, all 0 to classes - 1."""
    cells = np.bincount(labels * classes + predicted, minlength=classes * classes)
    return cells.astype(np.int64).reshape(classes, classes)


@dataclass(frozen=True, eq=False)
class Scores:
    """Figures of ``confusion`` ``(..., C, C)``, counts (or weights) of labels down and answers across.

    Figures have the leading shape ``(...)`` of the matrices, those per class ``(..., C)``; all lie in 0 to 1,
    and are NaN where they are not defined. ``macro`` means count every class alike, ``weighted`` means every image.
    """

    classes: tuple[str, ...]
    confusion: npt.NDArray[Any] = field(repr=False)

    @classmethod
    def of(cls, labels: Rows, probabilities: npt.NDArray[np.floating[Any]], classes: Sequence[str]) -> Scores:
        """Scores of ``probabilities`` (N, C) against ``labels`` (N,); the most probable class is the answer."""
        return cls(tuple(classes), confusion(labels, probabilities.argmax(1).astype(np.int64), len(classes)))

    @property
    def _right(self) -> Floats:
        return floats(np.diagonal(self.confusion, axis1=-2, axis2=-1))

    @property
    def n(self) -> Floats:
        """Number of images, ``(...)``."""
        return floats(self.support.sum(-1))

    @property
    def support(self) -> Floats:
        """Images of each class, ``(..., C)``."""
        return floats(self.confusion.sum(-1))

    @property
    def answers(self) -> Floats:
        """Times that each class was answered, ``(..., C)``."""
        return floats(self.confusion.sum(-2))

    @property
    def accuracy(self) -> Floats:
        """Share of images whose answer is their label."""
        return ratio(self._right.sum(-1), self.n)

    @property
    def shares(self) -> Floats:
        """Of the images of each class, the share of each answer, ``(..., C, C)``; NaN where there is none."""
        return ratio(floats(self.confusion), self.support[..., None])

    @property
    def recall(self) -> Floats:
        """Of the images of a class, the share answered so, ``(..., C)``; NaN where there is none."""
        return ratio(self._right, self.support)

    @property
    def precision(self) -> Floats:
        """Of the answers of a class, the share that is right, ``(..., C)``; 0 where there is none."""
        return ratio(self._right, self.answers, nothing=0)

    @property
    def f1(self) -> Floats:
        """Harmonic mean of precision and recall, ``(..., C)``; NaN where there is no image of the class."""
        both = ratio(2 * self._right, self.support + self.answers)
        return np.where(self.support > 0, both, np.nan)

    @property
    def balanced_accuracy(self) -> Floats:
        """Mean recall over classes."""
        return self.macro(self.recall)

    @property
    def macro_precision(self) -> Floats:
        """Mean over classes."""
        return self.macro(self.precision)

    @property
    def macro_f1(self) -> Floats:
        """Mean over classes."""
        return self.macro(self.f1)

    @property
    def weighted_precision(self) -> Floats:
        """Mean over images."""
        return self.weighted(self.precision)

    @property
    def weighted_f1(self) -> Floats:
        """Mean over images. (Recall so weighted is the accuracy.)"""
        return self.weighted(self.f1)

    def macro(self, values: Floats) -> Floats:
        """Mean of ``values`` (..., C) over the classes that have images."""
        there = self.support > 0
        return ratio(np.where(there, values, 0).sum(-1), floats(there.sum(-1)))

    def weighted(self, values: Floats) -> Floats:
        """Mean of ``values`` (..., C), each class counted by its images."""
        return ratio((np.where(self.support > 0, values, 0) * self.support).sum(-1), self.n)

    @property
    def happy(self) -> Scores | None:
        """Happy against all else, classes ``happy`` and ``not happy``; None without that class, or with it alone."""
        return None if HAPPY not in self.classes or len(self.classes) < 2 else self.against_rest(HAPPY)

    def against_rest(self, name: str) -> Scores:
        """Scores of the class ``name`` against all others together."""
        i = self.classes.index(name)
        here, labelled, answered = self._right[..., i], self.support[..., i], self.answers[..., i]
        missed, false = labelled - here, answered - here
        cells = np.stack([here, missed, false, self.n - here - missed - false], -1)
        return Scores((name, f"not {name}"), cells.reshape(*cells.shape[:-1], 2, 2))


def floats(values: Any) -> Floats:
    """As float64."""
    return np.asarray(values, dtype=np.float64)


def ratio(top: Floats, bottom: Floats, nothing: float = np.nan) -> Floats:
    """``top / bottom``, ``nothing`` where ``bottom`` is 0."""
    out = np.full(np.broadcast(top, bottom).shape, float(nothing))
    return floats(np.divide(top, bottom, out=out, where=bottom > 0))
