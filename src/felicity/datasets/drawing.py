"""Drawing before a face: shapes and textures in coordinates of the face, over its crop."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Floats32 = npt.NDArray[np.float32]
Points = Sequence[tuple[float, float]]

FINER = 2
"""Pixels of a drawing for one of the crop, each way."""
MOUTH = (0.0, 1.12), (0.42, 0.2)
"""Centre and half axes of the mouth, in units of ``FaceFrame``."""


@dataclass(frozen=True)
class FaceFrame:
    """Coordinates of a face: the origin lies between the eyes, and their distance is the unit.

    x runs along the eyes to the picture's right, y down the face. ``origin_xy``, ``right_xy``: in the pixels of the
    crop. ``lean``: x of the tip of the nose, which a turned head moves aside with all that lies below the eyes.
    """

    origin_xy: tuple[float, float]
    right_xy: tuple[float, float]
    lean: float = 0.0

    @classmethod
    def of(cls, eyes_xy: npt.ArrayLike, nose_xy: npt.ArrayLike) -> FaceFrame:
        """Return the frame of a face by its eyes, the left one of the picture first, and its nose."""
        eyes, nose = np.asarray(eyes_xy, dtype=float), np.asarray(nose_xy, dtype=float)
        origin, right = eyes.mean(0), eyes[1] - eyes[0]
        lean = float((nose - origin) @ right / (right @ right))
        return cls((float(origin[0]), float(origin[1])), (float(right[0]), float(right[1])), lean)

    @classmethod
    def usual(cls, side: int) -> FaceFrame:
        """Return the frame of most faces that are cut out as FER2013's are, ``side`` pixels wide."""
        return cls((0.5 * side, 0.4 * side), (0.34 * side, 0.0))

    def pixels(self, points: Points, finer: int = 1) -> npt.NDArray[np.float64]:
        """Return points (N, 2) in pixels of a picture ``finer`` times as large as the crop."""
        given = np.asarray(points, dtype=float)
        x = given[:, 0] + self.lean * np.clip(given[:, 1] / 0.6, 0, 1.2)
        (ox, oy), (rx, ry) = self.origin_xy, self.right_xy
        found = np.stack([ox + x * rx - given[:, 1] * ry, oy + x * ry + given[:, 1] * rx], axis=1)
        return (found + 0.5) * finer - 0.5


