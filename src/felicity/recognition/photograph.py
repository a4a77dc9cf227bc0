"""One photograph: faces and what they show."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from felicity.faces import Detection, Detector
from felicity.faces.crop import crop_faces
from felicity.imaging.decode import checked
from felicity.imaging.draw import Label
from felicity.labels import EIGHT_CLASSES, EXPRESSIONS, HAPPY_INDEX, Classes
from felicity.recognition.classifier import Classifier


@dataclass(frozen=True)
class FaceReading:
    """One face. ``probabilities``: float64 (8,), of ``classes`` at their places (``labels.Classes``), sums to 1.

    ``detection`` is None where the whole picture was taken as the face.
    """

    detection: Detection | None
    probabilities: npt.NDArray[np.float64] = field(repr=False)
    classes: Classes = field(default=EIGHT_CLASSES, repr=False)

    @property
    def expression(self) -> str:
        """The most probable class: one of the eight expressions, or what the bundle calls several of them."""
        return self.classes.name_at(int(self.probabilities.argmax()))

    @property
    def by_class(self) -> dict[str, float]:
        """Probability 0..1 of each class, by name."""
        return {
            name: float(self.probabilities[place])
            for name, place in zip(self.classes.names, self.classes.places, strict=True)
        }

    @property
    def happy(self) -> float | None:
        """Probability of happy, 0..1; None where no class is happy alone."""
        return None if self.classes.happy is None else float(self.probabilities[HAPPY_INDEX])

    def label(self, width: int, height: int) -> Label:
        """For drawing on a picture of that size."""
        box = self.detection.box_xyxy if self.detection else (0.0, 0.0, float(width - 1), float(height - 1))
        return label_of(box, self.probabilities, self.classes)


def label_of(
    box_xyxy: tuple[float, float, float, float], probabilities: npt.NDArray[np.float64], classes: Classes
) -> Label:
    """Return what to draw on a face with ``probabilities`` (8,) of ``classes``: the most probable one."""
    place = int(probabilities.argmax())
    return Label(box_xyxy, EXPRESSIONS[place], float(probabilities[place]), name=classes.name_at(place))


def read_faces(
    image_rgb_u8: npt.NDArray[np.uint8], classifier: Classifier, detector: Detector | None
) -> list[FaceReading]:
    """Find and classify the faces of a picture, uint8 ``(height, width, 3)`` RGB; all in one call.

    Without a detector the picture is a face already. Left to right order of the faces is not
    promised: the best detection comes first.
    """
    if detector is None:
        crop = whole_as_crop(checked(image_rgb_u8), classifier)
        return [FaceReading(None, classifier.probabilities(crop[None])[0], classifier.classes)]
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
    answers = classifier.probabilities(crops)
    return [FaceReading(d, p, classifier.classes) for d, p in zip(detections, answers, strict=True)]


def whole_as_crop(image_rgb_u8: npt.NDArray[np.uint8], classifier: Classifier) -> npt.NDArray[np.uint8]:
    """The whole picture, resized to what the network expects: uint8 (size, size[, 3])."""
    import cv2

    spec = classifier.input
    image = cv2.cvtColor(image_rgb_u8, cv2.COLOR_RGB2GRAY) if spec.colour == "gray" else image_rgb_u8
    shrinks = max(image.shape[:2]) > spec.size
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (spec.size, spec.size), interpolation=interpolation), dtype=np.uint8)
