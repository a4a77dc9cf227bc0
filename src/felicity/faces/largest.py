"""The largest face of a picture, as a crop."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from felicity.faces.crop import crop_face
from felicity.faces.registry import open_detector
from felicity.imaging.spec import Colour


@dataclass
class LargestFace:
    """Crops the largest face; opens its detector at the first call, in any process."""

    name: str
    size: int
    colour: Colour

    @cached_property
    def detector(self) -> Any:
        """Return the open detector."""
        return open_detector(self.name)

    def __call__(self, image_rgb_u8: Any) -> Any:
        """Return the face of ``image_rgb_u8`` in the requested size and colour, or None."""
        found = self.detector.detect(image_rgb_u8)
        if not found:
            return None
        largest = max(found, key=lambda detection: detection.width * detection.height)
        return crop_face(
            image_rgb_u8,
            largest,
            size=self.size,
            colour=self.colour,
            geometry=self.detector.geometry,
        )

    def __reduce__(self) -> Any:
        return LargestFace, (self.name, self.size, self.colour)
