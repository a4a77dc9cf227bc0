"""dlib's frontal face detector: histograms of oriented gradients in a sliding window.

Dalal & Triggs 2005 (doi 10.1109/CVPR.2005.177), trained with max-margin object detection, King 2015
(arXiv:1502.00046). It needs no file beyond the dlib-bin package, and finds upright, frontal faces.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

from felicity.errors import ConfigError
from felicity.faces._image import LONGEST, Image, check_smallest, found_within, scaled
from felicity.faces.detection import Box, CropGeometry, Detection
from felicity.faces.registry import register
from felicity.faces.weights import NotInstalledError
from felicity.imaging.decode import checked

_DOUBTFUL = 0.3
_SIDE = 80  # pixels of the window that slides over the working picture


@register("hog", rank=10)
class HogDetector:
    """Frontal faces of at least 80 pixels in the working picture; no eyes.

    ``upsample``: factor by which the picture is enlarged, so that faces of 80 / upsample pixels are found; time grows
    with its square. ``max_side``: longest side of the working picture. So a 640x480 picture is searched for faces of 40
    pixels, a 1920x1080 one for faces of 80, and larger pictures are shrunk. ``threshold``: least score of a detection.
    ``smallest_face``: the side in pixels of the smallest wanted face; it sets the enlargement in place of these two.
    ``threads`` changes nothing: one search runs on one core, and several of a process wait for each other.
    """

    name = "hog"
    version = "2014"  # the year in which dlib's detector was trained
    geometry = CropGeometry(scale=1.19, down=-0.07)
    weights = None
    holds_interpreter = True

    def __init__(
        self,
        upsample: float = 2.0,
        max_side: int = 1920,
        threshold: float = 0.2,
        smallest_face: float | None = None,
        threads: int | None = None,
    ) -> None:
        self.check()
        import dlib

        if not (0.1 <= upsample <= 8 and 80 <= max_side <= 16384):
            raise ConfigError(
                f"hog takes an upsample of 0.1 to 8 and a max_side of 80 to 16384, not {upsample} and {max_side}"
            )
        if smallest_face is not None:
            check_smallest(smallest_face)
            upsample, max_side = _SIDE / smallest_face, LONGEST
        self._upsample, self._max_side, self._threshold = upsample, max_side, threshold
        self._lock = Lock()
        self._detector = dlib.get_frontal_face_detector()

    @classmethod
    def check(cls) -> None:
        """Raise NotInstalledError unless dlib can be imported."""
        try:
            import dlib  # noqa: F401
        except ImportError as error:
            raise NotInstalledError(
                f"the hog detector needs dlib, which cannot be imported ({error}); install it: pip install dlib-bin"
            ) from error

    def detect(self, image_rgb_u8: Image, within: Sequence[Box] | None = None) -> list[Detection]:
        """Return faces; see ``Detector.detect``."""
        height, width = checked(image_rgb_u8).shape[:2]
        scale = min(self._upsample, self._max_side / max(height, width))
        if within is None:
            return self._find(image_rgb_u8, scale)
        return found_within(lambda part: self._find(part, scale), image_rgb_u8, within)

    def _find(self, picture: Image, scale: float) -> list[Detection]:
        image, fx, fy = scaled(picture, scale)
        with self._lock:
            boxes, scores, _ = self._detector.run(image, 0, self._threshold)
        found = [
            Detection(
                (b.left() / fx, b.top() / fy, (b.right() + 1) / fx, (b.bottom() + 1) / fy),
                float(score),
                doubtful=score < _DOUBTFUL,
            )
            for b, score in zip(boxes, scores, strict=True)
        ]
        return sorted(found, key=lambda d: -d.score)
