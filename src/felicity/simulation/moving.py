"""Moving pictures with known truth: through detector, tracker, gate, classifier and windows to the index."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from felicity.datasets import Samples
from felicity.datasets.samples import as_input
from felicity.errors import ConfigError
from felicity.faces import Detection, Detector
from felicity.faces.crop import crop_face
from felicity.faces.quality import QualityGate
from felicity.faces.tracking import TrackedFace, Tracker
from felicity.imaging.draw import draw_faces
from felicity.index import PersonObservation, SoftMatrix, Sums, WindowAccumulator
from felicity.labels import EXPRESSIONS
from felicity.recognition.classifier import Classifier
from felicity.recognition.people import PeopleReader
from felicity.simulation.days import index_of
from felicity.simulation.labelled import AnsweredFaces
from felicity.simulation.people import HAPPY
from felicity.simulation.street import Image, Moment, Shown, film, send_walkers

Floats = npt.NDArray[np.float64]
SHARES = (0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95)
"""True happy shares of the scenes."""
LEAST_PEOPLE, MOST_PEOPLE = 10, 1000
"""Of a scene; the index shows no figure of fewer than ten."""
IN_VIEW, MOST_IN_VIEW = 2.0, 10
_CLEAR = 0.8
_OVERLAP = 0.3  # of a detection and a face's square, intersection over union; detectors frame faces their own way


@dataclass
class Sight:
    """What detector and tracker made of the people who walked by. Counts; they add.

    ``people`` walked by; ``found``: of whom a track was counted. ``again``: tracks of people who had one already.
    ``nobody``: counted tracks of no one. ``mixed``: counted tracks with faces of more than one person.
    ``rejected``: counted tracks in which no face was good enough. ``clear``: faces in frames of which at least 80 %
    can be seen; ``detected``: of those, found. ``false_boxes``: detections where no face is. ``frames``.
    """

    people: int = 0
    found: int = 0
    again: int = 0
    nobody: int = 0
    mixed: int = 0
    rejected: int = 0
    clear: int = 0
    detected: int = 0
    false_boxes: int = 0
    frames: int = 0

    def __add__(self, other: Sight) -> Sight:
        return Sight(**{name: value + getattr(other, name) for name, value in vars(self).items()})


@dataclass(frozen=True)
class Reading:
    """Happy share of one scene in percent: counted, adjusted, and the interval's ends; NaN where none is shown."""

    counted: float = math.nan
    adjusted: float = math.nan
    low: float = math.nan
    high: float = math.nan

    def to_json(self) -> dict[str, float | None]:
        """Plain values, None for NaN."""
        return {name: None if math.isnan(value) else value for name, value in vars(self).items()}


@dataclass(frozen=True)
class Scene:
    """One scene. ``truth``: percent of the people in it who are happy. ``direct``: from the faces as they are in the
    data set; ``filmed``: of the same people from the moving pictures.

    ``same``: of people with a face cut out of a frame (``cut``), those to whom that face gets the same answer as the
    data set's own, happy or not.
    """

    truth: float
    direct: Reading
    filmed: Reading
    sight: Sight
    cut: int
    same: int


