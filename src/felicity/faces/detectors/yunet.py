"""YuNet: a convolutional face detector of 75,856 parameters that also gives the eyes and the nose.

Wu, Peng & Yu 2023 (doi 10.1007/s11633-023-1423-y); weights of March 2023, MIT licence, fetched by
``felicity detectors install yunet``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np
import numpy.typing as npt

from felicity.errors import ConfigError
from felicity.faces._image import Image, scaled
from felicity.faces.detection import CropGeometry, Detection
from felicity.faces.registry import register
from felicity.faces.weights import WeightsFile
from felicity.imaging.decode import checked

WEIGHTS = WeightsFile(
    detector="yunet",
    file_name="face_detection_yunet_2023mar.onnx",
    size=232_589,
    sha256="8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
    url="https://media.githubusercontent.com/media/opencv/opencv_zoo/main/models/face_detection_yunet/"
    "face_detection_yunet_2023mar.onnx",
    variable="FELICITY_YUNET",
)
Rows = npt.NDArray[np.float64]
"""Faces as ``(n, 15)``: x, y, width, height, five points (x, y), score."""

_SMALLEST = 64  # pixels; smaller pictures are padded, the network halves the sides five times
_COARSE = 320  # long side of a second, cheap search: the network takes close-ups of 500 pixels for two faces
_LARGE = 320  # pixels in the working picture from which the second search is the one to believe
_DOUBTFUL = 0.7
_OVERLAP = 0.3  # intersection over union from which two boxes are one face


@register("yunet", rank=20)
class YuNetDetector:
    """Faces of 10 pixels and more, in any light, also half turned, with eyes and nose.

    ``max_side``: longer pictures are shrunk to it before the search, so the time per picture is
    bounded. ``threshold``: detections must score above it (0 to 1).
    """

    name = "yunet"
    geometry = CropGeometry(scale=0.93, down=-0.02)
    weights = WEIGHTS

    def __init__(self, max_side: int = 1280, threshold: float = 0.6) -> None:
        if not (64 <= max_side <= 8192 and 0 < threshold < 1):
            raise ConfigError(
                f"yunet takes a max_side of 64 to 8192 and a threshold between 0 and 1, not {max_side} and {threshold}"
            )
        self._max_side = max_side
        weights = np.frombuffer(self.weights.read(), dtype=np.uint8)
        with _quiet():
            self._network = cv2.FaceDetectorYN.create(
                "onnx", weights, np.empty(0, np.uint8), (320, 320), threshold, _OVERLAP, 5000
            )

    @classmethod
    def check(cls) -> None:
        """Raise NotInstalledError without the file of weights, DetectorError if it is another file."""
        cls.weights.read()

    def detect(self, image_rgb_u8: Image) -> list[Detection]:
        """See ``Detector.detect``."""
        height, width = checked(image_rgb_u8).shape[:2]
        image, fx, fy = scaled(image_rgb_u8, min(1.0, self._max_side / max(height, width)))
        rows = self._search(image)
        if max(image.shape[:2]) > 2 * _COARSE:
            rows = _joined(rows, self._coarse(image))
        rows[:, 0:14:2] /= fx
        rows[:, 1:14:2] /= fy
        return sorted(map(_detection, rows), key=lambda d: -d.score)

    def _coarse(self, image: Image) -> Rows:
        small, fx, fy = scaled(image, _COARSE / max(image.shape[:2]))
        rows = self._search(small)
        rows[:, 0:14:2] /= fx
        rows[:, 1:14:2] /= fy
        return rows

    def _search(self, image: Image) -> Rows:
        height, width = image.shape[:2]
        bgr = cv2.copyMakeBorder(
            cv2.cvtColor(image, cv2.COLOR_RGB2BGR),
            0, max(0, _SMALLEST - height), 0, max(0, _SMALLEST - width), cv2.BORDER_REPLICATE,
        )  # fmt: skip
        self._network.setInputSize((bgr.shape[1], bgr.shape[0]))
        rows = self._network.detect(bgr)[1]
        if rows is None:
            return np.empty((0, 15))
        found = np.asarray(rows, dtype=np.float64)
        usable: Rows = found[(found[:, 2] > 0) & (found[:, 3] > 0)]
        return usable


def _joined(fine: Rows, coarse: Rows) -> Rows:
    """Small faces of the fine search, large ones of the coarse one, each face once."""
    fine = fine[fine[:, 2:4].max(1, initial=0) < 1.25 * _LARGE]
    rows = np.concatenate([fine, coarse[coarse[:, 2:4].max(1, initial=0) > _LARGE / 1.25]])
    kept = cv2.dnn.NMSBoxes(rows[:, :4].tolist(), rows[:, 14].tolist(), 0.0, _OVERLAP)
    each_once: Rows = rows[np.asarray(kept, dtype=int).reshape(-1)]
    return each_once


def _detection(row: npt.NDArray[np.float64]) -> Detection:
    x, y, width, height, score = (float(v) for v in row[[0, 1, 2, 3, 14]])
    points = [(float(px), float(py)) for px, py in row[4:14].reshape(5, 2)]
    left, right = sorted(points[:2])
    return Detection((x, y, x + width, y + height), score, (left, right), points[2], score < _DOUBTFUL)


@contextmanager
def _quiet() -> Iterator[None]:
    """OpenCV 5 warns of a target that nobody chose."""
    logging = cv2.utils.logging
    before = logging.getLogLevel()
    logging.setLogLevel(logging.LOG_LEVEL_ERROR)
    try:
        yield
    finally:
        logging.setLogLevel(before)
