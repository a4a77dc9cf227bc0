"""From frames to people: each is counted once, with the expression of the whole face track.

This module keeps everything in memory alone. Only a ``PersonObservation`` leaves it at the end of a track, on its way
into a window. Frame, crop, box and track are then gone.
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
from felicity.faces.cuts import Change, Cuts
from felicity.faces.places import Kind
from felicity.faces.quality import QualityGate
from felicity.faces.stillness import Stillness
from felicity.faces.tracking import TrackedFace, Tracker
from felicity.imaging.draw import Label
from felicity.labels import EXPRESSIONS, Classes
from felicity.recognition.classifier import Classifier
from felicity.recognition.photograph import label_of
from felicity.windows import PersonObservation
from felicity.windows.window import COVERED

Image = npt.NDArray[np.uint8]

FLICKER_FRAMES = 4
"""Number of further frames without confirmation after which a track of one face is nobody."""
JUDGED_APART = timedelta(milliseconds=150)
"""Least time between two judgements of a person's face, which hardly changes from one frame to the next."""


@dataclass
class _Track:
    last_seen: datetime
    first_frame: int = 0
    hits: int = 0
    prob_sum: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(EXPRESSIONS)))
    faces: int = 0
    lifted: int = 0
    covered: int = 0
    judged: datetime | None = None
    rejections: Counter[str] = field(default_factory=Counter)
    sides: float = 0.0

    def person(self, *, still: bool = False) -> PersonObservation:
        """Return the mean of p over the free faces that were good enough, or the reason why there is no answer.

        Without such a face, the reason is the most frequent one.
        """
        side = self.sides / self.hits
        if still:
            return PersonObservation(self.last_seen, None, "still", side)
        if self.hidden:
            return PersonObservation(self.last_seen, None, COVERED, side)
        if self.faces:
            lifted = 2 * self.lifted > self.faces
            return PersonObservation(self.last_seen, self.prob_sum / self.faces, face_side=side, lifted=lifted)
        return PersonObservation(self.last_seen, None, self.rejections.most_common(1)[0][0], side)

    @property
    def hidden(self) -> bool:
        """Return whether most faces that were good enough are covered."""
        return self.covered > self.faces

    def label(self, detection: Detection, classes: Classes) -> Label:
        if self.hidden:
            return Label(detection.box_xyxy, None, remark=COVERED)
        if not self.faces:
            return Label(detection.box_xyxy, None, remark=self.rejections.most_common(1)[0][0])
        return label_of(detection.box_xyxy, self.prob_sum / self.faces, classes)


class PeopleReader:
    """Takes frames in the order of time and returns the people whose tracks have ended.

    With ``tracker=None`` every frame stands by itself (photographs): each face is a person. Otherwise a cut ends all
    tracks, and a frame that may be a cut or a flash is left out. ``attention``, which needs a tracker, selects where to
    search for faces; without it, every frame is searched completely. ``stillness``, which needs a tracker,
    distinguishes posters from people; without it, every face is a person's.
    """

    def __init__(
        self,
        classifier: Classifier,
        detector: Detector,
        gate: QualityGate,
        tracker: Tracker | None,
        attention: Attention | None = None,
        stillness: Stillness | None = None,
    ) -> None:
        self.classifier = classifier
        self.detector = detector
        self.gate = gate
        self.tracker = tracker
        self.attention = attention
        self.stillness = stillness
        self.labels: list[Label] = []
        """The labels to draw on the last frame."""
        self.cuts = 0
        """Number of changes of scene."""
        self.still_again = 0
        """Tracks of posters and the like that already counted within the last day, at one place, and are left out."""
        self._scenes = Cuts() if tracker else None
        self._tracks: dict[int, _Track] = {}
        self._frames = 0

    def see(self, image_rgb_u8: Image, time: datetime, *, noise: float = 0.0) -> list[PersonObservation]:
        """Search a frame, uint8 ``(height, width, 3)`` RGB; return the people who have left since the last one.

        ``noise``: of the picture, see ``QualityGate.judge``.
        """
        self._frames += 1
        gone: list[PersonObservation] = []
        if self._scenes is not None and (change := self._scenes.see(image_rgb_u8, time)) is not Change.NONE:
            self.labels = []
            if change is Change.HELD:
                return gone
            self.cuts += 1
            gone = self.end()
            if self.stillness is not None:
                self.stillness.cut()
        if self.tracker is None:
            faces = [TrackedFace(i, d) for i, d in enumerate(self.detector.detect(image_rgb_u8))]
            ended = [f.track_id for f in faces]
        else:
            height, width = image_rgb_u8.shape[:2]
            faces = self.tracker.update(self._look(image_rgb_u8, time, self.tracker), time, (width, height))
            ended = self.tracker.finished()
            if self.attention is not None and not self.tracker.all_seen:
                self.attention.missed()
        self._judge(image_rgb_u8, time, faces, noise)
        if self.stillness is not None:
            self.stillness.see(image_rgb_u8, time, faces)
        classes = self.classifier.classes
        self.labels = [self._tracks[f.track_id].label(f.detection, classes) for f in faces]
        return gone + self._leave(ended)

    def end(self) -> list[PersonObservation]:
        """Return the people still in view when the source ends."""
        return self._leave(self.tracker.flush() if self.tracker else [])

    def _look(self, image: Image, time: datetime, tracker: Tracker) -> list[Detection]:
        if self.attention is None:
            return self.detector.detect(image)
        where = self.attention.where(image, time, tracker.expected(time))
        return self.detector.detect(image, where) if where != [] else []

    def _judge(self, image: Image, time: datetime, faces: list[TrackedFace], noise: float) -> None:
        good: list[TrackedFace] = []
        for face in faces:
            track = self._tracks.setdefault(face.track_id, _Track(time, self._frames))
            track.last_seen = time
            track.hits += 1
            track.sides += face.detection.side
            if track.judged is not None and timedelta(0) <= time - track.judged < JUDGED_APART:
                continue
            verdict = self.gate.judge(image, face.detection, noise=noise)
            if verdict.rejected is None:
                good.append(face)
                track.judged = time
            else:
                track.rejections[verdict.rejected] += 1
        if not good:
            return
        spec = self.classifier.input
        crops, faint = crop_faces(
            image, [f.detection for f in good], size=spec.size, colour=spec.colour, geometry=self.detector.geometry
        )
        answers = self.classifier.answers(crops)
        covered = answers.hidden([face.detection for face in good])
        for face, p, hidden, was_faint in zip(good, answers.probabilities, covered, faint.tolist(), strict=True):
            track = self._tracks[face.track_id]
            if hidden:
                track.covered += 1
                continue
            track.prob_sum += p
            track.faces += 1
            track.lifted += was_faint

    def _leave(self, track_ids: list[int]) -> list[PersonObservation]:
        people = []
        for number in track_ids:
            kind = self.stillness.end(number) if self.stillness else Kind.ALIVE
            track = self._tracks.pop(number, None)
            if track is None or self._flickered(track):
                continue
            self.still_again += kind is Kind.AGAIN
            if kind is not Kind.AGAIN:
                people.append(track.person(still=kind is Kind.STILL))
        return people

    def _flickered(self, track: _Track) -> bool:
        """Return whether a face was in one frame only, of many searched ones: a false detection."""
        return track.hits == 1 and self._frames - track.first_frame >= FLICKER_FRAMES
