"""What shapes have in common: strict objects, read from the attributes of domain objects, with field types."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema


class Shape(BaseModel):
    """An object of an answer: no unknown keys, no NaN; ``model_validate`` also reads an object's attributes."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True, allow_inf_nan=False)


def rounded(digits: int) -> AfterValidator:
    """Annotate a float that answers give with so many ``digits`` after the point."""

    def round_to(value: float) -> float:
        return round(value, digits)

    return AfterValidator(round_to)


def _iso(time: datetime) -> str:
    return time.isoformat()


Time = Annotated[
    AwareDatetime,
    PlainSerializer(_iso, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A time with its offset from UTC, as ISO 8601."""

Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
"""A share or probability, 0..1."""
Percent = Annotated[float, Field(ge=0, le=100)]
Points = Annotated[float, Field(ge=-100, le=100)]
"""Percentage points: a difference of two percentages."""

JsonObject = dict[str, Any]
