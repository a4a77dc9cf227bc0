"""An evaluation as tables for other programs: its figures, its answers image by image, its confusion matrix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from felicity.evaluation import tables
from felicity.evaluation.evaluate import Evaluation, Result
from felicity.evaluation.figures import PER_CLASS, Figures
from felicity.style.latex import Printed

Row = dict[str, Any]


def prediction_rows(evaluation: Evaluation) -> list[Row]:
    """Return a row for each image by each convention: its label, the answer, and the probability of each class.

    ``seen_in_training``: the training set holds a duplicate, a near-duplicate or the same subject. ``group``: images of
    one number belong together. None stands for a class that a convention does not have.
    """
    classes = _classes(evaluation)
    return [row for result in evaluation.results for row in _predictions(result, classes)]


def _predictions(result: Result, classes: list[str]) -> Iterator[Row]:
    chosen, found = result.chosen, result.all
    answers = found.probabilities.argmax(1)
    columns = {f"probability_{name}": None for name in classes}
    for i, name in enumerate(chosen.names.tolist()):
        label, answer = (chosen.classes[int(place)] for place in (chosen.labels[i], answers[i]))
        given = zip(chosen.classes, found.probabilities[i].tolist(), strict=True)
        yield {
            "labels": result.title,
            "image": name,
            "label": label,
            "answer": answer,
            "right": label == answer,
            "group": int(chosen.groups[i]),
            "seen_in_training": bool(chosen.seen[i]),
        } | columns | {f"probability_{one}": p for one, p in given}  # fmt: skip


def confusion_rows(evaluation: Evaluation) -> list[Row]:
    """Return a row for each label by each convention: the number of its images with each answer."""
    columns = {f"answered_{name}": None for name in _classes(evaluation)}
    return [
        {"labels": result.title, "label": name} | columns
        | {f"answered_{answer}": int(n) for answer, n in zip(result.all.classes, counts, strict=True)}
        for result in evaluation.results
        for name, counts in zip(result.all.classes, result.all.scores.confusion.tolist(), strict=True)
    ]  # fmt: skip


def figure_rows(evaluation: Evaluation) -> list[Row]:
    """Return a row for each figure with its 95 % interval, of all images and of those without a duplicate in training.

    ``class`` is None if a figure is of all classes.
    """
    return [
        {"labels": result.title, "images": images, "n": len(found)} | row
        for result in evaluation.results
        for images, found in (("all", result.all), ("not seen in training", result.unseen))
        if found is not None and (found is not result.unseen or result.seen)
        for row in _figures(found)
    ]


def _figures(found: Figures) -> Iterator[Row]:
    for name in tables.NAMES:
        if name in found.found:
            yield {"class": None, "figure": name} | found.found[name].plain()
    for i, of in enumerate(found.classes):
        for name in PER_CLASS:
            yield {"class": of, "figure": name} | found.found[name][i].plain()


def printed(evaluation: Evaluation) -> list[Printed]:
    """Return the figures for people, two tables for each convention."""
    made = []
    for result in evaluation.results:
        title = f"{evaluation.model}, {evaluation.split}, {result.title}, 95 % intervals"
        for columns, rows in (tables.overview(result), tables.classes(result.all)):
            made.append(Printed(title, columns, rows))
    return made


def _classes(evaluation: Evaluation) -> list[str]:
    """Return the classes of all conventions, in the order of their appearance."""
    return list(dict.fromkeys(name for result in evaluation.results for name in result.all.classes))
