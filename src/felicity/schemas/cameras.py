"""Answers about cameras: the cameras of a file, what opens, and how each is."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from felicity.schemas.shape import Count, Shape, Share, Time, rounded

Rate = Annotated[float, Field(ge=0), rounded(2)]


class CameraShape(Shape):
    """A camera as its file has it."""

    name: str
    location: str
    source: str = Field(description="Its address without secrets, or the variable or file that holds it.")
    enabled: bool
    fps: Rate = Field(description="No more frames per second are looked at.")
    expected_offline: list[str] = Field(description="Hours in which nobody expects it, in the location's time zone.")
    private: Count = Field(description="Number of areas that are blackened.")
    counted: Count = Field(description="Number of areas in which faces count; 0: everywhere.")


class CameraStatusShape(Shape):
    """How a camera is."""

    name: str
    location: str
    source: str
    state: Literal["starting", "watching", "stalled", "offline", "disabled"] = Field(
        description="Stalled: connected, but without frames, frozen or black. Offline: tried again and again, or not "
        "expected at this hour."
    )
    why: str = Field(description="The reason of a state other than watching; empty if there is none.")
    since: Time = Field(description="When this state began.")
    last_frame: Time | None = Field(description="Time of the last frame; null without one.")
    last_window: Time | None = Field(description="End of the last window in the store; null without one.")
    reconnects: Count = Field(description="How often it came back within the last hour.")
    fps: Rate = Field(description="Frames per second that were looked at in the last ten seconds.")
    dropped: Count = Field(description="Frames that came faster than they were looked at, since the start.")
    width: Count | None = Field(description="Of the last frame in pixels; null without one.")
    height: Count | None = Field(description="Of the last frame in pixels; null without one.")


class CamerasStatusShape(Shape):
    """How a group of cameras is."""

    running: bool = Field(description="Whether the group gave a sign of life in the last 15 seconds.")
    process: Count = Field(description="Number of its process.")
    started: Time
    updated: Time = Field(description="When this was written.")
    windows_waiting: Count = Field(description="Windows that the store has not taken yet.")
    store_trouble: str = Field(description="Why the store takes nothing; empty while it does.")
    cameras: list[CameraStatusShape] = Field(description="In the order of the file.")


class CameraCheckShape(Shape):
    """Whether a camera opens, and what it shows."""

    name: str
    location: str
    source: str
    opens: bool
    error: str = Field(description="Why it does not open; empty if it does.")
    width: Count | None = Field(description="Of its frames in pixels; null if it does not open.")
    height: Count | None = Field(description="Of its frames in pixels; null if it does not open.")
    fps: Rate | None = Field(description="Frames per second that it sends; null if it does not open.")
    faces: Count = Field(description="Faces found in the frames that were looked at.")
    large_enough: Share | None = Field(description="Share of these faces that are large enough; null without faces.")


SHAPES = {
    "cameras-list": list[CameraShape],
    "cameras-status": CamerasStatusShape,
    "cameras-check": list[CameraCheckShape],
}
