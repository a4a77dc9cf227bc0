"""Folders of images beside a ``labels.csv`` of anybody's own, with columns for the image and its label.

A table whose columns are not understood is refused rather than passed over: its labels and the folders' may differ.
"""

from __future__ import annotations

from typing import ClassVar

from felicity.datasets.archives import FileTree, Tree
from felicity.datasets.class_folders import image_names
from felicity.datasets.classes import ClassMap
from felicity.datasets.label_columns import expected_columns, label_columns
from felicity.datasets.labelled_folder import TABLE, read_labelled, table_of
from felicity.datasets.registry import ReadOptions, register
from felicity.datasets.samples import Samples
from felicity.datasets.tables import header_of
from felicity.errors import DatasetError


@register
class LabelledFolders:
    """Images and a table of their labels."""

    name: ClassVar[str] = "labelled-folders"

    def sniff(self, tree: Tree, classes: ClassMap) -> int:
        """A ``labels.csv`` among images in folders."""
        if isinstance(tree, FileTree) or not tree.random_access or table_of(tree) is None:
            return 0
        return 3 if image_names(tree) else 0

    def read(self, tree: Tree, options: ReadOptions) -> Samples:
        """The images that the table names and that are there, in the order of their names."""
        table = table_of(tree)
        if table is None:
            raise DatasetError(f"{tree.path}: holds no {TABLE}; a folder of images with such a table was expected")
        header = header_of(tree, table)
        if (columns := label_columns(header)) is None:
            raise DatasetError(
                f"{tree.path}: {table} has the columns {', '.join(header)}, and {expected_columns()} were expected; "
                f"rename its columns, or read the class folders alone with --format folders"
            )
        return read_labelled(tree, table, columns, options, self.name)
