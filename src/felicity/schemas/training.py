"""Answers about trainings: a run, its folds, trials of settings."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from felicity.schemas.shape import Count, JsonObject, Shape

ExactShare = Annotated[float, Field(ge=0, le=1)]
"""A share with all its digits, so that an answer equals the file of the run."""


class EpochShape(Shape):
    """Figures of one epoch."""

    epoch: int = Field(ge=1)
    loss: float = Field(description="Mean loss over the steps of the epoch.")
    accuracy: ExactShare = Field(description="Accuracy on the augmented training set.")
    val_loss: float
    val_accuracy: ExactShare
    learning_rate: float = Field(description="Learning rate of the last step.")
    seconds: float = Field(ge=0, description="Seconds for the steps alone.")
    images_per_second: float = Field(ge=0)
    metrics: dict[str, float] = Field(description="Your own metrics on the validation set, by name.")

    @model_validator(mode="before")
    @classmethod
    def _before_there_were_metrics(cls, row: Any) -> Any:
        """Fill in fields that rows of older runs lack."""
        return {"metrics": {}} | row if isinstance(row, dict) else row


class TrainedShape(Shape):
    """A finished run."""

    run: str = Field(description="The folder of the run.")
    classes: list[str] = Field(description="Classes in the order of the answers.")
    history: list[EpochShape]


class FoldImagesShape(Shape):
    """Numbers of images of the parts of a fold."""

    train: Count
    validation: Count
    held_out: Count


class FoldShape(Shape):
    """One fold, measured on its held-out images."""

    fold: int = Field(ge=1)
    run: str = Field(description="Folder of its run, within the folder of the cross-validation.")
    images: FoldImagesShape
    best_epoch: int = Field(ge=1)
    seconds: float
    accuracy: ExactShare
    balanced_accuracy: ExactShare
    macro_f1: ExactShare
    happy_f1: ExactShare | None = Field(description="Null if happy is not a class.")
    loss: float
    history: list[EpochShape]


class SummaryShape(Shape):
    """A figure over all folds."""

    mean: float
    deviation: float = Field(description="Standard deviation over folds.")
    low: float = Field(description="Lower end of the interval of the mean.")
    high: float


class CrossValidatedShape(Shape):
    """A cross-validation; crossval.json holds the same figures."""

    folder: str
    format: int
    number_of_folds: int
    classes: list[str]
    data_digest: str
    config: JsonObject = Field(description="The settings, as in a configuration file.")
    complete: bool
    folds: list[FoldShape]
    summary: dict[str, SummaryShape] = Field(description="Summaries by figure.")
    confidence: ExactShare
    interval: str = Field(description="Kind of interval.")


class TrialShape(Shape):
    """One trial; its figures are null if it did not finish."""

    number: Count
    state: str = Field(pattern="^(done|pruned|failed|impossible)$")
    val_loss: float | None
    val_accuracy: ExactShare | None
    best_epoch: int | None
    epochs: Count
    seconds: float | None
    settings: JsonObject = Field(description="Settings by dotted name.")
    sentence: str | None = Field(description="The reason why the trial failed, or is impossible.")
    history: list[EpochShape]


class BestTrialShape(TrialShape):
    """The trial with the least validation loss, and its whole configuration."""

    config: JsonObject


class TunedShape(Shape):
    """A study of settings; tuning.json holds the same figures."""

    folder: str
    format: int
    study: str
    model: str
    backend: str
    epochs: int
    space: dict[str, JsonObject] = Field(description="The searched settings, by dotted name.")
    best: BestTrialShape
    importances: dict[str, ExactShare] | None = Field(description="Importance of each setting for good trials, 0 to 1.")
    trials: list[TrialShape] = Field(description="Trials that count.")
    impossible: list[TrialShape] = Field(
        description="Trials that were skipped and not counted, because the network cannot be built."
    )
    storage: str = Field(description="Place of the trials, without a password.")


SHAPES = {"train": TrainedShape, "crossval": CrossValidatedShape, "tune": TunedShape}
