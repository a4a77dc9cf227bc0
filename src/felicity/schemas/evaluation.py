"""Answers about how well a model does: figures of an evaluation with their intervals."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from pydantic import Field

from felicity.schemas.envelope import NoteShape
from felicity.schemas.shape import Count, Shape

Number = float | None
"""A figure; null where it is not defined, such as the recall of a class without images."""
Interval = tuple[Number, Number]
"""The lower and the upper end of a 95 % interval."""
T = TypeVar("T")


class ClassFiguresShape(Shape, Generic[T]):
    """Figures of one class against all others; shares are 0 to 1."""

    precision: T
    recall: T
    f1: T
    auc: T = Field(description="Area under the ROC curve.")
    n: Count = Field(description="Images of the class.")


class HappyFiguresShape(Shape, Generic[T]):
    """Figures of happy against all else."""

    precision: T
    recall: T
    f1: T
    accuracy: T
    auc: T = Field(description="Area under the ROC curve.")


class OverallShape(Shape, Generic[T]):
    """Figures over all classes; shares are 0 to 1."""

    accuracy: T
    balanced_accuracy: T = Field(description="Mean recall of the classes with images.")
    macro_precision: T
    macro_f1: T
    weighted_precision: T
    weighted_f1: T
    macro_auc: T
    ece: T = Field(description="Expected calibration error.")
    brier: T
    log_loss: T = Field(description="Nats.")
    confusion_shares: list[list[T]] = Field(description="Of the images of each class, the share of each answer.")
    happy: HappyFiguresShape[T] | None = Field(description="Null where happy is no class.")
    per_class: dict[str, ClassFiguresShape[T]]


class FiguresShape(OverallShape[Number]):
    """Figures of labelled images, and their 95 % intervals in the same order."""

    n: Count = Field(description="Images.")
    groups: Count = Field(description="Independent groups of images; near-duplicates and a subject's form one.")
    classes: list[str]
    confusion: list[list[Count]] = Field(description="Images by label (rows) and answer (columns).")
    intervals: OverallShape[Interval]


class ResultShape(Shape):
    """The figures by one convention of labels."""

    labels: str = Field(description="Whose labels, and how the model answers.")
    figures: FiguresShape
    seen_in_training: Count = Field(description="Images with a near-duplicate or the same subject in training.")
    without_seen_in_training: FiguresShape | None = Field(description="Figures of the other images; null without any.")
    notes: list[NoteShape]


class FitShape(Shape):
    """Whether a run is over- or underfitted."""

    verdict: str
    text: str
    evidence: dict[str, Any] = Field(description="The figures that the verdict rests on.")


class EvaluationShape(Shape):
    """How well a model does on images of a data set."""

    model: str
    data: str = Field(description="Path of the data set.")
    split: str = Field(description="The split or fold that was measured; 'all' for every image.")
    results: list[ResultShape] = Field(description="By each convention of labels, the one asked for first.")
    fit: FitShape | None = Field(description="Null for a bundle, which holds no history.")


SHAPES = {"evaluate": EvaluationShape}
