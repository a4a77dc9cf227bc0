"""Answers about a city: its index, and its locations."""

from __future__ import annotations

from typing import Literal

from pydantic import AliasPath, Field

from felicity.schemas.shape import Count, JsonObject, Percent, Shape, Share


class PartShape(Shape):
    """A location in the index of its city; percent, null without a figure."""

    location: str = Field(validation_alias=AliasPath("location", "name"))
    happy_share: Percent | None = Field(validation_alias="share", description="Adjusted happy share.")
    low: Percent | None = Field(description="Lower end of its 95 % interval.")
    high: Percent | None = Field(description="Upper end of its 95 % interval.")
    people: Count = Field(description="People in the share.")
    population: float | None = Field(
        validation_alias=AliasPath("location", "population"), description="Population of the location."
    )
    weight: Share = Field(description="Share of the city's weight.")
    suppressed: bool = Field(description="True if its figures are hidden because they are of too few people.")
    missing: str | None = Field(description="The reason why it does not count; null if it does.")
    visits_covered: Share | None = Field(
        validation_alias="covered",
        description="Share of its visits in hours in which people were counted; null without visits.",
    )


class CityShape(Shape):
    """The happy share of a city: the weighted mean of its locations."""

    weight: Literal["population", "visits", "people"]
    happy_share: Percent = Field(validation_alias="share", description="Adjusted happy share.")
    low: Percent = Field(description="Lower end of its 95 % interval.")
    high: Percent = Field(description="Upper end of its 95 % interval.")
    people: Count
    locations: list[PartShape] = Field(validation_alias="parts")


class ToldCityShape(Shape):
    """The index of a city in words and figures."""

    sentence: str
    city: CityShape


class LocationShape(Shape):
    """A location of the store."""

    name: str
    timezone: str = Field(description="IANA name of the time zone.")
    geometry: JsonObject | None = Field(description="GeoJSON geometry (RFC 7946); null if unknown.")
    population: float | None = Field(description="Population; null if unknown.")
    site_type: str | None
    code: str | None = Field(description="Its name in tables of visits and flows.")


class SavedLocationsShape(Shape):
    """Added and changed locations."""

    added: list[str] = Field(description="Names of new locations.")
    changed: list[str] = Field(description="Names of locations that existed already.")
    store: str = Field(description="URL of the store, without a password.")


class RemovedLocationShape(Shape):
    """A removed location, with the numbers of its windows and people."""

    name: str
    windows: Count
    people: Count


class RenamedLocationShape(Shape):
    """A renamed or merged location, with the numbers of its windows and people."""

    name: str
    into: str = Field(description="Its new name, or the location that it was merged into.")
    windows: Count
    people: Count


SHAPES = {
    "city": ToldCityShape,
    "locations-add": SavedLocationsShape,
    "locations-import": SavedLocationsShape,
    "locations-list": list[LocationShape],
    "locations-merge": RenamedLocationShape,
    "locations-remove": RemovedLocationShape,
    "locations-rename": RenamedLocationShape,
}
