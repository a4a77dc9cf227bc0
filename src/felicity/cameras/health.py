"""The health of a camera: its state with a reason, its frame rate, and whether its frames show anything."""

from __future__ import annotations

import zlib
from collections import deque
from datetime import datetime, timedelta
from enum import StrEnum
from time import monotonic

import numpy as np
import numpy.typing as npt

HOUR = timedelta(hours=1)
PACE_SECONDS = 10.0
BLACK_SECONDS = 10.0
_STEP = 8  # pixels between searched ones
_BLACK = 24  # brightness that 19 of 20 pixels of a black frame stay below


class CameraState(StrEnum):
    """The present state of a camera."""

    STARTING = "starting"
    """It has not been reached yet."""
    WATCHING = "watching"
    """Its frames are being searched."""
    STALLED = "stalled"
    """It is connected, but sends no frames, the same frame again and again, or black frames."""
    OFFLINE = "offline"
    """It cannot be reached, and Felicity keeps reconnecting; or it may be off at this hour."""
    DISABLED = "disabled"
    """Its settings disable it."""


class Pace:
    """Frames per second over the last ten seconds. One thread may count while another asks."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()

    def add(self) -> None:
        """Count a frame now."""
        now = monotonic()
        self._times.append(now)
        while now - self._times[0] > PACE_SECONDS:
            self._times.popleft()

    @property
    def fps(self) -> float:
        """Return frames per second."""
        now = monotonic()
        times = [time for time in tuple(self._times) if now - time <= PACE_SECONDS]
        return (len(times) - 1) / max(now - times[0], 1e-3) if len(times) > 1 else 0.0


class Recent:
    """A counter of events within the last hour."""

    def __init__(self) -> None:
        self._times: deque[datetime] = deque(maxlen=10_000)

    def add(self, now: datetime, times: int = 1) -> None:
        """Count an event."""
        self._times.extend([now] * times)

    def count(self, now: datetime) -> int:
        """Return the number of times within the last hour."""
        while self._times and now - self._times[0] > HOUR:
            self._times.popleft()
        return len(self._times)


class Sight:
    """A check of frames for content: a camera that hangs sends the same frame for ever, or black frames."""

    def __init__(self, frozen_seconds: float) -> None:
        self._frozen_seconds = frozen_seconds
        self._print = -1
        self._same_since = self._light_at = monotonic()

    def trouble(self, image_rgb_u8: npt.NDArray[np.uint8]) -> str:
        """Return the fault of a frame, uint8 ``(height, width, 3)`` RGB; empty if there is none.

        A real camera's frames differ by their noise, and every few seconds by their coding, even in a still scene.
        """
        now, sample = monotonic(), np.ascontiguousarray(image_rgb_u8[::_STEP, ::_STEP])
        seen = zlib.crc32(sample.data)
        if seen != self._print:
            self._print, self._same_since = seen, now
        if np.percentile(sample, 95) > _BLACK:
            self._light_at = now
        if now - self._light_at >= BLACK_SECONDS:
            return "its picture is black; check the lens, the light and the privacy areas"
        if now - self._same_since >= self._frozen_seconds:
            return f"its picture has not changed for {self._frozen_seconds:g} s; restart the camera"
        return ""
