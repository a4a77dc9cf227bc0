"""A street in moving pictures: labelled faces on bodies that walk through the view of a camera.

Frames exist in memory only, one at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import numpy.typing as npt

from felicity.simulation.unrest import Unrest

Image = npt.NDArray[np.uint8]
Floats32 = npt.NDArray[np.float32]
Box = tuple[int, int, int, int]

WIDTH, HEIGHT = 640, 360
FRAMES_PER_SECOND = 5
FACE_SIDES = ((36, 48), (50, 64), (68, 84))
"""Pixels of a face on the far, the middle and the near lane."""
_LANE_HEIGHTS = (0.2, 0.36, 0.56)
_SPEED = (1.0, 3.0)  # face sides per second
_QUIET = 3.0  # seconds after the last person has left, so that every track ends and every flicker is recognised as one
_START = datetime(2026, 5, 4, 9, tzinfo=UTC)
_NOISE = 2.5  # standard deviation, grey values


@dataclass(frozen=True)
class Walker:
    """One person: ``face`` is a row of the labelled faces, ``side`` its size, ``middle`` the height of its centre.

    Walks from one edge to the other, entering at ``enters`` (seconds) with ``speed`` (pixels per second,
    negative to the left).
    """

    face: int
    side: int
    middle: float
    enters: float
    speed: float

    @property
    def leaves(self) -> float:
        """Return the second from which the whole body is out of view."""
        return self.enters + (WIDTH + 2.4 * self.side) / abs(self.speed)

    def box(self, second: float) -> Box:
        """Return the face's square at that time; it may lie outside the picture."""
        gone = abs(self.speed) * (second - self.enters) - 1.2 * self.side
        centre = gone if self.speed > 0 else WIDTH - gone
        middle = self.middle + 0.03 * self.side * np.sin(11.0 * (second - self.enters))  # the bob of a step
        left, top = round(centre - self.side / 2), round(middle - self.side / 2)
        return left, top, left + self.side, top + self.side


@dataclass(frozen=True)
class Shown:
    """A walker's face in a frame: its square, and its visible part, 0..1."""

    walker: int
    box_xyxy: Box
    visible: float


@dataclass(frozen=True)
class Moment:
    """One frame, uint8 ``(360, 640, 3)`` RGB, and the faces in it."""

    image_rgb_u8: Image
    time: datetime
    shown: tuple[Shown, ...]


