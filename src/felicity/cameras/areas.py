"""Areas of a picture, as polygons: those to blacken, and those in which faces count."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from felicity.errors import ConfigError

Polygons = Sequence[Sequence[Sequence[float]]]
"""Polygons of points (x, y), each 0 to 1 of the picture's width and height."""


class PrivateAreas:
    """Blackens polygons in pictures of any size; the mask of the latest size is kept."""

    def __init__(self, polygons: Polygons) -> None:
        self._polygons = polygons
        self._size: tuple[int, int] = (0, 0)
        self._mask: npt.NDArray[np.bool_] = np.zeros((0, 0), bool)
        self._rows, self._columns = slice(0), slice(0)

    def blacken(self, image_rgb_u8: npt.NDArray[np.uint8]) -> None:
        """Blacken the areas of a picture, uint8 ``(height, width, 3)`` RGB, in place."""
        if not self._polygons:
            return
        if image_rgb_u8.shape[:2] != self._size:
            self._draw(image_rgb_u8.shape[0], image_rgb_u8.shape[1])
        part = image_rgb_u8[self._rows, self._columns]
        np.copyto(part, 0, where=self._mask[..., None])

    def _draw(self, height: int, width: int) -> None:
        mask = mask_of(self._polygons, height, width)
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        self._rows, self._columns = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        self._mask, self._size = mask[self._rows, self._columns], (height, width)


def read_area(text: str) -> list[list[float]]:
    """Parse an area from the command line: ``left,top,right,bottom``, or the points of a polygon, ``x,y,x,y,…``."""
    try:
        values = [float(value) for value in text.split(",")]
    except ValueError:
        values = []
    if len(values) == 4:
        left, top, right, bottom = values
        values = [left, top, right, top, right, bottom, left, bottom]
    polygon = [[x, y] for x, y in zip(values[::2], values[1::2], strict=False)]
    inside_picture = all(0 <= value <= 1 for value in values)
    if len(values) < 6 or len(values) % 2 or not inside_picture or doubled_area(polygon) == 0:
        raise ConfigError(
            f"{text!r:.80} is no area; expected left,top,right,bottom or the points x,y,x,y,… of a polygon, 0 to 1 of "
            "the picture's width and height, for example 0.1,0.2,0.4,0.6"
        )
    return polygon


def doubled_area(polygon: Sequence[Sequence[float]]) -> float:
    """Return twice the area of a polygon, clockwise or not."""
    shifted = [*polygon[1:], polygon[0]]
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(polygon, shifted, strict=True)))


def mask_of(polygons: Polygons, height: int, width: int) -> npt.NDArray[np.bool_]:
    """Return whether each pixel touches one of the polygons, bool ``(height, width)``."""
    drawn = Image.new("1", (width, height))
    pen = ImageDraw.Draw(drawn)
    for polygon in polygons:
        pen.polygon([(x * (width - 1), y * (height - 1)) for x, y in polygon], fill=1, outline=1)
    return np.asarray(drawn, dtype=bool)


def inside(polygon: npt.NDArray[np.float64], x: float, y: float) -> bool:
    """Return whether a point lies in a polygon ``(n, 2)``, by the edges that a ray from it crosses."""
    ahead = np.roll(polygon, -1, axis=0)
    (x1, y1), (x2, y2) = polygon.T, ahead.T
    crossed = (y1 > y) != (y2 > y)
    at = x1[crossed] + (y - y1[crossed]) / (y2[crossed] - y1[crossed]) * (x2[crossed] - x1[crossed])
    return bool(np.count_nonzero(at > x) % 2)
