"""Answers about places held against each other, and about what is usual."""

from __future__ import annotations

from pydantic import Field

from felicity.schemas.over_time import MissingShape
from felicity.schemas.shape import Count, Percent, Shape, Share, Time


class DifferenceShape(Shape):
    """Happy share of one location less that of another, in points."""

    first: str
    second: str
    difference: float
    low: float = Field(description="Lower end of the 95 % interval that holds for all pairs at once.")
    high: float = Field(description="Upper end of it.")
    p_value: Share = Field(description="Of no difference, raised for the number of pairs (Holm).")
    found: bool = Field(description="Whether the two can be told apart.")


class RankedShape(Shape):
    """A location in a ranking; shares in percent."""

    location: str
    people: Count
    happy_share: Percent = Field(validation_alias="share", description="Adjusted.")
    low: Percent = Field(description="Lower end of its 95 % interval.")
    high: Percent = Field(description="Upper end of its 95 % interval.")
    best_rank: int = Field(ge=1, description="One more than the locations that are found happier.")
    worst_rank: int = Field(ge=1, description="Rank if all that cannot be told apart were happier.")


class UnrankedShape(Shape):
    """A location without a rank."""

    location: str
    reason: str


class RankingShape(Shape):
    """Locations from the happiest on."""

    sentence: str
    places: list[RankedShape]
    differences: list[DifferenceShape] = Field(description="Of all pairs, the happier location first.")
    missing: list[UnrankedShape] = Field(description="Locations without a figure.")


class UsualShape(Shape):
    """A period of a location beside the same hours of the weeks before; shares in percent."""

    location: str
    start: Time
    end: Time
    people: Count
    happy_share: Percent = Field(validation_alias="share", description="Adjusted, of the period.")
    usual: Percent = Field(description="Mean of the earlier weeks.")
    low: Percent = Field(description="Lower end of the 95 % prediction interval.")
    high: Percent = Field(description="Upper end of the 95 % prediction interval.")
    difference: float = Field(description="Of happy_share and usual, in points.")
    found: bool = Field(description="Whether the period is out of the ordinary.")
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
