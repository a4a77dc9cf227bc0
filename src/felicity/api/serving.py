"""Fairness: the rates of a bundle by groups of people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from felicity.api.selection import counting_classifier, to_path

if TYPE_CHECKING:
    from felicity.datasets import Samples
    from felicity.evaluation.people import Serving


def compare_people(
    model: str | Path,
    data: str | Path,
    by: Sequence[str],
    *,
    people: str | Path | None = None,
    detector: str | None = None,
    split: str | None = None,
    format: str | None = None,
    draws: int = 1000,
    seed: int = 1,
    on_progress: Callable[[int, int], None] | None = None,
) -> Serving:
    """Measure how often people of each group are found, refused, and rightly or wrongly called happy.

    ``model``: a bundle's folder or name. ``data``: labelled pictures. ``by``: columns of ``people``, a CSV that names
    the images; None stands for the one in the folder ``data``. ``detector``: finds the faces, as for a camera; None if
    the pictures are faces already. ``split``: one fold of the data. Nothing of the pictures is kept. Raises
    DatasetError, BundleError and DetectorError.
    """
    from felicity.datasets import open_dataset
    from felicity.evaluation.people import serving
    from felicity.evaluation.people.attributes import PEOPLE, read_attributes
    from felicity.evaluation.people.faces import see
    from felicity.faces.registry import open_detector

    path = to_path(data, "data")
    classifier = counting_classifier(model)
    samples = _fold(open_dataset(path, format), split)
    columns = list(dict.fromkeys(column.lower() for column in by))
    said = read_attributes(path, None if people is None else to_path(people, "people"), samples.names, columns)
    finder = None if detector is None else open_detector(detector)
    seen = see(samples, classifier, finder, on_progress=on_progress)
    rows = {name: i for i, name in enumerate(samples.names.tolist())}
    kept = [rows[name] for name in seen.names.tolist()]
    shown = next((said[name][kept] for name in PEOPLE if name in said), None)
    if shown is not None:
        seen = replace(seen, people=shown)
    return serving(
        seen,
        {column: said[column][kept] for column in columns},
        classifier.bundle.soft_matrix,
        model=classifier.bundle.id,
        data=str(path),
        draws=draws,
        seed=seed,
    )


def _fold(samples: Samples, split: str | None) -> Samples:
    import numpy as np

    from felicity.errors import DatasetError

    if split is None or split.lower() == "all":
        return samples
    rows = np.flatnonzero(np.char.lower(samples.folds) == split.lower())
    if not len(rows):
        there = ", ".join(sorted(set(samples.folds.tolist()) - {""})) or "none"
        raise DatasetError(f"fold {split!r} has no images; there are {there}, and all")
    return samples.take(rows)
