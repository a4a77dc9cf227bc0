"""Answers about evaluations: figures with their intervals."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from pydantic import Field

from felicity.schemas.envelope import NoteShape
from felicity.schemas.shape import Count, Shape

Number = float | None
"""A figure; null if it is not defined, such as the recall of a class without images."""
Interval = tuple[Number, Number]
"""Lower and upper end of a 95 % interval."""
T = TypeVar("T")


class ClassFiguresShape(Shape, Generic[T]):
    """Figures of one class against all others; shares are 0 to 1."""

    precision: T
    recall: T
    f1: T
    auc: T = Field(description="Area under the ROC curve.")
    average_precision: T = Field(description="Area under the precision-recall curve, as a step function.")
    n: Count = Field(description="Images of the class.")


class HappyFiguresShape(Shape, Generic[T]):
    """Figures of happy against all other classes."""

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
    kappa: T = Field(description="Cohen's kappa, -1 to 1.")
    macro_auc: T
    ece: T = Field(description="Expected calibration error.")
    brier: T
    log_loss: T = Field(description="Log loss in nats.")
    confusion_shares: list[list[T]] = Field(description="For each class, the share of its images with each answer.")
    happy: HappyFiguresShape[T] | None = Field(description="Null if happy is not a class of its own.")
    per_class: dict[str, ClassFiguresShape[T]]


class FiguresShape(OverallShape[Number]):
    """Figures of labelled images, and their 95 % intervals in the same order."""

    n: Count = Field(description="Number of images.")
    groups: Count = Field(
        description=("Independent groups of images; near-duplicates, or images of one subject, form a group.")
    )
    classes: list[str]
    confusion: list[list[Count]] = Field(description="Images by label (rows) and answer (columns).")
    intervals: OverallShape[Interval]


class ResultShape(Shape):
    """The figures by one convention of labels."""

    labels: str = Field(description="The source of the labels, and the form of the model's answers.")
    figures: FiguresShape
    seen_in_training: Count = Field(
        description="Images that have a near-duplicate or the same subject in the training set."
    )
    without_seen_in_training: FiguresShape | None = Field(
        description="Figures of the other images; null if there are none."
    )
    notes: list[NoteShape]


class FitShape(Shape):
    """The diagnosis of a run: overfitted, underfitted, or neither."""

    verdict: str
    text: str
    evidence: dict[str, Any] = Field(description="The figures behind the verdict.")


class EvaluationShape(Shape):
    """An evaluation of a model on images of a data set."""

    model: str
    data: str = Field(description="Path of the data set.")
    split: str = Field(description="The measured split or fold; 'all' for every image.")
    results: list[ResultShape] = Field(description="Results by each convention of labels, the requested one first.")
    fit: FitShape | None = Field(description="Null for a bundle, which holds no history.")


class EstimateShape(Shape):
    """A figure with its 95 % interval."""

    value: Number
    low: Number
    high: Number


class GroupShape(Shape):
    """People who share one value of a column."""

    name: str
    pictures: Count
    people: Count
    happy: Count = Field(description="Number of pictures labelled happy.")
    found: EstimateShape = Field(description="Share of pictures in which a face is found.")
    refused: EstimateShape = Field(description="Share of found faces that cannot be judged.")
    recall: EstimateShape = Field(description="Share of judged happy faces that are called happy.")
    false_positive_rate: EstimateShape = Field(description="Share of other judged faces that are called happy.")
    index: EstimateShape | None = Field(description="Happy share of the index where a known share is happy.")


class ApartShape(Shape):
    """The two groups whose indices differ most, where the same share of both is happy."""

    higher: str
    lower: str
    difference: EstimateShape


class ColumnShape(Shape):
    """The groups of a column, and the tests for differences between them."""

    name: str
    groups: list[GroupShape]
    p: dict[str, Number] = Field(
        description=("By rate, the p-value of the differences between groups (permutation test, Holm); null if none.")
    )
    apart: ApartShape | None


class ServingShape(Shape):
    """The rates of a bundle by groups of people."""

    model: str
    data: str = Field(description="Path of the data set.")
    share: float = Field(description="True happy share at which the index of groups is compared.")
    everybody: GroupShape
    columns: list[ColumnShape]


SHAPES = {"evaluate": EvaluationShape, "evaluate-by": ServingShape}
