"""What every detector does to a picture before it looks."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]


def scaled(image: Image, scale: float) -> tuple[Image, float, float]:
    """The picture ``scale`` times as large (contiguous), with the exact factors of width and height."""
    height, width = image.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if size == (width, height):
        return np.ascontiguousarray(image), 1.0, 1.0
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized: Image = cv2.resize(np.ascontiguousarray(image), size, interpolation=how)  # type: ignore[assignment]
    return resized, size[0] / width, size[1] / height
