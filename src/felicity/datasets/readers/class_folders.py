"""Any folder of class folders: ``happy/1.jpg``, or ``train/happy/1.jpg`` with folds above the classes."""

from __future__ import annotations

from typing import ClassVar

from felicity.datasets.archives import Tree
from felicity.datasets.class_folders import class_folders_of, read_folders
from felicity.datasets.classes import ClassMap
from felicity.datasets.registry import ReadOptions, register
from felicity.datasets.samples import Samples
from felicity.labels import parse_expression


@register
class ClassFolders:
    """Any folder of class folders."""

    name: ClassVar[str] = "folders"

    def sniff(self, tree: Tree, classes: ClassMap) -> int:
        """Recognise any folder of images whose name means an expression, by the usual names or the user's."""
        return int(any(folder in classes.names or parse_expression(folder) for folder in class_folders_of(tree)))

    def read(self, tree: Tree, options: ReadOptions) -> Samples:
        """Return all images, labelled by folder."""
        return read_folders(tree, options.classes, self.name)
