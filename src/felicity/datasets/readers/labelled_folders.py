"""Folders of images beside your own ``labels.csv``, with columns for the image and its label.

A table with unknown columns is refused rather than ignored, because its labels may differ from the folders' names.
"""

from __future__ import annotations

from typing import ClassVar

from felicity.datasets.archives import FileTree, Tree
from felicity.datasets.class_folders import image_names
from felicity.datasets.classes import ClassMap
from felicity.datasets.label_columns import LabelColumns, expected_columns, label_columns
from felicity.datasets.labelled_folder import TABLE, read_labelled, tables_of
from felicity.datasets.registry import ReadOptions, register
from felicity.datasets.samples import Samples
from felicity.datasets.tables import header_of
from felicity.errors import DatasetError


@register
class LabelledFolders:
    """Images and a table of their labels."""

    name: ClassVar[str] = "labelled-folders"

    def sniff(self, tree: Tree, classes: ClassMap) -> int:
        """Return a ``labels.csv`` among images in folders."""
        if isinstance(tree, FileTree) or not tree.random_access or not tables_of(tree):
            return 0
        return 3 if image_names(tree) else 0

    def read(self, tree: Tree, options: ReadOptions) -> Samples:
        """Return the images in the table that exist, ordered by name."""
        tables = tables_of(tree)
        if not tables:
            raise DatasetError(f"{tree.path}: holds no {TABLE}; a folder of images with such a table was expected")
        return read_labelled(tree, {table: _columns(tree, table) for table in tables}, options, self.name)


def _columns(tree: Tree, table: str) -> LabelColumns:
    header = header_of(tree, table)
    if (columns := label_columns(header)) is None:
        raise DatasetError(
            f"{tree.path}: {table} has the columns {', '.join(header)}, and {expected_columns()} were expected; "
            f"rename its columns, or read the class folders alone with --format folders"
        )
    return columns
