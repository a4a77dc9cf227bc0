"""Labelled faces, and what a classifier answers to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from felicity.datasets import Samples, open_dataset
from felicity.datasets.samples import UNDECIDED, as_input
from felicity.errors import DatasetError
from felicity.index import SoftMatrix
from felicity.labels import EXPRESSIONS
from felicity.recognition.classifier import BATCH, Classifier
from felicity.simulation.people import HAPPY

Floats = npt.NDArray[np.float64]
UNSEEN = "PublicTest"
"""The fold of FER2013 that the shipped weights have not seen, nor its soft matrix."""


@dataclass(frozen=True)
class AnsweredFaces:
    """Faces of known expression with the answers to them: ``labels`` (N,), ``probabilities`` (N, 8).

    Drawing from them with replacement makes people who are as hard to read as real faces are.
    """

    labels: npt.NDArray[np.int64]
    probabilities: Floats = field(repr=False)

    def __post_init__(self) -> None:
        if not (self.labels == HAPPY).any() or (self.labels == HAPPY).all():
            raise DatasetError("a simulation needs happy faces and others; the labelled faces are of one kind only")

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def _rows(self) -> list[npt.NDArray[np.intp]]:
        return [np.flatnonzero(self.labels == j) for j in range(len(EXPRESSIONS))]

    @property
    def others(self) -> Floats:
        """Shares (8,) of the expressions among the faces that are not happy; sums to 1."""
        counts = np.bincount(self.labels, minlength=len(EXPRESSIONS)).astype(np.float64)
        counts[HAPPY] = 0
        return np.asarray(counts / counts.sum())

    def rows_of(self, labels: npt.NDArray[np.intp], rng: np.random.Generator) -> npt.NDArray[np.intp]:
        """A face for each of ``labels`` (N,), drawn with replacement: its row, (N,)."""
        sizes = np.array([len(rows) for rows in self._rows])
        if (lacking := np.unique(labels[sizes[labels] == 0])).size:
            raise DatasetError(f"there is no face labelled {EXPRESSIONS[int(lacking[0])]} to draw from")
        rows = np.concatenate(self._rows)
        first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        chosen: npt.NDArray[np.intp] = rows[first[labels] + rng.integers(sizes[labels])]
        return chosen

    def draw(self, labels: npt.NDArray[np.intp], rng: np.random.Generator) -> Floats:
        """The answers (N, 8) to faces of these ``labels`` (N,)."""
        return self.probabilities[self.rows_of(labels, rng)]

    def resampled_matrix(self, counts: npt.NDArray[np.int64], rng: np.random.Generator) -> SoftMatrix:
        """A soft matrix as ``counts`` (8,) faces drawn from these would give it."""
        labels = np.repeat(np.arange(len(EXPRESSIONS)), counts)
        return SoftMatrix.from_probabilities(self.draw(labels, rng), labels)


def read_labelled(path: Path | str, fold: str | None = UNSEEN) -> Samples:
    """Faces with a decided label, of FER2013 with FER+ votes where they lie beside; of ``fold``, if the set has it.

    Raises DatasetError where nothing is left.
    """
    try:
        samples = open_dataset(path, "ferplus")
    except DatasetError:
        samples = open_dataset(path)
    if fold is not None and (samples.folds == "Training").any() and not (samples.folds == fold).any():
        raise DatasetError(f"{path}: has no fold {fold}, and the weights may have seen the others")
    keep = samples.labels != UNDECIDED
    if fold is not None and (samples.folds == fold).any():
        keep &= samples.folds == fold
    if not keep.any():
        raise DatasetError(f"{path}: has no face with a decided label")
    return samples.take(np.flatnonzero(keep))


def answer(samples: Samples, classifier: Classifier, tick: Callable[[int, int], None] | None = None) -> AnsweredFaces:
    """Classify all faces, once. ``tick`` is told how many are done, of how many."""
    spec = classifier.input
    parts = []
    for first in range(0, len(samples), BATCH):
        rows = range(first, min(first + BATCH, len(samples)))
        crops = np.stack([as_input(samples.images[row], spec.size, spec.colour) for row in rows])
        parts.append(classifier.probabilities(crops))
        if tick:
            tick(rows.stop, len(samples))
    return AnsweredFaces(samples.labels, np.concatenate(parts))
