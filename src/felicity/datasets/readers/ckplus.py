"""CK+48: class folders of ``S010_004_00000017.png``, three frames from each posed sequence of a subject.

Source: Lucey et al.: The Extended Cohn-Kanade Dataset (CK+), CVPR Workshops 2010.
"""

from __future__ import annotations

import re
from typing import ClassVar

from felicity.datasets.archives import Tree
from felicity.datasets.class_folders import image_names, read_folders
from felicity.datasets.classes import ClassMap
from felicity.datasets.registry import ReadOptions, register
from felicity.datasets.samples import Samples

FRAME = re.compile(r"(S\d{3})_\d{3}_\d{8}", re.IGNORECASE)


def _subject(name: str) -> str:
    found = FRAME.match(name.rsplit("/", 1)[-1])
    return found[1].upper() if found else name


@register
class CkPlus:
    """CK+48; the subject is in the file's name."""

    name: ClassVar[str] = "ck+48"

    def sniff(self, tree: Tree, classes: ClassMap) -> int:
        """Return whether most images have names of CK+ frames."""
        if not tree.random_access:
            return 0
        images = image_names(tree)
        return 4 if sum(bool(FRAME.match(n.rsplit("/", 1)[-1])) for n in images) * 2 > len(images) else 0

    def read(self, tree: Tree, options: ReadOptions) -> Samples:
        """Return all images, labelled by folder, with their subjects."""
        return read_folders(tree, options.classes, self.name, subject_of=_subject)
