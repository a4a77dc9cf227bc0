"""Images in class folders, ``happy/1.jpg``, with or without folds above the classes, ``train/happy/1.jpg``."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from functools import cache

import numpy as np

from felicity.datasets.archives import Tree
from felicity.datasets.classes import ClassMap
from felicity.datasets.samples import FileImages, Samples
from felicity.errors import DatasetError
from felicity.imaging.decode import image_suffixes
from felicity.labels import INDEX

FOLDS = frozenset({"train", "training", "test", "testing", "val", "valid", "validation", "publictest", "privatetest"})


_suffixes = cache(image_suffixes)  # called for every file


def _is_image(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in _suffixes()


def image_names(tree: Tree) -> list[str]:
    """Return the tree's image files. Raises DatasetError if they cannot be read one by one."""
    names = [name for name in tree.names if _is_image(name)]
    if names and not tree.random_access:
        raise DatasetError(f"{tree.path}: images are read from folders and zips; unpack the tar and name its folder")
    return names


def fold_from_path(name: str) -> str:
    """Return the folder above the class folder if its name is that of a fold, else ""."""
    return next((part for part in reversed(name.split("/")[:-1]) if part.lower() in FOLDS), "")


def read_folders(
    tree: Tree,
    classes: ClassMap,
    format: str,
    *,
    subject_of: Callable[[str], str] | None = None,
) -> Samples:
    """Return every image of ``tree``, labelled by the folder it is in."""
    names, labels, left_out = [], [], Counter[str]()
    for name in image_names(tree):
        parent = name.split("/")[-2] if "/" in name else ""
        if not parent or parent.lower() in FOLDS:
            left_out["images outside any class folder"] += 1
            continue
        if (expression := classes.expression(parent, f"{tree.path}: {name}")) is None:
            left_out[f"in folder {parent!r}, which means no expression"] += 1
            continue
        names.append(name)
        labels.append(INDEX[expression])
    return Samples(
        format=format,
        images=FileImages(tree, tuple(names)),
        labels=np.array(labels, dtype=np.int64),
        names=np.array(names, dtype=np.str_),
        folds=np.array([fold_from_path(name) for name in names], dtype=np.str_),
        subjects=np.array([subject_of(name) for name in names], dtype=np.str_) if subject_of else None,
        left_out=dict(left_out),
    )


def class_folders_of(tree: Tree) -> set[str]:
    """Return the folders, in lower case, that hold images directly."""
    return {name.split("/")[-2].lower() for name in tree.names if "/" in name and _is_image(name)}
