"""A tracker that knows the truth: it compares the tracks with the people who were there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from felicity.faces import Detection, Detector
from felicity.faces.crop import crop_face
from felicity.faces.tracking import TrackedFace, Tracker
from felicity.recognition.classifier import Classifier
from felicity.simulation.filmed import Sight
from felicity.simulation.street import Image, Moment, Shown

Floats = npt.NDArray[np.float64]
_CLEAR = 0.8
_OVERLAP = 0.3  # intersection over union of a detection and a face's square; detectors frame faces in their own ways


class Witness(Tracker):
    """The tracker, together with the truth about who is who.

    ``seen``: the latest tracks. ``cut``: by walker, the best visible face as it is cut out.
    """

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self._geometry = detector.geometry
        self.seen: list[TrackedFace] = []
        self.cut: dict[int, Image] = {}
        self._best: dict[int, float] = {}
        self._owners: dict[int, Counter[int]] = {}
        self._sight = Sight()

    def update(
        self, detections: Sequence[Detection], time: datetime, size_wh: tuple[int, int] | None = None
    ) -> list[TrackedFace]:
        """Update like every tracker, and keep the result until it is read."""
        self.seen = super().update(detections, time, size_wh)
        return self.seen

    def look(self, moment: Moment, classifier: Classifier) -> None:
        """Compare the latest tracks with the people who are there."""
        there = [shown for shown in moment.shown if shown.visible > 0]
        owners = matched([face.detection for face in self.seen], there)
        found = {owner.walker for owner in owners if owner}
        self._sight.frames += 1
        self._sight.false_boxes += sum(owner is None for owner in owners)
        clear = [shown for shown in there if shown.visible >= _CLEAR]
        self._sight.clear += len(clear)
        self._sight.detected += sum(shown.walker in found for shown in clear)
        for face, owner in zip(self.seen, owners, strict=True):
            self._owners.setdefault(face.track_id, Counter())[owner.walker if owner else -1] += 1
            if owner and owner.visible > self._best.get(owner.walker, _CLEAR):
                self._best[owner.walker] = owner.visible
                self.cut[owner.walker] = crop_face(
                    moment.image_rgb_u8,
                    face.detection,
                    size=classifier.input.size,
                    colour=classifier.input.colour,
                    geometry=self._geometry,
                )

    def sight(self, people: int, counted: int, rejected: int) -> Sight:
        """Return the scene of ``people``, of whom ``counted`` were counted, ``rejected`` of these without an answer.

        The people reader ignores tracks of a single face, so they do not count as tracks here either.
        """
        tracks = [owners for owners in self._owners.values() if owners.total() > 1]
        of = Counter(owners.most_common(1)[0][0] for owners in tracks)
        nobody = of.pop(-1, 0)
        sight = self._sight
        sight.people, sight.found, sight.nobody, sight.rejected = people, len(of), nobody, rejected
        sight.again = counted - len(of) - nobody
        sight.mixed = sum(len([w for w, faces in owners.items() if w >= 0 and faces > 1]) > 1 for owners in tracks)
        return sight


def matched(detections: Sequence[Detection], shown: Sequence[Shown]) -> list[Shown | None]:
    """Return the person of each detection: pairs of greatest overlap, None if it is nobody's."""
    owners: list[Shown | None] = [None] * len(detections)
    if not detections or not shown:
        return owners
    boxes = np.array([d.box_xyxy for d in detections])[:, None]  # (D, 1, 4)
    faces = np.array([s.box_xyxy for s in shown], dtype=np.float64)[None]  # (1, S, 4)
    across = np.clip(np.minimum(boxes[..., 2:], faces[..., 2:]) - np.maximum(boxes[..., :2], faces[..., :2]), 0, None)
    both = across.prod(axis=2)
    overlap = both / (_area(boxes) + _area(faces) - both)
    for d, s in zip(*linear_sum_assignment(-overlap), strict=True):
        if overlap[d, s] >= _OVERLAP:
            owners[int(d)] = shown[int(s)]
    return owners


def _area(boxes: Floats) -> Floats:
    return np.asarray((boxes[..., 2:] - boxes[..., :2]).prod(axis=-1))
