"""How a camera is: its state with a reason, its pace, and whether there is anything to see in its frames."""

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
_STEP = 8  # of the pixels that are looked at
_BLACK = 24  # brightness that 19 of 20 pixels of a black frame stay below


class CameraState(StrEnum):
    """What a camera does at this moment."""

    STARTING = "starting"
    """It has not been reached yet."""
    WATCHING = "watching"
    """Its frames are looked at."""
    STALLED = "stalled"
    """It is connected, but gives no frames, always the same one, or black ones."""
    OFFLINE = "offline"
    """It cannot be reached, and is tried again and again; or these are hours in which nobody expects it."""
    DISABLED = "disabled"
    """Its settings say that it is not watched."""


class Pace:
    """Frames per second over the last ten seconds."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()

    def add(self) -> None:
        """Count a frame now."""
        self._times.append(monotonic())
        self._forget()

    @property
    def fps(self) -> float:
        """Frames per second."""
        self._forget()
        if len(self._times) < 2:
            return 0.0
        return (len(self._times) - 1) / max(monotonic() - self._times[0], 1e-3)

    def _forget(self) -> None:
        while self._times and monotonic() - self._times[0] > PACE_SECONDS:
            self._times.popleft()


class Recent:
    """How often something happened within the last hour."""

    def __init__(self) -> None:
        self._times: deque[datetime] = deque(maxlen=10_000)

    def add(self, now: datetime, times: int = 1) -> None:
        """Count it."""
        self._times.extend([now] * times)

    def count(self, now: datetime) -> int:
        """How often since an hour ago."""
        while self._times and now - self._times[0] > HOUR:
            self._times.popleft()
        return len(self._times)


class Sight:
    """Says of frames whether there is anything to see: a camera that hangs sends one frame for ever, or black."""

    def __init__(self, frozen_seconds: float) -> None:
        self._frozen_seconds = frozen_seconds
        self._print = -1
        self._same_since = self._light_at = monotonic()

    def trouble(self, image_rgb_u8: npt.NDArray[np.uint8]) -> str:
        """What is wrong with a frame, uint8 ``(height, width, 3)`` RGB; empty if nothing is.

        A real camera's frames differ by their noise, and every few seconds by their coding, also of a still scene.
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
