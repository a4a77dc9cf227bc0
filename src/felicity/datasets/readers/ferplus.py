"""FER+: ``fer2013new.csv``, the votes of ten people for the rows of FER2013, beside FER2013's own csv.

Source: Barsoum et al. 2016 (arXiv:1608.01041); see ``felicity.datasets.votes``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from felicity.datasets.archives import FileTree, Tree
from felicity.datasets.classes import ClassMap
from felicity.datasets.ferplus_table import VOTES_TABLE, votes_in, votes_of
from felicity.datasets.readers.fer2013_csv import pixel_table, read_table
from felicity.datasets.registry import ReadOptions, register
from felicity.datasets.samples import Samples
from felicity.errors import DatasetError


@register
class FerPlus:
    """FER2013's faces with FER+ labels and soft labels."""

    name: ClassVar[str] = "ferplus"

    def sniff(self, tree: Tree, classes: ClassMap) -> int:
        """Return the votes given by name, or a folder or archive that holds them and the faces."""
        if isinstance(tree, FileTree):
            return 5 if tree.path.name == VOTES_TABLE else 0
        return 5 if votes_in(tree) and pixel_table(tree) else 0

    def beside(self, tree: FileTree) -> list[Path]:
        """Return the votes, and FER2013's own CSV."""
        return [tree.path.with_name(VOTES_TABLE), *_files(tree.path.parent)]

    def read(self, tree: Tree, options: ReadOptions) -> Samples:
        """Return all rows that the votes call a face with an expression."""
        faces, votes = tree, tree
        if isinstance(tree, FileTree):  # one file was named; the other lies beside it
            votes = FileTree(tree.path.parent / VOTES_TABLE)
            if tree.path.name == VOTES_TABLE:
                beside = [name for name in _files(tree.path.parent) if pixel_table(FileTree(name))]
                if not beside:
                    raise DatasetError(f"{tree.path}: FER2013's own csv (fer2013.csv, .gz or .zst) must be beside it")
                faces = FileTree(beside[0])
        name = votes_in(votes)
        if name is None or (isinstance(votes, FileTree) and not votes.path.is_file()):
            raise DatasetError(f"{tree.path}: FER+ needs {VOTES_TABLE} beside FER2013's csv, and it is not there")
        samples = read_table(faces, self.name)
        labels, soft = options.votes.apply(votes_of(samples, votes, name))
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
