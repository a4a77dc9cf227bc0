"""The facts of an image apart from its content: hash, look, spread of greys, size."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from hashlib import blake2b
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from felicity.datasets.looks import SIDE, look
from felicity.datasets.samples import Image, Images, pick
from felicity.errors import ImageError
from felicity.work import Here, Processes

BLANK_DEVIATION = 5.0
"""Standard deviation of grey values below which a picture is blank; a dim face has at least ten."""
BLANK_SHARE = 0.99
"""An image is also blank if this share of its pixels has one value."""
CHUNK = 512


@dataclass(frozen=True, eq=False)
class ImageFacts:
    """The facts of N images. Rows of undecodable images have a text in ``error`` and zeros elsewhere.

    ``digest``: 16 bytes each (``S16``-like, as uint8 ``(N, 16)``), equal if size and pixels are equal; a grey image and
    the same image with three equal channels count as equal. ``look``: int8 ``(N, 1024)``, the features that
    near-duplicates share (``looks``). ``blank``, ``gray``: bool ``(N,)``. ``height``, ``width``: pixels.
    """

    digest: npt.NDArray[np.uint8]
    look: npt.NDArray[np.int8]
    blank: npt.NDArray[np.bool_]
    gray: npt.NDArray[np.bool_]
    height: npt.NDArray[np.int64]
    width: npt.NDArray[np.int64]
    error: npt.NDArray[np.str_]

    @property
    def readable(self) -> npt.NDArray[np.bool_]:
        """Return bool ``(N,)``: the image can be decoded."""
        return np.equal(self.error, "")

    @staticmethod
    def join(parts: Iterable[ImageFacts]) -> ImageFacts:
        """Return the rows of all ``parts``, in order."""
        parts = list(parts)
        return ImageFacts(
            **{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(ImageFacts)}
        )

    def take(self, rows: npt.NDArray[Any]) -> ImageFacts:
        """Return the facts of ``rows``."""
        return ImageFacts(**{f.name: getattr(self, f.name)[rows] for f in fields(ImageFacts)})


def pixel_digest(image: Image) -> bytes:
    """Return 16 bytes that are equal for images of equal size and pixels (BLAKE2b)."""
    return blake2b(image.tobytes(), digest_size=16, person=repr(image.shape).encode()[:16]).digest()


def is_blank(gray: Image) -> bool:
    """Return whether a grey image is blank: hardly any spread, or one value nearly everywhere."""
    return bool(gray.std() < BLANK_DEVIATION or np.bincount(gray.ravel()).max() >= BLANK_SHARE * gray.size)


def examine_images(images: Iterable[Image | ImageError]) -> ImageFacts:
    """Return the facts of decoded images, or of the errors in their place."""
    rows: list[tuple[Any, ...]] = []
    for image in images:
        if isinstance(image, ImageError):
            nothing = np.zeros(SIDE * SIDE, np.int8)
            rows.append((np.zeros(16, np.uint8), nothing, False, False, 0, 0, str(image)))
            continue
        gray = image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
        rows.append(
            (
                np.frombuffer(pixel_digest(image), np.uint8),
                look(gray),
                is_blank(gray),
                image.ndim == 2,
                *image.shape[:2],
                "",
            )
        )
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    return ImageFacts(*columns)


def decoded(images: Images) -> Iterable[Image | ImageError]:
    """Yield every image, or the error that it raises."""
    for row in range(len(images)):
        try:
            yield images[row]
        except ImageError as error:
            yield error


def _examine_chunk(images: Images) -> ImageFacts:
    return examine_images(decoded(images))


def examine(images: Images, *, workers: int = 1, progress: Callable[[int], None] = lambda done: None) -> ImageFacts:
    """Return the facts of all images, on ``workers`` processes; ``progress`` receives how many more are done."""
    n = len(images)
    chunks = (pick(images, np.arange(start, min(start + CHUNK, n))) for start in range(0, n, CHUNK))
    parts = []
    work = Processes(workers) if workers > 1 and n > 2 * CHUNK else Here()
    for part in work.results(_examine_chunk, chunks):
        parts.append(part)
        progress(len(part.error))
    return ImageFacts.join(parts)
