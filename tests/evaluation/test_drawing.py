"""Pictures of an evaluation."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from felicity.evaluation.drawing import confusion_png

CLASSES = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "anger")


@pytest.mark.parametrize("classes", [2, 7])
def test_a_long_title_stays_within_the_picture(classes: int) -> None:
    matrix = np.full((classes, classes), 30)
    long = "bundle best@0123456789ab, PublicTest, FER2013's own labels, answers for equal shares"
    assert touched(confusion_png(matrix, CLASSES[:classes], "short")) == 0
    assert touched(confusion_png(matrix, CLASSES[:classes], long)) == 0


def touched(png: bytes) -> int:
    """Pixels at the right edge that are not white."""
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    return int((picture[:, -2:] < 250).sum())
