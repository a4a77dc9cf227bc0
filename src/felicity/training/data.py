"""Images and targets as arrays, by part; prepared once and then taken from the cache."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path

import numpy as np
import numpy.typing as npt

from felicity.datasets import (
    Manifest,
    PrepareOptions,
    SplitOptions,
    VoteRule,
    open_dataset,
    parse_classes,
    prepare,
    read_images,
    read_manifest,
)
from felicity.datasets.manifest import MANIFEST, VERSION
from felicity.datasets.registry import files_of
from felicity.datasets.samples import as_inputs
from felicity.datasets.splits import TEST, TRAIN, VALIDATION
from felicity.errors import DatasetError
from felicity.files import locked
from felicity.labels import EXPRESSIONS
from felicity.notes import Note
from felicity.paths import home
from felicity.training.config import DataConfig, Pixels
from felicity.training.labelled_images import ImageArray, LabelledImages, Rows

READING = 5
"""Counts changes of what the readers take from the same files, after which sets are prepared again."""

OF_PREPARE = "(of felicity data prepare, where that was used)"

EIGHT = tuple(map(str, EXPRESSIONS))


@dataclass(frozen=True)
class TrainingSet:
    """A data set ready to train on. ``digest``: of images, labels and parts, hexadecimal.

    ``second_classes``: of the second head; none where there is none. ``notes``: how the images were read and divided.
    ``members``: what classes are made of, see ``Samples``. ``of_first``: so many of ``validation``, which stand first,
    are of the first data set; None for all, where there is one.
    """

    classes: tuple[str, ...]
    train: LabelledImages
    validation: LabelledImages
    test: LabelledImages
    mean: float
    std: float
    digest: str
    second_classes: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    of_first: int | None = None

    @property
    def heads(self) -> tuple[int, ...]:
        """Return the number of classes of each head."""
        return (len(self.classes), len(self.second_classes)) if self.second_classes else (len(self.classes),)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return part to class to number of images."""
        return {
            name: {label: int((part.labels == i).sum()) for i, label in enumerate(self.classes)}
            for name, part in (("train", self.train), ("validation", self.validation), ("test", self.test))
        }


def load_training_set(
    config: DataConfig, *, soft: bool = False, progress: Callable[[int, int], None] | None = None
) -> TrainingSet:
    """Return the data set of ``config``. ``soft``: keep images that have votes but no label. Raises DatasetError.

    A folder made by ``felicity data prepare`` is taken as it is; anything else is prepared into the cache first.
    Of each set of ``config.more``, divided by itself, the training and validation sets are added; its test set is
    left to be evaluated by itself. Where no classes are asked for, those without any image are left out.
    """
    manifest, images = open_prepared(config, progress)
    second, second_classes = second_labels(manifest, config)
    train, *held = (_part(manifest, images, second, name, soft) for name in (TRAIN, VALIDATION, TEST))
    notes, of_first = manifest.notes, len(held[0])
    for path in config.more:
        others, its_images = open_prepared(config.model_copy(update={"path": path, "format": None}), progress)
        others = _in_classes(others, manifest, path)
        said = others.other_labels.get(config.second or "")
        its_second = None if said is None else _numbered(said, second_classes)
        more = [_part(others, its_images, its_second, name, soft) for name in (TRAIN, VALIDATION)]
        train, held[0] = train.joined(more[0]), held[0].joined(more[1])
        notes += others.notes
    if config.images:
        train = train.take(some(np.arange(len(train)), config.images, config.split_seed))
    found = training_set(
        manifest.classes,
        train,
        *held,
        where=config.path,
        second_classes=second_classes,
        pixels=config.pixels,
        more="draw more with --images" if config.images else "bring images of it",
    )
    return replace(found, notes=notes, members=manifest.members, of_first=of_first)


