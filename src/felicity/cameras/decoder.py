"""The reader's end of a decoder: it starts the process, takes frames and remarks, and ends it."""

from __future__ import annotations

import contextlib
import mmap
import multiprocessing
import os
import time
from multiprocessing import reduction
from multiprocessing.connection import Connection

import numpy as np
import numpy.typing as npt

from felicity.cameras import decoding
from felicity.cameras.decoding import DecoderOptions, Picture, Remark
from felicity.errors import ConfigError

_PRELOADED = [
    "felicity.cameras.decoding",
    *(f"felicity.sources.{name}" for name in ("stream", "webcam", "video", "images")),
]
"""The imports of every decoder, done once in the process from which all are forked."""
END_SECONDS = 2.0


class Decoder:
    """A running decoder. ``heard`` is the time of its last heartbeat, by ``time.monotonic``.

    Raises ConfigError on systems without nameless shared memory.
    """

    def __init__(self, options: DecoderOptions) -> None:
        if not hasattr(os, "memfd_create"):
            raise ConfigError("felicity cameras run needs Linux; elsewhere, run felicity watch for each camera")
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(_PRELOADED)
        descriptor = os.memfd_create("felicity-picture")
        try:
            os.ftruncate(descriptor, decoding.MAX_BYTES)
            self._memory = mmap.mmap(descriptor, decoding.MAX_BYTES)
            self.pipe, far_end = context.Pipe()
            self._process = context.Process(
                target=_run, args=(far_end, _Descriptor(descriptor), options), daemon=True, name="decoder"
            )
            self._process.start()
        finally:
            os.close(descriptor)
        far_end.close()
        self.heard = time.monotonic()
        self.pid = self._process.pid

    def messages(self) -> list[object]:
        """Return the messages since the last call; ``decoding.Failed`` is the last one of a decoder that failed."""
        found: list[object] = []
        try:
            while self.pipe.poll(0):
                found.append(self.pipe.recv())
                self.heard = time.monotonic()
        except (EOFError, OSError):
            if not any(isinstance(message, decoding.Failed) for message in found):
                found.append(decoding.Failed("the decoder ended unexpectedly"))
        return found

    def pixels(self, picture: Picture) -> npt.NDArray[np.uint8]:
        """Return the frame, uint8 ``(height, width, 3)`` RGB in the shared memory: its content until ``give_back``."""
        return decoding.view(self._memory, picture.height, picture.width)

    def give_back(self) -> None:
        """Let the decoder write its next frame."""
        with contextlib.suppress(OSError):  # it may have ended, which ``messages`` reports
            self.pipe.send_bytes(b"")

    def close(self) -> None:
        """End the process, whatever its state."""
        self.pipe.close()
        self._process.kill()
        self._process.join(END_SECONDS)
        with contextlib.suppress(ValueError, BufferError):  # a process that does not end, or pixels still in use
            self._process.close()
            self._memory.close()


class _Descriptor:
    """A descriptor on its way into another process."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __reduce__(self) -> tuple[object, ...]:
        return (_same, (reduction.DupFd(self._descriptor),))


def _same(received: object) -> object:
    return received


def _run(pipe: Connection, memory: object, options: DecoderOptions) -> None:
    decoding.decode(pipe, memory, options)


__all__ = ["Decoder", "DecoderOptions", "Picture", "Remark"]
