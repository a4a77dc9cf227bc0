"""Many photographs at a time: in their order, side by side, bad ones named."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from felicity.faces.detection import Box, CropGeometry, Detection
from felicity.imaging.encode import write_image
from felicity.recognition.classifier import Classifier
from felicity.recognition.photographs import read_photographs
from tests.support.people import photograph


class Pairs:
    """A detector that answers when two pictures are looked at; the first to come answers last."""

    name, geometry, version = "pairs", CropGeometry(1.0), "1"

    def __init__(self) -> None:
        self._both = threading.Barrier(2, timeout=60)

    def detect(self, image_rgb_u8: npt.NDArray[np.uint8], within: Sequence[Box] | None = None) -> list[Detection]:
        """One face, as wide as the picture is high."""
        self._both.wait()
        side = float(image_rgb_u8.shape[0])
        return [Detection((0.0, 0.0, side, side), 0.9)]


def test_photographs_are_looked_at_side_by_side_and_answered_in_order(tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.png" for number in range(7)]
    for number, file in enumerate(files):
        write_image(file, photograph()[: 200 + number])
    files[3].write_bytes(b"no picture")
    found = list(read_photographs(files, Classifier.open("fast"), Pairs(), workers=2))
    assert [reading.path for reading, _ in found] == [str(file) for file in files]
    boxes = [
        reading.faces[0].detection.box_xyxy[2] for reading, _ in found if reading.faces and reading.faces[0].detection
    ]
    assert boxes == [200.0, 201.0, 202.0, 204.0, 205.0, 206.0]
    assert [reading.error is not None for reading, _ in found] == [number == 3 for number in range(7)]
    alone = [reading.faces[0].expression for reading, _ in found if reading.faces]
    assert len(set(alone)) == 1, "the same face"
