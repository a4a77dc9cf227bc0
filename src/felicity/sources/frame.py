"""Frames, which every source yields: a picture at a moment."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

from felicity.notes import Note


@dataclass(frozen=True)
class Frame:
    """One picture.

    ``image_rgb_u8``: uint8 ``(height, width, 3)``, RGB. ``time``: capture time, with a time zone
    (UTC inside Felicity). ``source_id``: the source's name, without credentials. ``number``:
    counts up from 0 within the source, gaps where frames were left out.
    """

    image_rgb_u8: npt.NDArray[np.uint8] = field(repr=False)
    time: datetime
    source_id: str
    number: int

    def __post_init__(self) -> None:
        shape, dtype = self.image_rgb_u8.shape, self.image_rgb_u8.dtype
        if dtype != np.uint8 or len(shape) != 3 or shape[2] != 3 or 0 in shape:
            raise ValueError(f"a frame holds uint8 (height, width, 3), not {dtype} {shape}")
        if self.time.tzinfo is None:
            raise ValueError(f"a frame's time needs a time zone, {self.time.isoformat()} has none")


@dataclass
class SourceStats:
    """The counts of a source so far.

    ``frames`` were yielded; ``thinned`` were left out because fewer per second were requested; ``dropped`` came from a
    live source faster than they were read; ``errors`` could not be decoded completely. ``reconnects`` counts the
    reconnections of a live source. ``notes`` are the latest remarks.
    """

    frames: int = 0
    thinned: int = 0
    dropped: int = 0
    errors: int = 0
    reconnects: int = 0
    notes: deque[Note] = field(default_factory=lambda: deque(maxlen=100))


@runtime_checkable
class Source(Protocol):
    """An iterator of frames in the order of time, and a context manager that releases the device.

    ``live`` sources run in real time until stopped; the others end. ``stills``: each frame is a photograph by itself,
    not a moment of one scene. Like a file, a source is read once: a second loop continues after the first one. Another
    thread or a signal handler may call ``stop``: iteration then ends soon, without an exception. ``on_idle``: a live
    source calls it several times a second, in the reading thread, while no frame comes.
    """

    source_id: str
    live: bool
    recording: str | None
    stills: bool
    stats: SourceStats
    on_idle: Callable[[], None] | None

    @property
    def stopped(self) -> bool:
        """Return whether ``stop`` was called."""
        ...

    def __iter__(self) -> Iterator[Frame]: ...
    def stop(self) -> None:
        """End the iteration soon, without an exception."""
        ...

    def close(self) -> None:
        """Release the device or file; a second call does nothing."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(self, *exception: object) -> None: ...
