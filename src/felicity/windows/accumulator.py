"""People and frames in, closed windows out."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import numpy as np

from felicity.windows.columns import WINDOW_COLUMNS
from felicity.windows.window import PersonObservation, Window, WindowKey, check_seconds

_Part = dict[str, Any]
"""The columns of an open window, by name."""


class WindowAccumulator:
    """Gathers the people of one camera into windows on the clock.

    A person belongs to the window in which the track ended (``PersonObservation.time``, when the person
    was last seen). A tracker says so only some time later, so a window stays open for ``lateness``
    seconds after its end. Every window is given out once. What comes for a window that was given out
    already (late, or after the clock jumped back) is counted in the earliest window not yet given out:
    never lost, never counted twice.

    A minute that the camera covered without seeing anyone is a window too (``frames_seen`` above 0,
    ``people_seen`` 0), so that a repeated run replaces the same set of windows.

    ``max_gap``: two frames further apart than this many seconds leave a gap in the coverage.
    """

    def __init__(
        self,
        location: str,
        camera: str,
        source: str,
        run_start: datetime,
        model: str,
        seconds: int = 60,
        *,
        lateness: float = 10.0,
        max_gap: float = 10.0,
    ) -> None:
        check_seconds(seconds)
        self._names = (location, camera, source, run_start, model)
        self._seconds = seconds
        self._lateness = lateness
        self._max_gap = max_gap
        self._open: dict[int, _Part] = {}
        self._floor = -(2**62)
        self._latest = -math.inf
        self._last_frame: float | None = None
        self._key(0)

    def add_person(self, observation: PersonObservation) -> None:
        """Count one person."""
        window = self._at(observation.time.timestamp())
        window["people_seen"] += 1
        if observation.probabilities is None:
            reason = str(observation.rejected)
            window["rejected"][reason] = window["rejected"].get(reason, 0) + 1
            return
        p = observation.probabilities
        window["people"] += 1
        window["hard_counts"][int(p.argmax())] += 1
        window["prob_sums"] += p
        window["prob_cross"] += np.outer(p, p)

    def add_frame(self, time: datetime, *, dropped: int = 0) -> None:
        """Count a frame that was looked at, the ``dropped`` ones before it, and the time since the last frame."""
        now = time.timestamp()
        window = self._at(now)
        window["frames_seen"] += 1
        window["frames_dropped"] += dropped
        if self._last_frame is not None and 0 < now - self._last_frame <= self._max_gap:
            self._cover(self._last_frame, now)
        self._last_frame = now

    def closed(self, now: datetime | None = None) -> list[Window]:
        """The windows that are complete at ``now`` (default: the latest time seen), in order of time."""
        clock = self._latest if now is None else max(self._latest, now.timestamp())
        if not math.isfinite(clock):
            return []
        edge = clock - self._lateness
        return self._give([start for start in self._open if start + self._seconds <= edge])

    def flush(self) -> list[Window]:
        """All windows that are still open, at the end of a source."""
        self._last_frame = None
        return self._give(list(self._open))

    def _give(self, starts: list[int]) -> list[Window]:
        windows = []
        for start in sorted(starts):
            windows.append(Window(self._key(start), **self._open.pop(start)))
            self._floor = start + self._seconds
        return windows

    def _at(self, time: float) -> _Part:
        self._latest = max(self._latest, time)
        start = math.floor(time / self._seconds) * self._seconds
        if start < self._floor:
            start = min(self._open, default=self._floor)
        return self._open.setdefault(start, {column.name: column.zero() for column in WINDOW_COLUMNS})

    def _cover(self, begin: float, end: float) -> None:
        # A stretch between two frames may cross the edge of a window.
        while begin < end:
            edge = min(end, (math.floor(begin / self._seconds) + 1) * self._seconds)
            self._at(begin)["seconds_covered"] += edge - begin
            begin = edge

    def _key(self, start: int) -> WindowKey:
        location, camera, source, run_start, model = self._names
        at = datetime.fromtimestamp(start, UTC)
        return WindowKey(location, camera, source, run_start, model, at, self._seconds)
