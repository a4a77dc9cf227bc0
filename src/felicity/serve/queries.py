"""The query parameters of figures; any other parameter is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from felicity.api import to_time

if TYPE_CHECKING:
    from felicity.serve.sight import Everything

Name = Annotated[str, Field(min_length=1, max_length=200)]
TimeText = Annotated[str, Field(max_length=40, examples=["2026-05-01", "2026-05-01T09:00+02:00"])]
Names = Annotated[list[Name], Field(max_length=1000)]


class Query(BaseModel):
    """The parameters of one address."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Period(Query):
    """The windows that count."""

    begin: TimeText | None = Field(
        None, alias="from", description="From then on, ISO 8601; without an offset in each location's time zone."
    )
    end: TimeText | None = Field(None, alias="to", description="Until then, not included.")
    k: int | None = Field(
        None, ge=1, le=1_000_000, description="Show no figure of fewer people; at least the server's own."
    )
    model: Name | None = Field(None, description="Windows of this bundle; by default that of the latest.")

    def selection(self, sight: Everything, **more: Any) -> dict[str, Any]:
        """Return the arguments of a use case. Raises Problem for a ``k`` that is not allowed, ConfigError."""
        begin, end = (
            None if text is None else to_time(text.strip(), name)
            for text, name in ((self.begin, "from"), (self.end, "to"))
        )
        return sight.selection({"begin": begin, "end": end, "k": self.k, "model": self.model} | more)


class Places(Period):
    """The windows and locations that count."""

    location: Names | None = Field(None, description="Only this location; may be repeated.")

    def selection(self, sight: Everything, **more: Any) -> dict[str, Any]:
        """Return the arguments of a use case."""
        return super().selection(sight, locations=self.location, **more)


class IndexQuery(Places):
    """The index by location and period."""

    by: Literal["total", "minute", "hour", "day", "week", "month"] = Field("total", description="Length of a period.")
    format: Literal["json", "csv", "parquet"] = Field(
        "json", description="CSV and Parquet have times of each location's clock, with their offset from UTC."
    )
    limit: int | None = Field(
        None, ge=1, le=100_000, description="Largest number of rows: 1,000 of JSON by default, all of a table."
    )
    after: Annotated[str, Field(max_length=1000)] | None = Field(
        None, description="Go on after this row; the Link header of an answer says where."
    )


class TrendQuery(Places):
    """Trends of locations."""

    by: Literal["hour", "day", "week"] = Field("day", description="Periods of the series.")


class EffectQuery(Period):
    """The effect of a measure."""

    at: TimeText = Field(description="Day on which the measure began, in the locations' time zone.")
    locations: Names = Field(min_length=1, description="Location that it touched; may be repeated.")
    comparison: Names | None = Field(None, description="Location that it did not touch; may be repeated.")
    by: Literal["hour", "day", "week"] = Field("day", description="Periods of the series.")


class CityQuery(Places):
    """The index of the city."""

    weight: Literal["population", "people"] = Field("population", description="Weight of a location.")


class Back(Query):
    """A page to return to."""

    to: str = Field("/", max_length=2000)


class NoQuery(Query):
    """An address without parameters."""
