"""FER+: ``fer2013new.csv``, the votes of ten people for the rows of FER2013, beside FER2013's own csv.

Source: Barsoum et al. 2016 (arXiv:1608.01041); see ``felicity.datasets.votes``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from felicity.datasets.archives import FileTree, Tree
from felicity.datasets.classes import ClassMap
from felicity.datasets.readers.fer2013_csv import pixel_table, read_table
from felicity.datasets.registry import ReadOptions, register
from felicity.datasets.samples import Samples
from felicity.datasets.tables import rows_of
from felicity.errors import DatasetError
from felicity.labels import EXPRESSIONS, FERPLUS

TABLE = "fer2013new.csv"
COLUMNS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF")
OUR_ORDER = [FERPLUS.index(expression) for expression in EXPRESSIONS] + [8, 9]


def _votes_in(tree: Tree) -> str | None:
    return next((name for name in tree.names if Path(name).name == TABLE), None)


def read_votes(tree: Tree, name: str) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Votes ``(N, 10)``, the eight expressions in our order, unknown, no face; and the folds."""
    votes, folds = [], []
    for where, (fold, *cells) in rows_of(tree, name, ("Usage", *COLUMNS)):
        if not all(cell.isascii() and cell.isdigit() and len(cell) <= 3 for cell in cells):
            raise DatasetError(f"{where}: votes are whole numbers from 0, not {', '.join(cells)[:60]}")
        votes.append([int(cell) for cell in cells])
        folds.append(fold)
    return np.array(votes, dtype=np.int64).reshape(-1, len(COLUMNS))[:, OUR_ORDER], folds


def _matching(samples: Samples, tree: Tree, name: str) -> npt.NDArray[np.int64]:
    """The votes row by row; raises DatasetError where the rows are not those of ``samples``."""
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
    """FER2013's samples with what FER+ says of them, if the votes lie in the tree or beside the file."""
    folder = FileTree(tree.path.parent / TABLE) if isinstance(tree, FileTree) else tree
    name = TABLE if isinstance(tree, FileTree) else _votes_in(tree)
    if name is None or (isinstance(tree, FileTree) and not (tree.path.parent / TABLE).is_file()):
        return samples
    try:
        labels, _ = options.votes.apply(_matching(samples, folder, name))
    except DatasetError:  # votes for other rows than these say nothing of them
        return samples
    return replace(samples, other_labels={"FER+": labels})


@register
class FerPlus:
    """FER2013's faces with FER+ labels and soft labels."""

    name: ClassVar[str] = "ferplus"

    def sniff(self, tree: Tree, classes: ClassMap) -> int:
        """The votes named themselves, or a folder or archive that holds them and the faces."""
        if isinstance(tree, FileTree):
            return 5 if tree.path.name == TABLE else 0
        return 5 if _votes_in(tree) and pixel_table(tree) else 0

    def beside(self, tree: FileTree) -> list[Path]:
        """The votes, and FER2013's own csv."""
        return [tree.path.with_name(TABLE), *_files(tree.path.parent)]

    def read(self, tree: Tree, options: ReadOptions) -> Samples:
        """All rows that the votes call a face with an expression."""
        faces, votes = tree, tree
        if isinstance(tree, FileTree):  # one file was named; the other lies beside it
            votes = FileTree(tree.path.parent / TABLE)
            if tree.path.name == TABLE:
                beside = [name for name in _files(tree.path.parent) if pixel_table(FileTree(name))]
                if not beside:
                    raise DatasetError(
                        f"{tree.path}: FER2013's own csv (fer2013.csv, .gz or .zst) should lie beside it"
                    )
                faces = FileTree(beside[0])
        name = _votes_in(votes)
        if name is None or (isinstance(votes, FileTree) and not votes.path.is_file()):
            raise DatasetError(f"{tree.path}: FER+ needs {TABLE} beside FER2013's csv, and it is not there")
        samples = read_table(faces, self.name)
        labels, soft = options.votes.apply(_matching(samples, votes, name))
        usable = np.flatnonzero(soft.sum(1) > 0)
        kept = replace(
            samples.take(usable),
            labels=labels[usable],
            soft_labels=soft[usable],
            other_labels={"FER2013": samples.labels[usable]},
        )
        gone = len(samples) - len(usable)
        return replace(kept, left_out={"on which the votes agree too little": gone} if gone else {})


def _files(folder: Path) -> list[Path]:
    return sorted(
        file for file in folder.iterdir() if file.name.lower() in {f"fer2013.csv{s}" for s in ("", ".gz", ".zst")}
    )
