"""Many cameras: watch those of a file, list them, check them, and report their state."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from felicity.api.selection import to_path
from felicity.errors import ConfigError
from felicity.style.language import say

if TYPE_CHECKING:
    from felicity.cameras.log import Format
    from felicity.cameras.settings import CamerasFile
    from felicity.cameras.supervisor import Supervisor
    from felicity.schemas.cameras import CameraCheckShape, CameraShape, CamerasStatusShape


def run_cameras(
    file: str | Path,
    *,
    store: str | None = None,
    log: Format = "text",
    on_open: Callable[[Supervisor], None] | None = None,
) -> None:
    """Watch the cameras of a TOML file until stopped, and write events to stderr as lines of text or JSON.

    ``on_open`` receives an object with ``stop`` and ``reload``, for signal handlers. Raises ConfigError, DetectorError,
    BundleError; at the end, StoreError for windows that the store did not accept.
    """
    from felicity.cameras.log import Log
    from felicity.cameras.supervisor import Supervisor
    from felicity.system import share_heaps

    share_heaps()  # one thread per camera searches pictures
    group = Supervisor(to_path(file, "file"), store=store, log=Log(log))
    if on_open:
        on_open(group)
    group.run()


def list_cameras(file: str | Path) -> list[CameraShape]:
    """Return the cameras of a TOML file. Raises ConfigError."""
    from felicity.schemas.cameras import CameraShape

    return [
        CameraShape(
            name=camera.name,
            location=camera.location,
            source=camera.shown(),
            enabled=camera.enabled,
            fps=camera.fps,
            expected_offline=camera.expected_offline,
            private=len(camera.private),
            counted=len(camera.counted),
        )
        for camera in _read(file).camera
    ]


def check_cameras(
    file: str | Path, *, cameras: list[str] | None = None, seconds: float = 5.0
) -> list[CameraCheckShape]:
    """Open the cameras of a TOML file, or those named, and search for faces for ``seconds``.

    Raises ConfigError, DetectorError. A camera that does not open appears in the result, without an error.
    """
    from felicity.cameras.check import check_cameras as check
    from felicity.faces.registry import open_detector

    settings = _read(file)
    known = [camera.name for camera in settings.camera]
    if unknown := [name for name in cameras or () if name not in known]:
        raise ConfigError(f"{file}: there is no camera {unknown[0]!r}; there are {', '.join(known)}")
    chosen = [camera for camera in settings.camera if not cameras or camera.name in cameras]
    return check(chosen, open_detector(settings.detector), seconds)


def cameras_status(file: str | Path) -> CamerasStatusShape:
    """Return the state of each camera of a TOML file. Raises ConfigError if they never ran."""
    from felicity.cameras.status import read_status, status_file

    path = status_file(to_path(file, "file"), _read(file))
    if (status := read_status(path)) is None:
        text = "{file}: its cameras were never watched here; start them with: felicity cameras run {path}"
        raise ConfigError(say(text, file=file, path=file))
    return status


def cameras_service(file: str | Path, *, user: str | None = None, environment: str | Path | None = None) -> str:
    """Return a systemd unit that watches the cameras of a TOML file. Raises ConfigError if the file is invalid."""
    from felicity.cameras.service import unit

    _read(file)
    return unit(to_path(file, "file"), user=user, environment=Path(environment) if environment else None)


def cameras_schema() -> dict[str, Any]:
    """Return the JSON Schema of the TOML file."""
    from felicity.cameras.settings import CamerasFile
    from felicity.schemas.envelope import DIALECT

    return {"$schema": DIALECT, **CamerasFile.model_json_schema(), "title": "felicity cameras"}


def _read(file: str | Path) -> CamerasFile:
    from felicity.cameras.settings import read_cameras

    return read_cameras(to_path(file, "file"))
