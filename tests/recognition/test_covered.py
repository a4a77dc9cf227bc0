"""Covered faces: told from others, left out of what people showed, and counted."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest

from felicity.datasets.cover_styles import MASKS
from felicity.datasets.covers import Covering, draw_before
from felicity.datasets.drawing import FaceFrame
from felicity.faces import Detection
from felicity.faces.detection import Box, CropGeometry
from felicity.faces.quality import QualityGate
from felicity.faces.tracking import Tracker
from felicity.imaging.draw import Label
from felicity.models.bundle import shipped
from felicity.recognition.classifier import Classifier
from felicity.recognition.people import PeopleReader
from felicity.recognition.photograph import read_faces
from felicity.windows import PersonObservation
from tests.support.people import photograph

FREE = np.asarray(cv2.cvtColor(photograph()[60:184, 162:286], cv2.COLOR_RGB2GRAY))


@pytest.fixture(scope="module")
def masked() -> np.ndarray:
    """The same face with each of ten masks, (10, 124, 124)."""
    frames = [FaceFrame.usual(len(FREE))] * 10
    drawn = draw_before(np.stack([FREE] * 10), frames, np.random.default_rng(1), Covering(1, 0, tuple(MASKS)))
    assert drawn.covered.all()
    return drawn.images


@pytest.mark.parametrize("name", shipped())
def test_masks_are_told_from_a_smile_that_can_be_seen(name: str, masked: np.ndarray) -> None:
    classifier = Classifier.open(name, threads=1)
    (free,) = read_faces(np.repeat(FREE[..., None], 3, axis=2), classifier, None)
    assert free.covered is False and free.expression == "happy" and free.label(48, 48).expression == "happy"
    readings = [read_faces(np.repeat(face[..., None], 3, axis=2), classifier, None)[0] for face in masked]
    assert sum(bool(face.covered) for face in readings) >= 9
    hidden = next(face for face in readings if face.covered)
    assert hidden.label(48, 48) == Label((0.0, 0.0, 47.0, 47.0), None, remark="covered")


@dataclass(frozen=True)
class Ahead:
    """A detector that finds a face in the middle."""

    box: Box = (50, 50, 174, 174)
    name = "ahead"
    geometry = CropGeometry(1.0)

    def detect(self, image_rgb_u8: np.ndarray, within: list[Box] | None = None) -> list[Detection]:
        return [Detection(self.box, 0.9)]


@pytest.mark.parametrize(("side", "told"), [(32, True), (31, None)])
def test_faces_of_few_pixels_are_never_called_covered(masked: np.ndarray, side: int, told: bool | None) -> None:
    picture = np.full((224, 224, 3), 128, dtype=np.uint8)
    picture[:side, :side] = cv2.resize(masked[0], (side, side), interpolation=cv2.INTER_AREA)[..., None]
    (face,) = read_faces(picture, Classifier.open("fast", threads=1), Ahead((0, 0, side, side)))
    assert face.covered is told


def watched(faces: list[np.ndarray]) -> tuple[list[PersonObservation], list[Label]]:
    gate = QualityGate(min_sharpness=None)
    reader = PeopleReader(Classifier.open("fast", threads=1), Ahead(), gate, Tracker())
    people: list[PersonObservation] = []
    for i, picture in enumerate(_pictures(faces)):
        people += reader.see(picture, datetime(2026, 5, 4, tzinfo=UTC) + timedelta(seconds=i / 5))
    return people + reader.end(), reader.labels


def _pictures(faces: list[np.ndarray]) -> Iterator[np.ndarray]:
    for face in faces:
        picture = np.full((224, 224, 3), 128, dtype=np.uint8)
        picture[50:174, 50:174] = face[..., None]
        yield picture


def test_a_person_whose_face_is_mostly_covered_is_counted_and_not_judged(masked: np.ndarray) -> None:
    mask = next(face for face in masked if watched([face] * 2)[0][0].rejected)
    (hidden,), labels = watched([FREE, mask, mask])
    assert hidden.probabilities is None and hidden.rejected == "covered" and hidden.face_side == 124
    assert [label.text for label in labels] == ["covered"]
    (free,), _ = watched([FREE, FREE])
    (now_and_then,), labels = watched([FREE, mask, FREE])
    assert now_and_then.rejected is None and free.probabilities is not None
    assert now_and_then.probabilities == pytest.approx(free.probabilities, abs=1e-6), "what was hidden says nothing"
    assert labels[0].expression == "happy"