@dataclass(frozen=True)
class Filmed:
    """All scenes. Errors are mean absolute ones, in points, against the people who were there, of scenes shown."""

    detector: str
    model: str
    in_view: float
    seed: int
    scenes: tuple[Scene, ...]

    @property
    def sight(self) -> Sight:
        """Over all scenes."""
        return sum((scene.sight for scene in self.scenes), Sight())

    def errors(self) -> dict[str, dict[str, float]]:
        """``direct`` and ``filmed``: mean absolute error of counted and adjusted shares, and mean of the adjusted."""
        result = {}
        for way in ("direct", "filmed"):
            readings: list[Reading] = [getattr(scene, way) for scene in self.scenes]
            off = {
                name: np.array([getattr(r, name) - s.truth for r, s in zip(readings, self.scenes, strict=True)])
                for name in ("counted", "adjusted")
            }
            result[way] = {
                "counted": _mean(np.abs(off["counted"])),
                "adjusted": _mean(np.abs(off["adjusted"])),
                "bias": _mean(off["adjusted"]),
            }
        return result

    def rates(self) -> dict[str, float]:
        """Percent: detected of clear faces, found of people, counted again, nobody, mixed, rejected, same answer."""
        sight = self.sight
        tracks = max(sight.found + sight.again + sight.nobody, 1)
        return {
            "detected": 100 * sight.detected / max(sight.clear, 1),
            "found": 100 * sight.found / max(sight.people, 1),
            "again": 100 * sight.again / max(sight.people, 1),
            "nobody": 100 * sight.nobody / tracks,
            "mixed": 100 * sight.mixed / tracks,
            "rejected": 100 * sight.rejected / tracks,
            "same_answer": 100 * sum(s.same for s in self.scenes) / max(sum(s.cut for s in self.scenes), 1),
        }

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "detector": self.detector,
            "model": self.model,
            "in_view": self.in_view,
            "seed": self.seed,
            "sight": vars(self.sight),
            "percent": {name: round(value, 4) for name, value in self.rates().items()},
            "errors": {
                way: {name: None if math.isnan(value) else round(value, 4) for name, value in error.items()}
                for way, error in self.errors().items()
            },
            "scenes": [
                {
                    "truth": round(scene.truth, 4),
                    "people": scene.sight.people,
                    "tracks": scene.sight.found + scene.sight.again + scene.sight.nobody,
                    "direct": scene.direct.to_json(),
                    "filmed": scene.filmed.to_json(),
                }
                for scene in self.scenes
            ],
        }


def film_scenes(
    samples: Samples,
    faces: AnsweredFaces,
    classifier: Classifier,
    detector: Detector,
    *,
    people: int = 40,
    shares: Sequence[float] = SHARES,
    in_view: float = IN_VIEW,
    seed: int = 1,
    on_picture: Callable[[Image], None] | None = None,
    tick: Callable[[int, int], None] | None = None,
) -> Filmed:
    """A scene of ``people`` for each of the happy ``shares`` (0..1), filmed, seen and counted.

    ``in_view``: how many are in view on average.
    ``samples``: faces to paste, ``faces``: the same with the answers to them. ``on_picture``: is given one frame of
    the scene in the middle, with what was found drawn on it; without it nothing is drawn. ``tick``: people done, of how
    many. Raises ConfigError for impossible numbers.
    """
    if not LEAST_PEOPLE <= people <= MOST_PEOPLE:
        raise ConfigError(f"a scene takes {LEAST_PEOPLE} to {MOST_PEOPLE:,} people, not {people:,}")
    if not shares or min(shares) < 0 or max(shares) > 1:
        raise ConfigError(f"true happy shares are numbers from 0 to 1, not {', '.join(map(str, shares)) or 'none'}")
    if not 0 < in_view <= MOST_IN_VIEW:
        raise ConfigError(f"a street has more than 0 and at most {MOST_IN_VIEW} people in view, not {in_view:g}")
    images = [as_input(samples.images[row], 48, "gray") for row in range(len(samples))]
    scenes = []
    for number, share in enumerate(shares):
        rng = np.random.default_rng([seed, number])
        happy = rng.permutation(people) < round(share * people)
        labels = np.where(happy, HAPPY, rng.choice(len(EXPRESSIONS), people, p=faces.others)).astype(np.intp)
        rows = faces.rows_of(labels, rng)
        drawn = on_picture if number == len(shares) // 2 else None
        scenes.append(_scene(rows, labels, images, faces, classifier, detector, in_view, rng, drawn))
        if tick:
            tick((number + 1) * people, len(shares) * people)
    return Filmed(detector.name, classifier.bundle.id, in_view, seed, tuple(scenes))


