"""The base of all schemas: strict objects, read from the attributes of domain objects, and types of fields."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)


class Shape(BaseModel):
    """An object of an answer: no unknown keys, no NaN; ``model_validate`` also reads an object's attributes."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True, allow_inf_nan=False)


def rounded(digits: int) -> BeforeValidator:
    """Annotate a float that answers round to ``digits`` decimals; its range is checked after the rounding."""

    def round_to(value: Any) -> Any:
        return round(value, digits) if isinstance(value, float) else value

    return BeforeValidator(round_to)


def _nan_is_null(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


NanIsNull = BeforeValidator(_nan_is_null)
"""Annotation for a field of ``float | None`` whose domain object holds NaN in place of a missing figure."""


def _iso(time: datetime) -> str:
    return time.isoformat()


Time = Annotated[
    AwareDatetime,
    PlainSerializer(_iso, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A time with its offset from UTC, as ISO 8601."""

Count = Annotated[int, Field(ge=0)]

# Sums of floats leave a closed range by a rounding error, so they are rounded before the range is checked.
Share = Annotated[float, Field(ge=0, le=1), rounded(12)]
"""A share or probability, 0..1."""
Percent = Annotated[float, Field(ge=0, le=100), rounded(12)]
Points = Annotated[float, Field(ge=-100, le=100), rounded(12)]
"""Percentage points: a difference of two percentages."""

JsonObject = dict[str, Any]
"""An object whose keys are data, such as a GeoJSON geometry."""
