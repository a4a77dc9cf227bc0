"""Answers about cameras: those of a file, the check of each, and the state of each."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from felicity.schemas.shape import Count, Shape, Share, Time, rounded

Rate = Annotated[float, Field(ge=0), rounded(2)]


class CameraShape(Shape):
    """A camera of the file."""

    name: str
    location: str
    source: str = Field(description="Its address without secrets, or the variable or file that holds the address.")
    enabled: bool
    fps: Rate = Field(description="Most frames per second that are searched for faces.")
    expected_offline: list[str] = Field(
        description="Hours in which the camera may be off, in the location's time zone."
    )
    private: Count = Field(description="Number of blackened areas.")
    counted: Count = Field(description="Number of areas in which faces count; 0: everywhere.")


class CameraStatusShape(Shape):
    """The state of a camera."""

    name: str
    location: str
    source: str
    state: Literal["starting", "watching", "stalled", "offline", "disabled"] = Field(
        description=(
            "Stalled: connected, but without frames, frozen or black. Offline: Felicity keeps reconnecting, or "
            "the camera may be off at this hour."
        )
    )
    why: str = Field(description="The reason of a state other than watching; empty if there is none.")
    since: Time = Field(description="Begin of this state.")
    last_frame: Time | None = Field(description="Time of the last frame; null without one.")
    last_window: Time | None = Field(description="End of the last window in the store; null without one.")
    reconnects: Count = Field(description="Reconnections within the last hour.")
    fps: Rate = Field(description="Frames per second that were searched in the last ten seconds.")
    dropped: Count = Field(description="Frames that came faster than they could be searched, since the start.")
    width: Count | None = Field(description="Width of the last frame in pixels; null without one.")
    height: Count | None = Field(description="Height of the last frame in pixels; null without one.")


class CamerasStatusShape(Shape):
    """The state of a group of cameras."""

    running: bool = Field(description="True if the group sent a heartbeat in the last 15 seconds.")
    process: Count = Field(description="Process id of the group.")
    started: Time
    updated: Time = Field(description="Time of this report.")
    windows_waiting: Count = Field(description="Windows that the store has not accepted yet.")
    windows_lost: Count = Field(description="Windows that were discarded because too many waited.")
    store_trouble: str = Field(description="The reason why the store accepts nothing; empty while it does.")
    cameras: list[CameraStatusShape] = Field(description="The cameras in the order of the file.")


class CameraCheckShape(Shape):
    """The check of a camera."""

    name: str
    location: str
    source: str
    opens: bool
    error: str = Field(description="The reason why it does not open; empty if it does.")
    width: Count | None = Field(description="Width of its frames in pixels; null if it does not open.")
    height: Count | None = Field(description="Height of its frames in pixels; null if it does not open.")
    fps: Rate | None = Field(description="Frames per second that it sends; null if it does not open.")
    faces: Count = Field(description="Faces found in the searched frames.")
    large_enough: Share | None = Field(description="Share of these faces that are large enough; null without faces.")


SHAPES = {
    "cameras-list": list[CameraShape],
    "cameras-status": CamerasStatusShape,
    "cameras-check": list[CameraCheckShape],
}
