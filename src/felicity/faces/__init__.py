"""Faces: finding, cropping, judging and following them."""

from felicity.faces.detection import CropGeometry, Detection, Detector

__all__ = ["CropGeometry", "Detection", "Detector"]
