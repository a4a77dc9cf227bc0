"""YuNet: a convolutional face detector of 75,856 parameters that also gives the eyes and the nose.

Wu, Peng & Yu 2023 (doi 10.1007/s11633-023-1423-y); weights of March 2023, MIT licence, fetched by
``felicity detectors install yunet``.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from felicity.errors import ConfigError
from felicity.faces._free_sides import with_free_sides
from felicity.faces._image import LONGEST, Image, check_smallest, found_within, scaled
from felicity.faces.detection import Box, CropGeometry, Detection
from felicity.faces.registry import register
from felicity.faces.weights import WeightsFile
from felicity.imaging.decode import checked
from felicity.runtime import open_session

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

_STRIDES = (8, 16, 32)  # pixels from one place that may hold a face to the next, of the three outputs
_MULTIPLE = 32  # the network halves the sides five times
_SMALLEST = 64  # pixels; smaller pictures are continued with their edge
_SURE = 20.0  # pixels of a face in the working picture from which on every posed face is found
_COARSE = 320  # long side of a second, cheap search: the network takes close-ups of 500 pixels for two faces
_LARGE = 320  # pixels in the working picture from which the second search is the one to believe
# A close-up that the second search finds scores 0.6 and more in the first, pictures without one 0.06.
_HINT, _HINT_SIDE = 0.15, 160
_DOUBTFUL = 0.7
_OVERLAP = 0.3  # intersection over union from which two boxes are one face


@register("yunet", rank=20)
class YuNetDetector:
    """Faces of 10 pixels and more, in any light, also half turned, with eyes and nose.

    ``smallest_face``: the longer side in pixels of the smallest wanted face; it sets the size of the searched picture,
    so twice as large a face takes a quarter of the time. Without it, pictures longer than ``max_side`` are shrunk to
    it. ``threshold``: least score of a detection (0 to 1). ``threads``: of one search, None for all cores; with 1,
    several threads search in parallel.
    """

    name = "yunet"
    version = "2023mar"
    geometry = CropGeometry(scale=0.93, down=-0.02)
    weights = WEIGHTS

    def __init__(
        self,
        max_side: int = 1280,
        threshold: float = 0.6,
        smallest_face: float | None = None,
        threads: int | None = None,
    ) -> None:
        if not (64 <= max_side <= 8192 and 0.2 <= threshold < 1):
            raise ConfigError(
                f"yunet takes a max_side of 64 to 8192 and a threshold of 0.2 to 1, not {max_side} and {threshold}"
            )
        if smallest_face is not None:
            check_smallest(smallest_face)
        self._max_side, self._threshold, self._smallest = max_side, threshold, smallest_face
        self._session = open_session(self.network(), threads=threads)

    @classmethod
    def check(cls) -> None:
        """Raise NotInstalledError without the file of weights, DetectorError if it is another file."""
        cls.weights.read()

    @classmethod
    def network(cls) -> bytes:
        """Return the network for pictures of any size, as ONNX; raises as ``check``."""
        return with_free_sides(cls.weights.read())

    def detect(self, image_rgb_u8: Image, within: Sequence[Box] | None = None) -> list[Detection]:
        """Return faces; see ``Detector.detect``."""
        scale = self._scale(*checked(image_rgb_u8).shape[:2])
        if within is None:
            return self._find(image_rgb_u8, scale)
        return found_within(lambda part: self._find(part, scale), image_rgb_u8, within)

    def _find(self, picture: Image, scale: float) -> list[Detection]:
        image, fx, fy = scaled(picture, scale)
        rows = self._search(image, _HINT)
        hinted = bool((rows[:, 2:4].max(1, initial=0) > _HINT_SIDE).any())
        rows = _each_once(rows[rows[:, 14] > self._threshold])
        if hinted and max(image.shape[:2]) > 2 * _COARSE:
            rows = _joined(rows, self._coarse(image))
        _enlarge(rows, 1 / fx, 1 / fy)
        return [_detection(row) for row in rows]

    def _scale(self, height: int, width: int) -> float:
        longest = max(height, width)
        if self._smallest is None:
            return min(1.0, self._max_side / longest)
        return min(_SURE / self._smallest, LONGEST / longest)

    def _coarse(self, image: Image) -> Rows:
        small, fx, fy = scaled(image, _COARSE / max(image.shape[:2]))
        rows = _each_once(self._search(small, self._threshold))
        _enlarge(rows, 1 / fx, 1 / fy)
        return rows

    def _search(self, image: Image, threshold: float) -> Rows:
        """Return every place that scores above ``threshold``; a face has many."""
        pixels = _planes(image)
        answers = self._session.run(None, {"input": pixels})
        columns = [pixels.shape[3] // stride for stride in _STRIDES]
        found = [
            _at([answer[0] for answer in answers[level::3]], columns[level], stride, threshold)
            for level, stride in enumerate(_STRIDES)
        ]
        return np.concatenate(found)


def _planes(image: Image) -> npt.NDArray[np.float32]:
    """Return the network's input: float32 ``(1, 3, H, W)``, blue, green, red from 0 to 255, padded with black."""
    height, width = image.shape[:2]
    if min(height, width) < _SMALLEST:
        image = cv2.copyMakeBorder(
            image, 0, max(0, _SMALLEST - height), 0, max(0, _SMALLEST - width), cv2.BORDER_REPLICATE
        )  # type: ignore[assignment]
        height, width = image.shape[:2]
    padded = [-(-side // _MULTIPLE) * _MULTIPLE for side in (height, width)]
    pixels = np.empty((1, 3, *padded), dtype=np.float32)
    pixels[:, :, height:], pixels[:, :, :, width:] = 0, 0
    for plane, colour in zip(pixels[0], reversed(cv2.split(image)), strict=True):
        plane[:height, :width] = colour
    return pixels


def _at(answer: Sequence[npt.NDArray[np.float32]], columns: int, stride: int, threshold: float) -> Rows:
    """Return faces that score above ``threshold`` among the places of one output, row by row.

    ``answer``: ``(places, n)`` each; likeness to a face (n = 1), to anything (1), box (4), points (10), in strides from
    the place; of the box width and height as logarithms.
    """
    faceness, there, boxes, points = answer
    product = (faceness.clip(0, 1) * there.clip(0, 1))[:, 0]
    best = np.flatnonzero(product > threshold**2)
    places = np.stack([best % columns, best // columns], axis=1).astype(np.float64)  # (n, 2): x, y in strides
    sides = np.exp(boxes[best, 2:].astype(np.float64)) * stride
    corners = (places + boxes[best, :2]) * stride - sides / 2
    landmarks = (np.tile(places, 5) + points[best]) * stride
    return np.concatenate([corners, sides, landmarks, np.sqrt(product[best, None].astype(np.float64))], axis=1)


def _each_once(rows: Rows) -> Rows:
    """Keep the best-scoring of overlapping boxes; best first."""
    rows = rows[np.argsort(-rows[:, 14], kind="stable")]
    ends, areas = rows[:, :2] + rows[:, 2:4], rows[:, 2:4].prod(1)
    kept, left = [], np.arange(len(rows))
    while len(left):
        best, left = left[0], left[1:]
        kept.append(best)
        across = np.minimum(ends[best], ends[left]) - np.maximum(rows[best, :2], rows[left, :2])
        both = across.clip(0).prod(1)
        left = left[both <= _OVERLAP * (areas[best] + areas[left] - both)]
    return rows[kept]


def _joined(fine: Rows, coarse: Rows) -> Rows:
    """Return small faces of the fine search and large ones of the coarse one, each face once."""
    fine = fine[fine[:, 2:4].max(1, initial=0) < 1.25 * _LARGE]
    return _each_once(np.concatenate([fine, coarse[coarse[:, 2:4].max(1, initial=0) > _LARGE / 1.25]]))


def _enlarge(rows: Rows, across: float, down: float) -> None:
    rows[:, 0:14:2] *= across
    rows[:, 1:14:2] *= down


def _detection(row: npt.NDArray[np.float64]) -> Detection:
    x, y, width, height, score = (float(v) for v in row[[0, 1, 2, 3, 14]])
    points = [(float(px), float(py)) for px, py in row[4:14].reshape(5, 2)]
    left, right = sorted(points[:2])
    return Detection((x, y, x + width, y + height), score, (left, right), points[2], score < _DOUBTFUL)
