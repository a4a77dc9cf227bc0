"""YuNet on ONNX Runtime against OpenCV's, and what its options decide."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from felicity.errors import ConfigError
from felicity.faces import Detection
from felicity.faces.registry import open_detector
from felicity.imaging.decode import read_image
from felicity.sources import open_source
from tests.support.opencv_yunet import OpenCvYuNet

pytestmark = pytest.mark.shared_data


def pictures(shared: Path) -> list[np.ndarray]:
    """Posed faces, some of them close up, collages of them, and the clips, each seventeenth frame."""
    posed = [read_image(path) for path in sorted((shared / "data/faces").glob("*.jpg"))[::3]]
    heads = [cv2.resize(picture, (160, 160), interpolation=cv2.INTER_AREA) for picture in posed]
    crowd = np.concatenate([np.concatenate(heads[i : i + 8], axis=1) for i in (0, 4, 8, 6)])
    close = [cv2.resize(posed[side % 16], (side, side), interpolation=cv2.INTER_CUBIC) for side in (900, 1280)]
    frames = []
    for clip in sorted((shared / "data/media").glob("*.gif")):
        with open_source(str(clip)) as source:
            frames += [frame.image_rgb_u8 for frame in source if frame.number % 17 == 5]
    large = [cv2.resize(frame, (1280, 720), interpolation=cv2.INTER_CUBIC) for frame in frames[::6]]
    return [*posed, crowd, *close, *frames, *large]


def overlaps(box: np.ndarray, faces: list[Detection]) -> np.ndarray:
    """Intersection over union of a box and each face."""
    others = np.array([face.box_xyxy for face in faces]).reshape(-1, 4)
    both = np.clip(np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2]), 0, None).prod(1)
    return both / ((box[2:] - box[:2]).prod() + (others[:, 2:] - others[:, :2]).prod(1) - both)


def test_it_finds_the_boxes_that_opencv_finds(yunet_file: Path, shared: Path) -> None:
    theirs, ours = OpenCvYuNet(yunet_file), open_detector("yunet")
    likeness, lost, more = [], 0, 0
    for picture in pictures(shared):
        expected, found = theirs.detect(picture), ours.detect(picture)
        more += len(found) - len(expected)
        for box in expected:
            best = overlaps(box[:4], found).max(initial=0)
            likeness.append(best)
            lost += best < 0.5 and box[4] > 0.7
    assert len(likeness) > 80
    assert np.mean(np.array(likeness) >= 0.9) >= 0.995
    assert (lost, more) == (0, 0)


def test_several_threads_share_one_detector(yunet_file: Path, astronaut: np.ndarray) -> None:
    detector = open_detector("yunet", threads=1)
    views = [np.ascontiguousarray(astronaut[i:, : 512 - 8 * i]) for i in range(8)]
    alone = [detector.detect(view) for view in views]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(detector.detect, views)) == alone


def test_the_smallest_face_wanted_decides_on_the_search(yunet_file: Path, astronaut: np.ndarray) -> None:
    """Faces of 20 and of 60 pixels in one picture."""
    head = astronaut[20:240, 100:340]
    picture = np.full((400, 600, 3), 110, np.uint8)
    for side, x in ((60, 50), (180, 300)):
        picture[100 : 100 + side, x : x + side] = cv2.resize(head, (side, side), interpolation=cv2.INTER_AREA)
    small, large = sorted(open_detector("yunet", smallest_face=20).detect(picture), key=lambda face: face.side)
    assert small.side == pytest.approx(large.side / 3, rel=0.15)
    (only,) = open_detector("yunet", smallest_face=60).detect(picture)
    assert overlaps(np.array(large.box_xyxy), [only]).max() > 0.7
    tiny = cv2.resize(picture, (200, 133), interpolation=cv2.INTER_AREA)
    assert len(open_detector("yunet", smallest_face=20).detect(tiny)) == 1
    assert len(open_detector("yunet", smallest_face=8).detect(tiny)) == 2


@pytest.mark.parametrize("name", ["yunet", "hog"])
def test_a_smallest_face_out_of_range_is_refused(name: str, yunet_file: Path) -> None:
    with pytest.raises(ConfigError, match="smallest face wanted has 5 to 2000 pixels, not 3"):
        open_detector(name, smallest_face=3)
