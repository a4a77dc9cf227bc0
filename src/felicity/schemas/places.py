"""Answers about what was made for places: a report, a calibration."""

from __future__ import annotations

from typing import Literal

from pydantic import AliasPath, Field

from felicity.schemas.shape import Count, Shape, Share


class ReportShape(Shape):
    """A report that was written."""

    report: str = Field(description="Path of the page.")
    bytes: Count
    places: dict[str, Literal["shown", "suppressed", "missing"]] = Field(description="What became of each location.")
    files: list[str] = Field(description="Paths of figures and tables.")


class HappyRatesShape(Shape):
    """How a classifier tells happy faces: mean probability of happy."""

    recall: Share = Field(description="On happy faces.")
    false_alarms: Share = Field(description="On other faces.")
    happy: Count = Field(description="Happy faces.")
    others: Count = Field(description="Other faces.")


class CalibrationShape(Shape):
    """A location's own soft matrix, as it was measured."""

    location: str
    model: str = Field(description="Identity of the bundle.")
    faces: Count = Field(description="Labelled faces.")
    without_face: Count = Field(description="Pictures in which no face was found.")
    local: HappyRatesShape = Field(
        validation_alias=AliasPath("calibration", "local"), description="On faces of the location."
    )
    bundle: HappyRatesShape = Field(
        validation_alias=AliasPath("calibration", "bundle"),
        description="What the bundle's soft matrix expects of the same mix of labels.",
    )
    borrowed: list[str] = Field(
        validation_alias=AliasPath("calibration", "borrowed"),
        description="Expressions for which the bundle's faces count as well.",
    )


SHAPES = {"report": ReportShape, "calibrate": CalibrationShape}
