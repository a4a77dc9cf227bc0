"""Answers about the happiness index of locations."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from felicity.schemas.shape import Count, Shape, Time


class FigureShape(Shape):
    """A figure in percent; null where it is not shown or not known."""

    raw: float | None = Field(description="As counted.")
    adjusted: float | None = Field(description="Corrected by the classifier's known errors.")
    low: float | None = Field(description="Lower end of the 95 % interval of adjusted.")
    high: float | None = Field(description="Upper end of the 95 % interval of adjusted.")


class IndexRowShape(Shape):
    """The index of one location in one period."""

    location: str
    start: Time = Field(description="Begin of the period, in the location's time zone.")
    end: Time = Field(description="End of the period, not included.")
    people_seen: Count = Field(description="All tracks.")
    people: Count = Field(description="Tracks that were judged; they carry the shares.")
    windows: Count
    suppressed: bool = Field(description="Whether figures are not shown, because they are of too few people.")
    happy_share: FigureShape = Field(description="Share of people who look happy.")
    balance: FigureShape = Field(
        description="Happy less unhappy, in points; null where a class of the model is unhappy in part."
    )
    ratio: FigureShape = Field(description="Happy as a share of happy and unhappy; null likewise.")
    expressions: dict[str, FigureShape] = Field(
        description="Share of each class of the model: of the eight expressions, if it has no others."
    )
    effective_people: float | None = Field(description="As many people who do not resemble each other tell as much.")
    seconds_covered: float = Field(ge=0, description="Camera time in seconds.")
    rejected: dict[str, Count] = Field(description="Tracks that were not judged, by reason.")
    first_day: date | None = Field(description="Of windows, in the location's time zone; null where suppressed.")
    last_day: date | None = Field(description="Of windows; null where suppressed.")
    model: str = Field(description="Identity of the bundle that classified.")


class IndexShape(Shape):
    """The happiness index by location and period."""

    by: Literal["total", "minute", "hour", "day", "week", "month"] = Field(description="Length of a period.")
    k: int = Field(ge=1, description="Figures of fewer people are not shown.")
    rows: list[IndexRowShape] = Field(description="By location and time.")


SHAPES = {"index": IndexShape}
