"""Folders of images with a table ``labels.csv``, or several folders with one each, that labels the images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np

from felicity.datasets.archives import Tree
from felicity.datasets.class_folders import fold_from_path, image_names
from felicity.datasets.label_columns import LabelColumns
from felicity.datasets.registry import ReadOptions
from felicity.datasets.samples import UNDECIDED, FileImages, Samples
from felicity.datasets.tables import rows_of
from felicity.labels import INDEX, parse_expression

TABLE = "labels.csv"


def tables_of(tree: Tree) -> list[str]:
    """Return the names of the tree's topmost ``labels.csv``: one, or several side by side in folders."""
    named = sorted(name for name in tree.names if name.rsplit("/", 1)[-1] == TABLE)
    top = min((name.count("/") for name in named), default=0)
    return [name for name in named if name.count("/") == top]


def read_labelled(tree: Tree, tables: Mapping[str, LabelColumns], options: ReadOptions, format: str) -> Samples:
    """Return the images that ``tables`` name, ordered by name, with the folds that folders or tables give.

    If no table names an image of a fold's folder (``test/``), that folder's images are labelled by their class folders,
    so that an official test set stays one. Raises DatasetError.
    """
    there = set(image_names(tree))
    rows: dict[str, tuple[int | None, str | None, str | None]] = {}
    left_out = Counter[str]()
    for where, name, label, fold, subject in _rows(tree, tables):
        expression = options.classes.expression(label, where)
        code = None if expression is None else INDEX[expression]
        if name not in there:
            left_out[f"named in {TABLE}, but missing"] += 1
        elif name not in rows:
            rows[name] = (code, fold, subject)
        elif rows[name][0] == code:
            left_out[f"rows of {TABLE} that repeat another"] += 1
        else:
            left_out[f"rows of {TABLE} that name an image again with another label"] += 1
    by_folder = _folds_of_their_own(tree, there - set(rows), {fold_from_path(name) for name in rows}, options)
    if strays := len(there) - len(rows) - len(by_folder):
        left_out[f"images that {TABLE} does not name"] = strays
    if nothing := sum(code is None for code, _, _ in [*rows.values(), *by_folder.values()]):
        left_out["labelled as no expression"] = nothing
    kept = sorted((name, row) for name, row in (rows | by_folder).items() if row[0] is not None)
    folders = [parse_expression(name.split("/")[-2]) if "/" in name else None for name, _ in kept]
    has_subjects = any(subject for _, (_, _, subject) in kept)
    return Samples(
        format=format,
        images=FileImages(tree, tuple(name for name, _ in kept)),
        labels=np.array([code for _, (code, _, _) in kept], dtype=np.int64),
        names=np.array([name for name, _ in kept], dtype=np.str_),
        folds=np.array(
            [fold if fold is not None else fold_from_path(name) for name, (_, fold, _) in kept], dtype=np.str_
        ),
        # Without a subject, an image shows a person of its own.
        subjects=np.array([subject or name for name, (_, _, subject) in kept]) if has_subjects else None,
        other_labels={"folder": np.array([UNDECIDED if e is None else INDEX[e] for e in folders], dtype=np.int64)},
        left_out=dict(left_out),
        remarks=_remarks(by_folder),
    )


def _rows(tree: Tree, tables: Mapping[str, LabelColumns]) -> Iterator[tuple[str, str, str, str | None, str | None]]:
    """Yield for each row its place, its image, and its label, fold and subject."""
    for table, columns in tables.items():
        root = table.removesuffix(TABLE)
        for where, cells in rows_of(tree, table, columns.names):
            path, label, fold, subject = columns.cells(cells)
            yield where, root + path.replace("\\", "/").removeprefix("./"), label, fold, subject


def _folds_of_their_own(
    tree: Tree, strays: set[str], covered: set[str], options: ReadOptions
) -> dict[str, tuple[int | None, str | None, str | None]]:
    """Return label, fold and subject of images in folders of folds that no table covers, by class folder."""
    found: dict[str, tuple[int | None, str | None, str | None]] = {}
    for name in sorted(strays):
        if (fold := fold_from_path(name)) and fold not in covered and name.split("/")[-2] != fold:
            expression = options.classes.expression(name.split("/")[-2], f"{tree.path}: {name}")
            found[name] = (None if expression is None else INDEX[expression], None, None)
    return found


def _remarks(by_folder: dict[str, tuple[int | None, str | None, str | None]]) -> tuple[str, ...]:
    folds = Counter(fold_from_path(name) for name in by_folder)
    return tuple(
        f"{TABLE} names no image in {fold}/; its {count:,} images are labelled by their class folders"
        for fold, count in sorted(folds.items())
    )
