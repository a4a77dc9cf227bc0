"""Folders of small pictures whose class can be learned within an epoch or two."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np


def write_class_folders(folder: Path, counts: Mapping[str, int], *, size: int = 16, seed: int = 0) -> Path:
    """``counts`` pictures per class; a class is a bright stripe at its own height, under noise."""
    rng = np.random.default_rng(seed)
    for place, (name, count) in enumerate(counts.items()):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            picture = rng.integers(0, 120, (size, size), dtype=np.uint8)
            top = 1 + place * (size - 4) // max(1, len(counts) - 1)
            picture[top : top + 3] += 110
            cv2.imwrite(str(folder / name / f"{number:03}.png"), picture)
    return folder
