"""Answers about frameworks: what one changes when nothing else does."""

from __future__ import annotations

from pydantic import Field

from felicity.schemas.shape import JsonObject, Shape


class MeanShape(Shape):
    """A mean over seeds."""

    mean: float
    low: float | None = Field(description="Lower end of its 95 % interval; null for one seed.")
    high: float | None = Field(description="Upper end; both end where the figure's range does, such as at 0.")


class FrameworkShape(Shape):
    """Figures of one framework."""

    accuracy: dict[str, MeanShape] = Field(description="By part, 0 to 1.")
    loss: dict[str, MeanShape] = Field(description="By part.")
    seconds_per_epoch: MeanShape
    first_epoch_seconds: MeanShape
    peak_memory_mb: MeanShape


class FirstStepShape(Shape):
    """How far two frameworks are apart before anything was learnt."""

    contestant: str
    reference: str
    loss: float = Field(description="Relative difference.")
    median: float = Field(description="Of the differences of single gradients, relative to the largest.")
    largest: float
    fair: bool = Field(description="Whether float32 rounding explains the difference.")


class PairShape(Shape):
    """Two frameworks, paired by seed."""

    one: str
    other: str
    test_accuracy: MeanShape = Field(description="One less other.")
    p: float | None = Field(description="Paired t-test, Holm-corrected; null for one seed.")


class ComparisonShape(Shape):
    """A comparison of frameworks; comparison.json holds the same figures."""

    model: str
    config: JsonObject = Field(description="The settings, as in a configuration file.")
    seeds: list[int]
    data: JsonObject = Field(description="Images of each part, and a digest.")
    environment: JsonObject = Field(description="Versions and machine.")
    frameworks: dict[str, FrameworkShape]
    first_step: list[FirstStepShape]
    pairs: list[PairShape]
    fair: bool
    verdict: str


SHAPES = {"compare": ComparisonShape}
