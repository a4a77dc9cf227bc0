"""Windows on their way into a store that may be away: they wait in memory, in order, and are written once.

To a ``watching.watch.Watch`` it is a store. A thread of its own writes, so that no camera waits for a disk.
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


@dataclass
class _Run:
    """What waits for the store of one run."""

    names: tuple[str, str, str, datetime, str]
    run: WatchRun | None = None
    windows: deque[Window] = field(default_factory=deque)
    beat: bool = False
    ended: RunState | None = None

    @property
    def idle(self) -> bool:
        return self.run is not None and not (self.windows or self.beat or self.ended)


class Spool:
    """Takes what a watch writes, at once; the thread puts it into the store, again and again until it takes it.

    ``say`` hears when the store refuses, and when it takes windows again; from the thread.
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
        """Why the store takes nothing; empty while it does."""
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
        """How many windows are not in the store yet."""
        with self._changed:
            return sum(len(run.windows) for run in self._runs)

    def close(self, seconds: float) -> int:
        """Write what waits, for so many seconds at most; return how many windows the store did not take."""
        with self._changed:
            self._closing_at = monotonic() + seconds
            self._changed.notify()
        self._thread.join(seconds + LONGEST_RETRY_SECONDS)
        return self.waiting

    # What a watch asks of a store.

    def save_model(self, identity: str, soft_matrix: SoftMatrix | None = None, *, name: str | None = None) -> None:
        """See ``Store.save_model``."""
        with self._changed:
            self._models[identity] = (soft_matrix, name)
            self._changed.notify()

    def begin_run(
        self, location: str, camera: str, source: str, run_start: datetime, model: str, *, recording: str | None = None
    ) -> WatchRun:
        """Take a run; its number in the store is known only when it is written. A camera is no ``recording``."""
        with self._changed:
            self._runs.append(_Run((location, camera, source, run_start, model)))
            self._changed.notify()
        return WatchRun(0, 0, location, camera, source, run_start, model)

    def write_windows(self, run: WatchRun, added: Sequence[Window]) -> None:
        """Take windows."""
        with self._changed:
            self._of(run).windows += added
            self._changed.notify()

    def heartbeat(self, run: WatchRun) -> None:
        """Take a sign of life; of several that wait, one is written."""
        with self._changed:
            self._of(run).beat = True
            self._changed.notify()

    def finish_run(self, run: WatchRun, state: RunState = RunState.ENDED) -> None:
        """Take the end of a run."""
        with self._changed:
            self._of(run).ended = state
            self._changed.notify()

    def overlapping(self, run: WatchRun) -> int:
        """A live run starts now, so no other has its windows."""
        return 0

    def _of(self, run: WatchRun) -> _Run:
        names = (run.location, run.camera, run.source, run.run_start, run.model)
        return next(each for each in reversed(self._runs) if each.names == names)

    # The thread.

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
        """Write all that waits; a run that fails lets the others go before."""
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
                # It may have been removed from the store: it is begun again, which changes nothing where it was not.
                each.run, failure = None, error
        if failure is not None:
            raise failure

    def _write_run(self, store: Store, each: _Run) -> None:
        if each.run is None:
            each.run = store.begin_run(*each.names)
            self.zones = {place.name: place.timezone for place in store.locations()}
        with self._changed:
            windows, beat, ended = list(each.windows), each.beat, each.ended
        if windows:
            store.write_windows(each.run, windows)
            last = windows[-1].key
            self.written[last.camera] = last.start + timedelta(seconds=last.seconds)
            with self._changed:
                for _ in windows:
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
            self._say(Note("store-back", "the store takes windows again, none was lost"))
