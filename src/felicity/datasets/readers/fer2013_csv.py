"""FER2013 as a csv: ``fer2013.csv`` or ``icml_face_data.csv``, plain, ``.gz``, ``.zst``, in a zip or tar.

Source: Goodfellow et al.: Challenges in Representation Learning, ICONIP 2013 (arXiv:1307.0414).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from felicity.datasets.archives import FileTree, Tree, unpacked
from felicity.datasets.classes import ClassMap
from felicity.datasets.ferplus_table import VOTES_TABLE, votes_beside
from felicity.datasets.pixel_rows import read_pixel_rows
from felicity.datasets.registry import ReadOptions, register
from felicity.datasets.samples import Samples
from felicity.errors import DatasetError
from felicity.labels import FER2013, INDEX

TABLE = re.compile(r"(^|/)(fer2013|icml_face_data)\.csv(\.gz|\.zst)?$", re.IGNORECASE)
ANY_TABLE = re.compile(r"\.csv(\.gz|\.zst)?$", re.IGNORECASE)
CODES = np.array([INDEX[expression] for expression in FER2013], dtype=np.int64)


def pixel_table(tree: Tree) -> str | None:
    """Return the name of the CSV with the pixels: by its name, else the one CSV whose first line has the column."""
    if named := sorted((n for n in tree.names if TABLE.search(n)), key=len):
        return named[0]
    tables = [n for n in tree.names if ANY_TABLE.search(n)]
    if len(tables) == 1:
        with unpacked(tree, tables[0]) as stream:
            if b"pixels" in stream.readline(4096).lower():
                return tables[0]
    return None


def read_table(tree: Tree, format: str) -> Samples:
    """Return the CSV's rows in their order, labelled by its column ``emotion``, with its folds."""
    if (name := pixel_table(tree)) is None:
        raise DatasetError(f"{tree.path}: has no csv with a column 'pixels'")
    where = str(tree.path) if name == tree.path.name else f"{tree.path}: {name}"
    with unpacked(tree, name) as stream:
        table = read_pixel_rows(stream, where)
    if "emotion" not in table.columns:
        raise DatasetError(f"{where}: has no column 'emotion', so its faces are not labelled")
    n = len(table.images)
    return Samples(
        format=format,
        images=table.images,
        labels=CODES[_codes(table.columns["emotion"], where)],
        names=np.array([f"{Path(name).name}#{row}" for row in range(1, n + 1)], dtype=np.str_),
        folds=np.array(table.columns.get("usage", [""] * n), dtype=np.str_),
    )


def _codes(values: list[str], where: str) -> npt.NDArray[np.int64]:
    known = {str(code): code for code in range(len(FER2013))}
    if (wrong := next((i for i, value in enumerate(values) if value not in known), None)) is not None:
        raise DatasetError(
            f"{where}: row {wrong + 1} has the emotion {values[wrong][:20]!r}, not a code from 0 to {len(FER2013) - 1}"
        )
    return np.array([known[value] for value in values], dtype=np.int64)


@register
class Fer2013Csv:
    """FER2013 as a csv."""

    name: ClassVar[str] = "fer2013-csv"

    def sniff(self, tree: Tree, classes: ClassMap) -> int:
        """Return a CSV with FER2013's name, or one whose first line names pixels."""
        return 3 if pixel_table(tree) else 0

    def beside(self, tree: FileTree) -> list[Path]:
        """Return FER+'s votes."""
        return [tree.path.with_name(VOTES_TABLE)]

    def read(self, tree: Tree, options: ReadOptions) -> Samples:
        """Return all rows; FER+ votes beside them go to the audit."""
        samples = read_table(tree, self.name)
        return votes_beside(tree, samples, options)
