"""Answers about a store: runs, and retention."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from felicity.schemas.shape import Count, Shape, Time


class RunShape(Shape):
    """A run: one pass over a source."""

    id: int = Field(description="Number of the run, for runs remove.")
    location: str
    camera: str
    source: str = Field(description="The watched source: a file, folder, camera number or address.")
    model: str = Field(description="Identity of the bundle that classified the faces.")
    detector: str = Field(description="Name and version of the face detector; empty for runs of old stores.")
    first: Time | None = Field(
        description="Begin of its first window, in the location's time zone; null without windows."
    )
    last: Time | None = Field(description="End of its last window; null without windows.")
    windows: Count
    people: Count = Field(description="All face tracks, including those that were not judged.")
    state: Literal["running", "ended", "stopped", "lost"] = Field(
        description=(
            "Ended: its source came to its end. Stopped: a person or a signal ended it. Lost: it failed, or its "
            "process sent no heartbeat for three minutes."
        )
    )
    heartbeat: Time | None = Field(description="Time of the last heartbeat; null for runs of old stores.")
    ended: Time | None = Field(description="Time when it ended or was stopped; null while it runs, and if unknown.")


class RetentionShape(Shape):
    """The retention of a location: for how long it keeps windows and hours."""

    location: str
    days: int | None = Field(description="Number of days for which windows are kept; null is for ever.")
    months: int | None = Field(description="Number of months for which hours are kept; null is for ever.")
    own: bool = Field(description="True if the rule is the location's own, not that of the store.")
    windows_from: Time | None = Field(description="Windows before this time become hours with the next retention run.")
    hours_from: Time | None = Field(description="Hours before this time become days with the next retention run.")


class FoldingShape(Shape):
    """The reduction of a location's old windows and hours, done or planned."""

    location: str
    windows: Count = Field(description="Deleted windows.")
    into_hours: Count = Field(description="Hours that hold their sums.")
    hours: Count = Field(description="Deleted hours.")
    into_days: Count = Field(description="Days that hold their sums.")


class RetentionRunShape(Shape):
    """A retention run, done or planned."""

    done: bool = Field(description="False if nothing was changed because --yes was missing.")
    locations: list[FoldingShape]


SHAPES = {
    "retention-run": RetentionRunShape,
    "retention-show": list[RetentionShape],
    "runs-list": list[RunShape],
}