def _scene(
    rows: npt.NDArray[np.intp],
    labels: npt.NDArray[np.intp],
    images: Sequence[Image],
    faces: AnsweredFaces,
    classifier: Classifier,
    detector: Detector,
    in_view: float,
    rng: np.random.Generator,
    on_picture: Callable[[Image], None] | None,
) -> Scene:
    soft = SoftMatrix.from_json(classifier.bundle.facts.soft_matrix.model_dump())
    truth = 100 * float((labels == HAPPY).mean())
    straight, filmed = _Count(soft), _Count(soft)
    witness = _Witness(detector)
    reader = PeopleReader(classifier, detector, QualityGate(), witness)
    picture, most = None, 0
    for moment in film(send_walkers(rows.tolist(), in_view, rng), images, rng):
        for person in reader.see(moment.image_rgb_u8, moment.time):
            filmed.add(person.time, person.probabilities, person.rejected)
        witness.look(moment, classifier)
        if on_picture and len(witness.seen) > most:
            most = len(witness.seen)
            picture = draw_faces(moment.image_rgb_u8, reader.labels, caption=f"simulated: {most} faces found")
    for person in reader.end():
        filmed.add(person.time, person.probabilities, person.rejected)
    if on_picture and picture is not None:
        on_picture(picture)
    for p in faces.probabilities[rows]:
        straight.add(moment.time, p, None)
    answers = classifier.probabilities(np.stack(list(witness.cut.values()))) if witness.cut else np.empty((0, 8))
    same = answers.argmax(1) == HAPPY
    own = faces.probabilities[rows[list(witness.cut)]].argmax(1) == HAPPY
    return Scene(
        truth,
        straight.reading(),
        filmed.reading(),
        witness.sight(len(rows), filmed),
        len(same),
        int((same == own).sum()),
    )


class _Count:
    """People into windows, windows into the index."""

    def __init__(self, soft: SoftMatrix) -> None:
        self._soft = soft
        self._windows: WindowAccumulator | None = None
        self.tracks, self.rejected = 0, 0

    def add(self, time: datetime, probabilities: Floats | None, rejected: str | None) -> None:
        if self._windows is None:
            self._windows = WindowAccumulator("street", "simulated", "simulated", time, "simulated")
        self._windows.add_person(PersonObservation(time, probabilities, rejected))
        self.tracks += 1
        self.rejected += probabilities is None

    def reading(self) -> Reading:
        """NaN where too few were judged for the index to show a figure."""
        windows = self._windows.flush() if self._windows else []
        if not windows:
            return Reading()
        (row,) = index_of(Sums.of(windows).total(), self._soft)
        share = row.happy_share
        return Reading(*(math.nan if v is None else v for v in (share.raw, share.adjusted, share.low, share.high)))


class _Witness(Tracker):
    """The tracker, and beside it somebody who knows who is who."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self._geometry = detector.geometry
        self.seen: list[TrackedFace] = []
        self.cut: dict[int, Image] = {}
        """By walker: the face as it is cut out where it can be seen best."""
        self._best: dict[int, float] = {}
        self._owners: dict[int, Counter[int]] = {}
        self._sight = Sight()

    def update(
        self, detections: Sequence[Detection], time: datetime, size_wh: tuple[int, int] | None = None
    ) -> list[TrackedFace]:
        self.seen = super().update(detections, time, size_wh)
        return self.seen

    def look(self, moment: Moment, classifier: Classifier) -> None:
        """Compare what was just tracked with who is there."""
        there = [shown for shown in moment.shown if shown.visible > 0]
        owners = _matched([face.detection for face in self.seen], there)
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

    def sight(self, people: int, counted: _Count) -> Sight:
        """The whole scene. Tracks of one face are nobody to the people reader, and are no tracks here."""
        tracks = [owners for owners in self._owners.values() if owners.total() > 1]
        of = Counter(owners.most_common(1)[0][0] for owners in tracks)
        nobody = of.pop(-1, 0)
        sight = self._sight
        sight.people, sight.found, sight.nobody = people, len(of), nobody
        sight.again = counted.tracks - len(of) - nobody
        sight.mixed = sum(len([w for w, faces in owners.items() if w >= 0 and faces > 1]) > 1 for owners in tracks)
        sight.rejected = counted.rejected
        return sight


def _mean(values: Floats) -> float:
    """Of those that are known; NaN without one."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else math.nan


def _matched(detections: Sequence[Detection], shown: Sequence[Shown]) -> list[Shown | None]:
    """Whose face each detection is: pairs of greatest overlap, None where nobody's."""
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
