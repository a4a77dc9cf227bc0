"""The folds of a cross-validation: images to train on, to choose by and to hold out; the test set is not used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from felicity.datasets.splits import TRAIN, VALIDATION, assign, k_folds
from felicity.errors import ConfigError
from felicity.notes import Note
from felicity.training.config import DataConfig, Pixels
from felicity.training.data import TrainingSet, open_prepared, second_labels, some, training_set
from felicity.training.labelled_images import Floats32, ImageArray, LabelledImages, Rows

DEFAULT_FOLDS = 5


@dataclass(frozen=True)
class Pool:
    """The N images outside the test set.

    ``images`` uint8 ``(N, S, S[, 3])``; ``labels`` int64 ``(N,)``, -1 undecided; ``soft`` shares ``(N, C)``.
    ``groups``: images of one number resemble each other or show one subject. ``keys``: a name per image that depends
    on its content, unique. ``drawn``: folds that the preparation drew. ``second``: see ``LabelledImages``. ``pixels``:
    see ``DataConfig``. ``notes``: how the images were read and divided. ``members``: see ``TrainingSet``.
    ``digest``: of all that, hexadecimal.
    """

    classes: tuple[str, ...]
    images: ImageArray = field(repr=False)
    labels: Rows = field(repr=False)
    soft: Floats32 | None = field(repr=False)
    groups: Rows = field(repr=False)
    keys: list[str] = field(repr=False)
    drawn: Rows | None = field(repr=False)
    where: str
    second: Rows | None = field(default=None, repr=False)
    second_classes: tuple[str, ...] = ()
    pixels: Pixels = "normalised"
    notes: tuple[Note, ...] = ()
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def digest(self) -> str:
        """Return the digest of images, labels and groups, and of pixels that stay raw."""
        seen = blake2b(digest_size=16)
        for array in (self.images, self.labels, self.groups):
            seen.update(np.ascontiguousarray(array).data)
        seen.update("\n".join(self.keys).encode())
        if self.pixels == "raw":
            seen.update(b"raw")
        return seen.hexdigest()

    def training_set(self, fold: Fold) -> TrainingSet:
        """Return the fold as a data set; its ``test`` is what the fold holds out. Raises DatasetError."""
        whole = LabelledImages(self.images, self.labels, self.soft, self.second)
        held_out = fold.held_out[self.labels[fold.held_out] >= 0]
        validation = fold.validation[self.labels[fold.validation] >= 0]
        parts = whole.take(fold.train), whole.take(validation), whole.take(held_out)
        found = training_set(
            self.classes, *parts, where=self.where, second_classes=self.second_classes, pixels=self.pixels
        )
        return replace(found, members=self.members)


@dataclass(frozen=True)
class Fold:
    """Rows of the pool: ``train`` to fit, ``validation`` to choose the epoch, ``held_out`` to measure. From 1."""

    number: int
    train: Rows = field(repr=False)
    validation: Rows = field(repr=False)
    held_out: Rows = field(repr=False)


def open_pool(config: DataConfig, *, soft: bool = False, progress: Callable[[int, int], None] | None = None) -> Pool:
    """Return the training and validation sets of ``config`` as one. Raises DatasetError, ConfigError for ``more``."""
    if config.more:
        raise ConfigError("folds are drawn of one data set, but more is given; leave it out, or use felicity train")
    manifest, images = open_prepared(config, progress)
    second, second_classes = second_labels(manifest, config)
    usable = manifest.labels >= 0
    if soft and manifest.soft_labels is not None:
        usable = usable | (manifest.soft_labels.sum(1) > 0)
    rows = np.flatnonzero(np.isin(manifest.splits, (TRAIN, VALIDATION)) & usable)
    if config.images:
        rows = some(rows, config.images, config.split_seed)
    keys = manifest.keys
    return Pool(
        manifest.classes,
        np.ascontiguousarray(images[rows]),
        manifest.labels[rows],
        None if manifest.soft_labels is None else manifest.soft_labels[rows],
        np.arange(len(rows)) if manifest.leaky else manifest.groups[rows],
        [keys[row] for row in rows.tolist()],
        None if manifest.k_folds is None else manifest.k_folds[rows],
        config.path,
        None if second is None else second[rows],
        second_classes,
        config.pixels,
        manifest.notes,
        manifest.members,
    )


def number_of_folds(pool: Pool, asked: int | None) -> int:
    """Return the number of folds asked for, else as many as the preparation drew, else 5."""
    if asked is not None:
        return asked
    return DEFAULT_FOLDS if pool.drawn is None else int(pool.drawn.max()) + 1


def plan_folds(pool: Pool, k: int, *, seed: int, validation_share: float) -> list[Fold]:
    """Return ``k`` folds in which every image is held out once; stratified by class, groups whole.

    Take the folds that the preparation drew if there are ``k`` of them. ``validation_share`` of what a fold does
    not hold out chooses the epoch, so that nothing held out has a say in what is measured on it. Raises ConfigError
    where a class is too small for every fold to hold some of it out and train on some.
    """
    if k < 2:
        raise ConfigError(f"there must be 2 folds or more, not {k}")
    decided = pool.labels >= 0
    for label, name in enumerate(pool.classes):
        here = pool.labels == label
        if (kinds := len(np.unique(pool.groups[here]))) < k:
            number = int(here.sum())
            advice = f"ask for {kinds} at the most, or leave" if kinds > 1 else "bring more, or leave"
            raise ConfigError(
                f"{pool.where}: class {name} has too few images for {k} folds: outside the test set {number}, in "
                f"{kinds} group(s) of duplicates or subjects; {advice} the class out with --classes"
            )
    if pool.drawn is not None and int(pool.drawn.max()) + 1 == k:
        held_in = pool.drawn
    else:
        held_in = k_folds(pool.labels, pool.groups, pool.keys, k, seed)
    folds = []
    for number in range(1, k + 1):
        held_out, rest = np.flatnonzero(held_in == number - 1), np.flatnonzero(held_in != number - 1)
        chosen = _draw(pool, rest, validation_share, seed + number)
        folds.append(Fold(number, rest[~chosen], rest[chosen], held_out))
    for fold in folds:
        for what, rows in (("train on", fold.train), ("choose by", fold.validation), ("hold out", fold.held_out)):
            found = np.bincount(pool.labels[rows][decided[rows]], minlength=len(pool.classes))
            if what != "choose by" and not found.all():
                raise ConfigError(
                    f"{pool.where}: fold {fold.number} of {k} would {what} no image of "
                    f"{pool.classes[int(found.argmin())]}, because its images are in too few groups of duplicates or "
                    f"subjects; ask for fewer folds, or leave the class out with --classes"
                )
            if not found.any():
                raise ConfigError(
                    f"{pool.where}: fold {fold.number} of {k} would have no image to {what}; "
                    f"give a larger --validation-share, or bring more images"
                )
    return folds


def _draw(pool: Pool, rows: Rows, share: float, seed: int) -> npt.NDArray[np.bool_]:
    """Draw the rows that make up the ``share``."""
    keys = [pool.keys[row] for row in rows.tolist()]
    return np.equal(assign(pool.labels[rows], pool.groups[rows], keys, (1 - share, share), seed), 1)
