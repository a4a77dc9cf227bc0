"""Answers of simulations, whose truth is known."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from felicity.schemas.index import IndexRowShape
from felicity.schemas.shape import Count, NanIsNull, Percent, Shape, rounded

Rounded = Annotated[float, rounded(4)]
Measured = Annotated[Rounded | None, NanIsNull]


class SimulatedRowShape(IndexRowShape):
    """The index of a simulated location beside the truth."""

    truth: Annotated[Percent, rounded(4)] = Field(description="True share of people who are happy, in percent.")


class TargetShape(Shape):
    """A promise, and what was measured: kept if low ≤ measured ≤ high."""

    what: str
    low: float
    high: float
    measured: Rounded
    unit: str
    chance: Rounded | None = Field(description="Two standard errors of the simulation itself, in the same unit.")
    ok: bool


class AccuracyShape(Shape):
    """Of location-days with so many people: errors in points, coverage in percent of days."""

    people: Count
    correlated: bool = Field(description="Whether people of one minute resemble each other.")
    days: Count
    counted: Rounded = Field(description="Mean absolute error of the counted share, points.")
    adjusted: Rounded = Field(description="Mean absolute error of the adjusted share, points.")
    bias: Rounded = Field(description="Mean error of the adjusted share, points.")
    coverage: Rounded = Field(description="Of the 95 % interval, the soft matrix measured anew each day; percent.")
    coverage_as_shipped: Rounded = Field(description="Of the 95 % interval with the bundle's soft matrix; percent.")
    width: Rounded = Field(description="Median width of the interval, points.")


class TestRatesShape(Shape):
    """A test over time: percent of series in which it found something."""

    test: str
    series: Count
    effect: str = Field(description="What there was to find for power and coverage.")
    false_alarms: Rounded = Field(description="Where there was nothing to find, percent.")
    power: Rounded = Field(description="Where there was an effect, percent.")
    coverage: Rounded = Field(description="Of the 95 % interval where there was an effect, percent.")


class CheckShape(Shape):
    """The index held against known truth."""

    ok: bool = Field(description="Whether all targets are met; if not, the exit code is 1.")
    targets: list[TargetShape]
    faces: Count = Field(description="Faces that people were drawn from.")
    model: str
    seed: int
    correlation: float = Field(description="By how much people of one minute agree, where they are correlated.")
    accuracy: list[AccuracyShape]
    tests: list[TestRatesShape]


class SightShape(Shape):
    """What detector and tracker made of the people who walked by."""

    people: Count = Field(description="Walked by.")
    found: Count = Field(description="Of them, those with a counted track.")
    again: Count = Field(description="Tracks of people who had one already.")
    nobody: Count = Field(description="Counted tracks of no one.")
    mixed: Count = Field(description="Counted tracks of more than one person.")
    rejected: Count = Field(description="Counted tracks in which no face was good enough.")
    clear: Count = Field(description="Faces in frames of which at least 80 % can be seen.")
    detected: Count = Field(description="Of these, those found.")
    false_boxes: Count = Field(description="Detections where no face is.")
    frames: Count


class SightPercentShape(Shape):
    """The same in percent."""

    detected: Rounded = Field(description="Of clear faces.")
    found: Rounded = Field(description="Of people.")
    again: Rounded = Field(description="Of people.")
    nobody: Rounded = Field(description="Of tracks.")
    mixed: Rounded = Field(description="Of tracks.")
    rejected: Rounded = Field(description="Of tracks.")
    same_answer: Rounded = Field(description="People whose filmed face gets the answer of their own picture.")


class ShareErrorShape(Shape):
    """Errors of the happy share in points; null where no scene shows one."""

    counted: Measured = Field(description="Mean absolute error.")
    adjusted: Measured = Field(description="Mean absolute error.")
    bias: Measured = Field(description="Mean error of the adjusted share.")


class ErrorsShape(Shape):
    """Against the people who were there."""

    direct: ShareErrorShape = Field(description="From the faces as they are in the data set.")
    filmed: ShareErrorShape = Field(description="From the moving pictures.")


class ReadingShape(Shape):
    """Happy share of a scene in percent; null where none is shown."""

    counted: Annotated[float | None, NanIsNull]
    adjusted: Annotated[float | None, NanIsNull]
    low: Annotated[float | None, NanIsNull] = Field(description="Lower end of the 95 % interval of adjusted.")
    high: Annotated[float | None, NanIsNull] = Field(description="Upper end of the 95 % interval of adjusted.")


class SceneShape(Shape):
    """A scene."""

    truth: Annotated[Percent, rounded(4)] = Field(description="Percent of its people who are happy.")
    people: Count
    tracks: Count
    direct: ReadingShape = Field(description="From the faces as they are in the data set.")
    filmed: ReadingShape = Field(description="From the moving pictures.")


class FilmedShape(Shape):
    """Moving pictures held against known truth."""

    detector: str
    model: str
    in_view: float = Field(description="People in view on average.")
    fps: int = Field(description="Frames a second.")
    unrest: bool = Field(description="Whether tree, screen, light and rain move, too.")
    every_frame: bool = Field(description="Whether every frame was searched whole, not only where something moves.")
    seed: int
    sight: SightShape = Field(description="Over all scenes.")
    percent: SightPercentShape
    errors: ErrorsShape
    scenes: list[SceneShape]


SHAPES = {"simulate": list[SimulatedRowShape], "simulate-check": CheckShape, "simulate-video": FilmedShape}
