"""FER+'s table of votes: the answers of ten people to each row of FER2013.

Source: Barsoum, Zhang, Canton Ferrer, Zhang: Training Deep Networks for Facial Expression Recognition with
Crowd-Sourced Label Distribution, ICMI 2016.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from felicity.datasets.archives import FileTree, Tree
from felicity.datasets.registry import ReadOptions
from felicity.datasets.samples import Samples
from felicity.datasets.tables import rows_of
from felicity.errors import DatasetError
from felicity.labels import EXPRESSIONS, FERPLUS

VOTES_TABLE = "fer2013new.csv"
COLUMNS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF")
OUR_ORDER = [FERPLUS.index(expression) for expression in EXPRESSIONS] + [8, 9]


def votes_in(tree: Tree) -> str | None:
    """Return the name of the table within ``tree``, None if it has none."""
    return next((name for name in tree.names if Path(name).name == VOTES_TABLE), None)


def read_votes(tree: Tree, name: str) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Return votes ``(N, 10)``, the eight expressions in our order, unknown, no face; and the folds."""
    votes, folds = [], []
    for where, (fold, *cells) in rows_of(tree, name, ("Usage", *COLUMNS)):
        if not all(cell.isascii() and cell.isdigit() and len(cell) <= 3 for cell in cells):
            raise DatasetError(f"{where}: votes are whole numbers from 0, not {', '.join(cells)[:60]}")
        votes.append([int(cell) for cell in cells])
        folds.append(fold)
    return np.array(votes, dtype=np.int64).reshape(-1, len(COLUMNS))[:, OUR_ORDER], folds


def votes_of(samples: Samples, tree: Tree, name: str) -> npt.NDArray[np.int64]:
    """Return the votes row by row; raises DatasetError if the rows are not those of ``samples``."""
    votes, folds = read_votes(tree, name)
    where = f"{tree.path}: {name}" if tree.path.name != name else str(tree.path)
    if len(votes) != len(samples):
        raise DatasetError(f"{where}: has votes for {len(votes)} rows, but FER2013 beside it has {len(samples)}")
    different = [i for i, (a, b) in enumerate(zip(folds, samples.folds.tolist(), strict=True)) if b and a != b]
    if different:
        i = different[0]
        raise DatasetError(
            f"{where}: row {i + 1} is of fold {folds[i]!r}, but FER2013's is of {str(samples.folds[i])!r}; "
            f"the two files must have the same rows in the same order"
        )
    return votes


def votes_beside(tree: Tree, samples: Samples, options: ReadOptions) -> Samples:
    """Return FER2013's samples with the labels of FER+, if the votes lie in the tree or beside the file."""
    folder = FileTree(tree.path.parent / VOTES_TABLE) if isinstance(tree, FileTree) else tree
    name = VOTES_TABLE if isinstance(tree, FileTree) else votes_in(tree)
    if name is None or (isinstance(tree, FileTree) and not (tree.path.parent / VOTES_TABLE).is_file()):
        return samples
    try:
        labels, _ = options.votes.apply(votes_of(samples, folder, name))
    except DatasetError:  # votes for other rows do not apply to these
        return samples
    return replace(samples, other_labels={"FER+": labels})
