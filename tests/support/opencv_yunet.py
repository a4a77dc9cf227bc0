"""YuNet as OpenCV runs it, decoding and suppression included: the reference of our own search."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

Boxes = npt.NDArray[np.float64]

_THRESHOLD, _OVERLAP = 0.6, 0.3
_COARSE = _LARGE = 320


class OpenCvYuNet:
    """A search of the whole picture, and a second one of 320 pixels for faces larger than that."""

    def __init__(self, weights: Path) -> None:
        content = np.frombuffer(weights.read_bytes(), dtype=np.uint8)
        before = cv2.utils.logging.setLogLevel(2)  # OpenCV 5 warns of a target that nobody chose
        self._network = cv2.FaceDetectorYN.create(
            "onnx", content, np.empty(0, np.uint8), (320, 320), _THRESHOLD, _OVERLAP, 5000
        )
        cv2.utils.logging.setLogLevel(before)

    def detect(self, image_rgb_u8: npt.NDArray[np.uint8]) -> Boxes:
        """Faces of a picture of at most 1280 pixels, best first: ``(n, 5)``, left, top, right, bottom, score."""
        height, width = image_rgb_u8.shape[:2]
        rows = self._search(image_rgb_u8)
        if max(height, width) > 2 * _COARSE:
            factor = _COARSE / max(height, width)
            size = max(1, round(width * factor)), max(1, round(height * factor))
            coarse = self._search(cv2.resize(image_rgb_u8, size, interpolation=cv2.INTER_AREA))
            coarse[:, :4] *= [width / size[0], height / size[1]] * 2
            small = rows[rows[:, 2:4].max(1, initial=0) < 1.25 * _LARGE]
            rows = np.concatenate([small, coarse[coarse[:, 2:4].max(1, initial=0) > _LARGE / 1.25]])
            kept = cv2.dnn.NMSBoxes(rows[:, :4].tolist(), rows[:, 4].tolist(), 0.0, _OVERLAP)
            rows = rows[np.asarray(kept, dtype=int).reshape(-1)]
        rows[:, 2:4] += rows[:, :2]
        return rows[np.argsort(-rows[:, 4], kind="stable")]

    def _search(self, image: npt.NDArray[np.uint8]) -> Boxes:
        self._network.setInputSize((image.shape[1], image.shape[0]))
        rows = self._network.detect(np.ascontiguousarray(image[..., ::-1]))[1]
        return np.empty((0, 5)) if rows is None else np.asarray(rows, dtype=np.float64)[:, [0, 1, 2, 3, 14]]
