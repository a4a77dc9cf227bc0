"""Attention: the parts of the next frame to search, which are motion, known faces, and now and then everything."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from felicity.faces._image import Image
from felicity.faces.detection import Box
from felicity.faces.motion import Motion

EVERYWHERE = timedelta(seconds=1)
"""Longest time between searches of the whole picture, for people who came without moving, or if everything moves."""
_WHOLE = 0.5  # of the picture; if parts cost that much, all of it is searched
_ONE_MORE = 20_000.0  # pixels whose search takes as long as beginning one more search


class Attention:
    """Takes every frame of one source, in the order of time; call ``missed`` if somebody was not found again."""

    def __init__(self) -> None:
        self._motion = Motion()
        self._last: datetime | None = None
        self._missed = False

    def where(self, image_rgb_u8: Image, time: datetime, expected: Sequence[Box]) -> list[Box] | None:
        """Return disjoint boxes to search in a picture, uint8 ``(height, width, 3)``; an empty list for no search.

        Returns None for the whole picture. ``expected``: boxes in which the followed faces may be, in its pixels.
        """
        height, width = image_rgb_u8.shape[:2]
        moving = self._motion.see(image_rgb_u8, time)
        inside = [_clipped(box, width, height) for box in (*moving, *expected)]
        boxes = _joined([box for box in inside if box[0] < box[2] and box[1] < box[3]])
        due = self._last is None or not timedelta(0) <= time - self._last < EVERYWHERE
        if due or self._missed or sum(map(_cost, boxes)) > _WHOLE * width * height:
            self._last, self._missed = time, False
            return None
        return boxes

    def missed(self) -> None:
        """Search all of the next picture."""
        self._missed = True


def _clipped(box: Box, width: int, height: int) -> Box:
    return max(0.0, box[0]), max(0.0, box[1]), min(float(width), box[2]), min(float(height), box[3])


def _cost(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1]) + _ONE_MORE


def _joined(boxes: Sequence[Box]) -> list[Box]:
    """Return disjoint boxes that hold the given ones: two that overlap, or cost less as one, become one."""
    apart: list[Box] = []
    for box in boxes:
        while (other := next((other for other in apart if _as_one(box, other)), None)) is not None:
            apart.remove(other)
            box = _around(box, other)
        apart.append(box)
    return apart


def _as_one(box: Box, other: Box) -> bool:
    overlap = other[0] < box[2] and box[0] < other[2] and other[1] < box[3] and box[1] < other[3]
    return overlap or _cost(_around(box, other)) <= _cost(box) + _cost(other)


def _around(box: Box, other: Box) -> Box:
    return min(box[0], other[0]), min(box[1], other[1]), max(box[2], other[2]), max(box[3], other[3])
