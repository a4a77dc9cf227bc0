"""The shift of a part of a picture against an earlier one, and the apparent shift that noise causes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
import numpy.typing as npt

from felicity.faces._image import Image
from felicity.faces.detection import Box

Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]

_SIDE = 32  # pixels of the longer side on which a part is compared
_SMOOTH = 1.0  # of those; least squares wants slopes, not pixels
_NOISE_SLOPE = 0.158  # squared slope of noise smoothed so, by the variance of the difference of two pictures
_LEAST_OWN = 1 / 3  # of the squared slopes of a part; where noise has more, it tells nothing
_UNTOLD = 1e6
_POINTS = 80
_FEWEST = 8  # points that a shift is seen by
_BACK = 0.5  # pixels; a point that is followed to and fro comes back to where it was
_FARTHEST = 0.1  # of the height of a picture; what is further is another view
_SURE = 4.0  # standard errors from which a camera is taken to have moved; most are fixed


@dataclass(frozen=True)
class Shift:
    """A shift ``by`` (2,): right and down, in pixels.

    ``spread`` (2, 2): its covariance for noise of variance 1. ``told``: number of directions in which it is known, 0 to
    2; an edge does not show shifts along it. ``noise``: variance that the shift and a change of light do not explain.
    """

    by: Floats
    spread: Floats
    told: int
    noise: float


@dataclass(frozen=True)
class Reference:
    """An earlier part of a picture, in grey values; ``pixels``: pixels of the picture per compared pixel."""

    pixels: float
    look: Floats32
    _place: Floats
    _solve: Floats
    _slopes: tuple[Floats, Floats]

    @property
    def slope(self) -> float:
        """Return the steepest direction's root mean square of slopes, grey values per pixel of the picture."""
        return float(np.sqrt(max(0.0, self._slopes[0].max()) / self.look.size)) / self.pixels

    @classmethod
    def of(cls, grey: Image, box: Box) -> Self:
        """Return the reference for a box of a picture, uint8 ``(height, width)``."""
        width, height = box[2] - box[0], box[3] - box[1]
        pixels = max(1.0, max(width, height) / _SIDE)
        across, down = max(8, round(width / pixels)), max(8, round(height / pixels))
        fx, fy = width / across, height / down
        place = np.array([[fx, 0, box[0] + (fx - 1) / 2], [0, fy, box[1] + (fy - 1) / 2]])
        look = _sampled(grey, place, (across, down), pixels)
        slope_down, slope_right = np.gradient(look)
        y, x = np.mgrid[:down, :across]
        # A change of light is a gain, a level and a slope of it.
        columns = [-slope_right, -slope_down, look - look.mean(), np.ones_like(look), x - across / 2, y - down / 2]
        design = np.stack([column[1:-1, 1:-1].ravel() for column in columns], axis=1).astype(np.float64)
        inverse = np.linalg.inv(design.T @ design + 1e-3 * np.eye(6))
        slopes, directions = np.linalg.eigh(np.linalg.inv(inverse[:2, :2]))
        return cls(pixels, look, place, np.vstack([inverse @ design.T, design.T]), (slopes, directions))

    def shift(self, grey: Image, camera: Floats) -> Shift:
        """Compare with a later picture of a camera that has shifted by ``camera`` (2,), which the result excludes."""
        place = self._place + np.array([[0, 0, camera[0]], [0, 0, camera[1]]])
        now = _sampled(grey, place, (self.look.shape[1], self.look.shape[0]), self.pixels)
        change = (now - self.look)[1:-1, 1:-1].ravel().astype(np.float64)
        answer = self._solve[:6] @ change
        left = change - self._solve[6:].T @ answer
        noise = float(left @ left) / max(1, len(left) - 6)
        # Noise has slopes, too, which do not shift: what they add is taken out, and with it that shifts look too small.
        slopes, directions = self._slopes
        own = slopes - _NOISE_SLOPE * noise * len(left)
        told = own > _LEAST_OWN * slopes
        own = np.where(told, own, slopes)
        by = directions @ np.where(told, slopes / own * (directions.T @ answer[:2]), 0.0)
        spread = directions @ np.diag(np.where(told, slopes / own**2, _UNTOLD)) @ directions.T
        return Shift(by * self.pixels, spread * self.pixels**2, int(told.sum()), noise)


def camera_shift(before: Image, now: Image, where: Image) -> Floats:
    """Return the shift (2,) in pixels of a picture as a whole; 0 unless it is certain.

    ``where``: uint8 like the pictures, 0 at people. Light that changes over plain walls looks like a shift, so both
    pictures are brought to the same light, and points that do not return to their place are left out.
    """
    none = np.zeros(2)
    corners = cv2.goodFeaturesToTrack(before, _POINTS, 0.01, 8, mask=where, blockSize=5)
    if corners is None or len(corners) < _FEWEST:
        return none
    lit = np.asarray(cv2.convertScaleAbs(now, alpha=float(before.mean()) / max(1.0, float(now.mean()))), dtype=np.uint8)
    points = np.asarray(corners, dtype=np.float32)
    found = _followed(before, lit, points)
    back = _followed(lit, before, found)
    by = (found - points).reshape(-1, 2)
    by = by[np.hypot(*(back - points).reshape(-1, 2).T) < _BACK]
    if len(by) < max(_FEWEST, len(points) / 2):
        return none
    middle = np.median(by, axis=0)
    error = 1.25 * 1.48 * np.median(np.abs(by - middle), axis=0) / np.sqrt(len(by))
    sure = (np.abs(middle) > _SURE * error + 0.1).any() and np.hypot(*middle) < _FARTHEST * len(before)
    return np.asarray(middle, dtype=np.float64) if sure else none


def _followed(before: Image, now: Image, points: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    found, _, _ = cv2.calcOpticalFlowPyrLK(before, now, points, None, winSize=(15, 15), maxLevel=3)  # type: ignore[call-overload]
    return np.asarray(found, dtype=np.float32)


def _sampled(grey: Image, place: Floats, size_wh: tuple[int, int], pixels: float) -> Floats32:
    """Return a part of a picture at the compared size, smoothed."""
    left, top = place[:, 2]
    right, bottom = place @ (*size_wh, 1.0)
    room = 4 * pixels
    x, y = max(0, int(left - room)), max(0, int(top - room))
    part = grey[y : max(y + 1, int(bottom + room)), x : max(x + 1, int(right + room))].astype(np.float32)
    if part.size == 0:
        return np.zeros(size_wh[::-1], np.float32)
    smooth = cv2.GaussianBlur(part, (0, 0), _SMOOTH * pixels)
    inside = place - np.array([[0, 0, x], [0, 0, y]])
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(smooth, inside, size_wh, flags=how, borderMode=cv2.BORDER_REPLICATE), np.float32)
