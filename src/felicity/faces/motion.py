"""Where a picture moves: a background model on a small grey copy of it.

A mixture of Gaussians for each pixel (Zivkovic 2004, doi 10.1109/ICPR.2004.1333992), so that what sways or flickers
becomes background as what stands still does.
"""

from __future__ import annotations

from datetime import datetime

import cv2
import numpy as np
import numpy.typing as npt

from felicity.faces._image import Image
from felicity.faces.detection import Box

_SIDE = 192  # pixels of the longer side of the small picture
_MEMORY = 10.0  # seconds; what is new becomes background after a tenth of that
_SIGMAS = 4.0  # of a pixel's noise
_LEAST = 3  # pixels of the small picture; smaller specks are rain and noise
_MARGIN = 4  # likewise, around what moves


class Motion:
    """Give it every frame of a fixed camera, in the order of time."""

    def __init__(self) -> None:
        self._size = (0, 0)
        self._last: datetime | None = None
        self._model = self._fresh()
        self._speck = np.ones((_LEAST, _LEAST), np.uint8)
        self._around = np.ones((2 * _MARGIN + 1, 2 * _MARGIN + 1), np.uint8)

    def see(self, image_rgb_u8: Image, time: datetime) -> list[Box]:
        """Return what moves in a picture, uint8 ``(height, width, 3)``, as boxes in its pixels, each with a margin.

        All of the first picture moves, and of one that has another size than the last.
        """
        height, width = image_rgb_u8.shape[:2]
        if (width, height) != self._size:
            self._size, self._model, self._last = (width, height), self._fresh(), None
        mask = self._model.apply(self._small(image_rgb_u8), learningRate=self._rate(time))
        mask = cv2.dilate(cv2.morphologyEx(mask, cv2.MORPH_OPEN, self._speck), self._around)
        _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
        left, top, across, down = stats[1:, :4].T.astype(np.float64)
        fx, fy = width / mask.shape[1], height / mask.shape[0]
        boxes = np.stack([left * fx, top * fy, (left + across) * fx, (top + down) * fy], axis=1)
        return [(float(a), float(b), float(c), float(d)) for a, b, c, d in boxes]

    def _small(self, image: Image) -> npt.NDArray[np.uint8]:
        factor = min(1.0, _SIDE / max(self._size))
        size = max(1, round(self._size[0] * factor)), max(1, round(self._size[1] * factor))
        small = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)  # averaging all pixels would take longest
        return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), dtype=np.uint8)

    def _rate(self, time: datetime) -> float:
        """By seconds, not by frames, so that the model is the same at every frame rate."""
        seconds = _MEMORY if self._last is None else (time - self._last).total_seconds()
        self._last = time
        return min(1.0, max(0.0, seconds / _MEMORY))

    @staticmethod
    def _fresh() -> cv2.BackgroundSubtractorMOG2:
        return cv2.createBackgroundSubtractorMOG2(varThreshold=_SIGMAS**2, detectShadows=False)
