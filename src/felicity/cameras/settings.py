"""The settings of cameras: a TOML file, checked, with secrets from the environment or from files."""

from __future__ import annotations

import os
import re
import tomllib
from datetime import datetime, time
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator

from felicity.cameras.areas import doubled_area
from felicity.errors import ConfigError
from felicity.paths import expanded
from felicity.redaction import redacted_address
from felicity.validation import Place, checked, dotted
from felicity.windows.window import LONGEST

_CHECKED = ConfigDict(extra="forbid", frozen=True, strict=True)
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")

Point = Annotated[list[float], Field(min_length=2, max_length=2)]
Polygon = Annotated[list[Point], Field(min_length=3, max_length=100)]


class CameraSettings(BaseModel):
    """One camera. One of ``source``, ``source_env`` and ``source_file`` gives its address."""

    model_config = _CHECKED

    name: str = Field(min_length=1, max_length=100, description="The camera's name, unique in this file.")
    location: str = Field(min_length=1, description="The watched location; several cameras may watch one.")
    source: str | None = Field(
        default=None, description="Address without a password (rtsp://…, http://…), or the number of a camera here (0)."
    )
    source_env: str | None = Field(default=None, description="Environment variable that holds the address.")
    source_file: str | None = Field(default=None, description="File that holds the address.")
    user: str | None = Field(default=None, description="User name at the camera.")
    password_env: str | None = Field(default=None, description="Environment variable that holds the user's password.")
    password_file: str | None = Field(default=None, description="File that holds the user's password.")
    enabled: bool = Field(default=True, description="True to watch the camera.")
    fps: float = Field(default=5.0, gt=0, le=60, description="Search at most this many frames per second.")
    stall_seconds: float = Field(
        default=10.0, ge=1, le=600, description="Seconds without a frame after which the camera is stalled."
    )
    frozen_seconds: float = Field(
        default=60.0, ge=2, le=3600, description="Seconds with the same frame after which the camera is stalled."
    )
    expected_offline: list[str] = Field(
        default=[], description="Hours in which the camera may be off, HH:MM-HH:MM in the location's time zone."
    )
    private: list[Polygon] = Field(
        default=[], description="Areas that Felicity blackens before it searches the frame; points [x, y], 0 to 1."
    )
    counted: list[Polygon] = Field(
        default=[], description="Only faces whose centre lies in one of these areas count; without any, all do."
    )
    ignored: list[Polygon] = Field(
        default=[], description="Faces whose centre lies in one of these areas do not count: screens and posters."
    )

    @field_validator("name", "location")
    @classmethod
    def _named(cls, name: str) -> str:
        if not name.strip() or name != name.strip() or not name.isprintable():
            raise ValueError("a name without spaces around it is expected")
        return name

    @field_validator("source")
    @classmethod
    def _without_password(cls, source: str | None) -> str | None:
        if source is not None and "://" in source and source != redacted_address(source):
            raise ValueError(
                "an address without user, password or token is expected; give user and password_env or password_file, "
                "or the whole address by source_env or source_file"
            )
        return source

    @field_validator("expected_offline")
    @classmethod
    def _hours(cls, spans: list[str]) -> list[str]:
        if not all(_HOURS.fullmatch(span) for span in spans):
            raise ValueError("hours such as 22:00-06:00 are expected")
        return spans

    @field_validator("private", "counted", "ignored")
    @classmethod
    def _within(cls, polygons: list[list[list[float]]]) -> list[list[list[float]]]:
        if not all(0 <= value <= 1 for polygon in polygons for point in polygon for value in point):
            raise ValueError("points within the picture are expected, x and y from 0 to 1 of its width and height")
        if not all(doubled_area(polygon) > 0 for polygon in polygons):
            raise ValueError("areas are expected, whose points do not all lie on one line")
        return polygons

    def address(self) -> str:
        """Return the source with its user and password. Raises ConfigError if a variable or file is missing."""
        address = _secret("source", self.source, self.source_env, self.source_file)
        if address is None:
            raise ConfigError(f"camera {self.name!r}: has no source; give source, source_env or source_file")
        password = _secret("password", None, self.password_env, self.password_file)
        if self.user is None and password is None:
            return address
        protocol, _, rest = address.partition("://")
        if not rest:
            raise ConfigError(f"camera {self.name!r}: a user is for an address such as rtsp://camera/stream")
        login = quote(self.user or "", safe="") + ("" if password is None else f":{quote(password, safe='')}")
        return f"{protocol}://{login}@{rest}"

    def shown(self) -> str:
        """Return the source as tables and the store show it: without secrets, or by the place of its address."""
        if self.source is not None:
            return f"camera {self.source}" if self.source.isdecimal() else self.source
        return f"${self.source_env}" if self.source_env else str(self.source_file)

    def offline_until(self, now: datetime, zone: ZoneInfo) -> time | None:
        """Return the end of the hours in which the camera may be off; None outside of them."""
        clock = now.astimezone(zone).time()
        for span in self.expected_offline:
            begin, end = (time.fromisoformat(part) for part in span.split("-"))
            inside = begin <= clock < end if begin < end else clock >= begin or clock < end
            if inside:
                return end
        return None


