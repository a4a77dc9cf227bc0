"""FER2013 as folders: ``train/<class>/Training_1.jpg`` and ``test/<class>/PublicTest_1.jpg``, both test folds in one.

Files of other names in such folders may be of any set, so they are read as class folders.
"""

from __future__ import annotations

import re
from typing import ClassVar

from felicity.datasets.archives import Tree
from felicity.datasets.class_folders import class_folders_of, fold_from_path, read_folders
from felicity.datasets.classes import ClassMap
from felicity.datasets.registry import ReadOptions, register
from felicity.datasets.samples import Samples
from felicity.labels import FER2013, parse_expression

OWN_NAME = re.compile(r"(Training|PublicTest|PrivateTest)_\d+\.")


@register
class Fer2013Folders:
    """FER2013 as folders."""

    name: ClassVar[str] = "fer2013-folders"

    def sniff(self, tree: Tree, classes: ClassMap) -> int:
        """Recognise folds ``train`` and ``test`` with exactly FER2013's seven classes, and files named by its folds."""
        folds = {fold_from_path(name).lower() for name in tree.names}
        shown = {parse_expression(folder) for folder in class_folders_of(tree)}
        own = any(OWN_NAME.match(name.rsplit("/", 1)[-1]) for name in tree.names)
        return 2 if own and folds >= {"train", "test"} and shown == set(FER2013) else 0

    def read(self, tree: Tree, options: ReadOptions) -> Samples:
        """Return all images, labelled by folder."""
        return read_folders(tree, options.classes, self.name)
