"""Answers about the happiness index of locations."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from felicity.schemas.shape import Count, Percent, Shape, Time


class FigureShape(Shape):
    """A figure in percent; null if it is hidden or unknown."""

    raw: float | None = Field(description="The share as counted.")
    adjusted: float | None = Field(description="The share corrected for the classifier's known errors.")
    low: float | None = Field(description="Lower end of the 95 % interval of adjusted.")
    high: float | None = Field(description="Upper end of the 95 % interval of adjusted.")


class SeeingShape(Shape):
    """The seeing conditions; null if no window has them."""

    quality: Percent | None = Field(
        description=(
            "Percent of the frames that were undamaged, moving and fit for finding faces, times the share of the "
            "people found who could be judged."
        )
    )
    brightness: float | None = Field(ge=0, description="Mean grey level of the pictures, 0 to 255.")
    contrast: float | None = Field(ge=0, description="Standard deviation of their grey levels.")
    sharpness: float | None = Field(ge=0, description="Fine detail relative to the contrast.")
    noise: float | None = Field(ge=0, description="Standard deviation of a pixel's noise, grey levels.")
    frozen: Percent | None = Field(description="Percent of frames whose picture no longer changed.")
    unfit: Percent | None = Field(description="Percent of frames in which faces are likely to be missed.")
    damaged: Percent | None = Field(description="Percent of frames that could not be decoded completely.")
    face_side: float | None = Field(ge=0, description="Mean size of the faces, pixels.")
    lifted: Percent | None = Field(
        description="Percent of the judged people whose faces were so faint that their contrast was at least doubled."
    )


class IndexRowShape(Shape):
    """The index of one location in one period."""

    location: str
    start: Time = Field(description="Begin of the period, in the location's time zone.")
    end: Time = Field(description="End of the period, not included.")
    people_seen: Count = Field(description="All face tracks.")
    people: Count = Field(description="Face tracks that were judged; the shares are shares of them.")
    windows: Count
    suppressed: bool = Field(description="True if figures are hidden because they are of too few people.")
    happy_share: FigureShape = Field(description="Share of people who look happy.")
    balance: FigureShape = Field(
        description="Happy minus unhappy, in points; null if a class of the model is partly unhappy."
    )
    ratio: FigureShape = Field(description="Happy as a share of happy and unhappy; null in the same case.")
    expressions: dict[str, FigureShape] = Field(
        description="Share of each class of the model; without own classes, of the eight expressions."
    )
    effective_people: float | None = Field(
        description="Number of people who do not resemble each other and would tell as much."
    )
    seconds_covered: float = Field(ge=0, description="Camera time in seconds.")
    rejected: dict[str, Count] = Field(description="Face tracks that were not judged, by reason.")
    first_day: date | None = Field(
        description="First day with windows, in the location's time zone; null if suppressed."
    )
    last_day: date | None = Field(description="Last day with windows; null if suppressed.")
    model: str = Field(description="Identity of the bundle that classified the faces.")
    detector: str = Field(description="Name and version of the face detector; empty if windows do not hold it.")
    seeing: SeeingShape = Field(description="The seeing conditions.")


class IndexShape(Shape):
    """The happiness index by location and period."""

    by: Literal["total", "minute", "hour", "day", "week", "month"] = Field(description="Length of a period.")
    k: int = Field(ge=1, description="Figures of fewer people are not shown.")
    rows: list[IndexRowShape] = Field(description="Rows by location and time.")


SHAPES = {"index": IndexShape}
