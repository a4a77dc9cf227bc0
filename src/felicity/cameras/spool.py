"""Windows on their way into a store that may be unavailable: they wait in memory, in order, and are written once.

A ``watching.watch.Watch`` uses the spool as its store. A thread of its own writes, so that no camera waits for a disk.
"""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic

from felicity.errors import StoreError
from felicity.index.soft_matrix import SoftMatrix
from felicity.notes import Note
from felicity.store import RunState, Store, WatchRun, open_store
from felicity.windows import Window

FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 30.0
MOST_WAITING = 200_000
"""Largest number of waiting windows, some 500 MB: two weeks of ten cameras."""


@dataclass
class _Run:
    """The waiting writes of one run."""

    names: tuple[str, str, str, datetime, str]
    detector: str = ""
    run: WatchRun | None = None
    windows: deque[Window] = field(default_factory=deque)
    beat: bool = False
    ended: RunState | None = None

    @property
    def idle(self) -> bool:
        return self.run is not None and not (self.windows or self.beat or self.ended)


class Spool:
    """Accepts a watch's windows at once; its thread writes them to the store, again and again until it succeeds.

    ``say`` receives a message when the store refuses windows, and when it accepts them again; from the thread. If more
    than ``MOST_WAITING`` windows wait, the oldest are discarded, counted and reported.
    """

    def __init__(self, url: str | None, say: Callable[[Note], None]) -> None:
        self._url, self._say = url, say
        self._store: Store | None = None
        self._changed = threading.Condition()
        self._models: dict[str, tuple[SoftMatrix | None, str | None]] = {}
        self._runs: list[_Run] = []
        self._closing_at: float | None = None
        self._thread = threading.Thread(target=self._work, name="store", daemon=True)
        self.trouble = ""
        """The reason why the store accepts nothing; empty while it does."""
        self.lost = 0
        """Number of windows that were discarded because too many waited."""
        self.written: dict[str, datetime] = {}
        """End of the last window in the store, by camera."""
        self.zones: dict[str, str] = {}
        """Time zones of the store's locations, by name."""
        try:
            self._open()
        except StoreError as error:
            self._failed(error)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Return the number of windows that are not in the store yet."""
        with self._changed:
            return sum(len(run.windows) for run in self._runs)

    def close(self, seconds: float) -> int:
        """Write the waiting windows, for so many seconds at most; return how many windows the store did not accept."""
        with self._changed:
            self._closing_at = monotonic() + seconds
            self._changed.notify()
        self._thread.join(seconds + LONGEST_RETRY_SECONDS)
        return self.waiting

    # The methods of a store that a watch uses.

    def save_model(self, identity: str, soft_matrix: SoftMatrix | None = None, *, name: str | None = None) -> None:
        """Keep a model for the store; see ``Store.save_model``."""
        with self._changed:
            self._models[identity] = (soft_matrix, name)
            self._changed.notify()

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
        """Accept a run; its number in the store is known only when it is written. A camera is no ``recording``."""
        with self._changed:
            self._runs.append(_Run((location, camera, source, run_start, model), detector))
            self._changed.notify()
        return WatchRun(0, 0, location, camera, source, run_start, model, detector)

    def write_windows(self, run: WatchRun, added: Sequence[Window]) -> None:
        """Accept windows."""
        with self._changed:
            self._of(run).windows += added
            given_up = self._give_up()
            self._changed.notify()
        if given_up and not (self.lost - given_up):
            text = f"more than {MOST_WAITING:,} windows wait for the store; the oldest are given up from now on"
            self._say(Note("windows-lost", text))

    def _give_up(self) -> int:
        """Discard the oldest windows if too many wait, of any run; return how many."""
        waiting = [run.windows for run in self._runs if run.windows]
        excess = sum(map(len, waiting)) - MOST_WAITING
        for _ in range(excess):
            oldest = min(filter(None, waiting), key=lambda windows: windows[0].key.start)
            oldest.popleft()
        self.lost += max(excess, 0)
        return max(excess, 0)

    def heartbeat(self, run: WatchRun) -> None:
        """Accept a heartbeat; of several that wait, one is written."""
        with self._changed:
            self._of(run).beat = True
            self._changed.notify()

    def finish_run(self, run: WatchRun, state: RunState = RunState.ENDED) -> None:
        """Accept the end of a run."""
        with self._changed:
            self._of(run).ended = state
            self._changed.notify()

    def overlapping(self, run: WatchRun) -> int:
        """Return 0: a live run starts now, so no other run has its windows."""
        return 0

    def _of(self, run: WatchRun) -> _Run:
        names = (run.location, run.camera, run.source, run.run_start, run.model)
        return next(each for each in reversed(self._runs) if (each.names, each.detector) == (names, run.detector))

    # The methods of the thread.

    def _work(self) -> None:
        attempt = 0
        while True:
            with self._changed:
                if attempt == 0:
                    while not self._due() and self._closing_at is None:
                        self._changed.wait()
                if self._closing_at is not None and (not self._due() or monotonic() > self._closing_at):
                    break
            try:
                self._write()
                attempt = 0
                self._recovered()
            except StoreError as error:
                self._failed(error)
                attempt = min(attempt + 1, 10)
                self._pause(min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** (attempt - 1)))
        if self._store is not None:
            self._store.close()

    def _pause(self, longest: float) -> None:
        until = monotonic() + longest * random.uniform(0.5, 1.0)
        with self._changed:
            while (left := until - monotonic()) > 0:
                if self._closing_at is not None:
                    left = min(left, 0.5)
                    self._changed.wait(left)
                    return
                self._changed.wait(left)

    def _due(self) -> bool:
        return bool(self._models) or not all(run.idle for run in self._runs)

    def _open(self) -> Store:
        if self._store is None:
            self._store = open_store(self._url)
        self.zones = {place.name: place.timezone for place in self._store.locations()}
        return self._store

    def _write(self) -> None:
        """Write all waiting windows; after a failure, the other runs go first."""
        store = self._store or self._open()
        with self._changed:
            models, runs = list(self._models.items()), list(self._runs)
        for identity, (matrix, name) in models:
            store.save_model(identity, matrix, name=name)
            with self._changed:
                self._models.pop(identity, None)
        failure: StoreError | None = None
        for each in runs:
            try:
                self._write_run(store, each)
            except StoreError as error:
                # It may have been removed from the store. Beginning it again changes nothing if it was not.
                each.run, failure = None, error
        if failure is not None:
            raise failure

    def _write_run(self, store: Store, each: _Run) -> None:
        if each.run is None:
            each.run = store.begin_run(*each.names, detector=each.detector)
            self.zones = {place.name: place.timezone for place in store.locations()}
        with self._changed:
            windows, beat, ended = list(each.windows), each.beat, each.ended
        if windows:
            store.write_windows(each.run, windows)
            last = windows[-1].key
            self.written[last.camera] = last.start + timedelta(seconds=last.seconds)
            with self._changed:
                while each.windows and each.windows[0].key.start <= last.start:
                    each.windows.popleft()
        elif beat:
            store.heartbeat(each.run)
        each.beat = False
        if ended is not None and not each.windows:
            store.finish_run(each.run, ended)
            with self._changed:
                self._runs.remove(each)

    def _failed(self, error: StoreError) -> None:
        if not self.trouble:
            text = f"{error}; windows wait in memory until it takes them"
            self._say(Note("windows-waiting", text))
        self.trouble = str(error)

    def _recovered(self) -> None:
        if self.trouble:
            self.trouble = ""
            how = f"{self.lost:,} of the oldest were lost" if self.lost else "none was lost"
            self._say(Note("store-back", f"the store takes windows again, {how}"))
