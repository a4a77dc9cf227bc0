"""A data set in memory: its images, their labels and origins, and the counts of left-out images."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from felicity.datasets.archives import Tree
from felicity.datasets.classes import EIGHT, ClassMap
from felicity.errors import DatasetError, ImageError
from felicity.imaging.decode import read_image
from felicity.imaging.spec import Colour
from felicity.labels import EXPRESSIONS, Classes

Image = npt.NDArray[np.uint8]
MOST_PIXELS = 25_000_000
"""Largest number of pixels of an image: far above the photographs from which faces are cut."""
UNDECIDED = -1
"""Label of an image whose annotators agree on no single class (its soft label may still be there)."""


class Images(Protocol):
    """Images by row: uint8 ``(H, W)`` if grey, else ``(H, W, 3)`` RGB; sizes may differ.

    ``images[i]`` raises ImageError if the file cannot be read or decoded. A uint8 array ``(N, H, W)`` or ``(N, H, W,
    3)`` is also a collection of images.
    """

    def __len__(self) -> int: ...
    def __getitem__(self, row: Any, /) -> Any:
        """Return the image of a row."""
        ...


@dataclass(frozen=True)
class FileImages:
    """Image files of a tree, decoded one by one on access; they pickle as their names."""

    tree: Tree
    names: tuple[str, ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, row: int) -> Image:
        try:
            return as_gray_if_gray(read_image(self.tree.read(self.names[row]), max_pixels=MOST_PIXELS))
        except DatasetError as error:
            broken_link = (self.tree.path / self.names[row]).is_symlink()
            if isinstance(error.__cause__, OSError) and not broken_link:
                raise  # the disk may recover, so the image does not count as lost
            raise ImageError(str(error)) from error
        except ImageError as error:
            raise ImageError(f"{self.names[row]}: {error}") from error


def pick(images: Images, rows: npt.NDArray[np.int64]) -> Images:
    """Return the images of ``rows``, in that order; files stay undecoded."""
    if isinstance(images, FileImages):
        return FileImages(images.tree, tuple(images.names[row] for row in rows))
    picked: Images = images[rows]
    return picked


def as_gray_if_gray(image: Image) -> Image:
    """Return ``(H, W)`` if the three channels of ``(H, W, 3)`` are equal, else the image as it is."""
    if (
        image.ndim == 3
        and np.array_equal(image[..., 0], image[..., 1])
        and np.array_equal(image[..., 0], image[..., 2])
    ):
        return np.ascontiguousarray(image[..., 0])
    return image


def as_input(image: Image, size: int, colour: Colour) -> Image:
    """Return the central square of ``image``, resized and in ``colour``: ``(size, size)`` or ``(size, size, 3)``.

    An image that already has this form is returned unchanged. The function shrinks by area averaging and enlarges
    bilinearly.
    """
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square: npt.NDArray[Any] = image[top : top + side, left : left + side]
    if colour == "gray" and image.ndim == 3:
        square = cv2.cvtColor(square, cv2.COLOR_RGB2GRAY)
    if side != size:
        square = cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA if side > size else cv2.INTER_LINEAR)
    if colour == "rgb" and image.ndim == 2:
        square = np.repeat(square[..., None], 3, axis=2)
    return np.ascontiguousarray(square)


def as_inputs(images: Image, size: int, colour: Colour) -> Image:
    """Return images of one size, uint8 ``(N, S, S[, 3])``, each as ``as_input`` does; as they are if they fit."""
    if images.shape[1:] == (size, size) + (3,) * (colour == "rgb"):
        return images
    return np.stack([as_input(image, size, colour) for image in images])


@dataclass(frozen=True, eq=False)
class Samples:
    """N labelled images.

    ``labels``: int64 ``(N,)``, index into ``classes``, or UNDECIDED. ``soft_labels``: float32 ``(N, len(classes))``,
    rows sum to 1, or None. ``names``: the origin of each image, unique. ``folds``: the set's own part (``Training``,
    ``test``, …), "" without one. ``subjects``: the person shown, or None if unknown. ``other_labels``: labels of
    another source of the same set, by its name; UNDECIDED without a label. ``left_out``: number of left-out images, by
    reason. ``remarks``: decisions of the reader that a user should know, a sentence each. ``members``: the expressions
    of a class, unless it is the one expression of its name.
    """

    format: str
    images: Images = field(repr=False)
    labels: npt.NDArray[np.int64] = field(repr=False)
    names: npt.NDArray[np.str_] = field(repr=False)
    folds: npt.NDArray[np.str_] = field(repr=False)
    classes: tuple[str, ...] = tuple(map(str, EXPRESSIONS))
    soft_labels: npt.NDArray[np.float32] | None = field(default=None, repr=False)
    subjects: npt.NDArray[np.str_] | None = field(default=None, repr=False)
    other_labels: Mapping[str, npt.NDArray[np.int64]] = field(default_factory=dict, repr=False)
    left_out: Mapping[str, int] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.images)
        if n == 0:
            raise DatasetError(f"no labelled image is left in the data set ({_counts(self.left_out)})")
        for name in ("labels", "names", "folds", "soft_labels", "subjects"):
            column = getattr(self, name)
            if column is not None and len(column) != n:
                raise ValueError(f"{name} has {len(column)} rows for {n} images")
        _check_names(self.names)
        if self.labels.min() < UNDECIDED or self.labels.max() >= len(self.classes):
            raise ValueError(f"labels must index {self.classes}")

    def __len__(self) -> int:
        return len(self.images)

    def take(self, rows: npt.NDArray[np.int64]) -> Samples:
        """Return the samples of ``rows``, in that order."""
        return replace(
            self,
            images=pick(self.images, rows),
            labels=self.labels[rows],
            names=self.names[rows],
            folds=self.folds[rows],
            soft_labels=None if self.soft_labels is None else self.soft_labels[rows],
            subjects=None if self.subjects is None else self.subjects[rows],
            other_labels={source: labels[rows] for source, labels in self.other_labels.items()},
        )

    def select(self, chosen: ClassMap) -> Samples:
        """Return the samples whose expression belongs to one of ``chosen``'s classes, relabelled.

        Soft labels are summed by class and scaled to a sum of 1. Left-out samples are counted.
        """
        if self.classes != tuple(EXPRESSIONS):
            raise DatasetError(f"the data set is of classes {', '.join(self.classes)} already, and stays so")
        classes = tuple(chosen.classes)
        if chosen.classes == EIGHT.classes:
            return self
        member = chosen.matrix()
        new = np.append(np.where(member.any(1), member.argmax(1), UNDECIDED), UNDECIDED)  # the last one for -1
        labels = new[self.labels]
        keep = labels != UNDECIDED
        soft = self.soft_labels
        if soft is not None:
            soft = soft @ member
            total = soft.sum(1, keepdims=True)
            soft = soft / np.maximum(total, np.float32(1e-9))
            keep |= (self.labels == UNDECIDED) & (total[:, 0] > 0)
            keep &= total[:, 0] > 0
        left_out = dict(self.left_out)
        for label in np.unique(self.labels[~keep]):
            name = self.classes[label] if label >= 0 else "undecided"
            left_out[f"labelled {name}, not a class asked for"] = int((self.labels[~keep] == label).sum())
        rows = np.flatnonzero(keep)
        if not len(rows):
            raise DatasetError(f"no image is labelled {' or '.join(classes)} ({_counts(left_out)})")
        kept = self.take(rows)
        return replace(
            kept,
            labels=labels[rows],
            classes=classes,
            members=chosen.members,
            soft_labels=None if soft is None else soft[rows],
            other_labels={source: new[other] for source, other in kept.other_labels.items()},
            left_out=left_out,
        )

    def array(self, size: int | None = None, colour: Colour = "gray") -> Image:
        """Return all images as one array ``(N, size, size)`` if grey, ``(N, size, size, 3)`` if RGB.

        Without ``size``, they must be square and of one size already. Raises DatasetError if they are not, ImageError
        if one cannot be decoded.
        """
        if size is None:
            shapes = {self.images[row].shape[:2] for row in range(len(self))}
            if len(shapes) > 1 or len(set(*shapes)) > 1:
                listed = ", ".join(f"{w}x{h}" for h, w in sorted(shapes)[:5])
                raise DatasetError(f"images are of {len(shapes)} sizes ({listed}); choose one size, such as 48")
            size = next(iter(shapes))[0]
        return np.stack([as_input(self.images[row], size, colour) for row in range(len(self))])

    def counts(self) -> dict[str, dict[str, int]]:
        """Return fold (``all`` without folds) to class to number of images; empty classes are 0."""
        result: dict[str, dict[str, int]] = {}
        for fold in sorted(set(self.folds.tolist())):
            labels = self.labels[self.folds == fold]
            row = {name: int((labels == i).sum()) for i, name in enumerate(self.classes)}
            if undecided := int((labels == UNDECIDED).sum()):
                row["undecided"] = undecided
            result[fold or "all"] = row
        return result


def classes_of(samples: Samples) -> Classes:
    """Return the classes of samples with their expressions. Raises DatasetError if these are unknown."""
    try:
        return Classes.of(samples.classes, samples.members)
    except ValueError as error:
        raise DatasetError(f"{error} ({', '.join(EXPRESSIONS)}); prepare the data set again, with --classes") from error


def _check_names(names: npt.NDArray[np.str_]) -> None:
    """Raise DatasetError for a name that cannot stand in a manifest, report or terminal."""
    for name in names.tolist():
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise DatasetError(f"{os.fsencode(name)!r}: the name of the file is not UTF-8; rename it") from error


def _counts(left_out: Mapping[str, int]) -> str:
    return "; ".join(f"left out: {n} {reason}" for reason, n in left_out.items()) or "none was found"
