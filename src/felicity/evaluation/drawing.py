"""Pictures of an evaluation, as PNG: confusion matrix, reliability diagram, ROC curves, a sheet of mistakes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.datasets.charts import GRID, INK, MUTED, bare, heat_map
from felicity.datasets.samples import Image
from felicity.evaluation.roc import auc, curve
from felicity.labels import Expression
from felicity.metrics.calibration import BINS, Reliability
from felicity.metrics.classification import Floats, Rows

DOTS_PER_INCH = 130
BLUE, RED, ORANGE = "#2f6f9f", "#c8553d", "#e39a2d"
LINES = ("#2f6f9f", "#5b9b6b", "#8a6fb0", "#c8553d", "#3aa6a6", "#8c6239", "#8795a6", "#1d2733", "#c96aa5")
FEW = 10
"""Bins of fewer images are drawn pale."""
FACE, CAPTION, GAP, COLUMNS = 96, 30, 8, 8
"""Of the sheet of mistakes, in pixels."""


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
    canvas = Canvas(max(4.4, 1.9 + 0.72 * len(classes)), 1.5 + 0.56 * len(there))
    axis = canvas.figure.add_subplot()
    rows = [f"{classes[int(i)]} ({n:,})" for i, n in zip(there, total, strict=True)]
    heat_map(axis, counts / total[:, None], rows, classes, counts)
    bare(axis, title)
    axis.set_xlabel("answer", loc="left", fontsize=9, color=MUTED)
    axis.set_ylabel("label (images)", loc="top", fontsize=9, color=MUTED)
    return canvas.png()


def reliability_png(found: Reliability, title: str) -> bytes:
    """Accuracy of the answers by their probability, beside the diagonal of perfect calibration; and how many of each.

    ``found``: of one set of images, fields ``(BINS,)``.
    """
    canvas = Canvas(5.2, 5.6)
    above, below = canvas.figure.subplots(2, 1, sharex=True, height_ratios=(3.4, 1))
    there = found.count > 0
    middle = (np.arange(BINS) + 0.5)[there] / BINS
    accuracy, confidence = (part[there] / found.count[there] for part in (found.right, found.confidence))
    above.plot((0, 1), (0, 1), color=MUTED, linewidth=0.9, linestyle=":", label="perfectly calibrated")
    many = found.count[there] >= FEW
    above.bar(middle[many], accuracy[many], 0.92 / BINS, color=BLUE, alpha=0.85, label="accuracy of these answers")
    above.bar(middle[~many], accuracy[~many], 0.92 / BINS, color=BLUE, alpha=0.3)
    above.vlines(confidence, accuracy, confidence, color=RED, linewidth=1.6, label="gap to their mean probability")
    above.plot(confidence, confidence, ".", color=RED, markersize=4)
    above.set(ylim=(0, 1), ylabel="accuracy")
    above.legend(frameon=False, fontsize=8, loc="upper left", labelcolor=INK)
    below.bar(middle, found.count[there], 0.92 / BINS, color=MUTED)
    below.set(xlim=(0, 1), xlabel="probability of the answer", ylabel="images")
    for axis in (above, below):
        bare(axis, f"{title}: calibration error {float(found.ece):.3f}" if axis is above else "")
        _percent_axis(axis.xaxis)
        axis.grid(axis="y", color=GRID, linewidth=0.6)
        axis.set_axisbelow(True)
    _percent_axis(above.yaxis)
    return canvas.png()


def roc_png(labels: Rows, probabilities: Floats, classes: Sequence[str], title: str) -> bytes:
    """Curves of each class against the rest, happy's drawn thick. ``labels`` (N,), ``probabilities`` (N, C)."""
    canvas = Canvas(5.8, 5.4)
    axis = canvas.figure.add_subplot()
    axis.plot((0, 1), (0, 1), color=MUTED, linewidth=0.9, linestyle=":")
    for i, name in enumerate(classes):
        positive = labels == i
        if not positive.any() or positive.all():
            continue
        false, true = curve(positive, probabilities[:, i])
        area = float(auc(positive, probabilities[:, i], np.ones((1, len(labels))))[0])
        style: dict[str, Any] = {"color": LINES[i % len(LINES)], "linewidth": 1.1}
        if name == Expression.HAPPY:
            style = {"color": ORANGE, "linewidth": 2.6, "zorder": 3}
        axis.plot(false, true, label=f"{name} {area:.3f}", **style)
    axis.set(xlim=(0, 1), ylim=(0, 1.005), xlabel="false positive rate", ylabel="true positive rate")
    bare(axis, title)
    _percent_axis(axis.xaxis)
    _percent_axis(axis.yaxis)
    axis.grid(color=GRID, linewidth=0.6)
    axis.legend(frameon=False, fontsize=8.5, loc="lower right", title="area under the curve", title_fontsize=8.5)
    return canvas.png()


def _percent_axis(axis: Any) -> None:
    from matplotlib.ticker import PercentFormatter

    axis.set_major_formatter(PercentFormatter(1, decimals=0))


def mistakes_sheet(images: Image, captions: Sequence[tuple[str, str]]) -> Image:
    """A sheet uint8 ``(H, W, 3)`` RGB of ``images`` (N, S, S[, 3]), each with two lines of text below."""
    from PIL import Image as Pillow
    from PIL import ImageDraw, ImageFont

    lines = -(-len(images) // COLUMNS)
    width = GAP + min(COLUMNS, len(images)) * (FACE + GAP)
    sheet = Pillow.new("RGB", (width, GAP + lines * (FACE + CAPTION + GAP)), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for i, (image, (first, second)) in enumerate(zip(images, captions, strict=True)):
        left, top = GAP + i % COLUMNS * (FACE + GAP), GAP + i // COLUMNS * (FACE + CAPTION + GAP)
        sheet.paste(Pillow.fromarray(image).resize((FACE, FACE), Pillow.Resampling.BICUBIC), (left, top))
        pen.text((left, top + FACE + 1), first, font=font, fill=INK)
        pen.text((left, top + FACE + 14), second, font=font, fill=RED)
    return np.array(sheet)
