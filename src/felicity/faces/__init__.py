"""Faces: finding, cropping, judging and following them."""

from felicity.faces.detection import Detection, Detector

__all__ = ["Detection", "Detector"]
