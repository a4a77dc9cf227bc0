"""Pictures of an evaluation."""

from __future__ import annotations

import numpy as np
import pytest

from felicity.evaluation.drawing import draw_confusion
from felicity.style.charts import to_png

CLASSES = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "anger")


@pytest.mark.parametrize("classes", [2, 7])
def test_the_end_of_a_long_title_is_seen(classes: int) -> None:
    matrix = np.full((classes, classes), 30)
    title = "bundle best@0123456789ab, PublicTest, FER2013's own labels, answers for equal"
    shares, parts = (to_png(draw_confusion(matrix, CLASSES[:classes], f"{title} {end}")) for end in ("shares", "parts"))
    assert shares != parts
