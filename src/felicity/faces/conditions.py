"""The seeing conditions of a source's pictures: light, contrast, sharpness, noise, and whether they still change."""

from __future__ import annotations

from datetime import datetime, timedelta

import cv2
import numpy as np
import numpy.typing as npt

from felicity.faces._image import Image, scaled
from felicity.windows.looks import Conditions, Look, Unfit

Grey = npt.NDArray[np.uint8]

MEASURED_APART = timedelta(seconds=1)
"""Time between two measurements, because the conditions of a scene hardly change from frame to frame."""
FROZEN = timedelta(seconds=2)
"""Time after which an unchanged picture is frozen: noise or video coding changes a real camera's pictures sooner."""
LEAST_CONTRAST = 15.0
"""Least contrast in grey levels; below it, detectors miss more than a tenth of the faces (``docs/seeing.md``)."""
LEAST_CLARITY = 4.0
"""Least contrast of a picture or face in multiples of the noise.

Below it, detectors miss one expression more often than another.
"""

_SPARSE = 4  # of rows and columns that are compared; the smallest block that video is coded in has 4 by 4
_SIDE = 480  # pixels of the longer side on which sharpness is measured: there, faces have the size of the networks'
_BAND, _BANDS_APART = 8, 64  # rows in which noise is measured; all of a large picture would take longest
_CURVED = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.int16)
_TO_SIGMA = 0.6745 * 6  # median of |x| for a normal x, and the norm of the kernel


class Eyesight:
    """Takes every frame of one source, in the order of time. ``stills``: each picture stands by itself."""

    def __init__(self, *, stills: bool = False) -> None:
        self._stills = stills
        self._sample: Grey | None = None
        self._same_since: datetime | None = None
        self._measured: datetime | None = None
        self._unfit: Unfit | None = None
        self.noise = 0.0
        """The noise of the last measured picture, in grey levels."""

    def look(self, image_rgb_u8: Image, time: datetime) -> Look:
        """Return the look of a picture, uint8 ``(height, width, 3)`` RGB, which is not changed."""
        repeated = not self._stills and self._is_repeated(image_rgb_u8)
        if not repeated or self._same_since is None:
            self._same_since = time
        frozen = repeated and time - self._same_since >= FROZEN
        if not (self._measured is None or self._stills or not timedelta(0) <= time - self._measured < MEASURED_APART):
            return Look(repeated, frozen, self._unfit)
        conditions = measure(image_rgb_u8)
        self._measured, self.noise = time, conditions.noise
        self._unfit = unfit(conditions.contrast, conditions.noise)
        return Look(repeated, frozen, self._unfit, conditions)

    def _is_repeated(self, image: Image) -> bool:
        sample = image[::_SPARSE, ::_SPARSE, 1].copy()
        before, self._sample = self._sample, sample
        return before is not None and np.array_equal(before, sample)


def measure(image_rgb_u8: Image) -> Conditions:
    """Measure a picture, uint8 ``(height, width, 3)`` RGB. The green channel serves as grey values."""
    green = np.ascontiguousarray(image_rgb_u8[:, :, 1])
    sigma = noise(green)
    small, scale, _ = scaled(green, min(1.0, _SIDE / max(green.shape)))
    brightness, contrast = float(small.mean()), float(small.std())
    # Noise is fine detail, too: 20 is the square of the norm of the Laplacian's kernel.
    detail = float(cv2.Laplacian(small, cv2.CV_32F).var()) - 20 * (sigma * scale) ** 2
    return Conditions(brightness, contrast, max(0.0, detail) ** 0.5 / contrast if contrast > 1 else 0.0, sigma)


def noise(grey: Grey) -> float:
    """Return the standard deviation of a pixel's noise in a picture, uint8 ``(height, width)``, in grey levels.

    The kernel of Immerkær 1996 (doi 10.1006/cviu.1996.0060) ignores slopes and edges of the picture itself, and the
    median of its outputs ignores most of their rest. Noise that video coding has smoothed away is not measured.
    """
    height, width = grey.shape
    if min(height, width) < 3:
        return 0.0
    if height > 2 * _BANDS_APART:
        rows = height // _BANDS_APART
        grey = grey[: rows * _BANDS_APART].reshape(rows, _BANDS_APART, width)[:, :_BAND].reshape(-1, width)
    curved = cv2.filter2D(grey, cv2.CV_16S, _CURVED)[1:-1, 1:-1]
    counts = np.bincount(np.abs(curved).ravel())
    middle = np.searchsorted(np.cumsum(counts), curved.size / 2)
    # Whole grey levels make steps of the median; a part of the step is where half of the pixels are reached.
    below = float(counts[:middle].sum())
    inside = (curved.size / 2 - below) / max(1.0, float(counts[middle]))
    return max(0.0, float(middle) - 0.5 + inside) / _TO_SIGMA


def unfit(contrast: float, sigma: float) -> Unfit | None:
    """Return why faces are missed in a picture of such contrast and noise; None if they are not."""
    if contrast < LEAST_CONTRAST:
        return "faint"
    return "noisy" if contrast < LEAST_CLARITY * sigma else None
