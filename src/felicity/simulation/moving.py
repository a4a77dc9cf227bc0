"""Moving pictures with known truth, through detector, tracker, gate, classifier and windows to the index."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from felicity.datasets import Samples
from felicity.datasets.samples import as_input
from felicity.errors import ConfigError
from felicity.faces import Detector
from felicity.faces.attention import Attention
from felicity.faces.quality import QualityGate
from felicity.faces.stillness import Stillness
from felicity.imaging.draw import draw_faces
from felicity.index import SoftMatrix
from felicity.labels import EXPRESSIONS, HAPPY_INDEX
from felicity.recognition.classifier import Classifier
from felicity.recognition.people import PeopleReader
from felicity.simulation.days import daily_index
from felicity.simulation.filmed import Filmed, Reading, Scene
from felicity.simulation.labelled import AnsweredFaces
from felicity.simulation.street import FRAMES_PER_SECOND, HEIGHT, WIDTH, Image, film, send_walkers
from felicity.simulation.unrest import Unrest
from felicity.simulation.witness import Witness
from felicity.windows import PersonObservation, Sums, WindowAccumulator

Floats = npt.NDArray[np.float64]
SHARES = (0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95)
"""True happy shares of the scenes."""
LEAST_PEOPLE, MOST_PEOPLE = 10, 1000
"""Fewest and most people of a scene; the index shows no figure of fewer than ten."""
IN_VIEW, MOST_IN_VIEW = 2.0, 10
MOST_FRAMES_PER_SECOND = 60


@dataclass(frozen=True)
class Filming:
    """The filming of a scene.

    ``in_view``: people in view on average. ``fps``: frames a second. ``unrest``: a tree sways, a screen and the light
    change, and it rains. ``every_frame``: every frame is searched completely, not only where something moves. Raises
    ConfigError for impossible numbers.
    """

    in_view: float = IN_VIEW
    fps: int = FRAMES_PER_SECOND
    unrest: bool = False
    every_frame: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.in_view <= MOST_IN_VIEW:
            raise ConfigError(
                f"a street has more than 0 and at most {MOST_IN_VIEW} people in view, not {self.in_view:g}"
            )
        if not 1 <= self.fps <= MOST_FRAMES_PER_SECOND:
            raise ConfigError(f"a street is filmed at 1 to {MOST_FRAMES_PER_SECOND} frames a second, not {self.fps}")


ORDINARY = Filming()


def film_scenes(
    samples: Samples,
    faces: AnsweredFaces,
    classifier: Classifier,
    detector: Detector,
    *,
    people: int = 40,
    shares: Sequence[float] = SHARES,
    filming: Filming = ORDINARY,
    seed: int = 1,
    on_picture: Callable[[Image], None] | None = None,
    tick: Callable[[int, int], None] | None = None,
) -> Filmed:
    """Return a scene of ``people`` for each of the happy ``shares`` (0..1), filmed, seen and counted.

    ``samples``: faces to paste, ``faces``: the same with the answers to them. ``on_picture`` receives one frame of the
    middle scene, with the found faces drawn on it; without it nothing is drawn. ``tick`` receives how many of how many
    people are done. Raises ConfigError for impossible numbers.
    """
    if not LEAST_PEOPLE <= people <= MOST_PEOPLE:
        raise ConfigError(f"a scene takes {LEAST_PEOPLE} to {MOST_PEOPLE:,} people, not {people:,}")
    if not shares or min(shares) < 0 or max(shares) > 1:
        raise ConfigError(f"true happy shares are numbers from 0 to 1, not {', '.join(map(str, shares)) or 'none'}")
    images = [as_input(samples.images[row], 48, "gray") for row in range(len(samples))]
    scenes = []
    for number, share in enumerate(shares):
        rng = np.random.default_rng([seed, number])
        happy = rng.permutation(people) < round(share * people)
        labels = np.where(happy, HAPPY_INDEX, rng.choice(len(EXPRESSIONS), people, p=faces.others)).astype(np.intp)
        rows = faces.rows_of(labels, rng)
        drawn = on_picture if number == len(shares) // 2 else None
        scenes.append(_scene(rows, labels, images, faces, classifier, detector, filming, rng, drawn))
        if tick:
            tick((number + 1) * people, len(shares) * people)
    return Filmed(detector.name, classifier.bundle.id, **vars(filming), seed=seed, scenes=tuple(scenes))


def _scene(
    rows: npt.NDArray[np.intp],
    labels: npt.NDArray[np.intp],
    images: Sequence[Image],
    faces: AnsweredFaces,
    classifier: Classifier,
    detector: Detector,
    filming: Filming,
    rng: np.random.Generator,
    on_picture: Callable[[Image], None] | None,
) -> Scene:
    soft = classifier.bundle.soft_matrix
    truth = 100 * float((labels == HAPPY_INDEX).mean())
    straight, filmed = _Count(soft), _Count(soft)
    witness = Witness(detector)
    attention = None if filming.every_frame else Attention()
    reader = PeopleReader(classifier, detector, QualityGate(), witness, attention, Stillness())
    picture, most = None, 0
    walkers = send_walkers(rows.tolist(), filming.in_view, rng)
    unrest = Unrest(WIDTH, HEIGHT, rng) if filming.unrest else None
    for moment in film(walkers, images, rng, fps=filming.fps, unrest=unrest):
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
    same = answers.argmax(1) == HAPPY_INDEX
    own = faces.probabilities[rows[list(witness.cut)]].argmax(1) == HAPPY_INDEX
    return Scene(
        truth,
        straight.reading(),
        filmed.reading(),
        witness.sight(len(rows), filmed.tracks, filmed.rejected),
        len(same),
        int((same == own).sum()),
    )


class _Count:
    """A count of people into windows, and of windows into the index."""

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
        """Return the reading; NaN if too few were judged for the index to show a figure."""
        windows = self._windows.flush() if self._windows else []
        if not windows:
            return Reading()
        (row,) = daily_index(Sums.of(windows).total(), self._soft)
        share = row.happy_share
        return Reading(*(math.nan if v is None else v for v in (share.raw, share.adjusted, share.low, share.high)))
