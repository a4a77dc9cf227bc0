"""From frames to people: counted once, with the mean of what they showed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest

from felicity.faces import Detection
from felicity.faces.attention import Attention
from felicity.faces.detection import Box, CropGeometry
from felicity.faces.quality import QualityGate
from felicity.faces.tracking import Tracker
from felicity.recognition.classifier import Answers, Classifier
from felicity.recognition.people import PeopleReader
from felicity.windows import PersonObservation
from tests.support.people import photograph

START = datetime(2026, 5, 4, tzinfo=UTC)
FACE = Detection((100, 100, 180, 180), 0.9)


class Script:
    """A detector that finds what it is told, frame by frame."""

    name = "script"
    geometry = CropGeometry(1.0)

    def __init__(self, frames: list[list[Detection]]) -> None:
        self.frames = iter(frames)

    def detect(self, image_rgb_u8: np.ndarray, within: object = None) -> list[Detection]:
        return next(self.frames)


def people(
    frames: list[list[Detection]],
    *,
    gate: QualityGate | None = None,
    tracking: bool = True,
    fps: int = 5,
    light: float = 1.0,
) -> list[PersonObservation]:
    reader = PeopleReader(
        Classifier.open(threads=1),
        Script(frames),
        gate or QualityGate(min_sharpness=None),
        Tracker() if tracking else None,
    )
    rough = np.random.default_rng(0).integers(0, 256, (30, 40, 1)) * np.ones(3)
    image = np.kron(rough, np.ones((8, 8, 1)))
    image[100:180, 100:180] = cv2.resize(photograph()[60:184, 162:286], (80, 80), interpolation=cv2.INTER_AREA)
    image = (light * image).astype(np.uint8)
    seen: list[PersonObservation] = []
    for i in range(len(frames)):
        seen += reader.see(image, START + timedelta(seconds=i / fps))
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


def test_a_person_whose_face_was_faint_is_known_as_such() -> None:
    assert [p.lifted for p in people([[FACE]] * 3, light=0.2)] == [True]
    assert [p.lifted for p in people([[FACE]] * 3)] == [False]


def test_in_photographs_every_face_is_a_person() -> None:
    assert len(people([[FACE], [FACE, Detection((10, 10, 80, 80), 0.9)]], tracking=False)) == 3


def test_a_face_that_was_just_judged_is_not_judged_again_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    judged: list[int] = []
    classify = Classifier.answers

    def counted(self: Classifier, crops: np.ndarray) -> Answers:
        judged.append(len(crops))
        return classify(self, crops)

    monkeypatch.setattr(Classifier, "answers", counted)
    (slow,) = people([[FACE]] * 10, fps=5)
    assert sum(judged) == 10
    judged.clear()
    (fast,) = people([[FACE]] * 50, fps=25)
    assert 10 <= sum(judged) <= 14
    assert slow.probabilities == pytest.approx(fast.probabilities, abs=1e-6)


def test_people_are_the_same_when_faces_are_looked_for_where_something_moves() -> None:
    """Two people who stay, one of whom moves; the detector sees only what is within the boxes."""

    class Eyes(Script):
        searched = 0

        def detect(self, image_rgb_u8: np.ndarray, within: list[Box] | None = None) -> list[Detection]:
            self.searched += within is None
            return [
                face
                for face in next(self.frames)
                if within is None or any(b[0] < face.box_xyxy[0] and face.box_xyxy[2] < b[2] for b in within)
            ]

    frames = [[FACE, Detection((800.0 + i, 420.0, 840.0 + i, 460.0), 0.9)] for i in range(30)]
    eyes = Eyes(frames)
    reader = PeopleReader(Classifier.open(threads=1), eyes, QualityGate(min_sharpness=None), Tracker(), Attention())
    image = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), dtype=np.uint8)
    for i in range(len(frames)):
        assert reader.see(image, START + timedelta(seconds=i / 10)) == []
    assert len(reader.end()) == 2
    assert eyes.searched == 3


def test_a_cut_ends_all_tracks_and_a_flash_none() -> None:
    """Somebody else stands where somebody stood before the cut; after the flash it is who was there before."""
    rng = np.random.default_rng(0)
    rooms = [np.repeat(np.repeat(rng.integers(0, 256, (24, 32, 3), np.uint8), 10, 0), 10, 1) for _ in range(2)]
    flash = np.full_like(rooms[0], 250)
    film = [rooms[0]] * 10 + [flash] + [rooms[0]] * 5 + [rooms[1]] * 10
    reader = PeopleReader(
        Classifier.open(threads=1), Script([[FACE]] * len(film)), QualityGate(min_sharpness=None), Tracker()
    )
    seen: list[PersonObservation] = []
    for i, image in enumerate(film):
        left = reader.see(image, START + timedelta(seconds=i / 5))
        seen += left
        assert not left or i > 15
    assert len(seen) == 1 and len(reader.end()) == 1 and reader.cuts == 1
