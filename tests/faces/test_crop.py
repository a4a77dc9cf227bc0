from pathlib import Path

import cv2
import numpy as np
import pytest

from felicity.faces import CropGeometry, Detection, Detector
from felicity.faces.crop import LIT, crop_face, crop_faces, lifted
from felicity.faces.registry import open_detector
from felicity.imaging.decode import read_image

PLAIN = CropGeometry(scale=1.0)


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_a_box_of_the_wanted_size_is_cut_out_as_it_is() -> None:
    picture = cv2.GaussianBlur(noise(200, 300), (0, 0), 3)
    crop = crop_face(picture, Detection((100, 50, 148, 98), 1), size=48, colour="rgb", geometry=PLAIN)
    assert crop.shape == (48, 48, 3) and crop.dtype == np.uint8
    assert np.abs(crop.astype(int) - picture[50:98, 100:148]).max() <= 2


def test_the_longer_side_of_the_box_is_the_width_of_the_crop() -> None:
    picture = cv2.GaussianBlur(noise(200, 300), (0, 0), 3)
    crop = crop_face(picture, Detection((110, 50, 138, 98), 1), size=48, colour="rgb", geometry=PLAIN)
    assert np.abs(crop.astype(int) - picture[50:98, 100:148]).max() <= 2


def test_geometry_scales_and_shifts() -> None:
    picture = cv2.GaussianBlur(noise(200, 300), (0, 0), 3)
    half_as_large = Detection((112, 62, 136, 86), 1)
    crop = crop_face(picture, half_as_large, size=48, colour="rgb", geometry=CropGeometry(2.0, right=0.5, down=-0.25))
    assert np.abs(crop.astype(int) - picture[44:92, 112:160]).max() <= 2


@pytest.mark.parametrize("angle", [-40, -10, 25, 60])
def test_the_eyes_are_levelled(angle: float) -> None:
    """A cross turned by ``angle`` about the box's centre comes out upright."""
    upright = np.full((300, 300, 3), 255, np.uint8)
    upright[120:132, 90:210] = 0
    upright[120:200, 144:156] = 60
    turn = cv2.getRotationMatrix2D((149.5, 149.5), -angle, 1)
    picture = cv2.warpAffine(upright, turn, (300, 300), borderValue=(255, 255, 255), flags=cv2.INTER_CUBIC)
    eyes = [tuple(float(v) for v in turn @ (x, 125.5, 1)) for x in (110, 190)]
    turned = Detection((86, 86, 214, 214), 1, eyes_xy=(eyes[0], eyes[1]))
    crop = crop_face(picture, turned, size=64, colour="gray", geometry=PLAIN)
    wanted = cv2.resize(upright[86:214, 86:214, 0], (64, 64), interpolation=cv2.INTER_AREA)
    assert np.abs(crop.astype(int) - wanted).mean() < 3


def test_grey_is_the_grey_of_the_picture() -> None:
    picture = np.zeros((60, 60, 3), np.uint8)
    picture[:] = (200, 40, 90)
    face = Detection((10, 10, 50, 50), 1)
    grey = crop_face(picture, face, size=48, colour="gray", geometry=PLAIN)
    assert grey.shape == (48, 48)
    assert (grey == cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[0, 0]).all()


@pytest.mark.parametrize("tilt", [0.0, 30.0, 60.0])
def test_a_large_face_is_averaged_down_not_sampled(tilt: float) -> None:
    """White noise keeps only what the mean over each crop pixel's area has of it; sampling would keep all."""
    picture = noise(1000, 1000)
    face = Detection((100, 100, 900, 900), 1, eyes_xy=((400.0, 500 - tilt), (600.0, 500 + tilt)))
    crop = crop_face(picture, face, size=48, colour="rgb", geometry=PLAIN)
    means = cv2.resize(picture[100:900, 100:900], (48, 48), interpolation=cv2.INTER_AREA)
    assert crop.std() <= 1.1 * means.std() < 0.1 * picture.std()


