"""Face tracking from frame to frame, so that a person is counted once however often they are seen.

As in SORT (Bewley et al. 2016, arXiv:1602.00763), a Kalman filter of constant velocity predicts the place of each face,
and the Hungarian method pairs predictions with detections. Unlike SORT, time is in seconds and length in face sides, so
nothing depends on frame rate or resolution. Pairing is by distance: a walking person's boxes need not overlap from one
frame to the next at 3 frames per second. No appearance is compared, so a person who leaves and comes back is counted
again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from felicity.errors import ConfigError
from felicity.faces.detection import Box, Detection

Vector = npt.NDArray[np.float64]

# In face sides and seconds. A face side is some 16 cm, so walking past at 1.4 m/s is 9 sides per second.
_JITTER = 0.1  # standard deviation of a detected centre; HOG's boxes move in steps of about that
_SPEED = 4.0  # standard deviation of the speed of a face just found, along each axis
_UNREST = 6.0  # growth of the variance of the speed per second: people start, stop and turn
_SIGMAS = 3.0  # a detection further than that from the prediction is somebody else
_FARTHEST = 4.0  # likewise, in sides, however long the face was not seen
_GROWTH = math.log(1.6)  # likewise, for the change in size (logarithm)
_LEAVING = 0.7  # face sides per second, outward, of a face that walks out of the picture
_NEVER = 1e6  # cost of a pair that must not be


@dataclass(frozen=True)
class TrackedFace:
    """A detection and the track it belongs to; ids count up from 1 within one tracker."""

    track_id: int
    detection: Detection


class _Track:
    """A constant-velocity Kalman filter; both axes share one covariance, because they share all noise."""

    def __init__(self, track_id: int, detection: Detection, now: float) -> None:
        self.track_id, self.seen, self.now = track_id, now, now
        self.side = detection.side
        self.position: Vector = np.array(detection.centre_xy)
        self.velocity: Vector = np.zeros(2)
        self.covariance: Vector = np.diag([_JITTER**2, _SPEED**2])  # of position and speed, in sides

    def advance(self, now: float) -> None:
        """Predict the state at ``now``."""
        (self.position, self.covariance), self.now = self.predicted(now), now

    def predicted(self, now: float) -> tuple[Vector, Vector]:
        """Return position (2,) in pixels and covariance (2, 2) of position and speed in sides, at ``now``."""
        dt = now - self.now
        step = np.array([[1, dt], [0, 1]])
        noise = _UNREST * np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]])
        return self.position + self.velocity * dt, step @ self.covariance @ step.T + noise

    def surroundings(self, now: float) -> Box:
        """Return the box in which the face may be at ``now``, with the margin that a detector needs."""
        (x, y), covariance = self.predicted(now)
        reach = (1.0 + _reach(float(covariance[0, 0]))) * self.side
        return x - reach, y - reach, x + reach, y + reach

    def has_left(self, size_wh: tuple[int, int]) -> bool:
        """Return whether the prediction has walked out of the picture; people who sit at its edge have not."""
        outward = np.where(self.position < 0, -self.velocity, np.where(self.position > size_wh, self.velocity, 0.0))
        return bool((outward > _LEAVING * self.side).any())

    def distance(self, detection: Detection) -> float:
        """Return how far a detection is from the prediction, in squared sigmas; ``_NEVER`` if it is somebody else."""
        away = float(np.hypot(*(np.array(detection.centre_xy) - self.position))) / self.side
        growth = abs(math.log(detection.side / self.side))
        spread = float(self.covariance[0, 0]) + _JITTER**2
        if away > _reach(float(self.covariance[0, 0])) or growth > _GROWTH:
            return _NEVER
        # The logarithm makes it a likelihood: without it, the least certain track would win every pairing.
        return away**2 / spread + 2 * math.log(spread) + (growth / (_GROWTH / _SIGMAS)) ** 2

    def correct(self, detection: Detection) -> None:
        """Update the state with a detection."""
        self.seen = self.now
        gain = self.covariance[:, 0] / (self.covariance[0, 0] + _JITTER**2)  # (2,)
        error = np.array(detection.centre_xy) - self.position
        self.position = self.position + gain[0] * error
        self.velocity = self.velocity + gain[1] * error
        self.covariance = self.covariance - np.outer(gain, self.covariance[0])
        self.side *= (detection.side / self.side) ** 0.3


def _reach(variance: float) -> float:
    """Return the largest distance of a face from the prediction, in sides, by the variance of its position."""
    return min(_FARTHEST, _SIGMAS * math.sqrt(variance + _JITTER**2))


class Tracker:
    """Gives each face the id of its person's track.

    ``patience``: seconds after which a face not seen again ends its track. Call ``update`` for every frame,
    also for those without faces.
    """

    def __init__(self, *, patience: float = 2.0) -> None:
        if not 0 < patience <= 60:
            raise ConfigError(f"a tracker's patience is more than 0 and at most 60 seconds, not {patience}")
        self._patience = patience
        self._tracks: list[_Track] = []
        self._ended: list[int] = []
        self._last_id = 0
        self._now = self._before = -math.inf

    def update(
        self, detections: Sequence[Detection], time: datetime, size_wh: tuple[int, int] | None = None
    ) -> list[TrackedFace]:
        """Follow the faces of one frame taken at ``time``; return one face per detection, in their order.

        ``size_wh``: of the picture. A face that has walked out of it is gone; without the size, the next person to
        enter there would continue its track. If a clock is set back, frames until it has caught up count as taken at
        the latest time.
        """
        self._before, self._now = self._now, max(self._now, time.timestamp())
        self._end(lambda track: self._now - track.seen > self._patience)
        for track in self._tracks:
            track.advance(self._now)
        if size_wh is not None:
            self._end(lambda track: track.has_left(size_wh))
        owners = self._pair(detections)
        for i, detection in enumerate(detections):
            if i in owners:
                owners[i].correct(detection)
            else:
                self._last_id += 1
                owners[i] = _Track(self._last_id, detection, self._now)
                self._tracks.append(owners[i])
        return [TrackedFace(owners[i].track_id, detection) for i, detection in enumerate(detections)]

    def expected(self, time: datetime) -> list[Box]:
        """Return boxes in which the followed faces may be at ``time``; they may reach over the picture's edges."""
        now = max(self._now, time.timestamp())
        return [track.surroundings(now) for track in self._tracks]

    @property
    def all_seen(self) -> bool:
        """Return whether the last frame showed everybody who was in the frame before."""
        return all(track.seen == self._now or track.seen < self._before for track in self._tracks)

    def finished(self) -> list[int]:
        """Return ids of the tracks that have ended since the last call."""
        ended, self._ended = self._ended, []
        return ended

    def flush(self) -> list[int]:
        """End all tracks, as at the end of a source; return ids of all that have ended since the last call."""
        self._end(lambda _: True)
        return self.finished()

    def _pair(self, detections: Sequence[Detection]) -> dict[int, _Track]:
        cost = np.array([[track.distance(d) for d in detections] for track in self._tracks])
        if cost.size == 0:
            return {}
        pairs = zip(*linear_sum_assignment(cost), strict=True)
        return {int(d): self._tracks[t] for t, d in pairs if cost[t, d] < _NEVER}

    def _end(self, over: Callable[[_Track], bool]) -> None:
        self._ended += [track.track_id for track in self._tracks if over(track)]
        self._tracks = [track for track in self._tracks if not over(track)]
