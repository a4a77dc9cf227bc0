"""Any csv of images and labels: columns ``path`` (or ``file``, ``image``) and ``label`` (or ``expression``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import ClassVar

import numpy as np

from felicity.datasets.archives import FileTree, Tree, open_tree
from felicity.datasets.readers.class_folders import fold_of, image_names
from felicity.datasets.registry import ReadOptions, register
from felicity.datasets.samples import FileImages, Samples
from felicity.datasets.tables import header_of, rows_of
from felicity.errors import DatasetError
from felicity.labels import INDEX

PATHS, LABELS = ("path", "file", "image"), ("label", "expression")


def _columns(tree: Tree, table: str) -> tuple[str, str] | None:
    header = header_of(tree, table)
    path = next((name for name in PATHS if name in header), None)
    label = next((name for name in LABELS if name in header), None)
    return (path, label) if path and label else None


def _table(tree: Tree) -> str | None:
    if not isinstance(tree, FileTree) or PurePosixPath(tree.path.name).suffix.lower() != ".csv":
        return None
    return tree.path.name if _columns(tree, tree.path.name) else None


def _rows(tree: Tree) -> Iterator[tuple[str, str, str, str]]:
    """Of every row, where it stands, its path as it is given and from the folder of the csv, and its label."""
    table = _table(tree)
    columns = _columns(tree, table) if table else None
    if table is None or columns is None:
        raise DatasetError(
            f"{tree.path}: a csv with a column {' or '.join(PATHS)} and a column {' or '.join(LABELS)} expected"
        )
    for where, (path, label) in rows_of(tree, table, columns):
        yield where, path, path.replace("\\", "/").removeprefix("./"), label


@register
class LabelTable:
    """A csv that names image files, relative to where it lies, and says what each shows."""

    name: ClassVar[str] = "label-table"

    def sniff(self, tree: Tree) -> int:
        """A csv that was named itself, with both columns."""
        return 2 if _table(tree) else 0

    def beside(self, tree: FileTree) -> list[Path]:
        """The images that it names."""
        return [tree.path.parent / name for _, _, name, _ in _rows(tree)]

    def read(self, tree: Tree, options: ReadOptions) -> Samples:
        """The images named that are there, in the order of the csv; DatasetError where one is named twice."""
        rows = list(_rows(tree))
        folder = open_tree(tree.path.parent)
        there = set(image_names(folder))
        names: dict[str, int] = {}
        left_out = Counter[str]()
        for where, path, name, label in rows:
            expression = options.classes.expression(label, where)
            if name in names:
                raise DatasetError(f"{where}: {path} is named a second time; each image has one label")
            if name not in there:
                left_out[f"named in {tree.path.name}, but missing"] += 1
            elif expression is None:
                left_out[f"labelled {label!r}, which means no expression"] += 1
            else:
                names[name] = INDEX[expression]
        return Samples(
            format=self.name,
            images=FileImages(folder, tuple(names)),
            labels=np.array(list(names.values()), dtype=np.int64),
            names=np.array(list(names), dtype=np.str_),
            folds=np.array([fold_of(name) for name in names], dtype=np.str_),
            left_out=dict(left_out),
        )
