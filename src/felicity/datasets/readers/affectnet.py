"""AffectNet as on Kaggle: class folders and ``labels.csv`` (``pth``, ``label``, ``relFCs``).

Folder and csv disagree for a part of the images; the csv wins and the disagreements are kept for the
audit. ``relFCs`` is the share of the first principal component, not a confidence, and is passed over.
"""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

import numpy as np

from felicity.datasets.archives import Tree
from felicity.datasets.classes import ClassMap
from felicity.datasets.readers.class_folders import fold_from_path, image_names
from felicity.datasets.registry import ReadOptions, register
from felicity.datasets.samples import UNDECIDED, FileImages, Samples
from felicity.datasets.tables import header_of, rows_of
from felicity.labels import INDEX, parse_expression

TABLE = "labels.csv"


def _table(tree: Tree) -> str | None:
    return min((n for n in tree.names if n.rsplit("/", 1)[-1] == TABLE), key=lambda n: n.count("/"), default=None)


@register
class AffectNetKaggle:
    """AffectNet as on Kaggle."""

    name: ClassVar[str] = "affectnet"

    def sniff(self, tree: Tree, classes: ClassMap) -> int:
        """A ``labels.csv`` with the columns ``pth`` and ``label``."""
        table = _table(tree) if tree.random_access else None
        return 3 if table and {"pth", "label"} <= set(header_of(tree, table)) else 0

    def read(self, tree: Tree, options: ReadOptions) -> Samples:
        """The images that the csv names and that are there, in the order of their names."""
        table = _table(tree) or TABLE
        root = table.removesuffix(TABLE)
        there = set(image_names(tree))
        labels: dict[str, int | None] = {}
        left_out = Counter[str]()
        for where, (path, label) in rows_of(tree, table, ("pth", "label")):
            name = root + path.replace("\\", "/").removeprefix("./")
            expression = options.classes.expression(label, where)
            code = None if expression is None else INDEX[expression]
            if name not in there:
                left_out[f"named in {TABLE}, but missing"] += 1
            elif name not in labels:
                labels[name] = code
            elif labels[name] == code:
                left_out[f"rows of {TABLE} that repeat another"] += 1
            else:
                left_out[f"rows of {TABLE} that name an image again with another label"] += 1
        if strays := len(there - set(labels)):
            left_out[f"images that {TABLE} does not name"] = strays
        if nothing := sum(label is None for label in labels.values()):
            left_out["labelled as no expression"] = nothing
        rows = sorted((name, label) for name, label in labels.items() if label is not None)
        folders = [parse_expression(name.split("/")[-2]) if "/" in name else None for name, _ in rows]
        return Samples(
            format=self.name,
            images=FileImages(tree, tuple(name for name, _ in rows)),
            labels=np.array([label for _, label in rows], dtype=np.int64),
            names=np.array([name for name, _ in rows], dtype=np.str_),
            folds=np.array([fold_from_path(name) for name, _ in rows], dtype=np.str_),
            other_labels={"folder": np.array([UNDECIDED if e is None else INDEX[e] for e in folders], dtype=np.int64)},
            left_out=dict(left_out),
        )
