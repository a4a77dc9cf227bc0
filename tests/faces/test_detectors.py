"""What every detector must do; the suite runs over the registry."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from felicity.errors import ConfigError, DetectorError
from felicity.faces import Detection, Detector
from felicity.faces.registry import available, names, open_detector
from felicity.imaging.decode import read_image

FACE = (180, 70, 265, 175)  # of the astronaut, forehead to chin


def overlap(detection: Detection, box: tuple[float, float, float, float]) -> float:
    a, b = np.array(detection.box_xyxy), np.array(box)
    inner = np.prod(np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None))
    return float(inner / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - inner))


def test_it_is_a_detector(detector: Detector) -> None:
    assert isinstance(detector, Detector)
    assert detector.name in names()


def test_one_face_is_found_where_it_is(detector: Detector, astronaut: np.ndarray) -> None:
    before = astronaut.copy()
    (face,) = detector.detect(astronaut)
    assert overlap(face, FACE) > 0.6
    assert not face.doubtful
    if face.eyes_xy and face.nose_xy:
        (lx, ly), (rx, ry) = face.eyes_xy
        assert (lx, ly) == pytest.approx((200, 102), abs=5) and (rx, ry) == pytest.approx((247, 102), abs=5)
        assert lx < face.nose_xy[0] < rx and ly < face.nose_xy[1] < face.box_xyxy[3]
    assert (astronaut == before).all(), "the picture is not changed"


def test_the_same_picture_gives_the_same_faces(detector: Detector, astronaut: np.ndarray) -> None:
    first = detector.detect(astronaut)
    detector.detect(astronaut[:200, :300])
    assert detector.detect(astronaut) == first == open_detector(detector.name).detect(astronaut)


def test_views_mirrored_grey_and_dark_pictures(detector: Detector, astronaut: np.ndarray) -> None:
    (face,) = detector.detect(astronaut)
    wide = np.zeros((512, 1024, 3), np.uint8)
    wide[:, ::2] = astronaut
    assert detector.detect(wide[:, ::2]) == [face], "memory order does not matter"
    (mirrored,) = detector.detect(astronaut[:, ::-1])
    left, top, right, bottom = FACE
    assert overlap(mirrored, (512 - right, top, 512 - left, bottom)) > 0.6
    grey = np.repeat(cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    assert any(overlap(d, FACE) > 0.6 for d in detector.detect(grey))
    assert any(overlap(d, FACE) > 0.6 for d in detector.detect(astronaut // 2))


def test_nothing_is_found_where_nothing_is(detector: Detector) -> None:
    assert detector.detect(np.full((480, 640, 3), 128, np.uint8)) == []
    for height, width in ((1, 1), (3, 40), (40, 3), (16, 16), (63, 65)):
        assert detector.detect(np.zeros((height, width, 3), np.uint8)) == []


def test_a_very_large_picture(detector: Detector, astronaut: np.ndarray) -> None:
    large = np.full((4000, 6000, 3), 110, np.uint8)
    large[500:3572, 1500:4572] = cv2.resize(astronaut, (3072, 3072), interpolation=cv2.INTER_LINEAR)
    (face,) = detector.detect(large)
    assert overlap(face, tuple(6 * v + o for v, o in zip(FACE, (1500, 500, 1500, 500), strict=True))) > 0.6


def test_a_face_that_fills_a_large_picture(detector: Detector, astronaut: np.ndarray) -> None:
    close = cv2.resize(astronaut[20:220, 120:320], (1600, 1600), interpolation=cv2.INTER_CUBIC)
    (face,) = detector.detect(close)
    left, top, right, bottom = FACE
    assert overlap(face, ((left - 120) * 8, (top - 20) * 8, (right - 120) * 8, (bottom - 20) * 8)) > 0.6


def test_several_faces_best_first(detector: Detector, astronaut: np.ndarray) -> None:
    head = astronaut[20:240, 100:340]
    crowd = np.tile(head, (2, 3, 1))
    crowd[:220, :240] //= 2
    found = detector.detect(crowd)
    assert len(found) == 6
    assert [d.score for d in found] == sorted((d.score for d in found), reverse=True)


def test_other_arrays_are_refused(detector: Detector) -> None:
    for wrong in (
        np.zeros((48, 48), np.uint8),
        np.zeros((48, 48, 4), np.uint8),
        np.zeros((48, 48, 3), np.float32),
        np.zeros((0, 48, 3), np.uint8),
    ):
        with pytest.raises(ValueError, match="uint8"):
            detector.detect(wrong)


@pytest.mark.shared_data
def test_every_posed_face_is_found_once(detector: Detector, shared: Path) -> None:
    photographs = sorted((shared / "data" / "faces").glob("*.jpg"))
    counts = [len(detector.detect(read_image(p))) for p in photographs]
    assert len(counts) == 46
    assert sum(n == 1 for n in counts) >= 44


@pytest.mark.shared_data
def test_faces_of_forty_pixels_are_found(detector: Detector, shared: Path) -> None:
    """A 640x480 picture of 16 people, as cameras see groups."""
    heads = [read_image(p) for p in sorted((shared / "data" / "faces").glob("*.jpg"))[:16]]
    small = [cv2.resize(h, (120, 120), interpolation=cv2.INTER_AREA) for h in heads]
    group = np.full((480, 640, 3), 128, np.uint8)
    for i, head in enumerate(small):
        y, x = divmod(i, 4)
        group[120 * y : 120 * (y + 1), 160 * x + 20 : 160 * x + 140] = head
    found = detector.detect(group)
    cells = {(int(d.centre_xy[1] // 120), int(d.centre_xy[0] // 160)) for d in found}
    assert len(found) == 16 and len(cells) == 16


@pytest.mark.shared_data
def test_yunet_finds_faces_of_fifteen_pixels(yunet_file: Path, shared: Path) -> None:
    frame = read_image(shared / "data" / "media" / "classroom.gif")
    found = open_detector("yunet").detect(frame)
    assert len(found) == 4
    assert min(d.width for d in found) < 15


def test_without_weights_auto_takes_hog_and_yunet_says_what_to_do() -> None:
    assert open_detector().name == "hog"
    with pytest.raises(DetectorError, match="felicity detectors install yunet"):
        open_detector("yunet")
    states = {line.name: line for line in available()}
    assert states["hog"].available and states["hog"].reason == ""
    assert not states["yunet"].available and "felicity detectors install yunet" in states["yunet"].reason


@pytest.mark.shared_data
def test_auto_takes_yunet_from_the_users_folder(
    yunet_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert open_detector("auto").name == "yunet"
    monkeypatch.delenv("FELICITY_YUNET")
    monkeypatch.setenv("FELICITY_HOME", str(tmp_path))
    (tmp_path / "detectors").mkdir()
    (tmp_path / "detectors" / yunet_file.name).write_bytes(yunet_file.read_bytes())
    assert open_detector().name == "yunet"


@pytest.mark.parametrize("content", [b"", b"not weights", b"x" * 300_000])
def test_a_wrong_file_is_one_sentence_and_never_passed_over(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = tmp_path / "yunet.onnx"
    wrong.write_bytes(content)
    monkeypatch.setenv("FELICITY_YUNET", str(wrong))
    for name in ("yunet", "auto"):
        with pytest.raises(DetectorError, match=r"yunet\.onnx is not .* expected, .* found; replace it"):
            open_detector(name)
    monkeypatch.setenv("FELICITY_YUNET", str(tmp_path / "absent"))
    with pytest.raises(DetectorError, match=r"FELICITY_YUNET names .*absent, which does not exist"):
        open_detector()
    monkeypatch.setenv("FELICITY_YUNET", str(tmp_path))
    with pytest.raises(DetectorError, match="cannot be read"):
        open_detector()


def test_names_and_options_are_checked() -> None:
    with pytest.raises(DetectorError, match="no face detector 'hgo'; there are: auto, yunet, hog"):
        open_detector("hgo")
    with pytest.raises(ConfigError, match="no option 'size'; it has: upsample, max_side, threshold, small"):
        open_detector("hog", size=3)
    with pytest.raises(ConfigError, match="upsample of"):
        open_detector("hog", upsample=0)
    with pytest.raises(ConfigError, match="max_side of"):
        open_detector("yunet", max_side=1)