def _part(manifest: Manifest, images: ImageArray, second: Rows | None, name: str, soft: bool) -> LabelledImages:
    """Return the labelled images of a part; with ``soft``, the training set also has those with votes alone."""
    usable = manifest.labels >= 0
    if name == TRAIN and soft and manifest.soft_labels is not None:
        usable = usable | (manifest.soft_labels.sum(1) > 0)
    rows = np.flatnonzero((manifest.splits == name) & usable)
    chosen = None if manifest.soft_labels is None else manifest.soft_labels[rows]
    other = None if second is None else second[rows]
    return LabelledImages(np.ascontiguousarray(images[rows]), manifest.labels[rows], chosen, other)


def _in_classes(others: Manifest, manifest: Manifest, path: str) -> Manifest:
    """Return ``others`` labelled by the classes of ``manifest``. Raises DatasetError if it lacks one of theirs."""
    if unknown := [name for name in others.classes if name not in manifest.classes]:
        raise DatasetError(
            f"{path}: has images of {', '.join(unknown)}, and the data set that it is added to has none; choose "
            f"classes that both have with --classes"
        )
    places = np.array([manifest.classes.index(name) for name in others.classes])
    soft = others.soft_labels
    if soft is not None:
        soft = np.zeros((len(soft), len(manifest.classes)), dtype=np.float32)
        soft[:, places] = others.soft_labels
    labels = np.where(others.labels >= 0, places[others.labels], -1)
    return replace(others, classes=manifest.classes, labels=labels, soft_labels=soft)


def second_labels(manifest: Manifest, config: DataConfig) -> tuple[Rows | None, tuple[str, ...]]:
    """Return the second head's label of every image, and its classes: those of the training set, in our order."""
    if config.second is None:
        return None, ()
    if config.second not in manifest.other_labels:
        there = ", ".join(manifest.other_labels) or "none"
        raise DatasetError(
            f"{config.path}: read as {manifest.format}, has no labels of {config.second!r} beside its own; "
            f"there are: {there}"
        )
    said = manifest.other_labels[config.second]
    found = set(said[manifest.splits == TRAIN].tolist()) - {""}
    classes = in_our_order(found)
    if len(classes) < 2:
        raise DatasetError(f"{config.path}: labels of {config.second!r} name {len(classes)} classes, two are needed")
    return _numbered(said, classes), classes


def _numbered(names: npt.NDArray[np.str_], classes: tuple[str, ...]) -> Rows:
    """Return the place of each name among ``classes``, -1 where it is none of them."""
    return np.array([classes.index(name) if name in classes else -1 for name in names.tolist()], dtype=np.int64)


def in_our_order(classes: Collection[str]) -> tuple[str, ...]:
    """Return the eight expressions first, in their order; then the rest by name."""
    return tuple(sorted(classes, key=lambda name: (EIGHT.index(name) if name in EIGHT else len(EIGHT), name)))


def training_set(
    classes: tuple[str, ...],
    train: LabelledImages,
    validation: LabelledImages,
    test: LabelledImages,
    *,
    where: str,
    second_classes: tuple[str, ...] = (),
    pixels: Pixels = "normalised",
    more: str = "bring images of it",
) -> TrainingSet:
    """Check the sets and measure the pixels of the training set, unless they are to stay ``raw``.

    Raises DatasetError for a class without images; ``more`` says how there would be some.
    """
    counts = np.bincount(train.labels[train.labels >= 0], minlength=len(classes))
    if lacking := [name for name, count in zip(classes, counts, strict=True) if count == 0]:
        raise DatasetError(
            f"{where}: the training set has no image of {', '.join(lacking)}; "
            f"{more}, or leave the class out with --classes {OF_PREPARE}"
        )
    if not len(validation):
        raise DatasetError(
            f"{where}: no image is left to validate on; give --validation-share {OF_PREPARE}, or more images"
        )
    shown = train.images
    digest = blake2b(digest_size=16)
    for each in (train, validation, test):
        digest.update(np.ascontiguousarray(each.images).data)
        digest.update(each.labels.tobytes())
        digest.update(b"" if each.soft is None else each.soft.tobytes())
        digest.update(b"" if each.second is None else each.second.tobytes())
    mean, std = round(float(shown.mean()) / 255, 4), round(max(float(shown.std()) / 255, 1 / 255), 4)
    if pixels == "raw":
        mean, std = 0.0, 1 / 255
    return TrainingSet(classes, train, validation, test, mean, std, digest.hexdigest(), second_classes)


