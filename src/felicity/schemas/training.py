"""Answers about trainings: a run, its folds, trials of settings."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from felicity.schemas.shape import Count, JsonObject, Shape

ExactShare = Annotated[float, Field(ge=0, le=1)]
"""A share as a run keeps it, to the last digit, so that an answer equals the file."""


class EpochShape(Shape):
    """Figures of one epoch."""

    epoch: int = Field(ge=1)
    loss: float = Field(description="Mean over the steps of the epoch.")
    accuracy: ExactShare = Field(description="On the training part, augmented as it was trained on.")
    val_loss: float
    val_accuracy: ExactShare
    learning_rate: float = Field(description="Of the last step.")
    seconds: float = Field(ge=0, description="Of the steps alone.")
    images_per_second: float = Field(ge=0)


class TrainedShape(Shape):
    """A run that was trained."""

    run: str = Field(description="Its folder.")
    classes: list[str] = Field(description="In the order of the answers.")
    history: list[EpochShape]


class FoldImagesShape(Shape):
    """Images of the parts of a fold."""

    train: Count
    validation: Count
    held_out: Count


class FoldShape(Shape):
    """One fold, measured on the images held out of it."""

    fold: int = Field(ge=1)
    run: str = Field(description="Folder of its run, within the folder of the cross-validation.")
    images: FoldImagesShape
    best_epoch: int = Field(ge=1)
    seconds: float
    accuracy: ExactShare
    balanced_accuracy: ExactShare
    macro_f1: ExactShare
    happy_f1: ExactShare | None = Field(description="Null where happy is no class.")
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
    summary: dict[str, SummaryShape] = Field(description="By figure.")
    confidence: ExactShare
    interval: str = Field(description="What the interval is.")


class TrialShape(Shape):
    """One trial; figures are null where it did not come to its end."""

    number: Count
    state: str = Field(pattern="^(done|pruned|failed)$")
    val_loss: float | None
    val_accuracy: ExactShare | None
    best_epoch: int | None
    epochs: Count
    seconds: float | None
    settings: JsonObject = Field(description="By dotted name.")
    sentence: str | None = Field(description="Why it failed.")
    history: list[EpochShape]


class BestTrialShape(TrialShape):
    """The trial with the least validation loss, and the whole configuration that it stands for."""

    config: JsonObject


class TunedShape(Shape):
    """A study of settings; tuning.json holds the same figures."""

    folder: str
    format: int
    study: str
    model: str
    backend: str
    epochs: int
    space: dict[str, JsonObject] = Field(description="What was tuned, by dotted name.")
    best: BestTrialShape
    importances: dict[str, ExactShare] | None = Field(
        description="ExactShare of each setting in what tells good trials apart."
    )
    trials: list[TrialShape]
    storage: str = Field(description="Where trials are kept, without a password.")


SHAPES = {"train": TrainedShape, "crossval": CrossValidatedShape, "tune": TunedShape}
