"""The preparation of a picture for every detector, and the handling of detections in parts of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from felicity.errors import ConfigError
from felicity.faces.detection import Box, Detection, Point

Image = npt.NDArray[np.uint8]

LONGEST = 4096
"""Largest longer side in pixels of a working picture whose size depends on the smallest wanted face."""


def check_smallest(smallest_face: float) -> None:
    """Raise ConfigError for a smallest face that no detector would search for."""
    if not 5 <= smallest_face <= 2000:
        raise ConfigError(f"the smallest face wanted has 5 to 2000 pixels, not {smallest_face:g}")


def scaled(image: Image, scale: float) -> tuple[Image, float, float]:
    """Return the picture ``scale`` times as large (contiguous), with the exact factors of width and height."""
    height, width = image.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if size == (width, height):
        return np.ascontiguousarray(image), 1.0, 1.0
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized: Image = cv2.resize(np.ascontiguousarray(image), size, interpolation=how)  # type: ignore[assignment]
    return resized, size[0] / width, size[1] / height


def small_grey(image: Image, side: int) -> Image:
    """Return a quick grey copy of a picture, uint8 ``(height, width)``, with no side longer than ``side``."""
    factor = min(1.0, side / max(image.shape[:2]))
    size = max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor))
    small = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)  # averaging all pixels would take longest
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def found_within(find: Callable[[Image], list[Detection]], image: Image, boxes: Sequence[Box]) -> list[Detection]:
    """Return the detections of ``find`` in the parts of a picture, in the picture's pixels, best first.

    A face that the edge of a part cuts off within the picture is left out: it would count as another face.
    """
    height, width = image.shape[:2]
    found = []
    for box in boxes:
        left, top = max(0, math.floor(box[0])), max(0, math.floor(box[1]))
        right, bottom = min(width, math.ceil(box[2])), min(height, math.ceil(box[3]))
        if right <= left or bottom <= top:
            continue
        inner = (
            left if left else -math.inf,
            top if top else -math.inf,
            right if right < width else math.inf,
            bottom if bottom < height else math.inf,
        )
        faces = [_moved(face, left, top) for face in find(image[top:bottom, left:right])]
        found += [face for face in faces if _inside(face.box_xyxy, inner)]
    return sorted(found, key=lambda face: -face.score)


def _inside(box: Box, other: Box) -> bool:
    return box[0] > other[0] and box[1] > other[1] and box[2] < other[2] and box[3] < other[3]


def _moved(face: Detection, right: int, down: int) -> Detection:
    def moved(point: Point) -> Point:
        return point[0] + right, point[1] + down

    eyes = face.eyes_xy and (moved(face.eyes_xy[0]), moved(face.eyes_xy[1]))
    box = (*moved(face.box_xyxy[:2]), *moved(face.box_xyxy[2:]))
    return replace(face, box_xyxy=box, eyes_xy=eyes, nose_xy=face.nose_xy and moved(face.nose_xy))
