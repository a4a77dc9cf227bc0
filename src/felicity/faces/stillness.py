"""Still faces: posters and statues, distinguished from people by their movement.

People breathe, sway and turn; a picture of a face moves with its support, or not at all. Each face is compared with
itself up to four seconds before. Its shift against the rest of the picture is estimated by least squares on the grey
values (Lucas and Kanade 1981), allowing for changing light. The apparent shift by noise, compression and a shaken
camera is measured on parts of the same picture without people. A face that moves further than that is alive.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import cv2
import numpy as np

from felicity.faces._image import Image
from felicity.faces.detection import Box
from felicity.faces.places import Kind, StillPlaces
from felicity.faces.scenery import Anchor, Scenery
from felicity.faces.shift import Floats, Reference
from felicity.faces.tracking import TrackedFace

COMPARED_APART = timedelta(seconds=0.5)
LONGEST = timedelta(seconds=4)
"""Longest time between compared pictures of a face, because light may change."""
SWAY = 0.01
"""Least standard deviation of swaying in face sides; people who sway less could count as a poster."""
CHANGED = 6.0
"""Factor over the variance by noise from which a face has changed, as by turning, which no shift explains."""
MOST_TOLD = 3.0
"""Limit of the log-likelihood ratio that one comparison adds, either way: a shadow moves a poster in some."""
_GONE = 0.5  # face sides; what is shifted further has walked
_SHAKEN, _GLIDED = 6.0, 0.1  # pixels and face sides; further than that, no camera is shaken
_FINEST = 0.03  # pixels; neither interpolation nor a lens is better


@dataclass
class _Life:
    """The comparisons of a track so far."""

    since: datetime
    start: tuple[float, float]
    last: datetime
    box: Box
    anchor: Anchor | None = None
    face: Reference | None = None
    compared: int = 0
    alive: float = 0.0
    walked: bool = False


class Stillness:
    """Takes every frame's faces, in the order of time, and decides on a track when it has ended."""

    def __init__(self) -> None:
        self._lives: dict[int, _Life] = {}
        self._places = StillPlaces()
        self._scenery = Scenery()
        self._last: datetime | None = None
        self._anchor: Anchor | None = None

    def see(self, image_rgb_u8: Image, time: datetime, faces: Sequence[TrackedFace]) -> None:
        """Compare the faces of a picture, uint8 ``(height, width, 3)`` RGB, with their earlier looks."""
        standing = [face for face in faces if not self._walked(face, time)]
        fresh = [face for face in standing if self._lives[face.track_id].since == time]
        apart = self._anchor is not None and time - self._anchor.time >= COMPARED_APART
        if self._last is not None and timedelta(0) <= time - self._last < COMPARED_APART:
            standing = fresh if apart else []
            if not standing:
                return
        else:
            self._last = time
        grey = np.asarray(cv2.cvtColor(image_rgb_u8, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
        if not self._lasts(self._anchor, time):
            self._anchor = None
        for face in fresh if apart else ():
            self._begin(self._lives[face.track_id], grey.shape)
        for anchor in {id(a): a for f in standing if (a := self._lives[f.track_id].anchor)}.values():
            self._compare(anchor, grey, [f for f in standing if self._lives[f.track_id].anchor is anchor])
        old = [face for face in standing if not self._lasts(self._lives[face.track_id].anchor, time)]
        if old or self._anchor is None:
            self._anchor = Anchor(grey, time, [face.detection.box_xyxy for face in faces])
        for face in old:
            life = self._lives[face.track_id]
            life.anchor, life.face = self._anchor, Reference.of(grey, face.detection.box_xyxy)

    def _begin(self, life: _Life, shape: tuple[int, ...]) -> None:
        """Take the place of a new face as it was before it was found; a poster was there already."""
        if self._anchor is not None and self._anchor.grey.shape == shape:
            life.anchor, life.face = self._anchor, Reference.of(self._anchor.grey, life.box)

    def cut(self) -> None:
        """Forget the earlier picture: the next one is of another scene."""
        self._anchor = None

    def end(self, track_id: int) -> Kind:
        """Forget a track and return its kind.

        A face seen too briefly counts as alive, unless it did not move at a place where one was still before.
        """
        life = self._lives.pop(track_id, None)
        if life is None or life.walked:
            return Kind.ALIVE
        return self._places.judge(life.box, life.last, life.alive, life.compared)

    def _walked(self, face: TrackedFace, time: datetime) -> bool:
        x, y = face.detection.centre_xy
        life = self._lives.setdefault(face.track_id, _Life(time, (x, y), time, face.detection.box_xyxy))
        life.last, life.box = time, face.detection.box_xyxy
        if math.hypot(x - life.start[0], y - life.start[1]) > _GONE * face.detection.side:
            life.walked, life.anchor, life.face = True, None, None
        return life.walked

    @staticmethod
    def _lasts(anchor: Anchor | None, time: datetime) -> bool:
        return anchor is not None and timedelta(0) <= time - anchor.time < LONGEST

    def _compare(self, anchor: Anchor, grey: Image, faces: Sequence[TrackedFace]) -> None:
        looks = {face.track_id: look for face in faces if (look := self._lives[face.track_id].face)}
        if grey.shape != anchor.grey.shape or not looks:
            return
        slopes = [look.slope for look in looks.values()]
        anchor.choose([face.detection.box_xyxy for face in faces], min(slopes))
        moved = self._scenery.moved(anchor, grey)
        for face in faces:
            life, look = self._lives[face.track_id], looks.get(face.track_id)
            if look is None:
                continue
            here = look.shift(grey, moved.shift)
            noise = moved.error.per_spread * (here.spread + moved.spread) + (_FINEST * look.pixels) ** 2 * np.eye(2)
            changed = here.noise > CHANGED * moved.error.rest
            if changed and anchor.time < life.since:
                life.anchor = None  # nobody was there yet
                continue
            glided = float(np.hypot(*(moved.shift + here.by)))
            if anchor.by_bodies and glided > max(_SHAKEN, _GLIDED * face.detection.side):
                life.walked = True
            life.compared += 1
            life.alive += MOST_TOLD if changed else _told(here.by - moved.off, noise, SWAY * face.detection.side)


def _told(by: Floats, noise: Floats, sway: float) -> float:
    """Return the log-likelihood ratio of a face that sways against one that does not, at a shift between two times.

    ``noise`` (2, 2): covariance of a shift that is none. Two places of a head that sways differ by twice its variance.
    """
    alive = noise + 2 * sway**2 * np.eye(2)
    ratio = float(np.log(np.linalg.det(noise) / np.linalg.det(alive)))
    ratio += float(by @ np.linalg.solve(noise, by) - by @ np.linalg.solve(alive, by))
    return min(max(ratio / 2, -MOST_TOLD), MOST_TOLD)
