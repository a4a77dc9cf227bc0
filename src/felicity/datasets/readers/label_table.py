"""Any CSV of images and labels, given by name; ``label_columns`` lists the accepted names of its columns.

A column for the split holds the set's own folds, a column ``subject`` the person shown.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import ClassVar

import numpy as np

from felicity.datasets.archives import FileTree, Tree, open_tree
from felicity.datasets.class_folders import fold_from_path
from felicity.datasets.classes import ClassMap
from felicity.datasets.label_columns import LabelColumns, expected_columns, label_columns
from felicity.datasets.registry import ReadOptions, register
from felicity.datasets.samples import FileImages, Samples
from felicity.datasets.tables import header_of, rows_of
from felicity.errors import DatasetError
from felicity.labels import INDEX


@dataclass(frozen=True)
class _Row:
    """One CSV row: line number, path as written, path relative to the CSV, labels.

    ``fold`` and ``subject``: None if the CSV has no such column.
    """

    where: str
    given: str
    name: str
    label: str
    fold: str | None
    subject: str | None


def _columns(tree: Tree, table: str) -> LabelColumns | None:
    return label_columns(header_of(tree, table))


def _table(tree: Tree) -> str | None:
    if not isinstance(tree, FileTree) or PurePosixPath(tree.path.name).suffix.lower() != ".csv":
        return None
    return tree.path.name if _columns(tree, tree.path.name) else None


def _rows(tree: Tree) -> Iterator[_Row]:
    table = _table(tree)
    columns = _columns(tree, table) if table else None
    if table is None or columns is None:
        raise DatasetError(f"{tree.path}: a csv with {expected_columns()} was expected")
    folder = os.path.realpath(tree.path.parent)
    for where, cells in rows_of(tree, table, columns.names):
        path, label, fold, subject = columns.cells(cells)
        plain = path.replace("\\", "/")
        name = os.path.relpath(plain, folder) if os.path.isabs(plain) else os.path.normpath(plain)
        yield _Row(where, path, name, label, fold, subject)


def _leads_out(name: str) -> bool:
    return os.path.isabs(name) or PurePosixPath(name.replace("\\", "/")).parts[:1] == ("..",)


@register
class LabelTable:
    """A CSV that labels image files, named relative to its folder."""

    name: ClassVar[str] = "label-table"

    def sniff(self, tree: Tree, classes: ClassMap) -> int:
        """Recognise a CSV that was given by name, with both columns."""
        return 2 if _table(tree) else 0

    def beside(self, tree: FileTree) -> list[Path]:
        """Return the images that it names."""
        return [tree.path.parent / row.name for row in _rows(tree)]

    def read(self, tree: Tree, options: ReadOptions) -> Samples:
        """Return the named images that exist, in the order of the CSV; raises DatasetError for a repeated image."""
        folder = open_tree(tree.path.parent)
        kept: dict[str, _Row] = {}
        labels: list[int] = []
        left_out = Counter[str]()
        for row in _rows(tree):
            if not row.label.strip():
                left_out["not labelled yet"] += 1
                continue
            expression = options.classes.expression(row.label, row.where)
            if not options.outside and _leads_out(row.name):
                raise DatasetError(
                    f"{row.where}: {row.given} is not below the table's folder; if you trust the table, read it with "
                    "felicity data prepare --outside"
                )
            if row.name in kept:
                raise DatasetError(f"{row.where}: {row.given} is named a second time; each image has one label")
            if not os.path.isfile(folder.path / row.name):
                left_out[f"named in {tree.path.name}, but missing (paths count from its folder)"] += 1
            elif expression is None:
                left_out[f"labelled {row.label!r}, which means no expression"] += 1
            else:
                kept[row.name] = row
                labels.append(INDEX[expression])
        has_subjects = any(row.subject for row in kept.values())
        return Samples(
            format=self.name,
            images=FileImages(folder, tuple(kept)),
            labels=np.array(labels, dtype=np.int64),
            names=np.array(list(kept), dtype=np.str_),
            folds=np.array(
                [fold_from_path(name) if row.fold is None else row.fold for name, row in kept.items()], dtype=np.str_
            ),
            # Without a subject, an image shows a person of its own.
            subjects=np.array([row.subject or name for name, row in kept.items()]) if has_subjects else None,
            left_out=dict(left_out),
        )