def _without_empty_classes(manifest: Manifest) -> Manifest:
    """Return the manifest without classes that no image has; their votes are shared out among the others."""
    found = np.bincount(manifest.labels[manifest.labels >= 0], minlength=len(manifest.classes)) > 0
    number = np.where(found, np.cumsum(found) - 1, -1)
    labels = np.where(manifest.labels >= 0, number[manifest.labels], -1)
    soft = manifest.soft_labels
    if soft is not None:
        rest = (soft[:, ~found] > 0).any(1)
        soft = soft[:, found]
        soft[rest] /= np.maximum(soft[rest].sum(1, keepdims=True), np.float32(1e-9))
    classes = tuple(name for name, some in zip(manifest.classes, found, strict=True) if some)
    return replace(manifest, classes=classes, labels=labels, soft_labels=soft)


def some(rows: Rows, number: int, seed: int) -> Rows:
    """Return ``number`` of ``rows``, drawn by ``seed``, in their order; all if there are no more."""
    if number >= len(rows):
        return rows
    return np.sort(np.random.default_rng([seed, 7]).permutation(rows)[:number])


def open_prepared(
    config: DataConfig, progress: Callable[[int, int], None] | None = None, *, resize: bool = False
) -> tuple[Manifest, ImageArray]:
    """Return all images of ``config`` and their manifest; see ``load_training_set`` for classes and errors.

    ``resize``: where a folder was prepared with another size or colour, resize its images, in place of an error.
    """
    path = Path(config.path)
    folder = path if (path / MANIFEST).is_file() else _cached(config, progress)
    manifest, images = read_manifest(folder), read_images(folder)
    if resize:
        images = as_inputs(images, config.size, config.colour)
    if images.shape[1] != config.size or (images.ndim == 4) != (config.colour == "rgb"):
        side, colour = images.shape[1], "rgb" if images.ndim == 4 else "gray"
        raise DatasetError(
            f"{folder}: holds images of {side} pixels in {colour}, but {config.size} in {config.colour} are asked for; "
            f"prepare it so, or use a network of what it holds: felicity train --size {side} --colour {colour}"
        )
    return (manifest if parse_classes(config.classes).asked else _without_empty_classes(manifest)), images


def _cached(config: DataConfig, progress: Callable[[int, int], None] | None) -> Path:
    """Return the prepared folder in the cache, made if absent; its name depends on the files and the settings."""
    path = Path(config.path)
    if not path.exists():
        raise DatasetError(f"{path}: is not there; name a data set, see: felicity data inspect --help")
    classes = parse_classes(config.classes)
    files = files_of(path, config.format)
    seen = blake2b(digest_size=12)
    for file in (*files, *([Path(config.classes)] if config.classes and config.classes.endswith(".toml") else [])):
        with suppress(OSError, ValueError):  # what is not there is not read
            facts = file.stat()
            seen.update(os.fsencode(f"{file}:{facts.st_size}:{facts.st_mtime_ns};"))
    settings = config.model_dump(exclude={"images", "licence", "more", "name", "path", "pixels", "second"})
    seen.update(json.dumps([VERSION, READING, settings], sort_keys=True).encode())
    folder = home() / "prepared" / seen.hexdigest()
    if (folder / MANIFEST).is_file():
        return folder
    with locked(folder.with_name(f".{folder.name}.lock")):
        if (folder / MANIFEST).is_file():  # another process made it meanwhile
            return folder
        samples = open_dataset(path, config.format, classes=classes, votes=VoteRule(config.votes))
        split = SplitOptions(config.test_share, config.validation_share, config.split_seed)
        done = 0

        def advance(more: int) -> None:
            nonlocal done
            done += more
            if progress:
                progress(done, len(samples))

        prepare(samples, folder, PrepareOptions(config.size, config.colour, split=split), progress=advance)
    return folder
