"""Closed windows on their way into the store, and the heartbeats of their run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from felicity.errors import StoreError
from felicity.notes import Note
from felicity.store import Store, WatchRun
from felicity.watching.summary import WatchSummary
from felicity.windows import Window

HEARTBEAT_SECONDS = 60.0


class Shelf:
    """Writes windows of a run; a failed write is kept and tried again with the next."""

    def __init__(self, store: Store, run: WatchRun, summary: WatchSummary, say: Callable[[Note], None]) -> None:
        self._store, self._run, self._summary, self._say = store, run, summary, say
        self._waiting: list[Window] = []
        self._beaten = time.monotonic()

    def put(self, windows: Sequence[Window]) -> None:
        """Write ``windows`` and those that wait; where the store does not take them, say so and keep them."""
        if not windows:
            return
        self._waiting += windows
        try:
            self.save()
        except StoreError as error:
            text = f"{error}; {len(self._waiting)} windows wait in memory for the next try"
            self._say(Note("windows-waiting", text, self._summary.location))

    def save(self) -> None:
        """Write the windows that wait. Raises StoreError."""
        if self._waiting:
            self._summary.unsaved = len(self._waiting)
            self._store.write_windows(self._run, self._waiting)
            self._summary.windows += len(self._waiting)
            self._summary.unsaved = 0
            self._waiting = []
            self._beaten = time.monotonic()

    def beat(self) -> None:
        """Say in the store that the run is running, if that was last said a minute ago."""
        if time.monotonic() - self._beaten < HEARTBEAT_SECONDS:
            return
        self._beaten = time.monotonic()
        try:
            self._store.heartbeat(self._run)
        except StoreError as error:
            text = f"{error}; the run is shown as lost until the store can be written again"
            self._say(Note("heartbeat-missing", text, self._summary.location))
