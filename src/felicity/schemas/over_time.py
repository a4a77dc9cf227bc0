"""Answers about figures over time: trends, and the effect of a measure."""

from __future__ import annotations

from typing import Literal

from pydantic import AliasPath, Field

from felicity.schemas.shape import Count, Shape, Share, Time

Step = Literal["hour", "day", "week"]


class ShiftShape(Shape):
    """A lasting shift of the mean happy share, after removal of the season."""

    at: Time = Field(description="First period after the shift.")
    before: float = Field(description="Mean before the shift, percent.")
    after: float = Field(description="Mean after the shift, percent.")


class TrendShape(Shape):
    """The change of the happy share of one location, in points of happy share per month."""

    location: str
    found: bool = Field(validation_alias=AliasPath("trend", "found"), description="True if p_value is at most 0.05.")
    slope: float = Field(validation_alias=AliasPath("trend", "slope"), description="Theil-Sen slope, points a month.")
    low: float = Field(validation_alias=AliasPath("trend", "low"), description="Lower end of its 95 % interval.")
    high: float = Field(validation_alias=AliasPath("trend", "high"), description="Upper end of its 95 % interval.")
    p_value: Share = Field(
        validation_alias=AliasPath("trend", "p_value"), description="p-value of no trend (Mann-Kendall)."
    )
    kendall_tau: float = Field(
        validation_alias=AliasPath("trend", "tau"), description="Kendall's tau of share and time."
    )
    autocorrelation: float = Field(
        validation_alias=AliasPath("trend", "phi"), description="Autocorrelation from one period to the next."
    )
    detectable: float = Field(
        validation_alias=AliasPath("trend", "detectable"), description="Slope that 80 % of such series would detect."
    )
    periods: Count = Field(validation_alias=AliasPath("trend", "periods"), description="Periods with a figure.")
    span: Count = Field(validation_alias=AliasPath("trend", "span"), description="All periods of the calendar.")
    people: Count = Field(validation_alias=AliasPath("trend", "people"))
    season: str = Field(validation_alias=AliasPath("trend", "season"), description="The season that was removed.")
    start: Time = Field(validation_alias=AliasPath("trend", "starts", 0), description="Begin of the first period.")
    end: Time = Field(validation_alias=AliasPath("trend", "starts", -1), description="Begin of the last period.")
    shifts: list[ShiftShape]
    outside: list[Time] = Field(description="Begins of the periods outside their control limits.")


class ToldTrendShape(Shape):
    """A trend in words and figures."""

    sentence: str
    trend: TrendShape


class MissingShape(Shape):
    """A location without a figure."""

    location: str
    reason: str


class TrendsShape(Shape):
    """Trends of locations."""

    by: Step = Field(description="Length of the periods.")
    trends: list[ToldTrendShape] = Field(description="Trends by name of the location.")
    missing: list[MissingShape] = Field(description="Locations without a trend.")


class CoefficientShape(Shape):
    """A coefficient with Newey-West errors, in points of happy share."""

    estimate: float
    error: float = Field(ge=0)
    low: float = Field(description="Lower end of its 95 % interval.")
    high: float = Field(description="Upper end of its 95 % interval.")
    p_value: Share
    detectable: float = Field(description="Size that 80 % of such series would detect.")
    phi: float = Field(description="Autocorrelation from one period to the next.")


class ByLocationShape(Shape):
    """The step with errors clustered by location, in points of happy share."""

    estimate: float
    error: float = Field(ge=0)
    freedom: float = Field(description="Satterthwaite's degrees of freedom.")
    low: float
    high: float
    p_value: Share
    detectable: float


class PlaceboShape(Shape):
    """The steps at placebo dates before the measure."""

    dates: Count
    share: Share = Field(description="Share of placebo dates with a step at least as large.")


class EffectShape(Shape):
    """The effect of a measure, in points of happy share."""

    method: Literal["interrupted time series", "difference in differences"]
    at: Time = Field(description="Date of the measure.")
    by: Step = Field(validation_alias="step", description="Length of the periods.")
    locations: list[str] = Field(description="Locations that the measure affected.")
    comparison: list[str] = Field(description="Comparison locations, which it did not affect.")
    found: bool = Field(description="True if p_value is at most 0.05.")
    estimate: float
    low: float = Field(description="Lower end of its 95 % interval.")
    high: float = Field(description="Upper end of its 95 % interval.")
    p_value: Share
    detectable: float = Field(description="Size that 80 % of such studies would detect.")
    errors: str = Field(validation_alias="headline", description="The kind of errors behind estimate and interval.")
    newey_west: CoefficientShape = Field(validation_alias="level", description="The step, with Newey-West errors.")
    clustered: ByLocationShape | None = Field(
        description="The step, with errors clustered by location; null for too few locations."
    )
    slope_change: CoefficientShape | None = Field(
        validation_alias="slope", description="Slope in points a month; null with comparison."
    )
    drift_before: CoefficientShape | None = Field(
        validation_alias="parallel",
        description=(
            "Slope of the difference between the groups before the measure, points a month; null without comparison."
        ),
    )
    changes: dict[str, float] = Field(description="Change of each location by itself.")
    placebo: PlaceboShape | None
    periods_before: Count = Field(validation_alias="before", description="Periods with a figure before the measure.")
    periods_after: Count = Field(validation_alias="after", description="Periods with a figure from then on.")
    people: Count
    season: str = Field(description="The season that was removed.")
    start: Time = Field(validation_alias=AliasPath("starts", 0), description="Begin of the first period.")
    end: Time = Field(validation_alias=AliasPath("starts", -1), description="Begin of the last period.")


class ToldEffectShape(Shape):
    """The effect of a measure in words and figures."""

    sentence: str
    effect: EffectShape


SHAPES = {"trend": TrendsShape, "effect": ToldEffectShape}
