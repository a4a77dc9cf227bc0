"""The choice of images to show of a data set: some of every class, drawn with a seed."""

from __future__ import annotations

import numpy as np

from felicity.datasets.samples import Image, Samples, as_input
from felicity.errors import DatasetError, ImageError
from felicity.imaging.spec import Colour


def chosen_images(samples: Samples, number: int, size: int, colour: Colour, seed: int) -> Image:
    """Return ``number`` images uint8 ``(n, size, size[, 3])``, with the classes taking turns.

    Unreadable images are skipped; a small set gives fewer images. Raises DatasetError if none can be decoded.
    """
    rng = np.random.default_rng(seed)
    order = np.argsort(samples.names, kind="stable")
    by_class = [rng.permutation(order[samples.labels[order] == label]) for label in np.unique(samples.labels)]
    turns = [rows[turn] for turn in range(max(map(len, by_class))) for rows in by_class if turn < len(rows)]
    shown: list[Image] = []
    for row in turns:
        if len(shown) == number:
            break
        try:
            shown.append(as_input(samples.images[row], size, colour))
        except ImageError:
            continue
    if not shown:
        raise DatasetError("no image of the data set can be decoded")
    return np.stack(shown)
