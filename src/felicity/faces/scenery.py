"""The parts of a picture that do not live: how far a camera has shifted since, and the apparent shift by noise.

Parts without people come first. Where they show less than a face does, as a plain wall, the bodies below the heads join
them: whatever a camera's shaking or video coding does to a face, it does to a collar, too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import cv2
import numpy as np

from felicity.faces._image import Image
from felicity.faces.detection import Box
from felicity.faces.shift import Floats, Reference, Shift, camera_shift

_LEAST_VARIANCE = 0.09  # of a grey value; coded video is without noise where nothing was sent
_MEDIAN = {1: 0.455, 2: 1.386}  # of the squared length of so many normal numbers
_ROUNDS = 4  # of weighing parts by how well they agree
_PART, _PARTS, _GRID = 32, 24, 12  # pixels of a part, how many are compared, and how many there are across
_AS_CLEAR = 0.5  # of the slopes of a face; what is fainter is left as it was by video coding
_ENOUGH = 6  # parts as clear as that
_FINE = 4.0  # pixels of sigma; what is coarser may be light
_RECENT = 8  # comparisons from which the error is known; coded video is still between two key frames
_SURE = 16.0  # squared standard errors from which a camera is taken to have moved; most are fixed


class Anchor:
    """A picture to compare later ones with. ``people``: boxes of the faces that are known in it.

    ``by_bodies``: its parts are bodies, too, so that whoever glides along looks like a shaken camera.
    """

    def __init__(self, grey: Image, time: datetime, people: Iterable[Box]) -> None:
        self.grey, self.time = grey, time
        self.free, self.parts = np.empty(0, np.uint8), list[Reference]()
        self.by_bodies = False
        self._people, self._chosen = list(people), False

    def choose(self, people: Iterable[Box], clearness: float) -> None:
        """Choose the parts, once; ``people``: faces that were found later, ``clearness``: of the faces' slopes."""
        if self._chosen:
            return
        self._chosen = True
        boxes = [*self._people, *people]
        self.free = _without(self.grey.shape, boxes, below=6.0, beside=1.0)
        parts = _textured(self.grey, self.free)
        clear = [part for part in parts if part.slope > _AS_CLEAR * clearness]
        if len(clear) < _ENOUGH:
            heads = _without(self.grey.shape, boxes, below=0.7, beside=0.6)
            bodies = [part for part in _textured(self.grey, heads, _PART // 2) if part.slope > _AS_CLEAR * clearness]
            if len(bodies) > len(clear):
                self.free, clear, self.by_bodies = heads, bodies, True
        self.parts = clear or parts


@dataclass(frozen=True)
class Error:
    """The effect of noise: variance of a grey value, factor by which shifts scatter more, and variance of the residual.

    The residual is that of a noisy part.
    """

    variance: float = 1.0
    excess: float = 1.0
    rest: float = 1.0

    @property
    def per_spread(self) -> float:
        """Return the variance of a shift by its spread."""
        return self.variance * self.excess


@dataclass(frozen=True)
class Moved:
    """The shift of the camera: ``shift`` (2,), and ``off`` (2,) beyond it with its covariance ``spread`` by noise."""

    shift: Floats
    off: Floats
    spread: Floats
    error: Error


class Scenery:
    """Compares pictures of one camera with anchors, in the order of time, and learns how noisy it is."""

    def __init__(self) -> None:
        self._errors: deque[Error] = deque(maxlen=_RECENT)

    def moved(self, anchor: Anchor, grey: Image) -> Moved:
        """Return how far a picture, uint8 ``(height, width)``, has shifted against an anchor of the same size."""
        shift, found = _best_shift(anchor, grey)
        telling = [part for part in found if part.told]
        off, spread = _together(telling) if telling else (np.zeros(2), np.zeros((2, 2)))
        error = self._error(found, off)
        if not shift.any() and off @ np.linalg.pinv(error.per_spread * spread) @ off < _SURE:
            off, spread = np.zeros(2), np.zeros((2, 2))
        return Moved(shift, off, spread, error)

    def _error(self, found: Sequence[Shift], off: Floats) -> Error:
        """Return the amount of noise, now and shortly before."""
        if found:
            middle, rest = np.percentile([part.noise for part in found], [50, 80])
            variance = max(_LEAST_VARIANCE, float(middle))
            lengths = [_length(part, off) for part in found if part.told]
            excess = float(np.median(lengths)) / variance if lengths else 1.0
            self._errors.append(Error(variance, max(1.0, excess), max(variance, float(rest))))
        if not self._errors:
            return Error()
        all_errors = np.array([(e.variance, e.excess, e.rest) for e in self._errors])
        return Error(*np.maximum(all_errors[-1], np.percentile(all_errors, 75, axis=0)).tolist())


def _best_shift(anchor: Anchor, grey: Image) -> tuple[Floats, list[Shift]]:
    """Return the shift of the camera, and the shifts of parts beyond it; changing light can look like a shift."""
    found = [part.shift(grey, np.zeros(2)) for part in anchor.parts]
    shift = camera_shift(anchor.grey, grey, anchor.free)
    if shift.any():
        moved = [part.shift(grey, shift) for part in anchor.parts]
        if sum(there.noise < here.noise for here, there in zip(found, moved, strict=True)) > 0.6 * len(found):
            return shift, moved
    return np.zeros(2), found


def _length(part: Shift, off: Floats) -> float:
    """Return the squared distance of a part, in units of the median for noise of variance 1."""
    by = part.by - off
    return float(by @ np.linalg.solve(part.spread, by)) / _MEDIAN[part.told]


def _together(found: Sequence[Shift]) -> tuple[Floats, Floats]:
    """Return the shift (2,) on which parts agree, and its covariance (2, 2) for noise of variance 1.

    Each part counts in the directions in which it shows a shift, and less the further it is off (Cauchy weights).
    """
    told = np.array([np.linalg.inv(part.spread) for part in found])
    by = np.array([part.by for part in found])
    noise = float(np.median([part.noise for part in found]))
    weight = np.ones(len(found))
    for _ in range(_ROUNDS):
        spread = np.linalg.inv((weight[:, None, None] * told).sum(0))
        off = spread @ np.einsum("n,nij,nj->i", weight, told, by)
        scale = max(_LEAST_VARIANCE, noise, float(np.median([_length(part, off) for part in found])))
        weight = np.array([1 / (1 + _length(part, off) / scale / 4) for part in found])
    return off, spread


def _without(shape: tuple[int, ...], faces: Iterable[Box], *, below: float, beside: float) -> Image:
    """Return 255 where no face is, uint8 ``shape``, nor what is so many face sides below or beside it."""
    free = np.full(shape, 255, np.uint8)
    for left, top, right, bottom in faces:
        side = max(right - left, bottom - top)
        rows = slice(max(0, round(top - 0.7 * side)), max(0, round(bottom + below * side)))
        free[rows, max(0, round(left - beside * side)) : max(0, round(right + beside * side))] = 0
    return free


def _textured(grey: Image, free: Image, side: int = _PART) -> list[Reference]:
    """Return the parts of a picture that show shifts best, of a grid, all of them free."""
    height, width = grey.shape
    grid = _GRID * _PART // side
    side = min(side, height // 4, width // 4)
    places = [
        (x, y)
        for y in range(0, height - side + 1, max(side, height // grid))
        for x in range(0, width - side + 1, max(side, width // grid))
        if free[y : y + side, x : x + side].all()
    ]
    smooth = np.asarray(cv2.GaussianBlur(grey, (0, 0), _FINE), dtype=np.float32)
    fine = np.abs(np.asarray(cv2.GaussianBlur(grey, (0, 0), 1.0), dtype=np.float32) - smooth)
    places.sort(key=lambda place: -float(fine[place[1] : place[1] + side, place[0] : place[0] + side].std()))
    return [Reference.of(grey, (x, y, x + side, y + side)) for x, y in places[:_PARTS]]
