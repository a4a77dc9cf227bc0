"""An evaluation with data frames and charts, for notebooks."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from felicity.evaluation.evaluate import Evaluation
from felicity.style.notebook import Shown, to_frame

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

    from felicity.style.document import Block


@dataclass(frozen=True, eq=False)
class Measured(Shown, Evaluation):
    """An evaluation; its data frames and charts show the first result, by the requested convention of labels."""

    @classmethod
    def of(cls, found: Evaluation) -> Measured:
        """Return the same evaluation in a form that notebooks show."""
        return cls(**{one.name: getattr(found, one.name) for one in fields(Evaluation)})

    @property
    def frame(self) -> Any:
        """Return a ``pandas.DataFrame``: each figure over all classes, with the ends of its 95 % interval."""
        told = self.results[0].all.found.items()
        rows = [(name, float(e.value), float(e.low), float(e.high)) for name, e in told if np.ndim(e.value) == 0]
        return to_frame(rows, ("figure", "value", "low", "high"), "figure")

    @property
    def by_class(self) -> Any:
        """Return a ``pandas.DataFrame``: precision, recall, F1 and area under ROC of each class."""
        told = self.results[0].all.plain()["per_class"]
        return to_frame([{"class": name} | row for name, row in told.items()], index="class")

    @property
    def confusion(self) -> Any:
        """Return a ``pandas.DataFrame``: images by label (rows) and answer (columns)."""
        found = self.results[0].all
        frame = to_frame(found.scores.confusion.astype(int).tolist(), found.classes)
        frame.index = list(found.classes)
        return frame

    @property
    def predictions(self) -> Any:
        """Return a ``pandas.DataFrame``: label, answer and probabilities of each image, by each convention."""
        from felicity.evaluation.rows import prediction_rows

        return to_frame(prediction_rows(self))

    @property
    def figures(self) -> dict[str, Canvas]:
        """Draw ``confusion``, ``reliability``, ``roc`` and ``precision_recall``."""
        from felicity.evaluation.report import pictures

        return pictures(self, 0)

    @property
    def blocks(self) -> list[Block]:
        """Return the blocks that a notebook shows."""
        from felicity.evaluation import tables
        from felicity.evaluation.report import ALTERNATIVES
        from felicity.style.document import Items, Picture, Table

        first = self.results[0]
        notes = [str(note) for note in (*self.notes, *first.chosen.notes)]
        return [
            f"{self.model}, {self.split} of `{self.data}`",
            Table(*tables.overview(first)),
            Table(*tables.classes(first.all)),
            *([Items(notes)] if notes else []),
            Picture("confusion", ALTERNATIVES["confusion"], self.figures["confusion"]),
        ]
