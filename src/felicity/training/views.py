"""Views: augmented images that training keeps. They depend on the images, a seed and the augmentation alone.

The module needs NumPy and OpenCV alone, so that another machine can make the same views.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from felicity.datasets.augment import Augmentation, OwnAugmentation, augment

ImageArray = npt.NDArray[np.uint8]
Floats32 = npt.NDArray[np.float32]
VIEW = 1


@dataclass(frozen=True)
class View:
    """Rows of images in view ``number``: ``rows``. ``flip``: they are shown both as they are and mirrored."""

    number: int
    rows: slice
    flip: bool


@dataclass(frozen=True)
class Views:
    """The rules that turn images into views.

    ``block``: number of images made together, of which ``mix`` blends a share. ``how``: None leaves them as they are.
    """

    seed: int
    block: int
    how: Augmentation | OwnAugmentation | None
    mix: float = 0.0

    @property
    def flip(self) -> bool:
        """Return whether mirror images are shown, too."""
        return bool(self.how and self.how.flip)

    def of(self, number: int, images: int) -> Iterator[View]:
        """Return the blocks of view ``number`` of so many images."""
        return (View(number, slice(first, first + self.block), self.flip) for first in range(0, images, self.block))

    def make(self, view: View, images: ImageArray, targets: Floats32) -> tuple[ImageArray, Floats32]:
        """Return the view of its rows of ``images``, and of their ``targets`` if it blends images."""
        rng = np.random.default_rng([self.seed, view.number, view.rows.start, VIEW])
        return self.changed(images[view.rows], targets[view.rows], rng)

    def changed(self, images: ImageArray, targets: Floats32, rng: np.random.Generator) -> tuple[ImageArray, Floats32]:
        """Return augmented and blended ``images``, and ``targets`` blended likewise."""
        if self.how is not None:
            images = augment(images, rng, self.how)
        return mixed(images, targets, rng, self.mix) if self.mix else (images, targets)


def mirrored(images: ImageArray) -> ImageArray:
    """Return ``(N, S, S[, 3])`` with left and right exchanged."""
    return images[:, :, ::-1]


def mixed(images: ImageArray, targets: Floats32, rng: np.random.Generator, share: float) -> tuple[ImageArray, Floats32]:
    """Return a ``share`` of a batch blended with other images of it, at random weights, and targets in the same way.

    Source: mixup, Zhang et al. 2018 (arXiv:1710.09412); weights here are uniform in 0.5 to 1.
    """
    lone = rng.random(len(images)) >= share
    own = np.where(lone, 1.0, rng.uniform(0.5, 1.0, len(images))).astype(np.float32)
    others = rng.permutation(len(images))

    def blend(values: Floats32) -> Floats32:
        weight = own.reshape(-1, *[1] * (values.ndim - 1))
        return weight * values + (1 - weight) * values[others]

    return np.rint(blend(images.astype(np.float32))).astype(np.uint8), blend(targets)


def digest_of(images: ImageArray) -> str:
    """Return the digest of the pixels, 32 hexadecimal digits."""
    return blake2b(np.ascontiguousarray(images).data, digest_size=16).hexdigest()


def lightness(images: ImageArray) -> ImageArray:
    """Return the mean of every image, uint8 ``(N,)``, which suffices to compare views."""
    means: Floats32 = images.reshape(len(images), -1).mean(1, dtype=np.float32)
    return np.rint(means).astype(np.uint8)
