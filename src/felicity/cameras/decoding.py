"""A decoder: one process per camera, so that a hanging or broken one can be ended while the others go on.

Pixels cross over in nameless shared memory; the pipe carries times, counts and remarks. The decoder writes its next
frame when the last one has been given back, and meanwhile keeps the newest one.
"""

from __future__ import annotations

import contextlib
import math
import mmap
import os
import signal
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from felicity.cameras.areas import PrivateAreas
from felicity.errors import SourceError
from felicity.notes import Note
from felicity.sources.frame import Frame, SourceStats
from felicity.sources.registry import SourceOptions, open_source

MAX_PIXELS = 3840 * 2160
"""Larger pictures are refused; the shared memory has this size, of which only the written part takes room."""
MAX_BYTES = 3 * MAX_PIXELS
ALIVE_SECONDS = 1.0
"""Seconds between heartbeats of a decoder."""


@dataclass(frozen=True)
class DecoderOptions:
    """The settings of a decoder: everything by value, including the address with its secrets."""

    address: str
    fps: float
    stall_seconds: float
    private: tuple[tuple[tuple[float, float], ...], ...]


class Picture(NamedTuple):
    """A frame in the shared memory: its time, number and shape, and the counts of its source so far."""

    time: datetime
    number: int
    height: int
    width: int
    dropped: int
    reconnects: int
    thinned: int
    errors: int


class Remark(NamedTuple):
    """A remark of the source."""

    note: Note


class Alive(NamedTuple):
    """A heartbeat of the decoder, although no frame may come."""


class Failed(NamedTuple):
    """The end of the decoder, with its reason."""

    text: str


def view(memory: mmap.mmap, height: int, width: int) -> npt.NDArray[np.uint8]:
    """Return the picture in the shared memory, uint8 ``(height, width, 3)`` RGB."""
    return np.frombuffer(memory, np.uint8, 3 * height * width).reshape(height, width, 3)


def decode(pipe: Connection, memory: Any, options: DecoderOptions) -> None:
    """Run a decoder until its reader has gone. ``memory``: a descriptor from ``reduction.DupFd``."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    link = _Link(pipe, mmap.mmap(memory.detach(), MAX_BYTES))
    try:
        _decode(link, options)
    except (EOFError, OSError):
        pass  # the reader has gone
    except SourceError as error:
        link.last_words(str(error))
    except Exception as error:
        link.last_words(f"decoding failed ({type(error).__name__}: {error})")
    os._exit(0)  # a thread that the network blocks does not keep the process alive


def _decode(link: _Link, options: DecoderOptions) -> None:
    private = PrivateAreas(options.private)
    asked = SourceOptions(
        fps=options.fps,
        max_pixels=MAX_PIXELS,
        connect_patience_seconds=math.inf,
        stall_seconds=options.stall_seconds,
        queue_frames=1,
        on_note=link.remark,
    )
    with open_source(options.address, options=asked) as source:
        if not source.live:
            raise SourceError(f"{source.source_id} is no live camera; felicity watch takes recordings and folders")
        source.on_idle = link.idle
        for frame in source:
            private.blacken(frame.image_rgb_u8)
            link.show(frame, source.stats)


class _Link:
    """The decoder's end of the link: frames and remarks go out, the memory comes back."""

    def __init__(self, pipe: Connection, memory: mmap.mmap) -> None:
        self._pipe, self._memory = pipe, memory
        self._lock = threading.Lock()
        self._free = True
        self._told = -math.inf

    def show(self, frame: Frame, stats: SourceStats) -> None:
        """Wait until the memory is free, and put the frame there."""
        while not self._free:
            self._pipe.poll(ALIVE_SECONDS / 2)
            self.idle()
        height, width = frame.image_rgb_u8.shape[:2]
        np.copyto(view(self._memory, height, width), frame.image_rgb_u8)
        self._free = False
        counts = (stats.dropped, stats.reconnects, stats.thinned, stats.errors)
        self._send(Picture(frame.time, frame.number, height, width, *counts))

    def idle(self) -> None:
        """Check whether the memory came back, and send a heartbeat."""
        while self._pipe.poll(0):
            self._pipe.recv_bytes()
            self._free = True
        if time.monotonic() - self._told >= ALIVE_SECONDS:
            self._send(Alive())

    def remark(self, note: Note) -> None:
        """Pass on a remark of the source; from any thread."""
        self._send(Remark(note))

    def last_words(self, text: str) -> None:
        """Send the reason why the decoder ends."""
        with contextlib.suppress(OSError):
            self._send(Failed(text))

    def _send(self, message: NamedTuple) -> None:
        with self._lock:
            self._told = time.monotonic()
            self._pipe.send(message)
