"""AffectNet as on Kaggle: class folders and ``labels.csv`` (``pth``, ``label``, ``relFCs``), of all or in each fold.

Folder and CSV disagree for some images; the CSV wins, and the audit receives the disagreements. ``relFCs`` is the share
of the first principal component, not a confidence, and is ignored.
"""

from __future__ import annotations

from typing import ClassVar

from felicity.datasets.archives import Tree
from felicity.datasets.classes import ClassMap
from felicity.datasets.label_columns import LabelColumns, label_columns
from felicity.datasets.labelled_folder import TABLE, read_labelled, tables_of
from felicity.datasets.registry import ReadOptions, register
from felicity.datasets.samples import Samples
from felicity.datasets.tables import header_of


@register
class AffectNetKaggle:
    """AffectNet as on Kaggle."""

    name: ClassVar[str] = "affectnet"

    def sniff(self, tree: Tree, classes: ClassMap) -> int:
        """Return a ``labels.csv`` with the columns ``pth`` and ``label``."""
        tables = tables_of(tree) if tree.random_access else []
        return 3 if tables and all({"pth", "label"} <= set(header_of(tree, table)) for table in tables) else 0

    def read(self, tree: Tree, options: ReadOptions) -> Samples:
        """Return the images in the CSV that exist, ordered by name."""
        columns = {table: _columns(header_of(tree, table)) for table in tables_of(tree) or [TABLE]}
        return read_labelled(tree, columns, options, self.name)


def _columns(header: list[str]) -> LabelColumns:
    further = label_columns(header)
    fold, subject = (further.fold, further.subject) if further else (None, None)
    return LabelColumns("pth", "label", fold, subject)
