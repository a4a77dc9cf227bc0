"""FER2013 as folders: ``train/<class>/*.jpg`` and ``test/<class>/*.jpg``, its two test folds in one."""

from __future__ import annotations

from typing import ClassVar

from felicity.datasets.archives import Tree
from felicity.datasets.classes import ClassMap
from felicity.datasets.readers.class_folders import class_folders_of, fold_from_path, read_folders
from felicity.datasets.registry import ReadOptions, register
from felicity.datasets.samples import Samples
from felicity.labels import FER2013, parse_expression


@register
class Fer2013Folders:
    """FER2013 as folders."""

    name: ClassVar[str] = "fer2013-folders"

    def sniff(self, tree: Tree, classes: ClassMap) -> int:
        """Folds ``train`` and ``test``, and in them FER2013's seven classes and no other."""
        folds = {fold_from_path(name).lower() for name in tree.names}
        shown = {parse_expression(folder) for folder in class_folders_of(tree)}
        return 2 if folds >= {"train", "test"} and shown == set(FER2013) else 0

    def read(self, tree: Tree, options: ReadOptions) -> Samples:
        """All images, labelled by folder."""
        return read_folders(tree, options.classes, self.name)
