"""The supervisor of all cameras of a file. It looks at frames in the order they came, one on each core."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from time import monotonic
from typing import cast

from felicity.cameras.camera import Camera, Team
from felicity.cameras.log import Log
from felicity.cameras.settings import CamerasFile, read_cameras
from felicity.cameras.shared import SharedClassifier
from felicity.cameras.spool import Spool
from felicity.cameras.status import status_file, write_status
from felicity.errors import ConfigError, StoreError
from felicity.faces.registry import open_detector
from felicity.files import check_place, make_folder
from felicity.models.bundle import open_bundle
from felicity.notes import Note
from felicity.system import cores

STATUS_SECONDS = 1.0
LOOK_SECONDS = 0.2
"""Seconds after which windows are closed and the file is checked while no frame comes."""
DRAIN_SECONDS = 15.0
"""Seconds for writing to the store at the end; systemd waits longer."""


class Supervisor:
    """Watches the cameras of a TOML file until ``stop``. Raises ConfigError, DetectorError, BundleError.

    ``store``: in place of the file's. ``stop`` and ``reload`` may be called from signal handlers.
    """

    def __init__(self, file: Path, *, store: str | None = None, log: Log | None = None) -> None:
        self._file, self._log = file, log or Log()
        self._settings = read_cameras(file)
        self._stamp = _stamp(file)
        self._status_file = status_file(file, self._settings)
        make_folder(self._status_file.parent)
        check_place(self._status_file)
        classifier = SharedClassifier(open_bundle(self._settings.bundle), threads=1)
        detector = open_detector(self._settings.detector, threads=1)
        self._spool = Spool(store or self._settings.store, lambda note: self._log.say(note, level="warning"))
        self._team = Team(classifier, detector, self._spool, self._log, self._settings.window)
        self._cameras: dict[str, Camera] = {}
        self._under_way: dict[Camera, Future[None]] = {}
        self._told_over, self._say_over = Pipe(duplex=False)
        self._stopping = self._reload_asked = False
        self._started, self._told, self._looked, self._unwritten = datetime.now(UTC), 0.0, 0.0, False

    def stop(self) -> None:
        """End ``run`` soon, after it has written the open windows."""
        self._stopping = True

    def reload(self) -> None:
        """Make ``run`` read the file again soon."""
        self._reload_asked = True

    def camera(self, name: str) -> Camera:
        """Return the camera with that name; raises KeyError if there is none."""
        return self._cameras[name]

    def run(self, on_round: Callable[[list[Camera]], None] | None = None) -> None:
        """Watch until ``stop``. Raises StoreError at the end for windows that the store did not accept."""
        self._apply(self._settings)
        try:
            with ThreadPoolExecutor(cores(), thread_name_prefix="camera") as pool:
                while not self._stopping:
                    self._round(pool)
                    if on_round:
                        on_round(list(self._cameras.values()))
        finally:
            left = self._close()
        if left:
            raise StoreError(f"{self._spool.trouble}; {left} windows were not written and are lost")

    def _round(self, pool: ThreadPoolExecutor) -> None:
        """Hear every camera whose frame is not being looked at, and have the frames that came looked at."""
        pipes = [cast(Connection, camera.pipe) for camera in self._idle() if camera.pipe is not None]
        wait([self._told_over, *pipes], LOOK_SECONDS)
        while self._told_over.poll(0):
            self._told_over.recv_bytes()
        for camera in [camera for camera, look in self._under_way.items() if look.done()]:
            self._under_way.pop(camera).result()
        now = datetime.now(UTC)
        for camera in self._idle():
            if camera.listen(now):
                self._under_way[camera] = look = pool.submit(camera.look)
                look.add_done_callback(lambda _: self._say_over.send_bytes(b""))
        if monotonic() - self._looked >= LOOK_SECONDS:
            self._looked = monotonic()
            for camera in self._idle():
                camera.tick(now)
            self._reload_if_changed()
        if monotonic() - self._told >= STATUS_SECONDS:
            self._tell(now)

    def _idle(self) -> list[Camera]:
        return [camera for camera in self._cameras.values() if camera not in self._under_way]

    def _tell(self, now: datetime, running: bool = True) -> None:
        self._told = monotonic()
        try:
            write_status(
                self._status_file, self._cameras.values(), self._spool, started=self._started, now=now, running=running
            )
            self._unwritten = False
        except ConfigError as error:
            if not self._unwritten:
                self._log.say(Note("status-unwritten", str(error)), level="warning")
            self._unwritten = True

    def _reload_if_changed(self) -> None:
        stamp = _stamp(self._file)
        if stamp == self._stamp and not self._reload_asked:
            return
        self._stamp, self._reload_asked = stamp, False
        try:
            settings = read_cameras(self._file)
        except ConfigError as error:
            self._log.say(Note("cameras-refused", f"{error}; the cameras go on as before"), level="error")
            return
        self._apply(settings)

    def _apply(self, settings: CamerasFile) -> None:
        """End removed and changed cameras, start new and changed ones, and leave the others alone."""
        wanted = {camera.name: camera for camera in settings.camera}
        gone = [name for name, camera in self._cameras.items() if wanted.get(name) != camera.settings]
        for name in gone:
            camera_gone = self._cameras.pop(name)
            if (look := self._under_way.pop(camera_gone, None)) is not None:
                look.result()
            camera_gone.close()
        new = [camera for name, camera in wanted.items() if name not in self._cameras]
        for camera in new:
            self._cameras[camera.name] = Camera(camera, self._team)
        self._cameras = {name: self._cameras[name] for name in wanted}
        same = len(wanted) - len(new)
        self._log.say(
            Note("cameras-loaded", f"{self._file}: {len(new)} cameras started, {len(gone)} ended, {same} go on")
        )
        if _whole(settings) != _whole(self._settings):
            text = f"{self._file}: store, status, detector, bundle and window change with the next start"
            self._log.say(Note("restart-needed", text), level="warning")

    def _close(self) -> int:
        for camera in self._cameras.values():
            camera.close()
        left = self._spool.close(DRAIN_SECONDS)
        self._tell(datetime.now(UTC), running=False)
        return left


def _stamp(file: Path) -> tuple[int, int]:
    """Return a stamp that changes when a file is written; zeros for a missing file."""
    try:
        found = os.stat(file)
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_ino


def _whole(settings: CamerasFile) -> dict[str, object]:
    """Return the settings of all cameras together."""
    return settings.model_dump(exclude={"camera"})
