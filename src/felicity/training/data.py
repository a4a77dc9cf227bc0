"""Images and targets as arrays, by part; prepared once and then taken from the cache."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

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
from felicity.datasets.splits import TEST, TRAIN, VALIDATION
from felicity.errors import DatasetError
from felicity.files import locked
from felicity.labels import EXPRESSIONS
from felicity.notes import Note
from felicity.paths import home
from felicity.training.config import DataConfig, Pixels

READING = 5
"""Counts changes of what the readers take from the same files, after which sets are prepared anew."""

OF_PREPARE = "(of felicity data prepare, where that was used)"

ImageArray = npt.NDArray[np.uint8]
Floats32 = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
EIGHT = tuple(map(str, EXPRESSIONS))


@dataclass(frozen=True)
class LabelledImages:
    """``images`` uint8 ``(N, S, S[, 3])``; ``labels`` int64 ``(N,)``, -1 undecided; ``soft`` shares ``(N, C)``.

    ``second``: labels of the second head, int64 ``(N,)``, -1 undecided; None where there is none.
    """

    images: ImageArray = field(repr=False)
    labels: Rows = field(repr=False)
    soft: Floats32 | None = field(repr=False)
    second: Rows | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: Rows) -> LabelledImages:
        """These rows, in that order."""
        soft = None if self.soft is None else self.soft[rows]
        second = None if self.second is None else self.second[rows]
        return LabelledImages(self.images[rows], self.labels[rows], soft, second)

    def targets(self, classes: int, *, soft: bool = False, smoothing: float = 0.0) -> Floats32:
        """Float32 ``(N, classes)``, rows sum to 1: votes where ``soft`` and known, else the label, smoothed."""
        targets = one_hot(self.labels, classes, smoothing)
        if soft and self.soft is not None:
            known = self.soft.sum(1) > 0
            targets[known] = self.soft[known]
        return targets


def one_hot(labels: Rows, classes: int, smoothing: float = 0.0) -> Floats32:
    """Float32 ``(N, classes)``: 1 at the label, of which ``smoothing`` is spread over all; 0 where it is -1."""
    targets = np.zeros((len(labels), classes), dtype=np.float32)
    decided = np.flatnonzero(labels >= 0)
    targets[decided] = smoothing / classes
    targets[decided, labels[decided]] += 1 - smoothing
    return targets


@dataclass(frozen=True)
class TrainingSet:
    """A data set ready to train on. ``digest``: of images, labels and parts, hexadecimal.

    ``second_classes``: of the second head; none where there is none. ``notes``: how the images were read and divided.
    ``members``: what classes are made of, see ``Samples``.
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

    @property
    def heads(self) -> tuple[int, ...]:
        """How many classes each head has."""
        return (len(self.classes), len(self.second_classes)) if self.second_classes else (len(self.classes),)

    def counts(self) -> dict[str, dict[str, int]]:
        """Part to class to number of images."""
        return {
            name: {label: int((part.labels == i).sum()) for i, label in enumerate(self.classes)}
            for name, part in (("train", self.train), ("validation", self.validation), ("test", self.test))
        }


def load_training_set(
    config: DataConfig, *, soft: bool = False, progress: Callable[[int, int], None] | None = None
) -> TrainingSet:
    """The data set of ``config``. ``soft``: keep images that have votes but no label. Raises DatasetError.

    A folder made by ``felicity data prepare`` is taken as it is; anything else is prepared into the cache first.
    Where no classes are asked for, those without any image are left out.
    """
    manifest, images = open_prepared(config, progress)
    second, second_classes = second_labels(manifest, config)
    has_votes = manifest.soft_labels is not None and soft
    usable = manifest.labels >= 0
    if has_votes:
        assert manifest.soft_labels is not None
        usable = usable | (manifest.soft_labels.sum(1) > 0)

    def part(name: str) -> LabelledImages:
        rows = np.flatnonzero((manifest.splits == name) & (usable if name == TRAIN else manifest.labels >= 0))
        if name == TRAIN and config.images:
            rows = some(rows, config.images, config.split_seed)
        chosen = None if manifest.soft_labels is None else manifest.soft_labels[rows]
        other = None if second is None else second[rows]
        return LabelledImages(np.ascontiguousarray(images[rows]), manifest.labels[rows], chosen, other)

    parts = part(TRAIN), part(VALIDATION), part(TEST)
    found = training_set(
        manifest.classes,
        *parts,
        where=config.path,
        second_classes=second_classes,
        pixels=config.pixels,
        more="draw more with --images" if config.images else "bring images of it",
    )
    return replace(found, notes=manifest.notes, members=manifest.members)


