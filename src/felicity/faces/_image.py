"""What every detector does to a picture before it looks."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from felicity.errors import ConfigError

Image = npt.NDArray[np.uint8]

LONGEST = 4096
"""Pixels of the longer side of a working picture whose size the smallest face wanted decides."""


def check_smallest(smallest_face: float) -> None:
    """Raise ConfigError for a smallest face that no detector would look for."""
    if not 5 <= smallest_face <= 2000:
        raise ConfigError(f"the smallest face wanted has 5 to 2000 pixels, not {smallest_face:g}")


def scaled(image: Image, scale: float) -> tuple[Image, float, float]:
    """The picture ``scale`` times as large (contiguous), with the exact factors of width and height."""
    height, width = image.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if size == (width, height):
        return np.ascontiguousarray(image), 1.0, 1.0
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized: Image = cv2.resize(np.ascontiguousarray(image), size, interpolation=how)  # type: ignore[assignment]
    return resized, size[0] / width, size[1] / height
