"""Answers about outputs for places: a report, a calibration."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AliasPath, Field

from felicity.schemas.shape import Count, Percent, Shape, Share


class ReportShape(Shape):
    """A written report."""

    report: str = Field(description="Path of the page.")
    bytes: Count
    places: dict[str, Literal["shown", "suppressed", "missing"]] = Field(description="The outcome of each location.")
    files: list[str] = Field(description="Paths of figures and tables.")


class HappyRatesShape(Shape):
    """Mean probability of happy that a classifier answers to happy and to other faces."""

    recall: Share = Field(description="Mean on happy faces.")
    false_alarms: Share = Field(description="Mean on other faces.")
    happy: Count = Field(description="Number of happy faces.")
    others: Count = Field(description="Number of other faces.")


class BiasShape(Shape):
    """The distance of the adjusted happy share above a true one, points."""

    share: Annotated[Percent, Field(description="True happy share.")]
    points: float
    low: float = Field(description="Lower end of the 95 % interval.")
    high: float = Field(description="Upper end of the 95 % interval.")


class BiasesShape(Shape):
    """The bias of the happy share before and after a calibration."""

    before: list[BiasShape] = Field(description="Adjusted by the bundle's matrix.")
    after: list[BiasShape] = Field(description="Adjusted by the location's own, over other samples of as many faces.")
    lacking: tuple[Count, Count] = Field(
        description="Further happy faces, and others, with which the interval after calibration ends within one point."
    )


class CalibrationShape(Shape):
    """A location's own soft matrix."""

    location: str
    model: str = Field(description="Identity of the bundle.")
    faces: Count = Field(description="Number of labelled faces.")
    without_face: Count = Field(description="Number of pictures without a face, or with a covered one.")
    local: HappyRatesShape = Field(
        validation_alias=AliasPath("calibration", "local"), description="Measured on faces of the location."
    )
    bundle: HappyRatesShape = Field(
        validation_alias=AliasPath("calibration", "bundle"),
        description="Expected by the bundle's soft matrix for the same mix of labels.",
    )
    borrowed: list[str] = Field(
        validation_alias=AliasPath("calibration", "borrowed"),
        description="Expressions for which faces of the bundle's own data count as well.",
    )
    biases: BiasesShape = Field(
        validation_alias=AliasPath("calibration", "biases"),
        description="Bias of the happy share, and number of faces still lacking.",
    )


class SampleShape(Shape):
    """Pictures drawn to be labelled."""

    table: str = Field(description="Path of the table, whose labels are to be filled in.")
    page: str = Field(description="Path of the page on which they can be labelled.")
    pictures: Count = Field(description="Pictures that were looked at.")
    without_face: Count = Field(description="Pictures in which Felicity found no face, or only a covered one.")
    drawn: Count = Field(description="Pictures drawn.")
    strata: dict[str, Count] = Field(description="Pictures drawn by what the bundle answers.")


SHAPES = {"report": ReportShape, "calibrate": CalibrationShape, "calibrate-sample": SampleShape}
