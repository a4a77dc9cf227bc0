"""One photograph: faces and what they show."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from felicity.faces import Detection, Detector
from felicity.faces.crop import crop_faces
from felicity.imaging.decode import checked
from felicity.imaging.draw import Label
from felicity.labels import EXPRESSIONS, INDEX, Expression
from felicity.recognition.classifier import Classifier


@dataclass(frozen=True)
class FaceReading:
    """One face. ``probabilities``: float64 (8,), in the order of ``labels.EXPRESSIONS``, sums to 1.

    ``detection`` is None where the whole picture was taken as the face.
    """

    detection: Detection | None
    probabilities: npt.NDArray[np.float64] = field(repr=False)

    @property
    def expression(self) -> Expression:
        """The most probable one."""
        return EXPRESSIONS[int(self.probabilities.argmax())]

    @property
    def happy(self) -> float:
        """Probability of happy, 0..1."""
        return float(self.probabilities[INDEX[Expression.HAPPY]])

    def label(self, width: int, height: int) -> Label:
        """For drawing on a picture of that size."""
        box = self.detection.box_xyxy if self.detection else (0.0, 0.0, float(width - 1), float(height - 1))
        return Label(box, self.expression, float(self.probabilities.max()))


def read_faces(
    image_rgb_u8: npt.NDArray[np.uint8], classifier: Classifier, detector: Detector | None
) -> list[FaceReading]:
    """Find and classify the faces of a picture, uint8 ``(height, width, 3)`` RGB; all in one call.

    Without a detector the picture is a face already. Left to right order of the faces is not
    promised: the best detection comes first.
    """
    if detector is None:
        crop = whole_as_crop(checked(image_rgb_u8), classifier)
        return [FaceReading(None, classifier.probabilities(crop[None])[0])]
    detections = detector.detect(image_rgb_u8)
    if not detections:
        return []
    crops = crop_faces(
        image_rgb_u8,
        detections,
        size=classifier.input.size,
        colour=classifier.input.colour,
        geometry=detector.geometry,
    )
    return [FaceReading(d, p) for d, p in zip(detections, classifier.probabilities(crops), strict=True)]


def whole_as_crop(image_rgb_u8: npt.NDArray[np.uint8], classifier: Classifier) -> npt.NDArray[np.uint8]:
    """The whole picture, resized to what the network expects: uint8 (size, size[, 3])."""
    import cv2

    spec = classifier.input
    image = cv2.cvtColor(image_rgb_u8, cv2.COLOR_RGB2GRAY) if spec.colour == "gray" else image_rgb_u8
    shrinks = max(image.shape[:2]) > spec.size
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (spec.size, spec.size), interpolation=interpolation), dtype=np.uint8)
