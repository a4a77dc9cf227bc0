"""Places of still faces, such as posters, in the picture: coordinates, times and counts, never their looks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from felicity.faces.detection import Box

LEAST_COMPARED = 3
"""Number of comparisons below which a face is not decided."""
STILL = -4.0
"""Log-likelihood ratio of being alive below which a face is still; above its opposite, it is alive at a poster, too."""
_NEAR = 0.25  # face sides between centres
_GROWTH = math.log(1.25)
_AGAIN = timedelta(days=1)
_FORGOTTEN = timedelta(days=7)
_MOST = 400
_DOUBTED = timedelta(hours=1)
_KNOWN, _NEARLY_ALL = 4, 0.9  # faces of a place that were still, and their share, from which it is a poster's


class Kind(Enum):
    """The kind of a finished track. ``AGAIN``: still, at a place that counted within the last day."""

    ALIVE = auto()
    STILL = auto()
    AGAIN = auto()


@dataclass
class _Place:
    """``told``: log-likelihood ratio of being alive of faces that were too briefly seen, by so many comparisons.

    ``still``, ``alive``: faces that were so.
    """

    x: float
    y: float
    side: float
    seen: datetime
    counted: datetime | None = None
    told: float = 0.0
    compared: int = 0
    still: int = 0
    alive: int = 0

    @property
    def of_posters(self) -> bool:
        return self.still >= _KNOWN and self.still >= _NEARLY_ALL * (self.still + self.alive)

    def kind(self, time: datetime) -> Kind:
        """Return whether the still face at this place has counted within the last day."""
        if self.counted is not None and time - self.counted < _AGAIN:
            return Kind.AGAIN
        self.counted = time
        return Kind.STILL


class StillPlaces:
    """The places of one camera, in memory for as long as it is watched."""

    def __init__(self) -> None:
        self._places: list[_Place] = []

    def judge(self, box: Box, time: datetime, told: float, compared: int) -> Kind:
        """Return the kind of a face that stayed at a place, by ``told``, its log-likelihood ratio of being alive.

        What too brief passages tell is added up, so that a poster that is found now and then is told, too. Where a
        still face has been, a face counts as alive only if it is as sure.
        """
        place = self._at(box, time)
        if time - place.seen >= _DOUBTED or time < place.seen:
            place.told, place.compared = 0.0, 0
        place.seen = time
        before = place.still > 0
        if told > (-STILL if before else 0.0):
            place.alive += 1
            place.told, place.compared = 0.0, 0
            return place.kind(time) if place.of_posters else Kind.ALIVE
        place.told, place.compared = place.told + told, place.compared + compared
        if place.told < STILL and place.compared >= LEAST_COMPARED:
            place.still += 1
            place.told, place.compared = 0.0, 0
            return place.kind(time)
        return place.kind(time) if before else Kind.ALIVE

    def _at(self, box: Box, time: datetime) -> _Place:
        """Return the place of a box, a new one if it has none."""
        left, top, right, bottom = box
        x, y, side = (left + right) / 2, (top + bottom) / 2, max(right - left, bottom - top)
        near = [
            place
            for place in self._places
            if math.hypot(x - place.x, y - place.y) < _NEAR * side and abs(math.log(side / place.side)) < _GROWTH
        ]
        if near:
            return min(near, key=lambda place: math.hypot(x - place.x, y - place.y))
        kept = [p for p in self._places if time - p.seen < (_FORGOTTEN if p.still else _DOUBTED)]
        self._places = sorted(kept, key=lambda p: (p.still > 0, p.seen))[-_MOST + 1 :]
        place = _Place(x, y, side, time)
        self._places.append(place)
        return place
