"""Answers about releases: lists of them, and their crowds."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from felicity.schemas.index import IndexRowShape, IndexShape
from felicity.schemas.shape import Count, Shape, Time


class MadeShape(Shape):
    """The outcome of a location when releases were made."""

    location: str
    releases: list[int] = Field(description="Numbers of its new releases.")
    waiting: Count = Field(description="People who wait for a later release, because they are too few so far.")
    blocked: Count = Field(description="People who cannot be published, because other windows of the same people were.")


class ReleaseShape(Shape):
    """One release of a location."""

    number: int = Field(ge=1, description="Number among all releases of the store, without gaps.")
    location: str = Field(description="Name of the location when the release was made.")
    kind: Literal["crowds", "correction", "calibration", "merged", "location", "removed"] = Field(
        description=(
            "Crowds: the release publishes people who waited. Correction: it takes crowds back, or publishes their "
            "present state. Calibration: another soft matrix. Merged: it adds the crowds of another place. Location: "
            "another name, area, time zone or population. Removed: the location was removed."
        )
    )
    made: Time = Field(description="Time at which the release was made, in the location's time zone.")
    until: Time | None = Field(description="Windows that ended by then may be in it; null if it adds nobody.")
    start: Time | None = Field(description="Begin of its first crowd; null without crowds.")
    end: Time | None = Field(description="End of its last crowd.")
    crowds: Count
    people: Count = Field(description="People of its crowds.")
    taken_back: Count = Field(description="People of earlier crowds that it takes back.")
    replaces: list[int] = Field(description="Numbers of the releases that published these crowds before.")
    k: int = Field(ge=1, description="Smallest number of people in a crowd.")
    waiting: Count | None = Field(description="People who waited for a later release; null if they were fewer than k.")


class ShownReleaseShape(Shape):
    """A release and its crowds."""

    release: ReleaseShape
    crowds: list[IndexRowShape] = Field(description="Crowds by time, each with its figures.")


class PublishedNowShape(Shape):
    """The latest crowd of a location's day."""

    location: str
    release: int = Field(description="Number of the location's latest release.")
    row: IndexRowShape | None = Field(description="Its time and figures; null before the first crowd of the day.")


SHAPES = {
    "releases-index": IndexShape,
    "releases-list": list[ReleaseShape],
    "releases-make": list[MadeShape],
    "releases-now": list[PublishedNowShape],
    "releases-show": ShownReleaseShape,
}
