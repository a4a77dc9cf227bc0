"""From frames to people: counted once, with the mean of what they showed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from felicity.faces import Detection
from felicity.faces.detection import CropGeometry
from felicity.faces.quality import QualityGate
from felicity.faces.tracking import Tracker
from felicity.recognition.classifier import Classifier
from felicity.recognition.people import PeopleReader
from felicity.windows import PersonObservation

START = datetime(2026, 5, 4, tzinfo=UTC)
FACE = Detection((100, 100, 180, 180), 0.9)


class Script:
    """A detector that finds what it is told, frame by frame."""

    name = "script"
    geometry = CropGeometry(1.0)

    def __init__(self, frames: list[list[Detection]]) -> None:
        self.frames = iter(frames)

    def detect(self, image_rgb_u8: np.ndarray) -> list[Detection]:
        return next(self.frames)


def people(
    frames: list[list[Detection]], *, gate: QualityGate | None = None, tracking: bool = True
) -> list[PersonObservation]:
    reader = PeopleReader(
        Classifier.open(threads=1),
        Script(frames),
        gate or QualityGate(min_sharpness=None),
        Tracker() if tracking else None,
    )
    image = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    seen: list[PersonObservation] = []
    for i in range(len(frames)):
        seen += reader.see(image, START + timedelta(seconds=i / 5))
    return seen + reader.end()


def test_one_who_stays_is_one_person_seen_last_at_the_end() -> None:
    (person,) = people([[FACE]] * 20)
    assert person.time == START + timedelta(seconds=19 / 5)
    assert person.probabilities is not None and person.probabilities.sum() == pytest.approx(1)


def test_the_probabilities_are_the_mean_over_the_track() -> None:
    there, elsewhere = FACE, Detection((104, 100, 184, 180), 0.9)
    (a,), (b,), (both,) = people([[there]] * 2), people([[elsewhere]] * 2), people([[there], [elsewhere]])
    assert a.probabilities is not None and b.probabilities is not None
    assert both.probabilities == pytest.approx((a.probabilities + b.probabilities) / 2, abs=1e-6)


def test_a_slip_of_the_detector_is_nobody_but_a_last_glimpse_is_somebody() -> None:
    assert people([[FACE]] + [[]] * 15) == []
    assert len(people([[]] * 15 + [[FACE]])) == 1
    assert len(people([[FACE], [FACE]] + [[]] * 15)) == 1


def test_one_who_is_never_good_enough_is_seen_and_not_judged() -> None:
    small = Detection((10, 10, 22, 22), 0.9)
    (person,) = people([[small]] * 5)
    assert person.probabilities is None and person.rejected == "small"


def test_in_photographs_every_face_is_a_person() -> None:
    assert len(people([[FACE], [FACE, Detection((10, 10, 80, 80), 0.9)]], tracking=False)) == 3
