"""Cuts of a film: the new picture has nothing in common with the one before, and stays.

The comparison uses the fine structure of blocks of a small grey picture, by correlation, so that neither the level of
light nor its gradient matters. A cut is abrupt: the picture is calm before and after. A passing bus is not abrupt, and
after a flash the old picture comes back.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum, auto

import cv2
import numpy as np
import numpy.typing as npt

from felicity.faces._image import Image, small_grey
from felicity.faces.conditions import noise

_SIDE = 192  # pixels of the longer side of the quick copy
_WIDTH, _HEIGHT, _BLOCK = 128, 96, 8  # of what is compared, whatever the picture's shape
_TEXTURE = 2.0  # grey values, root mean square of a block's fine structure; below it is noise
_LIT = 24.0  # standard deviation of a picture's grey values; a fainter one has fainter structure, too
_SIGMAS = 3.0  # of the noise of a block's pixels, which are four of the picture's
_ALIKE = 0.7  # correlation of a block with itself a moment later
_LEAST = 10  # blocks with structure, of 48; on an empty wall, one person who moves is all there is to compare
_CUT = 0.75  # share of the blocks with structure that a cut changes
_CALM = 0.5  # share that changes at most from one picture to the next of one scene
_SHIFTED = 0.5  # height of the peak of phase correlation: 0.86 and more if the camera shook, up to 0.25 if cut
_HOLD = timedelta(seconds=0.3)
"""Time within which a flash or a torn picture is over."""
_LONGEST = timedelta(seconds=1.0)
"""Time after which a picture that still changes contains a large moving object."""

Floats = npt.NDArray[np.float32]


class Change(Enum):
    """The change of a scene. ``HELD``: cut or flash, which the next frames decide; search nothing in this frame."""

    NONE = auto()
    HELD = auto()
    CUT = auto()


class Cuts:
    """It takes every frame of one source, in the order of time."""

    def __init__(self) -> None:
        self._scene: Floats | None = None
        self._latest: Floats | None = None
        self._held: datetime | None = None
        self._calm = True

    def see(self, image_rgb_u8: Image, time: datetime) -> Change:
        """Compare a picture, uint8 ``(height, width, 3)`` RGB, with the scene before it."""
        small = cv2.resize(small_grey(image_rgb_u8, _SIDE), (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA)
        now = small.astype(np.float32)
        if self._scene is None or self._latest is None:
            self._scene = self._latest = now
            return Change.NONE
        changed, moved = _changed(self._scene, now), _unlike(self._latest, now)
        self._latest = now
        calm = moved <= _CALM
        if self._held is None:
            if changed < _CUT or not self._calm:
                return self._accept(now, Change.NONE, calm)
            self._held = time
            return Change.HELD
        held = time - self._held
        if changed < _CUT or held < timedelta(0):
            return self._accept(now, Change.NONE, calm)
        if calm and held >= _HOLD:
            return self._accept(now, Change.CUT, calm)
        return self._accept(now, Change.NONE, calm) if held >= _LONGEST else Change.HELD

    def _accept(self, now: Floats, change: Change, calm: bool) -> Change:
        self._scene, self._held, self._calm = now, None, calm
        return change


def _changed(before: Floats, now: Floats) -> float:
    """Return the share of changed blocks with structure, (96, 128) each; 0 if the camera shook."""
    changed = _unlike(before, now)
    return 0.0 if changed >= _CUT and cv2.phaseCorrelate(before, now, _TAPER)[1] > _SHIFTED else changed


def _unlike(before: Floats, now: Floats) -> float:
    """Return the share, 0 if too few blocks have structure."""
    old, new = _structure(before), _structure(now)
    first, second = (np.sqrt((blocks**2).mean(axis=1)) for blocks in (old, new))
    structured = np.maximum(first, second) > _least_texture(before, now)
    if np.count_nonzero(structured) < _LEAST:
        return 0.0
    alike = (old * new).mean(axis=1) / np.maximum(first * second, 1e-6)
    return float(np.mean(alike[structured] < _ALIKE))


def _least_texture(before: Floats, now: Floats) -> float:
    """Return the least structure of a block: less in the dark, where only people would stand out, but above noise."""
    lit = max(float(before.std()), float(now.std())) / _LIT
    if lit >= 1:
        return _TEXTURE
    sigma = max(noise(picture.astype(np.uint8)) for picture in (before, now))
    return min(_TEXTURE, max(_TEXTURE * lit, _SIGMAS * sigma / 2))


def _structure(small: Floats) -> Floats:
    """Return the structure of each block of half the size, (48, 64), beyond a plane."""
    down, right = _HEIGHT // 2, _WIDTH // 2
    half = small.reshape(down, 2, right, 2).mean(axis=(1, 3))
    blocks = half.reshape(down // _BLOCK, _BLOCK, right // _BLOCK, _BLOCK).swapaxes(1, 2).reshape(-1, _BLOCK**2)
    return np.asarray(blocks - (blocks @ _PLANES) @ _PLANES.T, dtype=np.float32)


def _planes() -> Floats:
    down, right = np.mgrid[:_BLOCK, :_BLOCK].reshape(2, -1)
    return np.asarray(np.linalg.qr(np.stack([np.ones_like(down), right, down], axis=1))[0], dtype=np.float32)


_PLANES = _planes()
_TAPER = np.asarray(cv2.createHanningWindow((_WIDTH, _HEIGHT), cv2.CV_32F), dtype=np.float32)
