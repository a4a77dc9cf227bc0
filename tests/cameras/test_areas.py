"""Where faces count, and where not."""

from __future__ import annotations

import numpy as np
import pytest

from felicity.cameras.areas import read_area
from felicity.cameras.shared import CountedAreas
from felicity.errors import ConfigError
from felicity.faces import Detection
from felicity.faces.detection import CropGeometry


class TwoFaces:
    name, geometry = "two", CropGeometry(1.0)

    def detect(self, image_rgb_u8: np.ndarray, within: object = None) -> list[Detection]:
        return [Detection((10, 10, 30, 30), 0.9), Detection((60, 10, 80, 30), 0.8)]


PICTURE = np.zeros((100, 100, 3), np.uint8)


@pytest.mark.parametrize("area", ["0.5,0,1,0.5", "0.5,0,1,0,0.75,0.6", " 0.5, 0, 1, 1"])
def test_faces_in_an_ignored_area_are_left_out(area: str) -> None:
    finder = CountedAreas(TwoFaces(), ignored=[read_area(area)])
    assert [face.score for face in finder.detect(PICTURE)] == [0.9]


def test_what_is_ignored_goes_before_what_is_counted() -> None:
    everywhere, left = read_area("0,0,1,1"), read_area("0,0,0.5,1")
    assert [face.score for face in CountedAreas(TwoFaces(), [everywhere], [left]).detect(PICTURE)] == [0.8]
    assert CountedAreas(TwoFaces(), [left], [left]).detect(PICTURE) == []
    assert len(CountedAreas(TwoFaces()).detect(PICTURE)) == 2


@pytest.mark.parametrize("area", ["", "1,2", "a,b,c,d", "0,0,2,1", "0.2,0.2,0.2,0.8", "0,0,1,1,1", "nan,0,1,1"])
def test_what_is_no_area_is_one_sentence(area: str) -> None:
    with pytest.raises(ConfigError, match=r"is no area; expected left,top,right,bottom"):
        read_area(area)
