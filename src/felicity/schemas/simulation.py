"""Answers of simulations, which know the truth."""

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
    """A target and the measured figure; the target is met if low ≤ measured ≤ high."""

    what: str
    low: float
    high: float
    measured: Rounded
    unit: str
    chance: Rounded | None = Field(description="Two standard errors of the simulation itself, in the same unit.")
    ok: bool


class AccuracyShape(Shape):
    """Accuracy over location-days of a given number of people: errors in points, coverage in percent of days."""

    people: Count
    minutes: Count | None = Field(description="Minutes a day; null if minutes hold five people on average.")
    correlated: bool = Field(description="True if people of one minute resemble each other.")
    days: Count
    counted: Rounded = Field(description="Mean absolute error of the counted share, points.")
    adjusted: Rounded = Field(description="Mean absolute error of the adjusted share, points.")
    bias: Rounded = Field(description="Mean error of the adjusted share, points.")
    coverage: Rounded = Field(
        description="Coverage of the 95 % interval with a soft matrix measured again each day; percent."
    )
    coverage_as_shipped: Rounded = Field(
        description="Coverage of the 95 % interval with the bundle's soft matrix; percent."
    )
    width: Rounded = Field(description="Median width of the interval, points.")


class TestRatesShape(Shape):
    """Rates of a test over time: percent of series in which it found something."""

    test: str
    series: Count
    effect: str = Field(description="The simulated effect, for power and coverage.")
    false_alarms: Rounded = Field(description="Rate without an effect, percent.")
    power: Rounded = Field(description="Rate with an effect, percent.")
    coverage: Rounded = Field(description="Coverage of the 95 % interval with an effect, percent.")


class CheckShape(Shape):
    """The index compared with the known truth."""

    ok: bool = Field(description="True if all targets are met; if not, the exit code is 1.")
    targets: list[TargetShape]
    faces: Count = Field(description="Number of faces that people were drawn from.")
    model: str
    seed: int
    correlation: float = Field(description="Correlation between people of one minute, if they are correlated.")
    accuracy: list[AccuracyShape]
    tests: list[TestRatesShape]


class SightShape(Shape):
    """Counts of detector and tracker for the people who walked by."""

    people: Count = Field(description="People who walked by.")
    found: Count = Field(description="People with a counted track.")
    again: Count = Field(description="Further tracks of people who already have one.")
    nobody: Count = Field(description="Counted tracks that follow nobody.")
    mixed: Count = Field(description="Counted tracks of more than one person.")
    rejected: Count = Field(description="Counted tracks in which no face was good enough.")
    clear: Count = Field(description="Faces in frames that are at least 80 % visible.")
    detected: Count = Field(description="Detected faces among these.")
    false_boxes: Count = Field(description="Detections without a face.")
    frames: Count


class SightPercentShape(Shape):
    """The same counts in percent."""

    detected: Rounded = Field(description="Percent of clear faces.")
    found: Rounded = Field(description="Percent of people.")
    again: Rounded = Field(description="Percent of people.")
    nobody: Rounded = Field(description="Percent of tracks.")
    mixed: Rounded = Field(description="Percent of tracks.")
    rejected: Rounded = Field(description="Percent of tracks.")
    same_answer: Rounded = Field(
        description="Percent of people whose filmed face gets the same answer as their own picture."
    )


class ShareErrorShape(Shape):
    """Errors of the happy share in points; null if no scene shows one."""

    counted: Measured = Field(description="Mean absolute error.")
    adjusted: Measured = Field(description="Mean absolute error.")
    bias: Measured = Field(description="Mean error of the adjusted share.")


class ErrorsShape(Shape):
    """Errors against the people who were there."""

    direct: ShareErrorShape = Field(description="From the faces of the data set, unfilmed.")
    filmed: ShareErrorShape = Field(description="From the moving pictures.")


class ReadingShape(Shape):
    """Happy share of a scene in percent; null if it is hidden."""

    counted: Annotated[float | None, NanIsNull]
    adjusted: Annotated[float | None, NanIsNull]
    low: Annotated[float | None, NanIsNull] = Field(description="Lower end of the 95 % interval of adjusted.")
    high: Annotated[float | None, NanIsNull] = Field(description="Upper end of the 95 % interval of adjusted.")


class SceneShape(Shape):
    """A scene."""

    truth: Annotated[Percent, rounded(4)] = Field(description="Percent of its people who are happy.")
    people: Count
    tracks: Count
    direct: ReadingShape = Field(description="From the faces of the data set, unfilmed.")
    filmed: ReadingShape = Field(description="From the moving pictures.")


class FilmedShape(Shape):
    """Counts in moving pictures, compared with the known truth."""

    detector: str
    model: str
    in_view: float = Field(description="Mean number of people in view.")
    fps: int = Field(description="Frames per second.")
    unrest: bool = Field(description="True if tree, screen, light and rain move, too.")
    every_frame: bool = Field(
        description="True if every frame was searched completely, not only where something moves."
    )
    seed: int
    sight: SightShape = Field(description="Over all scenes.")
    percent: SightPercentShape
    errors: ErrorsShape
    scenes: list[SceneShape]


SHAPES = {"simulate": list[SimulatedRowShape], "simulate-check": CheckShape, "simulate-video": FilmedShape}
