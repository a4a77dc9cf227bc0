"""The common part of cameras and streams: capture in a thread that never blocks, and reconnection after a loss."""

from __future__ import annotations

import random
import threading
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic

import numpy as np
import numpy.typing as npt

from felicity.errors import SourceError
from felicity.sources._pyav import Pace
from felicity.sources.frame import Frame
from felicity.sources.registry import SourceKind, SourceOptions

FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 30.0
CLOSE_SECONDS = 1.0

Picture = Callable[[], npt.NDArray[np.uint8]]
"""A function that returns ``image_rgb_u8``, so that dropped pictures are not converted."""


class LostError(Exception):
    """The connection could not be made, or is gone; the message is the reason, as part of a sentence."""


@dataclass(frozen=True)
class _Captured:
    picture: Picture
    time: datetime
    number: int


class LiveSource(SourceKind):
    """A source in real time: a thread captures, the newest frames wait, older ones are dropped.

    The thread starts with the first requested frame. Without a frame within ``connect_patience_seconds``, the source
    raises SourceError. After a loss it reconnects, ever more rarely, for ``patience_seconds`` or until ``stop``. Any
    error that ends the thread is raised to the reader of frames.

    ``close`` waits a second for the thread. A thread that the network blocks ends by itself within ``stall_seconds``.
    """

    live = True

    def __init__(self, source_id: str, options: SourceOptions) -> None:
        super().__init__(source_id, options)
        self._pace = Pace(options.fps)
        self._waiting: deque[_Captured] = deque()
        self._changed = threading.Condition()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"capture {source_id}", daemon=True)
        self._ended = False
        self._number = 0
        self._latest, self._tick = datetime.now(UTC), monotonic()

    @abstractmethod
    def _pictures(self) -> Iterator[Picture | None]:
        """Connect, and yield pictures as they come, None for those that the pace left out; raises LostError."""

    def _frames(self) -> Iterator[Frame]:
        if not self._stopping.is_set():
            self._thread.start()
        while (captured := self._take()) is not None:
            yield Frame(captured.picture(), captured.time, self.source_id, captured.number)
        if self._failure is not None and not self._stopping.is_set():
            if isinstance(self._failure, SourceError):
                raise self._failure
            raise SourceError(f"{self.source_id}: capturing failed ({self._failure!r})") from self._failure

    def _take(self) -> _Captured | None:
        """Return the next frame, None after the last one.

        The wait wakes up now and then, because ``stop`` does not wake it.
        """
        while not self._stopping.is_set():
            with self._changed:
                if not (self._waiting or self._ended):
                    self._changed.wait(0.1)
                if self._waiting:
                    return self._waiting.popleft()
                if self._ended:
                    return None
            if self.on_idle is not None:
                self.on_idle()
        return None

    def _put(self, picture: Picture) -> None:
        # If the clock is set back, times of frames advance at half speed until the clock has caught up. So frames stay
        # in
        # order, and never share one moment, in which people who come would count as those who were there before.
        tick = monotonic()
        slow = self._latest + timedelta(seconds=(tick - self._tick) / 2)
        self._latest, self._tick = max(datetime.now(UTC), slow), tick
        with self._changed:
            if len(self._waiting) == self.options.queue_frames:
                self._waiting.popleft()
                self.stats.dropped += 1
            self._waiting.append(_Captured(picture, self._latest, self._number))
            self._changed.notify()

    def _run(self) -> None:
        try:
            self._capture()
        except BaseException as error:
            self._failure = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify()

    def _capture(self) -> None:
        lost_since: float | None = monotonic()
        seen, attempt = False, 0
        while not self._stopping.is_set():
            try:
                with closing(self._pictures()) as pictures:  # type: ignore[type-var]
                    for picture in pictures:
                        if self._stopping.is_set():
                            return
                        if lost_since is not None:
                            if seen:
                                self.stats.reconnects += 1
                                self._note(
                                    "source-back", f"{self.source_id} is back after {monotonic() - lost_since:.0f} s"
                                )
                            lost_since, seen, attempt = None, True, 0
                        if picture is None:
                            self.stats.thinned += 1
                        else:
                            self._put(picture)
                        self._number += 1
                why = "the other side ended it"
            except LostError as error:
                why = str(error)
            if self._stopping.is_set():
                return
            lost_since = lost_since if lost_since is not None else monotonic()
            patience = self.options.patience_seconds if seen else self.options.connect_patience_seconds
            if patience is not None and monotonic() - lost_since >= patience:
                happened = "is lost" if seen else "cannot be reached"
                raise SourceError(f"{self.source_id} {happened}: {why}; check that it is on and its address is right")
            pause = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2**attempt) * random.uniform(0.5, 1.0)
            attempt = min(attempt + 1, 16)
            self._note("source-lost", f"{self.source_id}: {why}; trying again in {pause:.1f} s")
            self._stopping.wait(pause)

    def _release(self) -> None:
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(CLOSE_SECONDS)
        with self._changed:
            self._waiting.clear()
