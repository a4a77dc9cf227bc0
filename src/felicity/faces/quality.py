"""The gate: which faces are good enough for their expression to be judged."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from felicity.errors import ConfigError
from felicity.faces._image import Image, scaled
from felicity.faces.detection import Detection

Reason = Literal["small", "blurred", "turned", "doubtful"]
_SIZE = 48  # pixels of the square on which sharpness is measured


@dataclass(frozen=True)
class FaceQuality:
    """``quality``: 0 if rejected, else up to 1 for a large, sharp, frontal face; ``rejected``: the reason or None."""

    quality: float
    rejected: Reason | None = None


@dataclass(frozen=True)
class QualityGate:
    """Lets a face pass, or says why not. None in place of a threshold switches it off.

    ``min_side``: longer side of the box, in pixels (``small``). ``min_sharpness``: see ``sharpness``
    (``blurred``). ``max_yaw`` and ``max_roll``: see ``yaw`` and ``roll``, where the detector gives eyes and nose
    (``turned``). ``doubtful``: let faces pass of which the detector itself is not sure.

    Measured by ``benchmarks/quality_thresholds.py`` on 1,500 labelled faces that the network was not fitted to,
    happy against not happy, mean of recall and specificity. In full 94.0 %; the thresholds stand where 2
    to 3 points of it are lost: shrunk to 24, 20, 18 and 14 pixels 92.9, 91.8, 90.6 and 85.4 %; blurred to a median
    sharpness of 0.28, 0.22, 0.18 and 0.14, 93.4, 93.2, 92.2 and 86.9 %. Up to a yaw of 0.5 nothing certain is lost;
    few labelled faces are turned further, so the limit stands a little above.
    """

    min_side: float | None = 20.0
    min_sharpness: float | None = 0.19
    max_yaw: float | None = 0.6
    max_roll: float | None = 50.0
    doubtful: bool = False

    def __post_init__(self) -> None:
        for name in ("min_side", "min_sharpness", "max_yaw", "max_roll"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ConfigError(f"the quality gate's {name} must be a positive number or None, not {value}")

    def judge(self, image_rgb_u8: Image, detection: Detection) -> FaceQuality:
        """Judge one face of a picture, uint8 ``(height, width, 3)`` RGB, which is not changed."""
        if detection.doubtful and not self.doubtful:
            return FaceQuality(0.0, "doubtful")
        if self.min_side is not None and detection.side < self.min_side:
            return FaceQuality(0.0, "small")
        turn, tilt = abs(yaw(detection)), abs(roll(detection))
        if (self.max_yaw is not None and turn > self.max_yaw) or (self.max_roll is not None and tilt > self.max_roll):
            return FaceQuality(0.0, "turned")
        sharp = sharpness(image_rgb_u8, detection)
        if self.min_sharpness is not None and sharp < self.min_sharpness:
            return FaceQuality(0.0, "blurred")
        size = min(1.0, detection.side / _SIZE)
        return FaceQuality(size * min(1.0, sharp) / (1.0 + turn))


def yaw(detection: Detection) -> float:
    """How far the nose lies from the line half-way between the eyes, in eye distances: 0 frontal, about 1 in profile.

    0 where the detector gives no eyes or nose.
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
    """Angle of the line through the eyes, in degrees; positive if the head leans to the right of the picture."""
    if detection.eyes_xy is None:
        return 0.0
    (lx, ly), (rx, ry) = detection.eyes_xy
    return math.degrees(math.atan2(ry - ly, rx - lx))


def sharpness(image_rgb_u8: Image, detection: Detection) -> float:
    """Fine detail of the face at the size a network sees it, relative to its contrast; 0 for none.

    Standard deviation of the Laplacian over that of the grey values, in the box brought to 48x48. It does
    not depend on the light, and of a large face it asks no more detail than the network could use.
    """
    height, width = image_rgb_u8.shape[:2]
    left, top = (max(0, math.floor(v)) for v in detection.box_xyxy[:2])
    right, bottom = min(width, math.ceil(detection.box_xyxy[2])), min(height, math.ceil(detection.box_xyxy[3]))
    if right - left < 2 or bottom - top < 2:
        return 0.0
    # Green is most of the brightness, and one channel is quick.
    green = np.ascontiguousarray(image_rgb_u8[top:bottom, left:right, 1])
    small = scaled(green, _SIZE / max(green.shape))[0]
    contrast = float(small.std())
    return float(cv2.Laplacian(small, cv2.CV_32F).std()) / contrast if contrast > 1 else 0.0
