"""Closed windows on their way into the store, and the heartbeats of their run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Protocol

from felicity.errors import StoreError
from felicity.index.soft_matrix import SoftMatrix
from felicity.notes import Note
from felicity.store import RunState, WatchRun
from felicity.watching.summary import WatchSummary
from felicity.windows import Window

HEARTBEAT_SECONDS = 60.0


class Keeper(Protocol):
    """The methods of a store that a watch uses; see ``store.Store``."""

    def save_model(self, identity: str, soft_matrix: SoftMatrix | None = None, *, name: str | None = None) -> None:
        """Store the facts of a bundle that the index needs."""

    def begin_run(
        self,
        location: str,
        camera: str,
        source: str,
        run_start: datetime,
        model: str,
        *,
        recording: str | None = None,
        detector: str = "",
    ) -> WatchRun:
        """Begin a run, or begin it again."""

    def write_windows(self, run: WatchRun, added: Iterable[Window]) -> None:
        """Write windows of a run."""

    def heartbeat(self, run: WatchRun) -> None:
        """Record that a run is running."""

    def finish_run(self, run: WatchRun, state: RunState = RunState.ENDED) -> None:
        """End a run."""

    def overlapping(self, run: WatchRun) -> int:
        """Count the windows that other runs have in a run's minutes."""


class Gathered:
    """Keeps the windows of one run in memory, for a caller that writes them elsewhere."""

    def __init__(self) -> None:
        self.windows: list[Window] = []

    def save_model(self, identity: str, soft_matrix: SoftMatrix | None = None, *, name: str | None = None) -> None:
        """Keep nothing."""

    def begin_run(
        self,
        location: str,
        camera: str,
        source: str,
        run_start: datetime,
        model: str,
        *,
        recording: str | None = None,
        detector: str = "",
    ) -> WatchRun:
        """Return a run that no store has."""
        return WatchRun(0, 1, location, camera, source, run_start, model, detector)

    def write_windows(self, run: WatchRun, added: Iterable[Window]) -> None:
        """Add to ``windows``."""
        self.windows += added

    def heartbeat(self, run: WatchRun) -> None:
        """Do nothing."""

    def finish_run(self, run: WatchRun, state: RunState = RunState.ENDED) -> None:
        """Do nothing."""

    def overlapping(self, run: WatchRun) -> int:
        """Return 0: the writer of the windows checks it."""
        return 0


class Shelf:
    """Writes windows of a run; after a failed write it keeps them and tries again with the next."""

    def __init__(self, store: Keeper, run: WatchRun, summary: WatchSummary, say: Callable[[Note], None]) -> None:
        self._store, self._run, self._summary, self._say = store, run, summary, say
        self._waiting: list[Window] = []
        self._beaten = time.monotonic()

    def put(self, windows: Sequence[Window]) -> None:
        """Write ``windows`` and the waiting ones; if the store does not accept them, report that and keep them."""
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
        """Send a heartbeat of the run to the store, if the last one is a minute ago."""
        if time.monotonic() - self._beaten < HEARTBEAT_SECONDS:
            return
        self._beaten = time.monotonic()
        try:
            self._store.heartbeat(self._run)
        except StoreError as error:
            text = f"{error}; the run is shown as lost until the store can be written again"
            self._say(Note("heartbeat-missing", text, self._summary.location))
