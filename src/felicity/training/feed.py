"""Batches: shuffled by seed and epoch, augmented and normalised before any framework sees them, made ahead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from felicity.datasets.augment import Augmentation, augment
from felicity.errors import ConfigError
from felicity.imaging.spec import Colour, InputSpec
from felicity.system import available_memory
from felicity.training.data import ImageArray, LabelledImages, Rows

Floats = npt.NDArray[np.float32]
AHEAD, VIEW = 3, 1


@dataclass(frozen=True)
class Batch:
    """``faces`` float32 ``(B, S, S, channels)``, normalised; ``targets`` float32 ``(B, C)``."""

    faces: Floats
    targets: Floats


def normalise(images: ImageArray, mean: float, std: float) -> Floats:
    """uint8 ``(N, S, S[, 3])`` to float32 ``(N, S, S, channels)``, as ``InputSpec`` does it for bundles."""
    colour: Colour = "gray" if images.ndim == 3 else "rgb"
    return np.ascontiguousarray(np.moveaxis(InputSpec(images.shape[1], colour, mean, std).batch(images), 1, -1))


def mirrored(images: ImageArray) -> ImageArray:
    """Left and right changed, of ``(N, S, S[, 3])``."""
    return images[:, :, ::-1]


def mixed(images: ImageArray, targets: Floats, rng: np.random.Generator, share: float) -> tuple[ImageArray, Floats]:
    """A ``share`` of a batch blended with other images of it, at random weights, and targets in the same way.

    Source: mixup, Zhang et al. 2018 (arXiv:1710.09412); weights here are uniform in 0.5 to 1.
    """
    lone = rng.random(len(images)) >= share
    own = np.where(lone, 1.0, rng.uniform(0.5, 1.0, len(images))).astype(np.float32)
    others = rng.permutation(len(images))

    def blend(values: Floats) -> Floats:
        weight = own.reshape(-1, *[1] * (values.ndim - 1))
        return weight * values + (1 - weight) * values[others]

    return np.rint(blend(images.astype(np.float32))).astype(np.uint8), blend(targets)


def order_of_epoch(number: int, seed: int, epoch: int) -> Rows:
    """A permutation of ``number`` rows."""
    return np.random.default_rng([seed, epoch]).permutation(number)


def check_memory(views: int, part: LabelledImages, classes: int) -> None:
    """Raise ConfigError where ``views`` of ``part`` and what teachers say of them take more memory than there is.

    Where the system does not tell how much there is, nothing is raised.
    """
    needed, free = views * (part.images.nbytes + 4 * classes * len(part)), available_memory()
    if free is not None and needed > free:
        raise ConfigError(
            f"{views} views of {len(part):,} images take {needed / 1e9:.1f} GB of memory, but {free / 1e9:.1f} GB are "
            f"available; choose up to {free * views // needed}, or 0 to make new ones for every epoch"
        )


class Feed:
    """The batches of a training; every one depends on seed, epoch and step alone, so any can be made again.

    ``mix``: share of the augmented images that are blended with others, see ``mixed``. ``teach``: what to add to the
    targets of images so made. ``views``: make so many augmented images of each, once,
    and keep them and what ``teach`` says of them and of their mirror images, on average; epochs take them in turns,
    mirrored by chance if ``how`` mirrors. 0: every epoch makes its own.
    """

    def __init__(
        self,
        part: LabelledImages,
        targets: Floats,
        *,
        batch_size: int,
        seed: int,
        mean: float,
        std: float,
        how: Augmentation | None,
        mix: float = 0.0,
        teach: Callable[[ImageArray], Floats] | None = None,
        views: int = 0,
    ) -> None:
        self._part, self._targets, self._how, self._mix, self._teach = part, targets, how, mix, teach
        self._size, self._seed, self._mean, self._std = min(batch_size, len(part)), seed, mean, std
        self.steps = max(1, len(part) // self._size)
        self._views, self._kept = views, dict[int, tuple[ImageArray, Floats]]()
        self._flip = how.flip if how else 0.0

    def batch(self, order: Rows, epoch: int, step: int) -> Batch:
        """Batch ``step`` of ``epoch`` (from 0); the last rows that fill no batch wait for another epoch."""
        rows = order[step * self._size : (step + 1) * self._size]
        rng = np.random.default_rng([self._seed, epoch, step])
        if self._views:
            shown, answered = self._view(epoch % self._views)
            images, targets = shown[rows], answered[rows]
            turned = np.flatnonzero(rng.random(len(rows)) < self._flip)
            images[turned] = mirrored(images[turned])
        else:
            images, targets = self._made(rows, rng)
            if self._teach is not None:
                targets = targets + self._teach(images)
        return Batch(normalise(images, self._mean, self._std), targets)

    def _made(self, rows: Rows | slice, rng: np.random.Generator) -> tuple[ImageArray, Floats]:
        """Augmented and mixed images of ``rows``, and the targets that labels give them."""
        images, targets = self._part.images[rows], self._targets[rows]
        if self._how is not None:
            images = augment(images, rng, self._how)
        return mixed(images, targets, rng, self._mix) if self._mix else (images, targets)

    def _view(self, number: int) -> tuple[ImageArray, Floats]:
        """Augmented images of the whole part and their targets; depends on the seed and ``number`` alone."""
        if number not in self._kept:
            images, targets = np.empty_like(self._part.images), np.empty_like(self._targets)

            def make(first: int) -> None:
                these = slice(first, first + self._size)
                rng = np.random.default_rng([self._seed, number, first, VIEW])
                images[these], targets[these] = self._made(these, rng)
                if self._teach is not None:
                    shown = (images[these], mirrored(images[these])) if self._flip else (images[these],)
                    targets[these] += np.mean([self._teach(each) for each in shown], 0)

            with ThreadPoolExecutor() as makers:
                list(makers.map(make, range(0, len(images), self._size)))
            self._kept[number] = images, targets
        return self._kept[number]

    def epoch(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """The batches of an epoch from step ``first``, made ahead in a thread; an error there is raised here."""
        order = order_of_epoch(len(self._part), self._seed, epoch)
        with ThreadPoolExecutor(1) as maker:
            waiting = [
                maker.submit(self.batch, order, epoch, step) for step in range(first, min(first + AHEAD, self.steps))
            ]
            try:
                for step in range(first, self.steps):
                    batch = waiting.pop(0).result()
                    if step + AHEAD < self.steps:
                        waiting.append(maker.submit(self.batch, order, epoch, step + AHEAD))
                    yield batch
            finally:
                for future in waiting:
                    future.cancel()
