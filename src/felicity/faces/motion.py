"""Motion in a picture: a background model on a small grey copy of it.

The model is a mixture of Gaussians for each pixel (Zivkovic 2004, doi 10.1109/ICPR.2004.1333992), so that swaying and
flickering things become background as still ones do.
"""

from __future__ import annotations

from datetime import datetime

import cv2
import numpy as np

from felicity.faces._image import Image, small_grey
from felicity.faces.detection import Box

_SIDE = 192  # pixels of the longer side of the small picture
_MEMORY = 10.0  # seconds; what is new becomes background after a tenth of that
_SIGMAS = 4.0  # of a pixel's noise
_LEAST = 3  # pixels of the small picture; smaller specks are rain and noise
_MARGIN = 4  # likewise, around what moves


class Motion:
    """Takes every frame of a fixed camera, in the order of time."""

    def __init__(self) -> None:
        self._size = (0, 0)
        self._last: datetime | None = None
        self._model = self._fresh()
        self._speck = np.ones((_LEAST, _LEAST), np.uint8)
        self._around = np.ones((2 * _MARGIN + 1, 2 * _MARGIN + 1), np.uint8)

    def see(self, image_rgb_u8: Image, time: datetime) -> list[Box]:
        """Return the moving parts of a picture, uint8 ``(height, width, 3)``, as boxes in its pixels, with margins.

        All of the first picture moves, and all of one whose size differs from the last.
        """
        height, width = image_rgb_u8.shape[:2]
        if (width, height) != self._size:
            self._size, self._model, self._last = (width, height), self._fresh(), None
        mask = self._model.apply(small_grey(image_rgb_u8, _SIDE), learningRate=self._rate(time))
        mask = cv2.dilate(cv2.morphologyEx(mask, cv2.MORPH_OPEN, self._speck), self._around)
        _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
        left, top, across, down = stats[1:, :4].T.astype(np.float64)
        fx, fy = width / mask.shape[1], height / mask.shape[0]
        boxes = np.stack([left * fx, top * fy, (left + across) * fx, (top + down) * fy], axis=1)
        return [(float(a), float(b), float(c), float(d)) for a, b, c, d in boxes]

    def _rate(self, time: datetime) -> float:
        """Return the learning rate by seconds, so that the model is the same at every frame rate."""
        seconds = _MEMORY if self._last is None else (time - self._last).total_seconds()
        self._last = time
        return min(1.0, max(0.0, seconds / _MEMORY))

    @staticmethod
    def _fresh() -> cv2.BackgroundSubtractorMOG2:
        return cv2.createBackgroundSubtractorMOG2(varThreshold=_SIGMAS**2, detectShadows=False)
