"""Labelled faces, and a classifier's answers to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

import numpy as np
import numpy.typing as npt

from felicity.datasets import Samples, open_dataset
from felicity.datasets.samples import UNDECIDED, as_input
from felicity.errors import DatasetError
from felicity.index import SoftMatrix
from felicity.labels import EXPRESSIONS, HAPPY_INDEX
from felicity.models.bundle import Bundle
from felicity.notes import Note
from felicity.recognition.classifier import BATCH, Classifier

Floats = npt.NDArray[np.float64]
FITTED, UNSEEN = "Training", "PublicTest"
"""Folds of FER2013: the shipped weights were fitted to the first, and have not seen the second."""
TEST = "test"
"""The part of a bundle's soft matrix that holds UNSEEN."""


@dataclass(frozen=True)
class AnsweredFaces:
    """Faces of known expression with the answers to them: ``labels`` (N,), ``probabilities`` (N, 8).

    Draws from them with replacement give people who are as hard to read as real faces.
    """

    labels: npt.NDArray[np.int64]
    probabilities: Floats = field(repr=False)

    def __post_init__(self) -> None:
        if not (self.labels == HAPPY_INDEX).any() or (self.labels == HAPPY_INDEX).all():
            raise DatasetError("a simulation needs happy faces and others; the labelled faces are of one kind only")

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def _rows(self) -> list[npt.NDArray[np.intp]]:
        return [np.flatnonzero(self.labels == j) for j in range(len(EXPRESSIONS))]

    @cached_property
    def _squares(self) -> Floats:
        """Return (N, 64): p pᵀ of each face."""
        return (self.probabilities[:, :, None] * self.probabilities[:, None, :]).reshape(len(self), -1)

    @property
    def others(self) -> Floats:
        """Return shares (8,) of the expressions among the faces that are not happy; sums to 1."""
        counts = np.bincount(self.labels, minlength=len(EXPRESSIONS)).astype(np.float64)
        counts[HAPPY_INDEX] = 0
        return np.asarray(counts / counts.sum())

    def rows_of(self, labels: npt.NDArray[np.intp], rng: np.random.Generator) -> npt.NDArray[np.intp]:
        """Return a face for each of ``labels`` (N,), drawn with replacement: its row, (N,)."""
        sizes = np.array([len(rows) for rows in self._rows])
        if (lacking := np.unique(labels[sizes[labels] == 0])).size:
            raise _lacking(int(lacking[0]))
        rows = np.concatenate(self._rows)
        first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        chosen: npt.NDArray[np.intp] = rows[first[labels] + rng.integers(sizes[labels])]
        return chosen

    def draw(self, labels: npt.NDArray[np.intp], rng: np.random.Generator) -> Floats:
        """Return the answers (N, 8) to faces of these ``labels`` (N,)."""
        return self.probabilities[self.rows_of(labels, rng)]

    def resampled_matrix(self, counts: npt.NDArray[np.int64], rng: np.random.Generator) -> SoftMatrix:
        """Return a soft matrix from ``counts`` (8,) faces drawn from these."""
        classes = len(EXPRESSIONS)
        matrix, cross = np.zeros((classes, classes)), np.zeros((classes, classes, classes))
        for j in np.flatnonzero(counts):
            rows = self._rows[j]
            if not len(rows):
                raise _lacking(int(j))
            weight = rng.multinomial(counts[j], np.full(len(rows), 1 / len(rows))) / counts[j]
            matrix[:, j] = weight @ self.probabilities[rows]
            cross[j] = (weight @ self._squares[rows]).reshape(classes, classes)
        return SoftMatrix(matrix, counts, cross)


def _lacking(label: int) -> DatasetError:
    return DatasetError(f"there is no face labelled {EXPRESSIONS[label]} to draw from; use more faces")


@dataclass(frozen=True)
class Labelled:
    """Faces with a decided label, ``samples``. ``fold``: their fold, "" if the set has none.

    ``voted``: whether FER+ votes decide their labels. ``copies``: number of faces left out because the fold to which
    the weights were fitted holds the same pixels.
    """

    samples: Samples
    fold: str
    voted: bool
    copies: int

    @property
    def notes(self) -> tuple[Note, ...]:
        """Return a note if the weights were fitted to these faces."""
        if self.fold != FITTED:
            return ()
        return (Note("fitted-faces", f"weights are fitted to {FITTED}, so results on it are flattered"),)


def read_labelled(path: Path | str, fold: str | None = None) -> Labelled:
    """Return faces that the weights never saw, of FER2013 with FER+ votes if these are beside it.

    ``fold``: their fold; by default ``PublicTest`` of FER2013, and all faces of a set without it. Raises DatasetError
    for unreadable data, for an unknown fold, and if no face is left.
    """
    try:
        samples = open_dataset(path, "ferplus")
    except DatasetError:
        samples = open_dataset(path)
    fitted = samples.folds == FITTED
    folds = sorted(set(samples.folds.tolist()) - {""})
    if fold is None:
        fold = UNSEEN if fitted.any() or UNSEEN in folds else ""
    if fold and fold not in folds:
        there = f"it has {', '.join(folds)}" if folds else "it has no folds"
        raise DatasetError(f"{path}: has no fold {fold}; {there}; name another with --fold")
    chosen = (samples.labels != UNDECIDED) & ((samples.folds == fold) | (fold == ""))
    if not chosen.any():
        raise DatasetError(f"{path}: has no face with a decided label" + (f" in fold {fold}" if fold else ""))
    rows = np.flatnonzero(chosen)
    if fold != FITTED and fitted.any():
        seen = {_pixels(samples.images[row]) for row in np.flatnonzero(fitted)}
        rows = np.array([row for row in rows if _pixels(samples.images[row]) not in seen], dtype=np.int64)
        if not len(rows):
            raise DatasetError(
                f"{path}: every face of fold {fold} is also in {FITTED}, so the weights have seen them all"
            )
    return Labelled(samples.take(rows), fold, samples.format == "ferplus", int(chosen.sum()) - len(rows))


def _pixels(image: npt.NDArray[np.uint8]) -> bytes:
    return blake2b(np.ascontiguousarray(image).tobytes(), digest_size=16).digest()


def unseen_by(bundle: Bundle, labelled: Labelled | None) -> tuple[Bundle, tuple[Note, ...]]:
    """Return the bundle with a soft matrix of none of the ``labelled`` faces, and what to say of it."""
    if labelled is None or labelled.fold != UNSEEN or TEST not in (bundle.facts.soft_matrix_parts or {}):
        return bundle, ()
    other = bundle.without(TEST)
    text = (
        f"the soft matrix of {bundle.id} is of {bundle.soft_matrix.counts.sum():,} faces, with those of {UNSEEN}; here "
        f"it is of the other {other.soft_matrix.counts.sum():,} alone, so that no face is drawn that made it"
    )
    return other, (Note("matrix-part", text),)


def answer(samples: Samples, classifier: Classifier, tick: Callable[[int, int], None] | None = None) -> AnsweredFaces:
    """Classify all faces, once. ``tick`` receives how many of how many are done."""
    spec = classifier.input
    parts = []
    for first in range(0, len(samples), BATCH):
        rows = range(first, min(first + BATCH, len(samples)))
        crops = np.stack([as_input(samples.images[row], spec.size, spec.colour) for row in rows])
        parts.append(classifier.probabilities(crops))
        if tick:
            tick(rows.stop, len(samples))
    return AnsweredFaces(samples.labels, np.concatenate(parts))
