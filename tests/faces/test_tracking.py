from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import numpy as np
import pytest

from felicity.errors import ConfigError
from felicity.faces import Detection, Detector
from felicity.faces.registry import open_detector
from felicity.faces.tracking import Tracker

START = datetime(2024, 5, 1, 12, tzinfo=UTC)
RATES = pytest.mark.parametrize("rate", [3, 5, 12.5, 30])


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def face(x: float, y: float = 100, side: float = 40) -> Detection:
    return Detection((x - side / 2, y - side / 2, x + side / 2, y + side / 2), 1.0)


def ids(tracker: Tracker, detections: list[Detection], seconds: float) -> list[int]:
    return [f.track_id for f in tracker.update(detections, at(seconds))]


def jitter(seed: int, side: float) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.05 * side, (400, 2))


def test_who_comes_in_where_another_left_is_somebody_else() -> None:
    tracker = Tracker()
    seen: list[int] = []
    for k in range(28):
        x = 260 + 20 * k if k < 7 else 400 - 20 * (k - 10)  # out at the right edge, 0.6 seconds of nobody, in again
        found = [face(x)] if x <= 390 else []
        seen += [f.track_id for f in tracker.update(found, at(k / 5), (400, 200))]
    assert seen == [1] * 7 + [2] * 17


@RATES
def test_who_sits_at_the_edge_stays_one(rate: float) -> None:
    tracker, shake = Tracker(), jitter(1, 40)
    times = range(int(10 * rate))
    seen = {f.track_id for k in times for f in tracker.update([face(400 + shake[k, 0])], at(k / rate), (400, 200))}
    assert len(seen) == 1


@RATES
def test_a_sitting_person_is_one_track(rate: float) -> None:
    tracker, shake = Tracker(), jitter(0, 40)
    seen = {
        i for k in range(int(6 * rate)) for i in ids(tracker, [face(300 + shake[k, 0], 100 + shake[k, 1])], k / rate)
    }
    assert seen == {1}
    assert tracker.flush() == [1]


@RATES
@pytest.mark.parametrize("sides_per_second", [2, 5, 9])
def test_a_walking_person_is_one_track(rate: float, sides_per_second: float) -> None:
    """9 sides a second is walking pace across the picture; boxes do not overlap at low rates."""
    tracker, shake = Tracker(), jitter(1, 40)
    frames = int(3 * rate)
    seen = {
        i
        for k in range(frames)
        for i in ids(tracker, [face(50 + 40 * sides_per_second * k / rate + shake[k, 0], 100)], k / rate)
    }
    assert seen == {1}


@RATES
def test_people_who_pass_each_other_keep_their_tracks(rate: float) -> None:
    tracker = Tracker()
    first: list[int] = []
    for k in range(int(4 * rate)):
        t = k / rate
        found = ids(tracker, [face(100 + 100 * t, 100), face(500 - 100 * t, 112)], t)
        first = first or found
        assert found == first


@RATES
def test_a_person_missed_for_a_second_or_found_now_and_then_is_one_track(rate: float) -> None:
    tracker = Tracker()
    seen: set[int] = set()
    for k in range(int(8 * rate)):
        t = k / rate
        missed = 2 < t < 3.5 or (t > 4 and k % 3)
        seen |= set(ids(tracker, [] if missed else [face(200 + 10 * t)], t))
    assert seen == {1}


def test_a_track_ends_after_patience_and_another_begins() -> None:
    tracker = Tracker(patience=1.5)
    assert ids(tracker, [face(100), face(400)], 0) == [1, 2]
    assert ids(tracker, [face(400)], 1.4) == [2]
    assert tracker.finished() == []
    assert ids(tracker, [face(400)], 1.6) == [2]
    assert tracker.finished() == [1]
    assert tracker.finished() == []
    assert ids(tracker, [face(100), face(400)], 1.7) == [3, 2]
    assert tracker.flush() == [2, 3]
    assert ids(tracker, [face(100)], 1.8) == [4], "ids are not used again"


def test_faces_of_other_places_and_sizes_are_other_people() -> None:
    tracker = Tracker()
    assert ids(tracker, [face(100)], 0) == [1]
    assert ids(tracker, [face(300)], 0.1) == [2]
    assert ids(tracker, [face(100, side=80)], 0.2) == [3]


def test_trackers_do_not_share_their_ids() -> None:
    for _ in range(2):
        assert ids(Tracker(), [face(100), face(300)], 0) == [1, 2]


def test_a_clock_set_back_does_no_harm() -> None:
    tracker = Tracker()
    assert ids(tracker, [face(100)], 10) == [1]
    assert ids(tracker, [face(101)], 4) == [1]
    assert ids(tracker, [face(102)], 10.1) == [1]


def test_patience_is_checked() -> None:
    with pytest.raises(ConfigError, match="patience"):
        Tracker(patience=0)


def people(clip: Path, detector: Detector, every: int = 1) -> int:
    """Tracks seen at least three times."""
    tracker, seen = Tracker(), Counter[int]()
    with av.open(str(clip)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number % every == 0:
                found = detector.detect(frame.to_ndarray(format="rgb24"))
                seen.update(ids(tracker, found, float(frame.time or 0)))
    return sum(n >= 3 for n in seen.values())


CLIPS = {
    "classroom": 4,
    "face-demographics-walking-and-pause": 3,
    "face-demographics-walking": 2,
    "head-pose-face-detection-female-and-male": 2,
    "head-pose-face-detection-female": 1,
    "head-pose-face-detection-male": 1,
}


@pytest.mark.shared_data
@pytest.mark.parametrize("clip", CLIPS)
def test_people_in_clips_are_counted_once(clip: str, shared: Path, yunet_file: Path) -> None:
    path = shared / "data" / "media" / f"{clip}.gif"
    detector = open_detector("yunet")
    assert people(path, detector) == CLIPS[clip]
    assert people(path, detector, every=4) == CLIPS[clip], "at 3 to 4 frames per second"


@pytest.mark.shared_data
@pytest.mark.parametrize("clip", [c for c in CLIPS if c not in ("classroom", "face-demographics-walking")])
def test_hog_counts_people_whose_faces_are_large_enough(clip: str, shared: Path) -> None:
    assert people(shared / "data" / "media" / f"{clip}.gif", open_detector("hog"), every=2) == CLIPS[clip]