class CamerasFile(BaseModel):
    """The file that ``felicity cameras run`` reads."""

    model_config = _CHECKED

    store: str | None = Field(default=None, description="The store of windows: a SQLite file or a URL.")
    status: str | None = Field(default=None, description="File that felicity cameras status reads.")
    detector: str = Field(default="auto", description="Face detector; see: felicity detectors list.")
    bundle: str | None = Field(default=None, description="Bundle to classify with, by name or folder.")
    window: int = Field(default=60, ge=1, le=LONGEST, description="Length of a window, in seconds.")
    camera: list[CameraSettings] = Field(min_length=1, max_length=200, description="The cameras, one table each.")


def read_cameras(path: Path) -> CamerasFile:
    """Read and check a TOML file. Raises ConfigError with one sentence on the first fault."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        text = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"{path}: cannot be read as a TOML file of cameras ({text})") from error
    found = checked(CamerasFile, values, name=lambda place: _name(path, values, place), advice=_ADVICE)
    seen: set[str] = set()
    for camera in found.camera:
        if camera.name in seen:
            raise ConfigError(f"{path}: two cameras are called {camera.name!r}; give each a name of its own")
        seen.add(camera.name)
        _check_camera(path, camera)
    return found


_ADVICE = "see: felicity cameras schema"


def _check_camera(path: Path, camera: CameraSettings) -> None:
    """Raise ConfigError for contradictory settings."""
    whose = f"{path}: camera {camera.name!r}"
    for what in ("source", "password"):
        given = [name for name in (what, f"{what}_env", f"{what}_file") if getattr(camera, name, None) is not None]
        if len(given) > 1:
            raise ConfigError(f"{whose}: {' and '.join(given)} are given; give one of them")
        if what == "source" and not given:
            raise ConfigError(f"{whose}: has no source; give source, source_env or source_file")
    if camera.user is None and (camera.password_env or camera.password_file):
        raise ConfigError(f"{whose}: has a password and no user; give user, too")


def _name(path: Path, values: dict[str, Any], place: Place) -> str:
    if place[:1] == ("camera",) and len(place) > 1:
        table = values["camera"][int(place[1])] if isinstance(values["camera"], list) else {}
        called = table.get("name") if isinstance(table, dict) else None
        return f"{path}: camera {called or int(place[1]) + 1!r}: {dotted(place[2:])}"
    return f"{path}: {dotted(place)}"


def _secret(what: str, plain: str | None, variable: str | None, file: str | None) -> str | None:
    """Return a secret given directly, by a variable, or by a file's first line."""
    if variable is not None:
        if not (value := os.environ.get(variable, "")):
            raise ConfigError(f"the environment variable {variable} is not set; it must hold the {what}")
        return value
    if file is not None:
        try:
            value = expanded(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not text"
            raise ConfigError(f"{file}: the {what} cannot be read from it ({reason})") from error
        if not value:
            raise ConfigError(f"{file}: is empty; it must hold the {what}")
        return value
    return plain
