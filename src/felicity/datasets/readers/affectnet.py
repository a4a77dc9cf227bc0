"""AffectNet as on Kaggle: class folders and ``labels.csv`` (``pth``, ``label``, ``relFCs``).

Folder and csv disagree for a part of the images; the csv wins and the disagreements are kept for the
audit. ``relFCs`` is the share of the first principal component, not a confidence, and is passed over.
"""

from __future__ import annotations

from typing import ClassVar

from felicity.datasets.archives import Tree
from felicity.datasets.classes import ClassMap
from felicity.datasets.label_columns import LabelColumns, label_columns
from felicity.datasets.labelled_folder import TABLE, read_labelled, table_of
from felicity.datasets.registry import ReadOptions, register
from felicity.datasets.samples import Samples
from felicity.datasets.tables import header_of


@register
class AffectNetKaggle:
    """AffectNet as on Kaggle."""

    name: ClassVar[str] = "affectnet"

    def sniff(self, tree: Tree, classes: ClassMap) -> int:
        """A ``labels.csv`` with the columns ``pth`` and ``label``."""
        table = table_of(tree) if tree.random_access else None
        return 3 if table and {"pth", "label"} <= set(header_of(tree, table)) else 0

    def read(self, tree: Tree, options: ReadOptions) -> Samples:
        """The images that the csv names and that are there, in the order of their names."""
        table = table_of(tree) or TABLE
        further = label_columns(header_of(tree, table))
        fold, subject = (further.fold, further.subject) if further else (None, None)
        return read_labelled(tree, table, LabelColumns("pth", "label", fold, subject), options, self.name)
