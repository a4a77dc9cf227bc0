"""Answers that compare places with each other, or a period with what is usual."""

from __future__ import annotations

from pydantic import Field

from felicity.schemas.over_time import MissingShape
from felicity.schemas.shape import Count, Percent, Shape, Share, Time


class DifferenceShape(Shape):
    """Happy share of one location minus that of another, in points."""

    first: str
    second: str
    difference: float
    low: float = Field(description="Lower end of the 95 % interval that holds for all pairs at once.")
    high: float = Field(description="Upper end of the same interval.")
    p_value: Share = Field(description="p-value of no difference, corrected for the number of pairs (Holm).")
    found: bool = Field(description="True if the two locations differ significantly.")


class RankedShape(Shape):
    """A location in a ranking; shares in percent."""

    location: str
    people: Count
    happy_share: Percent = Field(validation_alias="share", description="Adjusted happy share.")
    low: Percent = Field(description="Lower end of its 95 % interval.")
    high: Percent = Field(description="Upper end of its 95 % interval.")
    best_rank: int = Field(ge=1, description="One more than the number of significantly happier locations.")
    worst_rank: int = Field(
        ge=1, description="The rank if all locations that do not differ significantly were happier."
    )


class UnrankedShape(Shape):
    """A location without a rank."""

    location: str
    reason: str


class RankingShape(Shape):
    """Locations, the happiest first."""

    sentence: str
    places: list[RankedShape]
    differences: list[DifferenceShape] = Field(description="Differences of all pairs, the happier location first.")
    missing: list[UnrankedShape] = Field(description="Locations without a figure.")


class UsualShape(Shape):
    """A period of a location beside the same hours of the weeks before; shares in percent."""

    location: str
    start: Time
    end: Time
    people: Count
    happy_share: Percent = Field(validation_alias="share", description="Adjusted happy share of the period.")
    usual: Percent = Field(description="Mean of the earlier weeks.")
    low: Percent = Field(description="Lower end of the 95 % prediction interval.")
    high: Percent = Field(description="Upper end of the 95 % prediction interval.")
    difference: float = Field(description="happy_share minus usual, in points.")
    found: bool = Field(description="True if the period lies outside the prediction interval.")
    weeks: Count = Field(description="Earlier weeks with a figure.")


class ToldUsualShape(Shape):
    """A period beside what is usual, in words and figures."""

    sentence: str
    usual: UsualShape


class UsualsShape(Shape):
    """A period beside what is usual, per location."""

    locations: list[ToldUsualShape]
    missing: list[MissingShape] = Field(description="Locations that cannot be compared.")


SHAPES = {"rank": RankingShape, "usual": UsualsShape}
