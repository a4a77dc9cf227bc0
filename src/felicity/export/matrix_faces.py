"""The held-out faces of a bundle's soft matrix, and the weight of each."""

from __future__ import annotations

import numpy as np

from felicity.evaluation.stratify import clearness, stratified_weights
from felicity.export.head import TEST, VALIDATION, Weighted
from felicity.metrics.classification import Floats, Rows
from felicity.training.data import TrainingSet
from felicity.training.labelled_images import LabelledImages


def matrix_faces(held: TrainingSet, *, with_test: bool = False) -> dict[str, Weighted]:
    """Return the faces of the soft matrix by part: those of the first data set in validation, and in test if asked for.

    They are weighted so that their labels are as clear as those of all its training and validation faces; without
    votes all count alike. Of sets that were added no face is taken: where a network answers to them otherwise, a
    mixture would suit neither.
    """
    validation = _decided(held.validation)
    parts = {VALIDATION: validation.take(np.arange(len(validation))[: held.of_first])}
    if with_test and len(held.test):
        parts[TEST] = _decided(held.test)
    if held.validation.soft is None or not held.validation.soft.any():
        return {name: Weighted(np.arange(len(part))) for name, part in parts.items()}
    train = _decided(held.train)
    assert train.soft is not None  # where one part has votes, all have
    trained = _clear(train.take(np.flatnonzero(train.soft.any(1))), held)
    everyone = [np.concatenate(each) for each in zip(trained, _clear(parts[VALIDATION], held), strict=True)]
    return {
        name: Weighted(np.arange(len(part)), stratified_weights(*_clear(part, held), *everyone))
        for name, part in parts.items()
    }


def _decided(part: LabelledImages) -> LabelledImages:
    return part.take(np.flatnonzero(part.labels >= 0))


def _clear(part: LabelledImages, held: TrainingSet) -> tuple[Rows, Floats]:
    """Return labels (N,) and how clear each is, (N, 2)."""
    known = [held.classes.index(name) if name in held.classes else -1 for name in held.second_classes]
    second = None if part.second is None else np.array([*known, -1])[part.second]
    assert part.soft is not None
    return part.labels, clearness(part.labels, part.soft, second)
