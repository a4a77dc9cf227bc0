"""Face crops in the framing of FER2013, because the networks were trained on it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from felicity.faces._image import Image, scaled
from felicity.faces.detection import CropGeometry, Detection
from felicity.imaging.spec import Colour

LIT = 30.0
"""Standard deviation of grey levels that nine in ten labelled faces exceed (``benchmarks/seeing.py``)."""


def crop_face(
    image_rgb_u8: Image, detection: Detection, *, size: int, colour: Colour, geometry: CropGeometry
) -> npt.NDArray[np.uint8]:
    """Return the square around a face in FER2013's framing, ``size`` pixels wide, levelled by the eyes if known.

    ``image_rgb_u8``: uint8 ``(height, width, 3)`` RGB, not changed. ``geometry``: the detector's. Beyond the picture,
    its edge is repeated. Large faces are averaged down, not sampled, so nothing aliases. Returns uint8 ``(size, size)``
    if ``colour`` is ``gray``, ``(size, size, 3)`` RGB otherwise.
    """
    side = detection.side * geometry.scale
    # Averaged down to twice the wanted size, warped there, and averaged again: nothing is left to alias.
    over = 2 * size
    to_picture = np.linalg.inv(_to_crop(detection, side, geometry, over))
    patch, left, top = _under(image_rgb_u8, to_picture, over)
    if colour == "gray":
        patch = cv2.cvtColor(patch, cv2.COLOR_RGB2GRAY)  # type: ignore[assignment]
    patch, fx, fy = scaled(patch, min(1.0, over / side))
    to_patch = np.array([[fx, 0, -fx * left], [0, fy, -fy * top], [0, 0, 1]]) @ to_picture
    # Our coordinates count from the corners of pixels, OpenCV's from their centres.
    corner_to_centre = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]])
    matrix = (corner_to_centre @ to_patch @ np.linalg.inv(corner_to_centre))[:2]
    fine = cv2.warpAffine(
        patch, matrix, (over, over), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    crop: npt.NDArray[np.uint8] = cv2.resize(fine, (size, size), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    return crop


def crop_faces(
    image_rgb_u8: Image, detections: Sequence[Detection], *, size: int, colour: Colour, geometry: CropGeometry
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Crop all faces of a picture (see ``crop_face``), ``lifted``, and return which were faint, bool ``(N,)``.

    A face is faint if it has less than half the contrast to which it is lifted. Crops are uint8 ``(N, size, size)`` if
    grey, ``(N, size, size, 3)`` RGB otherwise.
    """
    shape = (size, size) if colour == "gray" else (size, size, 3)
    crops = np.empty((len(detections), *shape), dtype=np.uint8)
    faint = np.zeros(len(detections), dtype=np.bool_)
    for number, detection in enumerate(detections):
        crop = crop_face(image_rgb_u8, detection, size=size, colour=colour, geometry=geometry)
        crops[number] = lifted(crop)
        faint[number] = 1 <= float(crop.std()) < LIT / 2
    return crops, faint


def lifted(crop_u8: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return a crop with the contrast of a well-lit face, if it has less: a network misses a smile in the dark.

    A crop with ``LIT`` or more is returned unchanged. Otherwise its grey levels are spread to ``LIT``, and their mean
    moves towards the middle by the same factor. ``docs/seeing.md`` has the effect.
    """
    contrast, mean = float(crop_u8.std()), float(crop_u8.mean())
    if contrast >= LIT or contrast < 1:
        return crop_u8
    to = mean + (128 - mean) * (1 - contrast / LIT)
    spread = (crop_u8.astype(np.float32) - mean) * (LIT / contrast) + to
    return spread.clip(0, 255).round().astype(np.uint8)


def _to_crop(detection: Detection, side: float, geometry: CropGeometry, size: int) -> npt.NDArray[np.float64]:
    """Return the 3x3 matrix from the picture's coordinates to the crop's: turn about the box's centre, shift, scale."""
    cos, sin = 1.0, 0.0
    if detection.eyes_xy is not None:
        (lx, ly), (rx, ry) = detection.eyes_xy
        if (apart := math.hypot(rx - lx, ry - ly)) > 0:
            cos, sin = (rx - lx) / apart, (ry - ly) / apart
    scale = size / side
    turn = scale * np.array([[cos, sin], [-sin, cos]])
    shift = size / 2 - scale * detection.side * np.array([geometry.right, geometry.down])
    return np.vstack([np.column_stack([turn, shift - turn @ np.array(detection.centre_xy)]), [0, 0, 1]])


def _under(image: Image, to_picture: npt.NDArray[np.floating], size: int) -> tuple[Image, int, int]:
    """Return the part of the picture under the crop's square, and its left and top edge; at least its nearest pixel."""
    corners = (to_picture @ np.array([[0, size, 0, size], [0, 0, size, size], [1, 1, 1, 1]]))[:2]
    height, width = image.shape[:2]
    left, top = np.clip(np.floor(corners.min(1)).astype(int) - 2, 0, [width - 1, height - 1])
    right, bottom = np.clip(np.ceil(corners.max(1)).astype(int) + 2, [left + 1, top + 1], [width, height])
    return np.ascontiguousarray(image[top:bottom, left:right]), int(left), int(top)