@dataclass
class Drawing:
    """A drawing over a crop: ``cover`` (S, S), its part of each pixel (0 to 1), and its ``shade`` (0 to 255).

    ``pictures``: other crops, uint8 (N, s, s), that lend their textures. ``skin``: shade of the face. ``hides``: what
    is laid now hides what is behind it, and counts in ``hidden``; False for shadows and parts of the face itself.
    """

    frame: FaceFrame
    side: int
    rng: np.random.Generator
    pictures: Image = field(repr=False)
    skin: float = 128.0
    hides: bool = True
    cover: Floats32 = field(init=False, repr=False)
    shade: Floats32 = field(init=False, repr=False)
    hidden: Floats32 = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.cover = np.zeros((self.side * FINER,) * 2, dtype=np.float32)
        self.shade, self.hidden = np.zeros_like(self.cover), np.zeros_like(self.cover)

    def some(self, low: float, high: float) -> float:
        """Return a number between two."""
        return float(self.rng.uniform(low, high))

    def chance(self, share: float) -> bool:
        """Return True with the probability ``share``."""
        return bool(self.rng.random() < share)

    def patch(
        self, points: Points, texture: Floats32 | float, *, round_off: float = 0.0, strength: float = 1.0
    ) -> None:
        """Lay a polygon over what is there, with rounded corners; ``round_off`` in units of the frame."""
        mask = np.zeros(self.cover.shape, dtype=np.uint8)
        cv2.fillPoly(mask, [self._fixed(points)], 255, lineType=cv2.LINE_AA, shift=4)
        if round_off:
            sigma = max(0.3, round_off * self._unit())
            mask = np.asarray(np.clip((cv2.GaussianBlur(mask, (0, 0), sigma).astype(float) - 96) * 4, 0, 255), np.uint8)
        self._lay(mask, texture, strength)

    def stroke(self, points: Points, width: float, texture: Floats32 | float, *, strength: float = 1.0) -> None:
        """Lay a line of this width, in units of the frame, with round ends."""
        mask = np.zeros(self.cover.shape, dtype=np.uint8)
        thick = max(1, round(width * self._unit()))
        cv2.polylines(mask, [self._fixed(points)], False, 255, thick, cv2.LINE_AA, 4)
        self._lay(mask, texture, strength)

    def clear(self, points: Points) -> None:
        """Take away what lies within a polygon."""
        mask = np.zeros(self.cover.shape, dtype=np.uint8)
        cv2.fillPoly(mask, [self._fixed(points)], 1, shift=4)
        free = cv2.GaussianBlur(1 - mask.astype(np.float32), (0, 0), 1.5)
        self.cover, self.hidden = self.cover * free, self.hidden * free

    def ellipse(self, centre: tuple[float, float], axes: tuple[float, float], texture: Floats32 | float) -> None:
        """Lay an ellipse."""
        self.patch(ring(centre, axes), texture)

    def cloth(self, shade: float | None = None) -> Floats32:
        """Return a texture: plain, striped, chequered, dotted, or of another picture, with folds, light and noise."""
        base = self.some(10, 250) if shade is None else shade
        other = float(np.clip(base + self.rng.choice([-1, 1]) * self.some(20, 120), 0, 255))
        size = len(self.cover)
        y, x = (each / FINER for each in _grid(size))
        turn = self.some(0, math.pi)
        along, across = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
        step = self.some(2, 9)
        match int(self.rng.choice(6, p=[0.5, 0.1, 0.08, 0.08, 0.2, 0.04])):
            case 0:
                texture = np.full((size, size), base, dtype=np.float32)
            case 1:
                texture = np.where(np.sin(along * 2 * math.pi / step) > self.some(-0.8, 0.8), base, other)
            case 2:
                texture = np.where(np.sin(along * math.pi / step) * np.sin(across * math.pi / step) > 0, base, other)
            case 3:
                dots = np.hypot((along % step) - step / 2, (across % step) - step / 2) < step * self.some(0.2, 0.4)
                texture = np.where(dots, other, base)
            case 4:
                texture = self._borrowed()
            case _:
                coarse = self.rng.uniform(0, 255, (int(self.rng.integers(3, 12)),) * 2).astype(np.float32)
                texture = np.asarray(cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC))
        return self.lit(texture.astype(np.float32))

    def lit(self, texture: Floats32 | float) -> Floats32:
        """Return a texture with soft folds, light from a side and the grain of a weave."""
        size = len(self.cover)
        folds = self.rng.normal(0, 1, (int(self.rng.integers(2, 7)), int(self.rng.integers(2, 7)))).astype(np.float32)
        folds = np.asarray(cv2.resize(folds, (size, size), interpolation=cv2.INTER_CUBIC))
        centre = self.frame.pixels([(0, 1.0)], FINER)[0]
        y, x = _grid(size)
        x, y = (x - centre[0]) / self._unit(), (y - centre[1]) / self._unit()
        light = (
            1 - self.some(0, 0.35) * (x**2 + y**2).clip(0, 2) / 2 + self.some(-0.3, 0.3) * x + self.some(-0.2, 0.2) * y
        )
        grain = self.grain(self.some(0, 5))
        return np.asarray((texture * light.clip(0.3, 1.6) + folds * self.some(0, 14) + grain).clip(0, 255), np.float32)

    def grain(self, deviation: float) -> Floats32:
        """Return noise of this standard deviation for each pixel."""
        return self.rng.standard_normal(self.cover.shape, dtype=np.float32) * np.float32(deviation)

    def mouth_hidden(self) -> float:
        """Return the share of the mouth that is hidden."""
        mask = np.zeros(self.cover.shape, dtype=np.uint8)
        cv2.fillPoly(mask, [self._fixed(ring(*MOUTH))], 1, shift=4)
        return float(self.hidden[mask > 0].mean()) if mask.any() else 0.0

    def over(self, crop: Image) -> Image:
        """Return the crop, uint8 (s, s), with the drawing before it; edges as soft as the crop's own."""
        blur, size = self.some(0, 0.5) * FINER, (self.side, self.side)

        def coarse(fine: Floats32) -> Floats32:
            soft = cv2.GaussianBlur(fine, (0, 0), blur) if blur > 0.6 else fine
            return np.asarray(cv2.resize(soft, size, interpolation=cv2.INTER_AREA), dtype=np.float32)

        together = crop * (1 - coarse(self.cover)) + coarse(self.shade * self.cover)
        return np.asarray(np.rint(together).clip(0, 255), dtype=np.uint8)

    def _borrowed(self) -> Floats32:
        source = self.pictures[int(self.rng.integers(len(self.pictures)))]
        side = int(self.rng.integers(len(source) // 4, len(source) + 1))
        top, left = (int(self.rng.integers(0, len(source) - side + 1)) for _ in range(2))
        part = np.rot90(source[top : top + side, left : left + side], int(self.rng.integers(4)))
        size = len(self.cover)
        return np.asarray(
            cv2.resize(np.ascontiguousarray(part), (size, size), interpolation=cv2.INTER_LINEAR), np.float32
        )

    def _unit(self) -> float:
        return math.hypot(*self.frame.right_xy) * FINER

    def _fixed(self, points: Points) -> npt.NDArray[np.int32]:
        return np.rint(self.frame.pixels(points, FINER) * 16).astype(np.int32)

    def _lay(self, mask: Image, texture: Floats32 | float, strength: float) -> None:
        cover = mask.astype(np.float32) * (strength / 255)
        together = cover + self.cover * (1 - cover)
        behind = self.shade * self.cover * (1 - cover)
        self.shade = (texture * cover + behind) / np.maximum(together, np.float32(1e-6))
        self.cover = together
        if self.hides:
            self.hidden = cover + self.hidden * (1 - cover)


@lru_cache(maxsize=4)
def _grid(size: int) -> tuple[Floats32, Floats32]:
    y, x = np.mgrid[:size, :size].astype(np.float32)
    return y, x


def ring(centre: tuple[float, float], axes: tuple[float, float], corners: int = 24) -> Points:
    """Return the corners of an ellipse."""
    turns = [2 * math.pi * i / corners for i in range(corners)]
    return [(centre[0] + axes[0] * math.cos(t), centre[1] + axes[1] * math.sin(t)) for t in turns]
