"""Posters, people who stay and a cut, made from the development clips: who is counted."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from felicity.faces import Detector
from felicity.faces.quality import QualityGate
from felicity.faces.registry import open_detector
from felicity.faces.stillness import Stillness
from felicity.faces.tracking import Tracker
from felicity.recognition.classifier import Classifier
from felicity.recognition.people import PeopleReader
from tests.conftest import absent

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
from still_clips import FPS, Filmed, filmed, frames, poster, sitter, there_and_back

START = datetime(2026, 5, 4, 9, tzinfo=UTC)
CODED = Filmed(crf=26)


@pytest.fixture
def media(shared: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    weights = shared / "models" / "face_detection_yunet_2023mar.onnx"
    if not weights.exists():
        absent(f"{weights} not found")
    monkeypatch.setenv("FELICITY_YUNET", str(weights))
    return shared / "data" / "media"


def counted(pictures: Iterable[np.ndarray], detector: Detector | None = None) -> Counter[str]:
    """How many people were judged, and how many were not, by the reason."""
    finder = detector or open_detector("yunet")
    reader = PeopleReader(Classifier.open(), finder, QualityGate(), Tracker(), stillness=Stillness())
    people = []
    for number, picture in enumerate(pictures):
        people += reader.see(picture, START + timedelta(seconds=number / FPS))
    return Counter(person.rejected or "judged" for person in people + reader.end())


@pytest.mark.shared_data
def test_a_poster_of_three_that_is_hidden_now_and_then_is_three_pictures_and_nobody(media: Path) -> None:
    picture = frames(media / "face-demographics-walking-and-pause.gif")[-1]
    assert counted(filmed(poster(picture, 24, shown=5.5, hidden=2.5), CODED)) == {"still": 3}


@pytest.mark.shared_data
def test_a_woman_and_a_man_before_and_after_a_cut_are_two(media: Path) -> None:
    woman, man = (frames(media / f"head-pose-face-detection-{who}.gif")[::2] for who in ("female", "male"))
    assert sum(counted(filmed([*woman, *man], CODED)).values()) == 2


@pytest.mark.shared_data
def test_people_who_sit_and_stand_are_people(media: Path) -> None:
    assert "still" not in counted(filmed(there_and_back(frames(media / "classroom.gif"), 8), CODED))
    detector = open_detector("yunet")
    picture = frames(media / "face-demographics-walking-and-pause.gif")[-1]
    faces = [face.box_xyxy for face in detector.detect(picture)]
    assert "still" not in counted(filmed(sitter(picture, faces, 8, sway=0.02), CODED), detector)
