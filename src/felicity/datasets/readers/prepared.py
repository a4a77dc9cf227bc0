"""A data set that Felicity prepared: ``images.npy`` and ``manifest.parquet``."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from felicity.datasets.archives import Tree
from felicity.datasets.classes import ClassMap
from felicity.datasets.manifest import IMAGES, MANIFEST, PLAN, read_images, read_manifest
from felicity.datasets.registry import ReadOptions, register
from felicity.datasets.samples import UNDECIDED, Samples
from felicity.errors import DatasetError


@register
class Prepared:
    """A prepared data set; its folds are the drawn splits."""

    name: ClassVar[str] = "prepared"

    def sniff(self, tree: Tree, classes: ClassMap) -> int:
        """Return the two files, or the plan of an interrupted preparation, at the top of a folder."""
        return 9 if tree.path.is_dir() and {IMAGES, MANIFEST, PLAN} & set(tree.names) else 0

    def read(self, tree: Tree, options: ReadOptions) -> Samples:
        """Return all images, memory-mapped, with their classes at the preparation."""
        if PLAN in tree.names:
            raise DatasetError(f"{tree.path}: its preparation was interrupted; run the same command again to finish it")
        manifest, images = read_manifest(tree.path), read_images(tree.path)
        if len(images) != len(manifest.names):
            raise DatasetError(
                f"{tree.path}: {IMAGES} holds {len(images)} images, but {MANIFEST} names {len(manifest.names)}; "
                f"prepare the data set again"
            )
        index = {name: number for number, name in enumerate(manifest.classes)}
        return Samples(
            format=self.name,
            images=images,
            labels=manifest.labels,
            names=manifest.names,
            folds=manifest.splits,
            classes=manifest.classes,
            members=manifest.members,
            soft_labels=manifest.soft_labels,
            subjects=manifest.subjects,
            left_out=manifest.left_out,
            remarks=manifest.remarks,
            other_labels={
                source: np.array([index.get(name, UNDECIDED) for name in said.tolist()], dtype=np.int64)
                for source, said in manifest.other_labels.items()
            },
        )
