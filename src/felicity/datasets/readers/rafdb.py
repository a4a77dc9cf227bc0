"""RAF-DB, basic expressions: numbered class folders, or one folder of images and a list of labels.

On Kaggle the files are ``train/1/train_00001_aligned.jpg``. The published set has ``EmoLabel/list_patition_label.txt``
with lines ``train_00001.jpg 5``, and folders ``aligned`` and ``original``; of a face in both, the aligned picture is
used. Source: Li, Deng, Du: Reliable Crowdsourcing and Deep Locality-Preserving Learning for Expression Recognition in
the Wild, CVPR 2017.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import ClassVar

import numpy as np

from felicity.datasets.archives import Tree
from felicity.datasets.class_folders import image_names
from felicity.datasets.classes import ClassMap
from felicity.datasets.registry import ReadOptions, register
from felicity.datasets.samples import FileImages, Samples
from felicity.errors import DatasetError
from felicity.labels import INDEX, Expression

CODES = dict(
    zip(
        "1234567",
        (
            Expression.SURPRISE,
            Expression.FEAR,
            Expression.DISGUST,
            Expression.HAPPY,
            Expression.SAD,
            Expression.ANGER,
            Expression.NEUTRAL,
        ),
        strict=True,
    )
)
LIST = re.compile(r"(^|/)list_par?tition_label\.txt$")
FACE = re.compile(r"(train|test)_\d+(_aligned)?\.\w+$", re.IGNORECASE)


def _is_aligned(name: str) -> bool:
    return "_aligned" in name.rsplit("/", 1)[-1]


def _face(name: str) -> str:
    """Return ``train_00001`` for each picture of that face."""
    return name.rsplit("/", 1)[-1].replace("_aligned", "").rsplit(".", 1)[0]


@register
class RafDb:
    """RAF-DB's basic set."""

    name: ClassVar[str] = "raf-db"

    def sniff(self, tree: Tree, classes: ClassMap) -> int:
        """Return the published list of labels, or images so named in folders 1 to 7."""
        if any(LIST.search(name) for name in tree.names):
            return 4
        numbered = [n for n in tree.names if FACE.search(n) and n.count("/") and n.split("/")[-2] in CODES]
        return 4 if numbered else 0

    def read(self, tree: Tree, options: ReadOptions) -> Samples:
        """Return all images that have a code, each face once; the fold is in the file's name."""
        listed = next((name for name in tree.names if LIST.search(name)), None)
        codes = self._list(tree, listed) if listed else None
        names, labels, left_out = [], [], Counter[str]()
        found = set()
        images = image_names(tree)
        aligned = {_face(name) for name in images if _is_aligned(name)}
        for name in images:
            stem = _face(name)
            code = codes.get(stem) if codes is not None else name.split("/")[-2] if "/" in name else None
            found.add(stem)
            if code is None or code not in CODES:
                left_out["images without a label"] += 1
                continue
            if stem in aligned and not _is_aligned(name):
                left_out["originals of faces that are also there aligned"] += 1
                continue
            names.append(name)
            labels.append(INDEX[CODES[code]])
        if missing := len(set(codes or ()) - found):
            left_out["named in the list of labels, but missing"] = missing
        return Samples(
            format=self.name,
            images=FileImages(tree, tuple(names)),
            labels=np.array(labels, dtype=np.int64),
            names=np.array(names, dtype=np.str_),
            folds=np.array(["test" if "/test" in f"/{n}".lower() else "train" for n in names], dtype=np.str_),
            left_out=dict(left_out),
        )

    @staticmethod
    def _list(tree: Tree, name: str) -> dict[str, str]:
        codes = {}
        for number, line in enumerate(tree.read(name).decode("latin-1").splitlines(), start=1):
            if not line.strip():
                continue
            parts = line.split()
            if len(parts) != 2 or parts[1] not in CODES:
                raise DatasetError(
                    f"{tree.path}: {name}: line {number} should read  train_00001.jpg 5  with a code from 1 to 7, "
                    f"but reads {line[:40]!r}"
                )
            codes[parts[0].rsplit(".", 1)[0]] = parts[1]
        return codes