def test_a_face_partly_outside_repeats_the_edge() -> None:
    picture = np.zeros((100, 100, 3), np.uint8)
    picture[:, :50], picture[:, 50:] = 40, 200
    crop = crop_face(picture, Detection((60, 20, 140, 100), 1), size=48, colour="gray", geometry=PLAIN)
    assert (crop == 200).all()
    crop = crop_face(picture, Detection((-60, -60, 20, 20), 1), size=48, colour="gray", geometry=PLAIN)
    assert (crop == 40).all()
    outside = crop_face(picture, Detection((500, 20, 540, 60), 1), size=48, colour="gray", geometry=PLAIN)
    assert (outside == 200).all()
    tiny = crop_face(picture[:1, :1], Detection((0, 0, 1, 1), 1), size=48, colour="rgb", geometry=PLAIN)
    assert (tiny == 40).all()


def test_all_faces_of_a_picture() -> None:
    picture = noise(200, 300)
    before = picture.copy()
    faces = [Detection((10, 10, 60, 60), 1), Detection((100, 50, 250, 190), 1, ((140, 100), (200, 110)))]
    crops, faint = crop_faces(picture, faces, size=48, colour="rgb", geometry=PLAIN)
    assert crops.shape == (2, 48, 48, 3) and crops.dtype == np.uint8
    assert faint.tolist() == [False, False]
    dark = crop_faces(picture // 4, faces, size=48, colour="rgb", geometry=PLAIN)[1]
    assert dark.tolist() == [True, True]
    assert (crops[1] == lifted(crop_face(picture, faces[1], size=48, colour="rgb", geometry=PLAIN))).all()
    assert crop_faces(picture, [], size=64, colour="gray", geometry=PLAIN)[0].shape == (0, 64, 64)
    assert (picture == before).all()
    view = np.asfortranarray(picture)
    assert (crop_faces(view, faces, size=48, colour="rgb", geometry=PLAIN)[0] == crops).all()


def test_impossible_geometry_is_refused() -> None:
    with pytest.raises(ValueError, match="crop geometry"):
        CropGeometry(scale=0)


@pytest.mark.shared_data
def test_posed_faces_are_framed_as_in_fer2013(detector: Detector, shared: Path, yunet_file: Path) -> None:
    """In FER2013 the eyes stand at three tenths and seven tenths of the width, four tenths down."""
    ruler = open_detector("yunet")
    places = []
    for path in sorted((shared / "data" / "faces").glob("*.jpg"))[::3]:
        picture = read_image(path)
        (face,) = detector.detect(picture)
        crop = crop_face(picture, face, size=192, colour="rgb", geometry=detector.geometry)
        (again,) = ruler.detect(np.pad(crop, ((48, 48), (48, 48), (0, 0)), mode="edge"))
        assert again.eyes_xy is not None
        places.append((np.array(again.eyes_xy) - 48) / 192)
    left, right = np.median(places, axis=0)
    assert left == pytest.approx((0.31, 0.4), abs=0.06)
    assert right == pytest.approx((0.69, 0.4), abs=0.06)


def test_a_faint_face_is_lifted_to_the_contrast_of_a_lit_one() -> None:
    lit = np.clip(np.random.default_rng(1).normal(120, 35, (48, 48)), 0, 255).astype(np.uint8)
    assert lifted(lit) is lit
    for share in (0.5, 0.2, 0.1):
        found = lifted((lit * share).astype(np.uint8))
        assert found.std() == pytest.approx(LIT, rel=0.03)
        assert np.corrcoef(found.ravel(), lit.ravel())[0, 1] > 0.99
        assert 80 < found.mean() < 130
    edge = lifted((lit * (0.99 * LIT / lit.std())).astype(np.uint8))
    assert np.abs(edge.astype(int) - lit * (0.99 * LIT / lit.std())).max() < 3, "hardly lifted if hardly faint"
    flat = np.full((48, 48), 9, np.uint8)
    assert lifted(flat) is flat
