"""From frames to people: each is counted once, with the expression of the whole track.

Everything here lives in memory only. What leaves is a
``PersonObservation`` at the end of a track, on its way into a window. Frame, crop, box and track are then gone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from felicity.faces import Detection, Detector
from felicity.faces.attention import Attention
from felicity.faces.crop import crop_faces
from felicity.faces.quality import QualityGate
from felicity.faces.tracking import TrackedFace, Tracker
from felicity.imaging.draw import Label
from felicity.labels import EXPRESSIONS, Classes
from felicity.recognition.classifier import Classifier
from felicity.recognition.photograph import label_of
from felicity.windows import PersonObservation

Image = npt.NDArray[np.uint8]

FLICKER_FRAMES = 4
"""A track of one face that so many further frames could not confirm is nobody."""
JUDGED_APART = timedelta(milliseconds=150)
"""A person's face that was judged is not judged again before: it hardly changes from one frame to the next."""


@dataclass
class _Track:
    last_seen: datetime
    first_frame: int = 0
    hits: int = 0
    prob_sum: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(EXPRESSIONS)))
    faces: int = 0
    judged: datetime | None = None
    rejections: Counter[str] = field(default_factory=Counter)

    def person(self) -> PersonObservation:
        """The mean of p over the faces that were good enough, or the most frequent reason why none was."""
        if self.faces:
            return PersonObservation(self.last_seen, self.prob_sum / self.faces)
        return PersonObservation(self.last_seen, None, self.rejections.most_common(1)[0][0])

    def label(self, detection: Detection, classes: Classes) -> Label:
        if not self.faces:
            return Label(detection.box_xyxy, None, remark=self.rejections.most_common(1)[0][0])
        return label_of(detection.box_xyxy, self.prob_sum / self.faces, classes)


class PeopleReader:
    """Takes frames in the order of time and gives the people whose tracks have ended.

    With ``tracker=None`` every frame stands for itself (photographs): each face is a person. With ``attention``, which
    needs a tracker, faces are looked for where it says; without, everywhere in every frame.
    """

    def __init__(
        self,
        classifier: Classifier,
        detector: Detector,
        gate: QualityGate,
        tracker: Tracker | None,
        attention: Attention | None = None,
    ) -> None:
        self.classifier = classifier
        self.detector = detector
        self.gate = gate
        self.tracker = tracker
        self.attention = attention
        self.labels: list[Label] = []
        """What there is to draw on the last frame."""
        self._tracks: dict[int, _Track] = {}
        self._frames = 0

    def see(self, image_rgb_u8: Image, time: datetime) -> list[PersonObservation]:
        """Look at a frame, uint8 ``(height, width, 3)`` RGB; returns the people who have left since the last one."""
        self._frames += 1
        if self.tracker is None:
            faces = [TrackedFace(i, d) for i, d in enumerate(self.detector.detect(image_rgb_u8))]
            ended = [f.track_id for f in faces]
        else:
            height, width = image_rgb_u8.shape[:2]
            faces = self.tracker.update(self._look(image_rgb_u8, time, self.tracker), time, (width, height))
            ended = self.tracker.finished()
            if self.attention is not None and not self.tracker.all_seen:
                self.attention.missed()
        self._judge(image_rgb_u8, time, faces)
        classes = self.classifier.classes
        self.labels = [self._tracks[f.track_id].label(f.detection, classes) for f in faces]
        return self._leave(ended)

    def end(self) -> list[PersonObservation]:
        """The people still in view when the source ends."""
        return self._leave(self.tracker.flush() if self.tracker else [])

    def _look(self, image: Image, time: datetime, tracker: Tracker) -> list[Detection]:
        if self.attention is None:
            return self.detector.detect(image)
        where = self.attention.where(image, time, tracker.expected(time))
        return self.detector.detect(image, where) if where != [] else []

    def _judge(self, image: Image, time: datetime, faces: list[TrackedFace]) -> None:
        good: list[TrackedFace] = []
        for face in faces:
            track = self._tracks.setdefault(face.track_id, _Track(time, self._frames))
            track.last_seen = time
            track.hits += 1
            if track.judged is not None and timedelta(0) <= time - track.judged < JUDGED_APART:
                continue
            verdict = self.gate.judge(image, face.detection)
            if verdict.rejected is None:
                good.append(face)
                track.judged = time
            else:
                track.rejections[verdict.rejected] += 1
        if not good:
            return
        spec = self.classifier.input
        crops = crop_faces(
            image, [f.detection for f in good], size=spec.size, colour=spec.colour, geometry=self.detector.geometry
        )
        for face, p in zip(good, self.classifier.probabilities(crops), strict=True):
            track = self._tracks[face.track_id]
            track.prob_sum += p
            track.faces += 1

    def _leave(self, track_ids: list[int]) -> list[PersonObservation]:
        ended = [self._tracks.pop(i) for i in track_ids if i in self._tracks]
        return [track.person() for track in ended if not self._flickered(track)]

    def _flickered(self, track: _Track) -> bool:
        """Whether a face was there in one frame only, though many were looked at: a slip of the detector."""
        return track.hits == 1 and self._frames - track.first_frame >= FLICKER_FRAMES
