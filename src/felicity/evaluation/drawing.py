"""Pictures of an evaluation: confusion matrix, reliability, ROC and precision-recall curves, a sheet of mistakes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from felicity.datasets.samples import Image
from felicity.evaluation.threshold_curves import auc, average_precision, precision_recall_curve, roc_curve
from felicity.labels import Expression, parse_expression
from felicity.metrics.calibration import BINS, Reliability
from felicity.metrics.classification import Floats, Rows
from felicity.style.charts import new_canvas, style
from felicity.style.marks import bare, grid, heat_map, share_tick
from felicity.style.numbers import count, number, share
from felicity.style.palette import ACCENT, BAD, EXPRESSION, INK, MUTED, PAPER, SERIES

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

FEW = 10
"""Number of images below which bins are drawn pale."""
FACE, CAPTION, GAP, COLUMNS = 96, 30, 8, 8
"""Sizes on the sheet of mistakes, in pixels, and its number of columns."""


@style()
def draw_confusion(matrix: npt.NDArray[Any], classes: Sequence[str], title: str) -> Canvas:
    """Draw labels down, answers across: the share of each answer for each label, with the number of images below it.

    ``matrix``: counts ``(C, C)``. Labels without images are left out.
    """
    there = np.flatnonzero(matrix.sum(1))
    counts = matrix[there]
    total = counts.sum(1)
    canvas = new_canvas(1.5 + 0.56 * len(there), max(4.4, 1.9 + 0.72 * len(classes)))
    axis = canvas.add_subplot()
    rows = [f"{classes[int(i)]} ({count(n)})" for i, n in zip(there, total, strict=True)]
    heat_map(axis, counts / total[:, None], rows, classes, counts)
    bare(axis, title)
    axis.set_xlabel("answer", loc="left")
    axis.set_ylabel("label (images)", loc="top")
    return canvas


@style()
def draw_reliability(found: Reliability, title: str) -> Canvas:
    """Draw the accuracy of answers by their probability, beside the diagonal of perfect calibration, and their numbers.

    ``found``: of one set of images, fields ``(BINS,)``.
    """
    canvas = new_canvas(5.6, 5.2)
    above, below = canvas.subplots(2, 1, sharex=True, height_ratios=(3.4, 1))
    there = found.count > 0
    middle = (np.arange(BINS) + 0.5)[there] / BINS
    accuracy, confidence = (part[there] / found.count[there] for part in (found.right, found.confidence))
    above.plot((0, 1), (0, 1), color=MUTED, linewidth=0.9, linestyle=":", label="perfectly calibrated")
    many = found.count[there] >= FEW
    above.bar(middle[many], accuracy[many], 0.92 / BINS, color=ACCENT, alpha=0.85, label="accuracy of these answers")
    above.bar(middle[~many], accuracy[~many], 0.92 / BINS, color=ACCENT, alpha=0.3)
    above.vlines(confidence, accuracy, confidence, color=BAD, linewidth=1.6, label="gap to their mean probability")
    above.plot(confidence, confidence, ".", color=BAD, markersize=4)
    above.set(ylim=(0, 1), ylabel="accuracy")
    above.legend(loc="upper left")
    below.bar(middle, found.count[there], 0.92 / BINS, color=MUTED)
    below.set(xlim=(0, 1), xlabel="probability of the answer", ylabel="images")
    for axis in (above, below):
        bare(axis, f"{title}: calibration error {number(float(found.ece), 3)}" if axis is above else "")
        axis.xaxis.set_major_formatter(share_tick)
        grid(axis, "y")
    above.yaxis.set_major_formatter(share_tick)
    return canvas


@style()
def draw_roc(labels: Rows, probabilities: Floats, classes: Sequence[str], title: str) -> Canvas:
    """Draw curves of each class against the rest, happy's thick. ``labels`` (N,), ``probabilities`` (N, C)."""
    canvas, axis = _shares("false positive rate", "true positive rate", title)
    axis.plot((0, 1), (0, 1), color=MUTED, linewidth=0.9, linestyle=":")
    for i, positive in _against_rest(labels, classes):
        area = float(auc(positive, probabilities[:, i], np.ones((1, len(labels))))[0])
        axis.plot(*roc_curve(positive, probabilities[:, i]), **_line(classes[i], i, area))
    axis.legend(loc="lower right", title="area under the curve", title_fontsize=8.5)
    return canvas


@style()
def draw_precision_recall(labels: Rows, probabilities: Floats, classes: Sequence[str], title: str) -> Canvas:
    """Draw precision by recall of each class; the legend gives average precision and share of the class."""
    canvas, axis = _shares("recall", "precision", title)
    for i, positive in _against_rest(labels, classes):
        average = float(average_precision(positive, probabilities[:, i], np.ones((1, len(labels))))[0])
        look = _line(classes[i], i, average)
        look["label"] += f" ({share(float(positive.mean()), 0)})"
        recall, precision = precision_recall_curve(positive, probabilities[:, i])
        axis.step(np.append(0, recall), np.append(precision[0], precision), where="pre", **look)
    axis.legend(loc="lower left", title="average precision (share of the images)", title_fontsize=8.5)
    return canvas


def _shares(across: str, up: str, title: str) -> tuple[Canvas, Any]:
    """Draw an empty square of two shares."""
    canvas = new_canvas(5.4, 5.8)
    axis = canvas.add_subplot()
    axis.set(xlim=(0, 1), ylim=(0, 1.005), xlabel=across, ylabel=up)
    bare(axis, title)
    axis.xaxis.set_major_formatter(share_tick)
    axis.yaxis.set_major_formatter(share_tick)
    return canvas, axis


def _against_rest(labels: Rows, classes: Sequence[str]) -> Iterator[tuple[int, npt.NDArray[np.bool_]]]:
    """Yield each class that some images have and others lack, with a mask of those that have it."""
    for i in range(len(classes)):
        positive = labels == i
        if positive.any() and not positive.all():
            yield i, positive


def _line(name: str, number_of: int, figure: float) -> dict[str, Any]:
    happy = name == Expression.HAPPY
    return {
        "label": f"{name} {number(figure, 3)}",
        "color": _colour(name, number_of),
        "linewidth": 2.6 if happy else 1.1,
        "zorder": 3 if happy else 2,
    }


def _colour(name: str, number_of: int) -> str:
    """Return the colour of the expression, if the class is one."""
    expression = parse_expression(name)
    return SERIES[number_of % len(SERIES)] if expression is None else EXPRESSION[expression]


def mistakes_sheet(images: Image, captions: Sequence[tuple[str, str]]) -> Image:
    """Return a sheet uint8 ``(H, W, 3)`` RGB of ``images`` (N, S, S[, 3]), each with two lines of text below."""
    from PIL import Image as Pillow
    from PIL import ImageDraw, ImageFont

    lines = -(-len(images) // COLUMNS)
    width = GAP + min(COLUMNS, len(images)) * (FACE + GAP)
    sheet = Pillow.new("RGB", (width, GAP + lines * (FACE + CAPTION + GAP)), str(PAPER))
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for i, (image, (first, second)) in enumerate(zip(images, captions, strict=True)):
        left, top = GAP + i % COLUMNS * (FACE + GAP), GAP + i // COLUMNS * (FACE + CAPTION + GAP)
        sheet.paste(Pillow.fromarray(image).resize((FACE, FACE), Pillow.Resampling.BICUBIC), (left, top))
        pen.text((left, top + FACE + 1), first, font=font, fill=INK)
        pen.text((left, top + FACE + 14), second, font=font, fill=BAD)
    return np.array(sheet)
