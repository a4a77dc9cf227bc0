"""The quality gate: it decides which faces are good enough to be judged."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from felicity.errors import ConfigError
from felicity.faces._image import Image, scaled
from felicity.faces.conditions import LEAST_CLARITY, Grey
from felicity.faces.detection import Detection

Reason = Literal["small", "blurred", "turned", "doubtful", "faint", "noisy"]
_SIZE = 48  # pixels of the square on which sharpness is measured


@dataclass(frozen=True)
class FaceQuality:
    """``quality``: 0 if rejected, else up to 1 for a large, sharp, frontal face; ``rejected``: the reason or None."""

    quality: float
    rejected: Reason | None = None


@dataclass(frozen=True)
class QualityGate:
    """Lets a face pass, or returns the reason of refusal. None in place of a threshold switches it off.

    ``min_side``: longer side of the box, in pixels (``small``). ``min_sharpness``: see ``sharpness`` (``blurred``).
    ``max_yaw`` and ``max_roll``: see ``yaw`` and ``roll``, if the detector gives eyes and nose (``turned``).
    ``min_contrast``: standard deviation of the face's grey levels (``faint``); ``min_clarity``: the same in multiples
    of the noise of the picture (``noisy``). ``doubtful``: accept faces of which the detector itself is not sure.

    ``benchmarks/quality_thresholds.py`` measured the thresholds on 1,500 labelled faces that the network was not fitted
    to: happy against not happy, mean of recall and specificity. Unchanged faces give 95.2 %; each threshold lies where
    about 3 points of it are lost. Faces shrunk to 24, 20, 18 and 14 pixels give 93.5, 91.9, 91.3 and 86.0 %. Faces
    blurred to a median sharpness of 0.28, 0.22, 0.18 and 0.14 give 94.2, 92.7, 91.4 and 87.7 %. Up to a yaw of 0.5
    nothing certain is lost; few labelled faces are turned further, so the limit lies a little above.
    ``benchmarks/seeing.py`` measures contrast and clarity; ``docs/seeing.md`` has the figures.
    """

    min_side: float | None = 20.0
    min_sharpness: float | None = 0.19
    max_yaw: float | None = 0.6
    max_roll: float | None = 50.0
    min_contrast: float | None = 2.0
    min_clarity: float | None = LEAST_CLARITY
    doubtful: bool = False

    def __post_init__(self) -> None:
        for name in ("min_side", "min_sharpness", "max_yaw", "max_roll", "min_contrast", "min_clarity"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ConfigError(f"the quality gate's {name} must be a positive number or None, not {value}")

    def judge(self, image_rgb_u8: Image, detection: Detection, *, noise: float = 0.0) -> FaceQuality:
        """Judge one face of a picture, uint8 ``(height, width, 3)`` RGB, which is not changed.

        ``noise``: of the picture, in grey levels (``faces.conditions.noise``).
        """
        if detection.doubtful and not self.doubtful:
            return FaceQuality(0.0, "doubtful")
        if self.min_side is not None and detection.side < self.min_side:
            return FaceQuality(0.0, "small")
        turn, tilt = abs(yaw(detection)), abs(roll(detection))
        if (self.max_yaw is not None and turn > self.max_yaw) or (self.max_roll is not None and tilt > self.max_roll):
            return FaceQuality(0.0, "turned")
        contrast = _contrast(_grey(image_rgb_u8, detection))
        if self.min_contrast is not None and contrast < self.min_contrast:
            return FaceQuality(0.0, "faint")
        if self.min_clarity is not None and contrast < self.min_clarity * noise:
            return FaceQuality(0.0, "noisy")
        sharp = sharpness(image_rgb_u8, detection)
        if self.min_sharpness is not None and sharp < self.min_sharpness:
            return FaceQuality(0.0, "blurred")
        size = min(1.0, detection.side / _SIZE)
        return FaceQuality(size * min(1.0, sharp) / (1.0 + turn))


def yaw(detection: Detection) -> float:
    """Return the nose's distance from the line half-way between the eyes, in eye distances: 0 frontal, 1 in profile.

    Returns 0 if the detector gives no eyes or nose.
    """
    if detection.eyes_xy is None or detection.nose_xy is None:
        return 0.0
    (lx, ly), (rx, ry) = detection.eyes_xy
    apart = math.hypot(rx - lx, ry - ly)
    if apart == 0:
        return math.inf
    dx, dy = detection.nose_xy[0] - (lx + rx) / 2, detection.nose_xy[1] - (ly + ry) / 2
    return (dx * (rx - lx) + dy * (ry - ly)) / apart**2


def roll(detection: Detection) -> float:
    """Return the angle of the line through the eyes, in degrees; positive if the head leans to the picture's right."""
    if detection.eyes_xy is None:
        return 0.0
    (lx, ly), (rx, ry) = detection.eyes_xy
    return math.degrees(math.atan2(ry - ly, rx - lx))


def sharpness(image_rgb_u8: Image, detection: Detection) -> float:
    """Return the fine detail of the face at the network's input size, relative to its contrast; 0 for none.

    This is the standard deviation of the Laplacian over that of the grey values, in the box scaled to 48x48. It does
    not depend on the light, and of a large face it requires no more detail than the network could use.
    """
    small = _small(_grey(image_rgb_u8, detection))
    contrast = float(small.std()) if small is not None else 0.0
    return float(cv2.Laplacian(small, cv2.CV_32F).std()) / contrast if small is not None and contrast > 1 else 0.0


def _grey(image: Image, detection: Detection) -> Grey:
    """Return the face's box in the picture's own pixels. Green is most of the brightness, and one channel is quick."""
    height, width = image.shape[:2]
    left, top = (max(0, math.floor(v)) for v in detection.box_xyxy[:2])
    right, bottom = min(width, math.ceil(detection.box_xyxy[2])), min(height, math.ceil(detection.box_xyxy[3]))
    return np.ascontiguousarray(image[top : max(top, bottom), left : max(left, right), 1])


def _small(grey: Grey) -> Grey | None:
    """Return a face at the network's input size; None if too little of it lies in the picture."""
    return scaled(grey, _SIZE / max(grey.shape))[0] if min(grey.shape) >= 2 else None


def _contrast(grey: Grey) -> float:
    """Return the standard deviation of the grey levels of a face at the network's input size."""
    small = _small(grey)
    return 0.0 if small is None else float(small.std())
