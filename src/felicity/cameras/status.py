"""The status of a group of cameras: a small file that the group writes and others read. No person is in it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from felicity import paths
from felicity.cameras.camera import Camera
from felicity.cameras.settings import CamerasFile
from felicity.cameras.spool import Spool
from felicity.files import write_whole
from felicity.redaction import redacted
from felicity.schemas.cameras import CamerasStatusShape, CameraStatusShape

OLD = timedelta(seconds=15)
"""Age from which a status means that its group has ended."""


def status_file(file: Path, settings: CamerasFile) -> Path:
    """Return the path of the status of the cameras of ``file``."""
    if settings.status is not None:
        return paths.expanded(settings.status)
    whole = str(file.resolve())
    return paths.home() / "cameras" / f"{file.stem}-{hashlib.sha256(os.fsencode(whole)).hexdigest()[:8]}.json"


def write_status(
    path: Path, cameras: Iterable[Camera], spool: Spool, *, started: datetime, now: datetime, running: bool
) -> None:
    """Write the status. Raises ConfigError."""
    told = CamerasStatusShape(
        running=running,
        process=os.getpid(),
        started=started,
        updated=now,
        windows_waiting=spool.waiting,
        windows_lost=spool.lost,
        store_trouble=redacted(spool.trouble),
        cameras=[_camera(camera, spool, now) for camera in cameras],
    )
    write_whole(path, told.model_dump_json().encode())


def read_status(path: Path) -> CamerasStatusShape | None:
    """Return the last status, ``running`` only if it is recent; None if there is none."""
    try:
        told = CamerasStatusShape.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
    young = datetime.now(UTC) - told.updated < OLD
    return told if young and told.running else told.model_copy(update={"running": False})


def _camera(camera: Camera, spool: Spool, now: datetime) -> CameraStatusShape:
    settings = camera.settings
    width, height = camera.size_wh or (None, None)
    return CameraStatusShape(
        name=settings.name,
        location=settings.location,
        source=settings.shown(),
        state=camera.state.value,
        why=redacted(camera.why),
        since=camera.since,
        last_frame=camera.last_frame,
        last_window=spool.written.get(settings.name),
        reconnects=camera.reconnects.count(now),
        fps=camera.pace.fps,
        dropped=camera.dropped,
        width=width,
        height=height,
    )