def send_walkers(faces: Sequence[int], in_view: float, rng: np.random.Generator) -> list[Walker]:
    """Return one walker for each of ``faces``, on random lanes, with random sizes, speeds and directions.

    They enter at random times, so that on average ``in_view`` of them are in view.
    """
    lane = rng.integers(len(FACE_SIDES), size=len(faces))
    least, most = np.array(FACE_SIDES)[lane].T
    sides = 2 * (rng.integers(least, most + 1) // 2)
    speeds = rng.uniform(*_SPEED, len(faces)) * sides * rng.choice((-1, 1), len(faces))
    middles = HEIGHT * np.array(_LANE_HEIGHTS)[lane] + rng.normal(0, 4, len(faces))
    stay = float(np.mean(WIDTH / np.abs(speeds)))  # seconds of a face in view
    enters = np.cumsum(rng.exponential(stay / in_view, len(faces)))
    columns = (np.asarray(faces), sides, middles, enters - enters[0], speeds)
    return [Walker(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def film(
    walkers: Sequence[Walker],
    images: Sequence[Image],
    rng: np.random.Generator,
    *,
    fps: int = FRAMES_PER_SECOND,
    unrest: Unrest | None = None,
) -> Iterator[Moment]:
    """Yield the walk as a camera sees it, ``fps`` frames a second. ``images``: grey faces, uint8 ``(48, 48)``, by row.

    ``unrest``: other things that move in the street.
    """
    background = _background(rng)
    grain = [rng.normal(0, _NOISE, (HEIGHT, WIDTH, 3)).astype(np.int8) for _ in range(4)]
    owner = np.empty((HEIGHT, WIDTH), dtype=np.int32)
    sprites: dict[int, _Sprite] = {}
    far_first = sorted(range(len(walkers)), key=lambda i: walkers[i].side)
    last = max(walker.leaves for walker in walkers) + _QUIET
    for number in range(int(last * fps)):
        second = number / fps
        image = unrest.behind(background, second) if unrest else background.copy()
        owner.fill(-1)
        present = [i for i in far_first if walkers[i].enters <= second < walkers[i].leaves]
        for i in present:
            if i not in sprites:
                sprites[i] = _Sprite(images[walkers[i].face], walkers[i].side, rng)
            sprites[i].paint(image, owner, i, walkers[i].box(second))
        for i in set(sprites) - set(present):
            del sprites[i]
        image = unrest.before(image, second) if unrest else image
        noisy = np.clip(image.astype(np.int16) + grain[number % len(grain)], 0, 255).astype(np.uint8)
        shown = tuple(Shown(i, box, _visible(owner, i, box)) for i in present if (box := walkers[i].box(second)))
        yield Moment(noisy, _START + timedelta(seconds=second), shown)


def _visible(owner: npt.NDArray[np.int32], walker: int, box: Box) -> float:
    left, top, right, bottom = box
    inside = owner[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    return float((inside == walker).sum()) / ((right - left) * (bottom - top))


class _Sprite:
    """A person cut out: head, neck and shoulders in plain tones, and the face with soft edges on the head."""

    def __init__(self, face: Image, side: int, rng: np.random.Generator) -> None:
        self._left, self._top = round(0.7 * side), round(0.25 * side)
        width, height = side + 2 * self._left, self._top + 8 * side
        self._colour = np.zeros((height, width, 3), dtype=np.float32)
        self._alpha = np.zeros((height, width), dtype=np.float32)
        x, y = width // 2, self._top + side // 2
        large = cv2.resize(face, (side, side), interpolation=cv2.INTER_CUBIC).astype(np.float32)
        hair = float(np.median(large[: side // 12]))
        skin = float(np.median(large[side // 2 : 3 * side // 4, side // 3 : 2 * side // 3]))
        cloth = rng.uniform(40, 170) * (1 + rng.uniform(-0.25, 0.25, 3))
        self._fill(x, y + 1.6 * side, 1.1 * side, 0.9 * side, cloth, legs=0.9)
        self._fill(x, y + 0.65 * side, 0.24 * side, 0.35 * side, np.full(3, 0.85 * skin))
        self._fill(x, y, 0.57 * side, 0.68 * side, np.full(3, hair))
        at = np.abs(np.linspace(-1, 1, side, dtype=np.float32)) ** 6
        mask = np.clip((1 - at[:, None] - at[None]) / 0.25, 0, 1)[..., None]
        part = np.s_[self._top : self._top + side, self._left : self._left + side]
        self._colour[part] += mask * (large[..., None] - self._colour[part])
        self._alpha[part] = np.maximum(self._alpha[part], mask[..., 0])
        self._alpha = np.asarray(cv2.GaussianBlur(self._alpha, (0, 0), 0.8), dtype=np.float32)

    def _fill(
        self, x: int, y: float, across: float, up: float, colour: npt.NDArray[np.float64], *, legs: float = 0.0
    ) -> None:
        """Fill an ellipse; with ``legs``, a part of its width continues below."""
        shape = np.zeros(self._alpha.shape, dtype=np.uint8)
        cv2.ellipse(shape, (x, round(y)), (round(across), round(up)), 0, 0, 360, 1, -1)
        if legs:
            shape[round(y) :, x - round(legs * across) : x + round(legs * across)] = 1
        self._colour[shape > 0] = np.clip(colour, 0, 255)
        self._alpha[shape > 0] = 1

    def paint(self, image: Image, owner: npt.NDArray[np.int32], walker: int, box: Box) -> None:
        left, top = box[0] - self._left, box[1] - self._top
        height, width = self._alpha.shape
        x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + width, WIDTH), min(top + height, HEIGHT)
        if x0 >= x1 or y0 >= y1:
            return
        cut = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
        under = image[y0:y1, x0:x1]
        alpha = self._alpha[cut][..., None]
        under[...] = (under + alpha * (self._colour[cut] - under)).astype(np.uint8)
        owner[y0:y1, x0:x1][self._alpha[cut] > 0.5] = walker


def _background(rng: np.random.Generator) -> Image:
    """Return a wall with windows and a pavement, out of focus."""
    image = np.empty((HEIGHT, WIDTH, 3), dtype=np.float32)
    image[:] = np.linspace(190, 120, HEIGHT, dtype=np.float32)[:, None, None] * rng.uniform(0.85, 1.1, 3)
    for _ in range(14):
        x, y = int(rng.integers(WIDTH)), int(rng.integers(HEIGHT // 2))
        w, h = int(rng.integers(20, 80)), int(rng.integers(30, 110))
        tone = rng.uniform(40, 220) * rng.uniform(0.9, 1.1, 3)
        cv2.rectangle(image, (x, y), (x + w, y + h), tone.tolist(), -1)
    image[int(0.7 * HEIGHT) :] = np.float32(rng.uniform(80, 140))
    rough = cv2.resize(rng.normal(0, 12, (HEIGHT // 6, WIDTH // 6)).astype(np.float32), (WIDTH, HEIGHT))
    blurred = np.asarray(cv2.GaussianBlur(image, (0, 0), 1.5))
    return np.asarray(np.clip(blurred + rough[..., None], 0, 255), dtype=np.uint8)
