from collections import Counter
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from felicity.errors import ConfigError
from felicity.faces import Detection, Detector
from felicity.faces.quality import QualityGate, roll, sharpness, yaw
from felicity.imaging.decode import read_image

BOX = (176.0, 70.0, 268.0, 170.0)  # of the astronaut
GOOD = Detection(BOX, 0.9, ((200, 102), (247, 102)), (220, 125))


def moved(nose_x: float, right_eye_y: float = 102) -> Detection:
    return Detection(BOX, 0.9, ((200, 102), (247, right_eye_y)), (nose_x, 125))


def test_a_good_face_passes(astronaut: np.ndarray) -> None:
    before = astronaut.copy()
    verdict = QualityGate().judge(astronaut, GOOD)
    assert verdict.rejected is None and 0 < verdict.quality <= 1
    assert (astronaut == before).all()


def test_each_fault_has_its_reason(astronaut: np.ndarray) -> None:
    gate = QualityGate()
    tiny = cv2.resize(astronaut, (64, 64), interpolation=cv2.INTER_AREA)
    faults = {
        "small": (tiny, Detection((22, 9, 33, 21), 0.9)),
        "blurred": (cv2.GaussianBlur(astronaut, (0, 0), 15), GOOD),
        "turned": (astronaut, moved(nose_x=275)),
        "doubtful": (astronaut, Detection(BOX, 0.65, doubtful=True)),
        "faint": ((astronaut * 0.02).astype(np.uint8), GOOD),
    }
    for reason, (picture, face) in faults.items():
        verdict = gate.judge(picture, face)
        assert (verdict.rejected, verdict.quality) == (reason, 0.0)
    assert gate.judge(astronaut, moved(nose_x=223, right_eye_y=170)).rejected == "turned", "lying on its side"
    assert gate.judge(astronaut, GOOD, noise=40.0).rejected == "noisy"
    assert gate.judge(astronaut, GOOD, noise=8.0).rejected is None


def test_thresholds_can_be_moved_and_switched_off(astronaut: np.ndarray) -> None:
    everything = QualityGate(None, None, None, None, None, None, doubtful=True)
    flat = np.full((100, 100, 3), 90, np.uint8)
    assert everything.judge(flat, Detection((1, 1, 4, 4), 0.1, doubtful=True)).rejected is None
    assert QualityGate(min_side=120).judge(astronaut, GOOD).rejected == "small"
    assert QualityGate(min_sharpness=5).judge(astronaut, GOOD).rejected == "blurred"
    for name in ("min_side", "min_sharpness", "max_yaw", "max_roll", "min_contrast", "min_clarity"):
        with pytest.raises(ConfigError, match=name):
            QualityGate(**{name: -1.0})


def test_better_faces_have_more_quality(astronaut: np.ndarray) -> None:
    gate = QualityGate()
    soft = cv2.GaussianBlur(astronaut, (0, 0), 2)
    assert gate.judge(soft, GOOD).quality < gate.judge(astronaut, GOOD).quality
    assert gate.judge(astronaut, moved(nose_x=240)).quality < gate.judge(astronaut, moved(nose_x=223)).quality


def test_sharpness_falls_with_blur_and_not_with_light(astronaut: np.ndarray) -> None:
    blurs = [sharpness(cv2.GaussianBlur(astronaut, (0, 0), s) if s else astronaut, GOOD) for s in (0, 1, 2, 4, 8)]
    assert blurs == sorted(blurs, reverse=True) and blurs[0] > 4 * blurs[-1]
    dim = (astronaut // 3 + 60).astype(np.uint8)
    assert sharpness(dim, GOOD) == pytest.approx(sharpness(astronaut, GOOD), rel=0.1)
    twice = cv2.resize(astronaut, (1024, 1024), interpolation=cv2.INTER_CUBIC)
    double = Detection((352, 140, 536, 340), 0.9)
    assert sharpness(twice, double) == pytest.approx(sharpness(astronaut, GOOD), rel=0.15), "size is not sharpness"
    assert sharpness(np.full((99, 99, 3), 7, np.uint8), Detection((10, 10, 60, 60), 1)) == 0
    assert sharpness(astronaut, Detection((600, 600, 650, 650), 1)) == 0, "outside the picture"


def test_pose_from_eyes_and_nose() -> None:
    assert yaw(moved(nose_x=223.5)) == 0
    assert yaw(moved(nose_x=247)) == pytest.approx(0.5)
    assert yaw(moved(nose_x=200)) == pytest.approx(-0.5)
    assert roll(moved(223.5)) == 0
    assert roll(moved(223.5, right_eye_y=149)) == pytest.approx(45)
    leaning = Detection((0, 0, 99, 99), 1, ((30, 30), (60, 60)), (45 - 20, 45 + 20))
    assert yaw(leaning) == pytest.approx(0), "a leaning head is not a turned one"
    assert yaw(Detection(BOX, 1)) == roll(Detection(BOX, 1)) == 0, "without eyes nothing is said"
    same = Detection(BOX, 1, ((200, 100), (200, 100)), (210, 120))
    assert QualityGate().judge(np.zeros((300, 300, 3), np.uint8), same).rejected == "turned"


@pytest.mark.shared_data
def test_posed_faces_and_people_near_a_camera_pass(detector: Detector, shared: Path) -> None:
    gate, verdicts = QualityGate(), Counter[str | None]()
    for path in sorted((shared / "data" / "faces").glob("*.jpg"))[::2]:
        picture = read_image(path)
        verdicts.update(gate.judge(picture, face).rejected for face in detector.detect(picture))
    assert verdicts == {None: 23}
    with av.open(str(shared / "data" / "media" / "head-pose-face-detection-male.gif")) as container:
        frames = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)][::6]
    assert {gate.judge(f, face).rejected for f in frames for face in detector.detect(f)} == {None}
