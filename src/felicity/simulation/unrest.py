"""The moving things in a street besides people: a tree in the wind, a screen, rain, and sudden changes of light."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]

_LIGHT_SECONDS, _LIGHTS = 6.0, (0.7, 1.25)
_SCREEN_SECONDS = 1.5
_DROPS = 120
_SWAY, _SWAYS_PER_SECOND = 6.0, 0.7  # pixels, and how often


class Unrest:
    """The same disturbance at a time, whatever the frame rate; rain is new in every frame.

    ``width`` and ``height``: of the pictures, in pixels. The tree stands on the left, the screen hangs on the right.
    """

    def __init__(self, width: int, height: int, rng: np.random.Generator) -> None:
        self._size, self._rng = (width, height), rng
        rough = rng.uniform(40, 120, (height // 8, width // 24, 3)).astype(np.float32)
        self._tree = np.asarray(cv2.resize(rough, (width // 6, int(0.7 * height)), interpolation=cv2.INTER_CUBIC))
        self._lights = rng.uniform(*_LIGHTS, 997)
        self._tones = rng.uniform(30, 230, (997, 3))

    def behind(self, background: Image, second: float) -> Image:
        """Return the background, uint8 ``(height, width, 3)``, with tree and screen at that time."""
        image = background.copy()
        width, height = self._size
        x = int(0.05 * width + _SWAY * (1 + np.sin(2 * np.pi * _SWAYS_PER_SECOND * second)))
        image[: self._tree.shape[0], x : x + self._tree.shape[1]] = self._tree
        tone = self._tones[int(second / _SCREEN_SECONDS) % len(self._tones)]
        image[int(0.05 * height) : int(0.25 * height), int(0.7 * width) : int(0.95 * width)] = tone
        return image

    def before(self, image: Image, second: float) -> Image:
        """Return the picture in the light of that time, with rain."""
        lit = image * self._lights[int(second / _LIGHT_SECONDS) % len(self._lights)]
        wet = np.asarray(lit.clip(0, 255), dtype=np.uint8)
        width, height = self._size
        drops = wet.copy()
        for x, y, length in zip(
            self._rng.integers(width, size=_DROPS),
            self._rng.integers(height, size=_DROPS),
            self._rng.integers(6, 16, size=_DROPS),
            strict=True,
        ):
            cv2.line(drops, (int(x), int(y)), (int(x) - 1, int(y + length)), (225, 225, 230), 1)
        return np.asarray(cv2.addWeighted(wet, 0.6, drops, 0.4, 0), dtype=np.uint8)
