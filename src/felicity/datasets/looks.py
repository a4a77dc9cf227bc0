"""Looks: features of an image that copies of one photograph share, and photographs of different people do not.

A look is the picture within its surround, at 32x32, filtered to the details between an eye's corner and a cheek, each
region with the same contrast. Light, compression and size hardly change it. A surround is a nearly constant area that
touches the border: black around an aligned face, a white wall. It is left out, because it is alike in pictures of
different people.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

SIDE = 32
FINE, COARSE = 0.8, 5.0
"""Standard deviations in pixels: details finer than the first and shades coarser than the second are left out."""
NEARLY = 12
"""Grey levels by which a surround may differ from its own median."""
LEAST_BORDER = 0.6
"""Least share of the border in a surround."""
LEAST_AREA, MOST_AREA = 0.02, 0.65
"""Least and greatest share of the picture in a surround."""
QUIET = 4.0
"""Grey levels of local contrast that count as noise."""
STEPS = 32
"""Steps of a look for one local standard deviation."""

Look = npt.NDArray[np.int8]


def look(gray: npt.NDArray[np.uint8]) -> Look:
    """Return the look of a grey image ``(height, width)``: int8 ``(1024,)``, 0 within the surround."""
    interpolation = cv2.INTER_AREA if min(gray.shape) >= SIDE else cv2.INTER_LINEAR
    small = np.asarray(cv2.resize(gray, (SIDE, SIDE), interpolation=interpolation), dtype=np.uint8)
    inner = inner_of(small)
    weight = np.maximum(_blurred(inner, COARSE), np.float32(1e-3))
    picture = np.asarray(small * inner, dtype=np.float32)
    fine = _blurred(picture, FINE) / np.maximum(_blurred(inner, FINE), np.float32(1e-3))
    details = np.asarray((fine - _blurred(picture, COARSE) / weight) * inner, dtype=np.float32)
    contrast = np.sqrt(_blurred(details * details, COARSE) / weight)
    steps = np.round(details / (contrast + QUIET) * STEPS)
    return np.clip(steps, -127, 127).astype(np.int8).ravel()


def inner_of(gray: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return 1 for each pixel of the picture and 0 for its surround, ``(height, width)``; all 1 without a surround."""
    inner = np.ones(gray.shape, np.float32)
    border = np.concatenate([gray[0], gray[-1], gray[1:-1, 0], gray[1:-1, -1]])
    near = np.convolve(np.bincount(border, minlength=256), np.ones(2 * NEARLY + 1), "same")
    most = border[np.abs(border.astype(np.int16) - int(near.argmax())) <= NEARLY]
    if len(most) < LEAST_BORDER * len(border):
        return inner
    same = np.abs(gray.astype(np.float32) - np.median(most)) <= NEARLY
    count, parts = cv2.connectedComponents(same.astype(np.uint8), connectivity=4)
    touches = np.zeros(count, dtype=np.bool_)
    touches[np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])] = True
    touches[0] = False  # drops the pixels that lack the surround's shade
    surround = touches[parts]
    if LEAST_AREA < surround.mean() < MOST_AREA:
        inner[cv2.dilate(surround.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0] = 0
    return inner


def _blurred(values: npt.NDArray[np.float32], deviation: float) -> npt.NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), deviation), dtype=np.float32)
