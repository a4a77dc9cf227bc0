"""The state of a place's cameras, for those who may see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from felicity import api
from felicity.errors import ConfigError

if TYPE_CHECKING:
    from fastapi import Request

    from felicity.schemas.cameras import CamerasStatusShape, CameraStatusShape
    from felicity.serve.access import Caller
    from felicity.serve.settings import Settings


@dataclass(frozen=True)
class CamerasHere:
    """The cameras of a place: their ``status``, or the reason why it is unknown (``lack``)."""

    status: CamerasStatusShape | None
    cameras: tuple[CameraStatusShape, ...] = ()
    lack: str = ""


def may_see_cameras(request: Request) -> bool:
    """Return whether the caller may see the state of the cameras."""
    settings: Settings = request.app.state.settings
    caller: Caller = request.state.caller
    return settings.cameras is not None and caller.may("admin")


def cameras_at(request: Request, location: str) -> CamerasHere | None:
    """Return the state of the cameras of ``location``; None for a caller who may not see it."""
    settings: Settings = request.app.state.settings
    if settings.cameras is None or not may_see_cameras(request):
        return None
    try:
        status = api.cameras_status(settings.cameras)
    except ConfigError as error:
        return CamerasHere(None, lack=str(error))
    return CamerasHere(status, tuple(camera for camera in status.cameras if camera.location == location))
