"""Where faces are looked for: where something moves, where somebody is, and now and then everywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest

from felicity.faces import Detection, Detector
from felicity.faces.attention import EVERYWHERE, Attention
from felicity.faces.detection import Box
from felicity.faces.tracking import Tracker

START = datetime(2026, 5, 4, tzinfo=UTC)
SECONDS = EVERYWHERE.total_seconds()


def room(second: float, *, at: int | None = None, light: float = 1.0) -> np.ndarray:
    """A noisy picture of 640x360; somebody's head and body stand ``at`` that column."""
    rng = np.random.default_rng(round(1000 * abs(second)))
    image = np.full((360, 640, 3), 120.0)
    if at is not None:
        image[80:140, at : at + 50] = 200
        image[140:, at - 20 : at + 70] = 60
    return (image * light + rng.normal(0, 3, image.shape)).clip(0, 255).astype(np.uint8)


def holds(boxes: list[Box], x: float, y: float) -> bool:
    return any(left <= x <= right and top <= y <= bottom for left, top, right, bottom in boxes)


def looked(attention: Attention, second: float, **scene: float | None) -> list[Box] | None:
    return attention.where(room(second, **scene), START + timedelta(seconds=second), [])  # type: ignore[arg-type]


@pytest.mark.parametrize("fps", [5, 25])
def test_an_empty_room_is_searched_once_a_second(fps: int) -> None:
    attention = Attention()
    found = [looked(attention, i / fps) for i in range(2 * fps + 1)]
    assert [i for i, boxes in enumerate(found) if boxes is None] == [0, fps, 2 * fps]
    assert all(boxes == [] for boxes in found if boxes is not None)


def test_who_comes_in_is_looked_for_at_once_and_there_alone() -> None:
    attention = Attention()
    for i in range(16):
        looked(attention, i / 10)
    for i in range(16, 20):
        boxes = looked(attention, i / 10, at=300 + 8 * i)
        assert boxes is not None and holds(boxes, 300 + 8 * i + 25, 110), "the face"
        assert not holds(boxes, 40, 180), "where nobody is"


def test_light_that_changes_all_of_the_picture_has_all_of_it_searched() -> None:
    attention = Attention()
    for i in range(16):
        looked(attention, i / 10)
    assert looked(attention, 1.6, light=1.3) is None


def test_those_who_are_followed_are_looked_for_where_they_may_be() -> None:
    attention, here = Attention(), (500.0, 50.0, 700.0, 250.0)
    for i in range(4):
        boxes = attention.where(room(i / 10), START + timedelta(seconds=i / 10), [here])
    assert boxes == [(500.0, 50.0, 640.0, 250.0)]


def test_when_somebody_is_missed_the_next_picture_is_searched_whole() -> None:
    attention = Attention()
    looked(attention, 0.0)
    attention.missed()
    assert looked(attention, 0.1) is None
    assert looked(attention, 0.2) == []


def test_parts_never_overlap_and_a_clock_set_back_does_no_harm() -> None:
    attention = Attention()
    looked(attention, 0.0)
    near = [(0.0, 0.0, 60.0, 60.0), (40.0, 40.0, 100.0, 100.0), (580.0, 300.0, 640.0, 360.0)]
    boxes = attention.where(room(0.1), START + timedelta(seconds=0.1), near)
    assert boxes == [(0.0, 0.0, 100.0, 100.0), (580.0, 300.0, 640.0, 360.0)]
    assert looked(attention, -30.0) is None


def test_a_tracker_says_where_a_walker_may_be_next() -> None:
    tracker = Tracker()
    for i in range(6):
        tracker.update([Detection((100 + 20 * i, 50, 140 + 20 * i, 90), 0.9)], START + timedelta(seconds=i / 5))
    assert tracker.all_seen
    (box,) = tracker.expected(START + timedelta(seconds=6 / 5))
    assert (box[0] + box[2]) / 2 == pytest.approx(240, abs=10)
    assert 40 < box[2] - box[0] < 300
    tracker.update([], START + timedelta(seconds=6 / 5))
    assert not tracker.all_seen
    tracker.update([], START + timedelta(seconds=7 / 5))
    assert tracker.all_seen, "it is said once"


def test_a_detector_finds_within_boxes_what_it_finds_everywhere(detector: Detector, astronaut: np.ndarray) -> None:
    head = astronaut[20:240, 100:340]
    picture = np.full((500, 900, 3), 110, np.uint8)
    picture[40:260, 60:300] = picture[250:470, 600:840] = head
    picture = np.asarray(cv2.GaussianBlur(picture, (3, 3), 0))
    everywhere = sorted(detector.detect(picture), key=lambda face: face.centre_xy)
    assert len(everywhere) == 2
    (face,) = detector.detect(picture, [(560.4, 200.0, 880.0, 500.0)])
    assert face.box_xyxy == pytest.approx(everywhere[1].box_xyxy, abs=0.1 * face.side)
    if face.eyes_xy is not None:
        assert np.array(face.eyes_xy) == pytest.approx(np.array(everywhere[1].eyes_xy), abs=0.1 * face.side)
    assert detector.detect(picture, []) == detector.detect(picture, [(320.0, 0.0, 560.0, 240.0)]) == []
    edge = everywhere[0].box_xyxy[2] - 8
    assert detector.detect(picture, [(0, 0, edge, 300)]) == [], "a face that is cut off is not looked for"
