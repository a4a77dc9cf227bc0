"""An evaluation as one self-contained HTML file, and as pictures in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from felicity.datasets.report import small_png
from felicity.evaluation import tables
from felicity.evaluation.drawing import (
    draw_confusion,
    draw_precision_recall,
    draw_reliability,
    draw_roc,
    mistakes_sheet,
)
from felicity.evaluation.evaluate import Evaluation, Result
from felicity.files import make_folder, write_whole
from felicity.style.charts import save_each, to_svg
from felicity.style.numbers import share
from felicity.style.pages import data_uri, render_page
from felicity.training.curves import draw_curves

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

MISTAKES = 40
CURVES = "Accuracy and loss by epoch, training and validation"
ALTERNATIVES = {
    "confusion": "Confusion matrix: labels down, answers across",
    "reliability": "Reliability diagram",
    "roc": "ROC curves",
    "precision_recall": "Precision-recall curves",
}


def pictures(evaluation: Evaluation, number: int) -> dict[str, Canvas]:
    """Draw the pictures of result ``number``, by name."""
    result = evaluation.results[number]
    found, title = result.all, f"{evaluation.model}, {evaluation.split}, {result.title}"
    return {
        "confusion": draw_confusion(found.scores.confusion, found.classes, title),
        "reliability": draw_reliability(found.reliability, result.title),
        "roc": draw_roc(found.labels, found.probabilities, found.classes, f"{result.title}: ROC"),
        "precision_recall": draw_precision_recall(
            found.labels, found.probabilities, found.classes, f"{result.title}: precision and recall"
        ),
    }


def write_pictures(evaluation: Evaluation, folder: Path) -> list[Path]:
    """Write the charts of all results as PNG, SVG and PDF, and sheets of mistakes, which show images of the data set.

    Raises ConfigError if ``folder`` cannot be written.
    """
    make_folder(folder)
    written = []
    for number, result in enumerate(evaluation.results):
        before = f"labels-{number + 1}-" if number else ""
        for name, canvas in pictures(evaluation, number).items():
            written += save_each(canvas, folder / f"{before}{name}")
        if rows := result.mistakes(MISTAKES):
            written.append(folder / f"{before}mistakes.png")
            write_whole(written[-1], _sheet(result, rows))
    if evaluation.history:
        written += save_each(draw_curves(evaluation.history, evaluation.model), folder / "curves")
    return written


def write_evaluation(evaluation: Evaluation, path: Path) -> None:
    """Write the report to ``path``, whole or not at all. Raises ConfigError."""
    first = evaluation.results[0]
    headline = [
        (tables.shown(first.all.found[name], name), title)
        for name, title in tables.NAMES.items()
        if name in ("accuracy", "balanced_accuracy", "macro_f1", "happy_f1", "ece") and name in first.all.found
    ]
    page = render_page(
        Path(__file__).with_name("evaluation.html.j2"),
        title=evaluation.model,
        evaluation=evaluation,
        curves=to_svg(draw_curves(evaluation.history, ""), "curves", CURVES) if evaluation.history else "",
        headline=[(text.split(" (")[0], text.partition("(")[2].rstrip(")"), title) for text, title in headline],
        results=[
            {
                "title": result.title,
                "notes": [tables.about_duplicates(result), *result.chosen.notes],
                "overview": tables.overview(result),
                "classes": tables.classes(result.all),
                "mistakes": [_figure(result, row) for row in result.mistakes(MISTAKES)],
                **{
                    name: to_svg(canvas, f"{name}-{number}", ALTERNATIVES[name])
                    for name, canvas in pictures(evaluation, number).items()
                },
            }
            for number, result in enumerate(evaluation.results)
        ],
    )
    write_whole(path, page.encode())


def _captions(result: Result, row: int) -> tuple[str, str]:
    """Return captions: an image's label, and the model's answer."""
    found = result.all
    p = found.probabilities[row]
    return found.classes[int(found.labels[row])], f"{found.classes[int(p.argmax())]} {share(float(p.max()), 0)}"


def _figure(result: Result, row: int) -> dict[str, str]:
    label, answer = _captions(result, row)
    return {"image": data_uri(small_png(result.chosen.images[row])), "label": label, "answer": answer}


def _sheet(result: Result, rows: list[int]) -> bytes:
    sheet = mistakes_sheet(result.chosen.images[rows], [_captions(result, row) for row in rows])
    return cv2.imencode(".png", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))[1].tobytes()
