"""Results of trainings: folders, figures, data frames and charts, for notebooks."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from felicity.style import numbers
from felicity.style.notebook import Shown, to_frame

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

    from felicity.notes import Note
    from felicity.style.document import Block
    from felicity.training.config import TrainConfig


@dataclass(frozen=True)
class TrainingResult(Shown):
    """A run. ``history``: a row of figures per epoch. ``classes``: in the order of the answers."""

    folder: Path
    config: TrainConfig = field(repr=False)
    classes: tuple[str, ...]
    history: list[dict[str, Any]] = field(repr=False)
    notes: tuple[Note, ...] = ()

    @property
    def best(self) -> dict[str, Any]:
        """Return the epoch with the least validation loss, whose weights are kept."""
        return min(self.history, key=lambda row: float(row["val_loss"]))

    @property
    def frame(self) -> Any:
        """Return a ``pandas.DataFrame``: a row per epoch."""
        from felicity.training.history import as_row

        return to_frame(map(as_row, self.history), index="epoch")

    @property
    def figure(self) -> Canvas:
        """Draw the learning curves."""
        from felicity.training.curves import draw_curves

        return draw_curves(self.history, f"{self.config.model.name} on {self.config.backend}")

    @property
    def blocks(self) -> list[Block]:
        """Return the blocks that a notebook shows."""
        from felicity.style.document import Items, Picture

        best = self.best
        said = (
            f"`{self.folder}` tells {', '.join(self.classes)} apart. Best: epoch {best['epoch']} of "
            f"{len(self.history)}, validation {numbers.share(best['val_accuracy'])}, loss {best['val_loss']:.3f}"
        )
        curves = Picture("curves", "Accuracy and loss by epoch, training and validation", self.figure)
        return [said, *_listed(Items, self.notes), curves]


@dataclass(frozen=True)
class CrossValidation(Shown):
    """Folds and their summary. ``figures``: the contents of ``crossval.json``."""

    folder: Path
    config: TrainConfig = field(repr=False)
    figures: dict[str, Any] = field(repr=False)
    notes: tuple[Note, ...] = ()

    @property
    def frame(self) -> Any:
        """Return a ``pandas.DataFrame``: the scores of each fold on its held-out images."""
        names = ("fold", *self.figures["summary"])
        return to_frame([{name: fold.get(name) for name in names} for fold in self.figures["folds"]], index="fold")

    @property
    def summary(self) -> Any:
        """Return a ``pandas.DataFrame``: mean and 95 % interval of each figure over folds."""
        return to_frame([{"figure": name} | told for name, told in self.figures["summary"].items()], index="figure")

    @property
    def figure(self) -> Canvas:
        """Draw learning curves and scores by fold."""
        from felicity.training.crossval_chart import draw_crossval

        return draw_crossval(self.figures)

    @property
    def blocks(self) -> list[Block]:
        """Return the blocks that a notebook shows."""
        from felicity.style.document import Items, Picture

        chart = Picture("crossval", "Learning curves and scores by fold", self.figure)
        said = f"`{self.folder}`: {len(self.figures['folds'])} folds, each measured on the images that it held out."
        return [said, *_listed(Items, self.notes), chart]


@dataclass(frozen=True)
class Tuning(Shown):
    """Trials and the best of them. ``figures``: the contents of ``tuning.json``."""

    folder: Path
    config: TrainConfig = field(repr=False)
    figures: dict[str, Any] = field(repr=False)
    notes: tuple[Note, ...] = ()

    @property
    def frame(self) -> Any:
        """Return a ``pandas.DataFrame``: a row per trial with its settings."""
        trials = self.figures["trials"]
        rows = [
            {"trial": trial["number"], "state": trial["state"], "val_loss": trial["val_loss"]} | trial["settings"]
            for trial in trials
        ]
        return to_frame(rows, index="trial")

    @property
    def figure(self) -> Canvas:
        """Draw validation loss by trial, and the importance of each setting."""
        from felicity.training.tuning.charts import draw_tuning

        return draw_tuning(self.figures)

    @property
    def blocks(self) -> list[Block]:
        """Return the blocks that a notebook shows."""
        from felicity.style.document import Items, Picture

        chart = Picture("tuning", "Validation loss by trial and importance of settings", self.figure)
        trials, over = len(self.figures["trials"]), len(self.figures["impossible"])
        passed = f", {over} more skipped, because their networks cannot be built" if over else ""
        said = f"`{self.folder}`: {trials} trials{passed}; the best settings are in `best.toml`."
        return [said, *_listed(Items, self.notes), chart]


def _listed(kind: Any, notes: tuple[Note, ...]) -> list[Block]:
    return [kind([str(note) for note in notes])] if notes else []