def second_labels(manifest: Manifest, config: DataConfig) -> tuple[Rows | None, tuple[str, ...]]:
    """Labels of the second head for every image, and its classes: those that the training part has, in our order."""
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
    return np.array([classes.index(name) if name in found else -1 for name in said.tolist()], dtype=np.int64), classes


def in_our_order(classes: Collection[str]) -> tuple[str, ...]:
    """The eight expressions first, in their order; then the rest by name."""
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
    """Check the parts and measure the pixels of the training part, unless they are to stay ``raw``.

    Raises DatasetError for a class without images; ``more`` says how there would be some.
    """
    counts = np.bincount(train.labels[train.labels >= 0], minlength=len(classes))
    if lacking := [name for name, count in zip(classes, counts, strict=True) if count == 0]:
        raise DatasetError(
            f"{where}: the training part has no image of {', '.join(lacking)}; "
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
    """The manifest without the classes that no image is labelled; their votes are shared out among the others."""
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
    """``number`` of ``rows``, drawn by ``seed``, in their order; all where there are no more."""
    if number >= len(rows):
        return rows
    return np.sort(np.random.default_rng([seed, 7]).permutation(rows)[:number])


def open_prepared(
    config: DataConfig, progress: Callable[[int, int], None] | None = None
) -> tuple[Manifest, ImageArray]:
    """Return all images of ``config`` and their manifest; see ``load_training_set`` for classes and errors."""
    path = Path(config.path)
    folder = path if (path / MANIFEST).is_file() else _cached(config, progress)
    manifest, images = read_manifest(folder), read_images(folder)
    if images.shape[1] != config.size or (images.ndim == 4) != (config.colour == "rgb"):
        side, colour = images.shape[1], "rgb" if images.ndim == 4 else "gray"
        raise DatasetError(
            f"{folder}: holds images of {side} pixels in {colour}, but {config.size} in {config.colour} are asked for; "
            f"prepare it so, or use a network of what it holds: felicity train --size {side} --colour {colour}"
        )
    return (manifest if parse_classes(config.classes).asked else _without_empty_classes(manifest)), images


def check_asked(config: DataConfig, *, given: Collection[str] = (), unless: Collection[str] = ()) -> None:
    """Raise DatasetError where a setting asks a prepared folder for something else than what it was prepared with.

    Defaults ask for nothing, unless ``given``: named by a flag. ``unless``: settings that are used otherwise.
    """
    if not (Path(config.path) / MANIFEST).is_file():
        return
    manifest = read_manifest(Path(config.path))
    split = manifest.options["split"]
    classes = parse_classes(config.classes)
    asked: dict[str, Any] = config.model_dump() | {
        "format": None if config.format == "prepared" else config.format,
        "classes": ",".join(classes.classes) if classes.asked else None,
    }
    settled = {
        "format": manifest.format,
        "classes": ",".join(manifest.classes),
        "votes": "not recorded",
        "test_share": split["test_share"],
        "validation_share": split["validation_share"],
    }
    for name, found in settled.items():
        default = None if name in given else DataConfig.model_fields[name].default
        if name not in unless and asked[name] not in (found, None, default):
            raise DatasetError(
                f"{config.path}: is prepared already, so {name} = {asked[name]} cannot be had (found: {found}); "
                f"leave it out, or name the data set that it was prepared from"
            )


def _cached(config: DataConfig, progress: Callable[[int, int], None] | None) -> Path:
    """The prepared folder in the cache, made if it is not there; its name depends on the files and the settings."""
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
    settings = config.model_dump(exclude={"images", "licence", "name", "path", "pixels", "second"})
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
