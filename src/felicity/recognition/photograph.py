"""One photograph: its faces and their expressions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.faces import Detection, Detector
from felicity.faces.crop import crop_faces
from felicity.imaging.decode import checked
from felicity.imaging.draw import Label
from felicity.labels import EIGHT_CLASSES, EXPRESSIONS, HAPPY_INDEX, Classes
from felicity.recognition.classifier import Answers, Classifier
from felicity.windows.window import COVERED


@dataclass(frozen=True)
class FaceReading:
    """One face. ``probabilities``: float64 (8,), of ``classes`` at their places (``labels.Classes``), sums to 1.

    ``detection`` is None if the whole picture is the face. ``covered``: whether the lower face is covered, as by a
    mask, so that probabilities say little; None where the bundle does not tell, or the face is too small.
    """

    detection: Detection | None
    probabilities: npt.NDArray[np.float64] = field(repr=False)
    classes: Classes = field(default=EIGHT_CLASSES, repr=False)
    covered: bool | None = None

    @property
    def expression(self) -> str:
        """Return the most probable class: one of the eight expressions, or the bundle's name for several of them."""
        return self.classes.name_at(int(self.probabilities.argmax()))

    @property
    def by_class(self) -> dict[str, float]:
        """Return the probability 0..1 of each class, by name."""
        return {
            name: float(self.probabilities[place])
            for name, place in zip(self.classes.names, self.classes.places, strict=True)
        }

    @property
    def happy(self) -> float | None:
        """Return the probability of happy, 0..1; None if no class is happy alone."""
        return None if self.classes.happy is None else float(self.probabilities[HAPPY_INDEX])

    @property
    def values(self) -> dict[str, Any]:
        """Return the plain values of ``schemas.seeing.FaceShape``."""
        return {
            "box_xyxy": [round(v, 1) for v in self.detection.box_xyxy] if self.detection else None,
            "detection_score": self.detection.score if self.detection else 1.0,
            "expression": str(self.expression),
            "probabilities": self.by_class,
            "happy": self.happy,
            "covered": self.covered,
        }

    def label(self, width: int, height: int) -> Label:
        """Return the label to draw on a picture of that size."""
        box = self.detection.box_xyxy if self.detection else (0.0, 0.0, float(width - 1), float(height - 1))
        if self.covered:
            return Label(box, None, remark=COVERED)
        return label_of(box, self.probabilities, self.classes)


def label_of(
    box_xyxy: tuple[float, float, float, float], probabilities: npt.NDArray[np.float64], classes: Classes
) -> Label:
    """Return the label of a face with ``probabilities`` (8,) of ``classes``: the most probable class."""
    place = int(probabilities.argmax())
    return Label(box_xyxy, EXPRESSIONS[place], float(probabilities[place]), name=classes.name_at(place))


def read_faces(
    image_rgb_u8: npt.NDArray[np.uint8], classifier: Classifier, detector: Detector | None
) -> list[FaceReading]:
    """Find and classify the faces of a picture, uint8 ``(height, width, 3)`` RGB; all in one call.

    Without a detector, the picture is a face already. The best detection comes first; faces are not sorted from left to
    right.
    """
    if detector is None:
        crop = whole_as_crop(checked(image_rgb_u8), classifier)
        return readings_of([None], classifier.answers(crop[None]), classifier.classes)
    detections = detector.detect(image_rgb_u8)
    if not detections:
        return []
    crops, _ = crop_faces(
        image_rgb_u8,
        detections,
        size=classifier.input.size,
        colour=classifier.input.colour,
        geometry=detector.geometry,
    )
    return readings_of(detections, classifier.answers(crops), classifier.classes)


def readings_of(detections: Sequence[Detection | None], answers: Answers, classes: Classes) -> list[FaceReading]:
    """Return the readings of N faces by the answers to them."""
    given = zip(detections, answers.probabilities, answers.hidden(detections), strict=True)
    return [FaceReading(detection, p, classes, hidden) for detection, p, hidden in given]


def whole_as_crop(image_rgb_u8: npt.NDArray[np.uint8], classifier: Classifier) -> npt.NDArray[np.uint8]:
    """Return the whole picture in the network's input size: uint8 (size, size[, 3])."""
    import cv2

    spec = classifier.input
    image = cv2.cvtColor(image_rgb_u8, cv2.COLOR_RGB2GRAY) if spec.colour == "gray" else image_rgb_u8
    shrinks = max(image.shape[:2]) > spec.size
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (spec.size, spec.size), interpolation=interpolation), dtype=np.uint8)
