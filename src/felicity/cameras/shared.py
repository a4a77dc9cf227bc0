"""One detector and one classifier for all cameras."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.cameras.areas import Polygons, inside
from felicity.cameras.settings import CameraSettings
from felicity.faces.detection import Box, Detection, Detector
from felicity.recognition.classifier import Answers, Classifier


class CountedAreas:
    """A detector that finds only faces whose centre lies where it counts, see ``areas``.

    ``counted``: the centre lies in one of these polygons, or anywhere if there are none; ``ignored``: in none of these.
    """

    def __init__(self, detector: Detector, counted: Polygons = (), ignored: Polygons = ()) -> None:
        self._detector = detector
        self._counted, self._ignored = ([np.array(polygon, np.float64) for polygon in p] for p in (counted, ignored))
        self.name, self.geometry, self.version = detector.name, detector.geometry, getattr(detector, "version", "")

    def detect(self, image_rgb_u8: npt.NDArray[np.uint8], within: Sequence[Box] | None = None) -> list[Detection]:
        """Return the counting faces; see ``Detector.detect``."""
        height, width = image_rgb_u8.shape[:2]
        faces = self._detector.detect(image_rgb_u8, within)
        return [found for found in faces if self._holds(found, width, height)]

    def _holds(self, found: Detection, width: int, height: int) -> bool:
        x, y = found.centre_xy
        x, y = x / width, y / height
        within = not self._counted or any(inside(polygon, x, y) for polygon in self._counted)
        return within and not any(inside(polygon, x, y) for polygon in self._ignored)


def counting(detector: Detector, camera: CameraSettings) -> Detector:
    """Return the detector of a camera, which finds faces where they count."""
    areas = camera.counted, camera.ignored
    return CountedAreas(detector, *areas) if any(areas) else detector


class SharedClassifier(Classifier):
    """A classifier for many threads: one call of the network takes all faces that came while the last call went on."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._changed = threading.Condition()
        self._busy = False
        self._waiting: list[_Asked] = []

    def answers(self, crops: npt.NDArray[np.uint8]) -> Answers:
        """Return the answers, in any thread; see ``Classifier.answers``."""
        asked = _Asked(crops)
        with self._changed:
            self._waiting.append(asked)
            self._changed.wait_for(lambda: asked.over or not self._busy)
            together, self._waiting = ([], self._waiting) if asked.over else (self._waiting, [])
            self._busy = self._busy or bool(together)
        if together:
            self._answer(together)
        if asked.failure is not None:
            raise asked.failure
        assert asked.answer is not None
        return asked.answer

    def _answer(self, together: list[_Asked]) -> None:
        try:
            answers = super().answers(np.concatenate([asked.crops for asked in together]))
            for asked, end in zip(together, np.cumsum([len(asked.crops) for asked in together]), strict=True):
                asked.answer = answers.part(end - len(asked.crops), end)
        except Exception as error:
            for asked in together:
                asked.failure = error
        finally:
            with self._changed:
                self._busy = False
                self._changed.notify_all()


class _Asked:
    """Faces of one frame, and the network's answers to them."""

    def __init__(self, crops: npt.NDArray[np.uint8]) -> None:
        self.crops = crops
        self.answer: Answers | None = None
        self.failure: Exception | None = None

    @property
    def over(self) -> bool:
        """Return whether the answer or a failure is there."""
        return self.answer is not None or self.failure is not None
