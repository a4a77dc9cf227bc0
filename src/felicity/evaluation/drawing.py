"""Pictures of an evaluation, as PNG: confusion matrix, reliability diagram, ROC curves."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.datasets.charts import MUTED, bare, heat_map

DOTS_PER_INCH = 130


class Canvas:
    """A figure and, once drawn, its bytes as ``png``."""

    def __init__(self, width: float, height: float) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
        FigureCanvasAgg(self.figure)

    def png(self) -> bytes:
        """The same figure gives the same bytes."""
        file = io.BytesIO()
        self.figure.savefig(file, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
        return file.getvalue()


def confusion_png(matrix: npt.NDArray[Any], classes: Sequence[str], title: str) -> bytes:
    """Labels down, answers across: of each label the share answered so, and the number of images below it.

    ``matrix``: counts ``(C, C)``. Labels of no image are left out.
    """
    there = np.flatnonzero(matrix.sum(1))
    counts = matrix[there]
    total = counts.sum(1)
    canvas = Canvas(1.9 + 0.72 * len(classes), 1.5 + 0.56 * len(there))
    axis = canvas.figure.add_subplot()
    rows = [f"{classes[int(i)]} ({n:,})" for i, n in zip(there, total, strict=True)]
    heat_map(axis, counts / total[:, None], rows, classes, counts)
    bare(axis, title)
    axis.set_xlabel("answer", loc="left", fontsize=9, color=MUTED)
    axis.set_ylabel("label (images)", loc="top", fontsize=9, color=MUTED)
    return canvas.png()
