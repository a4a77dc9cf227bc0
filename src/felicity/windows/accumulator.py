"""The accumulator: people and frames in, closed windows out."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import numpy as np

from felicity.windows.columns import WINDOW_COLUMNS
from felicity.windows.looks import Look
from felicity.windows.window import PersonObservation, Window, WindowKey, check_seconds

_Part = dict[str, Any]
"""The columns of an open window, by name."""


class WindowAccumulator:
    """Gathers the people of one camera into windows of fixed times.

    A person belongs to the window in which the track ended (``PersonObservation.time``, when the person was last seen).
    A tracker reports the end some time later, so a window stays open for ``lateness`` seconds after its end. Every
    window is returned once. An observation for a window that was returned already (it came late, or the clock jumped
    back) counts in the earliest window not yet returned: it is never lost and never counted twice.

    A minute that the camera covered without seeing anyone is a window too (``frames_seen`` above 0, ``people_seen`` 0),
    so that a repeated run replaces the same set of windows.

    ``counted``: of a piece of a recording, the time from, and to, not included; what was seen before and after counts
    elsewhere.

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
        detector: str = "",
        counted: tuple[datetime, datetime] | None = None,
    ) -> None:
        check_seconds(seconds)
        self._begin, self._end = (time.timestamp() for time in counted) if counted else (-math.inf, math.inf)
        self._names = (location, camera, source, run_start, model)
        self._detector = detector
        self._seconds = seconds
        self._lateness = lateness
        self._max_gap = max_gap
        self._open: dict[int, _Part] = {}
        self._floor = -(2**62)
        self._latest = -math.inf
        self._last_frame: float | None = None
        self._key(0)

    def counts(self, time: datetime) -> bool:
        """Return whether what was seen at ``time`` is counted here, and not with another piece of the recording."""
        return self._begin <= time.timestamp() < self._end

    def add_person(self, observation: PersonObservation) -> None:
        """Count one person."""
        if not self.counts(observation.time):
            return
        window = self._at(observation.time.timestamp())
        window["people_seen"] += 1
        if observation.face_side is not None:
            window["sized"] += 1
            window["sides"] += observation.face_side
        if observation.probabilities is None:
            reason = str(observation.rejected)
            window["rejected"][reason] = window["rejected"].get(reason, 0) + 1
            return
        p = observation.probabilities
        window["people"] += 1
        window["lifted"] += observation.lifted
        window["hard_counts"][int(p.argmax())] += 1
        window["prob_sums"] += p
        window["prob_cross"] += np.outer(p, p)

    def add_frame(
        self, time: datetime, look: Look | None = None, *, dropped: int = 0, thinned: int = 0, damaged: int = 0
    ) -> None:
        """Count a searched frame, and the time since the last frame unless its picture is frozen.

        ``look``: the seeing conditions of the frame. Frames before it came too fast (``dropped``), were not requested
        (``thinned``), or could not be decoded completely (``damaged``).
        """
        now = time.timestamp()
        if self.counts(time):
            window = self._at(now)
            window["frames_seen"] += 1
            window["frames_dropped"] += dropped
            if look is not None:
                window["frames_expected"] += 1 + dropped + thinned + damaged
                window["frames_damaged"] += damaged
                look.count(window)
        frozen = look is not None and look.frozen
        if self._last_frame is not None and not frozen and 0 < now - self._last_frame <= self._max_gap:
            self._cover(max(self._last_frame, self._begin), min(now, self._end))
        self._last_frame = now

    def closed(self, now: datetime | None = None) -> list[Window]:
        """Return the windows that are complete at ``now`` (default: the latest time seen), in order of time."""
        clock = self._latest if now is None else max(self._latest, now.timestamp())
        if not math.isfinite(clock):
            return []
        edge = clock - self._lateness
        return self._give([start for start in self._open if start + self._seconds <= edge])

    def flush(self) -> list[Window]:
        """Return all windows that are still open, at the end of a source."""
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
        return WindowKey(location, camera, source, run_start, model, at, self._seconds, self._detector)
