"""Answers about frameworks: their figures when everything else is equal."""

from __future__ import annotations

from pydantic import Field

from felicity.schemas.shape import JsonObject, Shape


class MeanShape(Shape):
    """A mean over seeds."""

    mean: float
    low: float | None = Field(description="Lower end of its 95 % interval; null for one seed.")
    high: float | None = Field(description="Upper end; both ends stay within the figure's range, such as above 0.")


class FrameworkShape(Shape):
    """Figures of one framework."""

    accuracy: dict[str, MeanShape] = Field(description="Accuracy by part, 0 to 1.")
    loss: dict[str, MeanShape] = Field(description="Loss by part.")
    seconds_per_epoch: MeanShape
    first_epoch_seconds: MeanShape
    peak_memory_mb: MeanShape


class FirstStepShape(Shape):
    """The difference between two frameworks before the first training step."""

    contestant: str
    reference: str
    loss: float = Field(description="Relative difference of the losses.")
    median: float = Field(description="Median difference of single gradients, relative to the largest gradient.")
    largest: float
    fair: bool = Field(description="True if float32 rounding explains the difference.")


class PairShape(Shape):
    """Two frameworks, paired by seed."""

    one: str
    other: str
    test_accuracy: MeanShape = Field(description="Test accuracy of the one minus that of the other.")
    p: float | None = Field(description="p-value of a paired t-test, Holm-corrected; null for one seed.")


class ComparisonShape(Shape):
    """A comparison of frameworks; comparison.json holds the same figures."""

    model: str
    config: JsonObject = Field(description="The settings, as in a configuration file.")
    seeds: list[int]
    data: JsonObject = Field(description="Number of images of each part, and a digest.")
    environment: JsonObject = Field(description="Versions and machine.")
    frameworks: dict[str, FrameworkShape]
    first_step: list[FirstStepShape]
    pairs: list[PairShape]
    fair: bool
    verdict: str


SHAPES = {"compare": ComparisonShape}
