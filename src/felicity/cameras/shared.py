"""One detector and one classifier for all cameras."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.cameras.areas import Polygons, inside
from felicity.faces.detection import Box, Detection, Detector
from felicity.recognition.classifier import Classifier


class SharedDetector:
    """Lets several threads use a detector, one after the other."""

    def __init__(self, detector: Detector) -> None:
        self._detector, self._lock = detector, threading.Lock()
        self.name, self.geometry = detector.name, detector.geometry

    def detect(self, image_rgb_u8: npt.NDArray[np.uint8], within: Sequence[Box] | None = None) -> list[Detection]:
        """See ``Detector.detect``."""
        with self._lock:
            return self._detector.detect(image_rgb_u8, within)


class CountedAreas:
    """A detector that finds only faces whose centre lies in one of the polygons, see ``areas``."""

    def __init__(self, detector: Detector, polygons: Polygons) -> None:
        self._detector, self._polygons = detector, [np.array(polygon, np.float64) for polygon in polygons]
        self.name, self.geometry = detector.name, detector.geometry

    def detect(self, image_rgb_u8: npt.NDArray[np.uint8], within: Sequence[Box] | None = None) -> list[Detection]:
        """See ``Detector.detect``."""
        height, width = image_rgb_u8.shape[:2]
        faces = self._detector.detect(image_rgb_u8, within)
        return [found for found in faces if self._holds(found, width, height)]

    def _holds(self, found: Detection, width: int, height: int) -> bool:
        x, y = found.centre_xy
        return any(inside(polygon, x / width, y / height) for polygon in self._polygons)


class SharedClassifier(Classifier):
    """Classifies the faces of all frames of a round in one call of the network.

    ``probabilities`` waits until each of the round's frames waits here or has left, and the last to come makes the
    call for all. Outside of a round, it is an ordinary classifier.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.calls = 0
        self._changed = threading.Condition()
        self._under_way = 0
        self._waiting: list[_Asked] = []

    @contextmanager
    def round(self, frames: int) -> Iterator[None]:
        """Announce so many frames; whoever looks at one calls ``leave`` when it is done."""
        with self._changed:
            self._under_way = frames
        yield
        with self._changed:
            self._under_way = 0

    def leave(self) -> None:
        """One frame of the round needs no answer any more."""
        with self._changed:
            self._under_way -= 1
            self._answer_if_all_wait()

    def probabilities(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """See ``Classifier.probabilities``."""
        asked = _Asked(crops)
        with self._changed:
            self._waiting.append(asked)
            self._answer_if_all_wait()
            while asked.answer is None and asked.failure is None:
                self._changed.wait()
        if asked.failure is not None:
            raise asked.failure
        assert asked.answer is not None
        return asked.answer

    def _answer_if_all_wait(self) -> None:
        waiting = self._waiting
        if not waiting or len(waiting) < self._under_way:
            return
        self._waiting = []
        self.calls += 1
        try:
            answers = super().probabilities(np.concatenate([asked.crops for asked in waiting]))
            for asked, end in zip(waiting, np.cumsum([len(asked.crops) for asked in waiting]), strict=True):
                asked.answer = answers[end - len(asked.crops) : end]
        except Exception as error:
            for asked in waiting:
                asked.failure = error
        self._changed.notify_all()


class _Asked:
    """Faces of one frame, and what the network says of them."""

    def __init__(self, crops: npt.NDArray[np.uint8]) -> None:
        self.crops = crops
        self.answer: npt.NDArray[np.float64] | None = None
        self.failure: Exception | None = None
