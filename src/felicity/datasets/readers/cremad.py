"""CREMA-D: pictures from acted clips, such as ``1001_DFA_ANG_XX.png`` or ``1001_DFA_ANG_XX_012.png``.

A name tells the actor, the sentence, the expression that was acted, and how strongly; ``VideoDemographics.csv``
describes the actors. The set itself holds clips (``VideoFlash/1001_DFA_ANG_XX.flv``), from which users take pictures.
Source: Cao et al.: CREMA-D: Crowd-Sourced Emotional Multimodal Actors Dataset, IEEE Transactions on Affective Computing
5(4), 2014.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import PurePosixPath
from typing import ClassVar

import numpy as np

from felicity.datasets.archives import Tree
from felicity.datasets.class_folders import fold_from_path, image_names
from felicity.datasets.classes import ClassMap
from felicity.datasets.registry import ReadOptions, register
from felicity.datasets.samples import FileImages, Samples
from felicity.errors import DatasetError
from felicity.labels import INDEX, Expression

CODES = {
    "ANG": Expression.ANGER,
    "DIS": Expression.DISGUST,
    "FEA": Expression.FEAR,
    "HAP": Expression.HAPPY,
    "NEU": Expression.NEUTRAL,
    "SAD": Expression.SAD,
}
NAME = re.compile(r"(1\d{3})_[A-Z]{3}_(ANG|DIS|FEA|HAP|NEU|SAD)_(?:LO|MD|HI|XX?)(?=[_.-])")
CLIP = ".flv"


@register
class CremaD:
    """CREMA-D; the actor is the subject."""

    name: ClassVar[str] = "crema-d"

    def sniff(self, tree: Tree, classes: ClassMap) -> int:
        """Return whether most images, or without images the clips, have names of CREMA-D."""
        if not tree.random_access:
            return 0
        names = image_names(tree) or _clips(tree)
        return 4 if sum(_name(name) is not None for name in names) * 2 > len(names) else 0

    def read(self, tree: Tree, options: ReadOptions) -> Samples:
        """Return the images whose names tell an expression. Raises DatasetError if there are clips alone."""
        if not (images := image_names(tree)) and (clips := _clips(tree)):
            raise DatasetError(
                f"{tree.path}: holds {len(clips):,} clips of CREMA-D and no picture; take pictures from them, such as "
                f"with  ffmpeg -ss 1 -i {clips[0]} -frames:v 1 {PurePosixPath(clips[0]).stem}.png"
            )
        names, labels, subjects, left_out = [], [], [], Counter[str]()
        for name in images:
            if (found := _name(name)) is None:
                left_out["images whose names tell no expression"] += 1
                continue
            names.append(name)
            subjects.append(found[1])
            labels.append(INDEX[CODES[found[2]]])
        return Samples(
            format=self.name,
            images=FileImages(tree, tuple(names)),
            labels=np.array(labels, dtype=np.int64),
            names=np.array(names, dtype=np.str_),
            folds=np.array([fold_from_path(name) for name in names], dtype=np.str_),
            subjects=np.array(subjects, dtype=np.str_),
            left_out=dict(left_out),
        )


def _name(name: str) -> re.Match[str] | None:
    return NAME.match(PurePosixPath(name).name)


def _clips(tree: Tree) -> list[str]:
    return [name for name in tree.names if name.lower().endswith(CLIP) and _name(name)]
