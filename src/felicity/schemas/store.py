"""Answers about a store: runs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from felicity.schemas.shape import Count, Shape, Time


class RunShape(Shape):
    """One pass over a source, as the store has it."""

    id: int = Field(description="Number of the run; runs remove takes it.")
    location: str
    camera: str
    source: str = Field(description="What was watched: a file, folder, camera number or address.")
    model: str = Field(description="Identity of the bundle that classified.")
    first: Time | None = Field(
        description="Begin of its first window, in the location's time zone; null without windows."
    )
    last: Time | None = Field(description="End of its last window; null without windows.")
    windows: Count
    people: Count = Field(description="All tracks, those that were not judged too.")
    state: Literal["running", "ended", "stopped", "lost"] = Field(
        description="Ended: its source came to its end. Stopped: by a person or signal. Lost: it failed, or its "
        "process gave no heartbeat for three minutes."
    )
    heartbeat: Time | None = Field(description="When it last said that it is running; null for runs of old stores.")
    ended: Time | None = Field(description="When it ended or was stopped; null while it runs, and where not known.")


SHAPES = {"runs-list": list[RunShape]}
