"""A face found in a picture, and the protocol of detectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels of a picture."""


@dataclass(frozen=True)
class Detection:
    """One face.

    ``box_xyxy``: left, top, right, bottom in pixels of the picture; may reach over its edges. ``score``: the detector's
    confidence, higher is better; comparable within one detector only. ``eyes_xy``: centres of the two eyes, the one
    further left in the picture first, if the detector gives them. ``nose_xy``: tip of the nose, likewise (for the
    pose). ``doubtful``: the score is low, so that the face suffices to continue a track but not to be judged.
    """

    box_xyxy: Box
    score: float
    eyes_xy: tuple[Point, Point] | None = None
    nose_xy: Point | None = None
    doubtful: bool = False

    def __post_init__(self) -> None:
        left, top, right, bottom = self.box_xyxy
        if not (right > left and bottom > top):
            raise ValueError(f"a box is left, top, right, bottom with a positive area, not {self.box_xyxy}")

    @property
    def width(self) -> float:
        """Return the size of the box in pixels."""
        return self.box_xyxy[2] - self.box_xyxy[0]

    @property
    def height(self) -> float:
        """Return the size of the box in pixels."""
        return self.box_xyxy[3] - self.box_xyxy[1]

    @property
    def side(self) -> float:
        """Return the longer of width and height, in pixels."""
        return max(self.width, self.height)

    @property
    def centre_xy(self) -> Point:
        """Return the centre of the box in pixels of the picture."""
        left, top, right, bottom = self.box_xyxy
        return (left + right) / 2, (top + bottom) / 2


@dataclass(frozen=True)
class CropGeometry:
    """The place of a face's square crop relative to a detector's box; every detector frames faces in its own way.

    Units are the box's longer side: ``scale`` is the side of the crop, ``right`` and ``down`` lead from the centre of
    the box to the centre of the crop, along the levelled face. ``scripts/measure_crop_geometry.py`` measured the place
    of FER2013's crops, and the side at which the shipped networks are most accurate.
    """

    scale: float
    right: float = 0.0
    down: float = 0.0

    def __post_init__(self) -> None:
        if not 0.2 <= self.scale <= 5 or max(abs(self.right), abs(self.down)) > 1:
            raise ValueError(f"not a plausible crop geometry: {self}")


def identity(detector: Detector) -> str:
    """Return a detector's name and its ``version``, if any: another version finds other faces."""
    return f"{detector.name} {getattr(detector, 'version', '')}".strip()


def holds_interpreter(detector: Detector) -> bool:
    """Return whether searches on several threads wait for each other, so that only processes use several cores."""
    return bool(getattr(detector, "holds_interpreter", False))


@runtime_checkable
class Detector(Protocol):
    """Finds faces. One object serves pictures of any size, in several threads at once.

    A ``version``, if there is one, is text that changes if the same picture would give other faces. True as
    ``holds_interpreter`` says that a search lets no other Python code run meanwhile.
    """

    name: str
    geometry: CropGeometry

    def detect(self, image_rgb_u8: npt.NDArray[np.uint8], within: Sequence[Box] | None = None) -> list[Detection]:
        """Return the faces in ``image_rgb_u8``, uint8 ``(height, width, 3)`` RGB, best score first.

        ``within``: disjoint boxes, in pixels; the result holds only faces wholly inside one of them, the same as in a
        search of the whole picture. The picture is not changed. Raises ValueError for another kind of array.
        """
        ...
