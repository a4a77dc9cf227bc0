"""Batches: shuffled by seed and epoch, augmented and normalised before any framework sees them, made ahead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.errors import ConfigError
from felicity.imaging.spec import Colour, InputSpec
from felicity.system import available_memory
from felicity.training.labelled_images import ImageArray, LabelledImages, Rows
from felicity.training.views import View, Views, mirrored

Floats32 = npt.NDArray[np.float32]
AHEAD = 3


@dataclass(frozen=True)
class Batch:
    """``faces`` float32 ``(B, S, S, channels)``, normalised; ``targets`` float32 ``(B, C)``."""

    faces: Floats32
    targets: Floats32


def normalise(images: ImageArray, mean: float, std: float) -> Floats32:
    """Return float32 ``(N, S, S, channels)`` of uint8 ``(N, S, S[, 3])``, normalised as ``InputSpec`` does it."""
    colour: Colour = "gray" if images.ndim == 3 else "rgb"
    return np.ascontiguousarray(np.moveaxis(InputSpec(images.shape[1], colour, mean, std).batch(images), 1, -1))


def order_of_epoch(number: int, seed: int, epoch: int) -> Rows:
    """Return a permutation of ``number`` rows."""
    return np.random.default_rng([seed, epoch]).permutation(number)


def balanced_order(classes: Rows, seed: int, epoch: int) -> Rows:
    """Return N rows with equally many of each class in ``classes`` (N,), to within one; its images take turns."""
    rng = np.random.default_rng([seed, epoch])
    there = rng.permutation(np.unique(classes))
    shares = np.full(len(there), len(classes) // len(there))
    shares[: len(classes) % len(there)] += 1
    drawn = []
    for name, share in zip(there, shares, strict=True):
        rows = np.flatnonzero(classes == name)
        turns = [rng.permutation(rows) for _ in range(-(-share // len(rows)))]
        drawn.append(np.concatenate([*turns, rows[:0]])[:share])
    return np.asarray(rng.permutation(np.concatenate(drawn)))


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

    ``views``: how images change; a batch is a block of them. ``teach``: what to add to the targets of images so made;
    of a ``View`` it is the mean for the images and, if that says so, their mirror images. ``kept``: make so many views,
    once, and keep them and what ``teach`` says of them; epochs take them in turns, mirrored by chance if views mirror.
    0: every epoch makes its own. ``balanced`` (N,): classes that are to occur equally often; None for every image once.
    ``makers``: threads that make batches ahead.
    """

    def __init__(
        self,
        part: LabelledImages,
        targets: Floats32,
        views: Views,
        *,
        mean: float,
        std: float,
        teach: Callable[[ImageArray, View | None], Floats32] | None = None,
        kept: int = 0,
        balanced: Rows | None = None,
        makers: int = 1,
    ) -> None:
        self._part, self._targets, self._views, self._teach = part, targets, views, teach
        self._size, self._seed, self._mean, self._std = views.block, views.seed, mean, std
        self.steps = max(1, len(part) // self._size)
        self._balanced, self._makers, self._viewing = balanced, makers, Lock()
        self._number, self._kept = kept, dict[int, tuple[ImageArray, Floats32]]()
        self._flip = views.how.flip if views.how else 0.0

    def order(self, epoch: int) -> Rows:
        """Return the rows of an epoch, ``(N,)``."""
        if self._balanced is not None:
            return balanced_order(self._balanced, self._seed, epoch)
        return order_of_epoch(len(self._part), self._seed, epoch)

    def batch(self, order: Rows, epoch: int, step: int) -> Batch:
        """Return batch ``step`` of ``epoch`` (from 0); the last rows that fill no batch wait for another epoch."""
        rows = order[step * self._size : (step + 1) * self._size]
        rng = np.random.default_rng([self._seed, epoch, step])
        if self._number:
            shown, answered = self._view(epoch % self._number)
            images, targets = shown[rows], answered[rows]
            turned = np.flatnonzero(rng.random(len(rows)) < self._flip)
            images[turned] = mirrored(images[turned])
        else:
            images, targets = self._views.changed(self._part.images[rows], self._targets[rows], rng)
            if self._teach is not None:
                targets = targets + self._teach(images, None)
        return Batch(normalise(images, self._mean, self._std), targets)

    def _view(self, number: int) -> tuple[ImageArray, Floats32]:
        """Return augmented images of the whole part and their targets; they depend on seed and ``number`` alone."""
        with self._viewing:
            if number not in self._kept:
                self._kept[number] = self._make_view(number)
        return self._kept[number]

    def _make_view(self, number: int) -> tuple[ImageArray, Floats32]:
        images, targets = np.empty_like(self._part.images), np.empty_like(self._targets)

        def make(view: View) -> None:
            made, wanted = self._views.make(view, self._part.images, self._targets)
            taught = 0.0 if self._teach is None else self._teach(made, view)
            images[view.rows], targets[view.rows] = made, wanted + taught

        with ThreadPoolExecutor() as makers:
            list(makers.map(make, self._views.of(number, len(images))))
        return images, targets

    def epoch(
        self, epoch: int, first: int = 0, send: Callable[[Floats32], Any] = lambda values: values
    ) -> Iterator[Batch]:
        """Return the batches of an epoch from step ``first``, made ahead in threads; an error there is raised here.

        ``send``: what else to do with arrays ahead, such as copying them to a GPU.
        """
        order = self.order(epoch)

        def make(step: int) -> Batch:
            batch = self.batch(order, epoch, step)
            return Batch(send(batch.faces), send(batch.targets))

        ahead = AHEAD + self._makers - 1
        with ThreadPoolExecutor(self._makers) as makers:
            waiting = [makers.submit(make, step) for step in range(first, min(first + ahead, self.steps))]
            try:
                for step in range(first, self.steps):
                    batch = waiting.pop(0).result()
                    if step + ahead < self.steps:
                        waiting.append(makers.submit(make, step + ahead))
                    yield batch
            finally:
                for future in waiting:
                    future.cancel()
