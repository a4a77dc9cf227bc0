"""Weights of a network for one of the same shape with more channels, which answers like it.

Every new channel is a copy of an old one; copies stand side by side, so that flattened images keep them, too. Layers
that read both take of each a share of what they took of the one, drawn by chance, so that copies part ways as soon as
they are trained.

Source: Net2WiderNet, Chen T. et al. 2016 (arXiv:1511.05641), there with equal shares and noise.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Shape = tuple[int, ...]


def narrower(shapes: Mapping[str, Shape], than: Mapping[str, Shape]) -> bool:
    """Whether a layer of ``shapes`` has fewer channels than that of the same name in ``than``."""
    return any(new < old for name in than for new, old in zip(shapes[name], than[name], strict=True))


def widened(weights: Mapping[str, Array], shapes: Mapping[str, Shape], rng: np.random.Generator) -> dict[str, Array]:
    """Every one of ``weights`` in its shape of ``shapes``, by name; the last axis is of what a layer gives."""
    return {name: _widened(weights[name], shape, rng) for name, shape in shapes.items()}


def _widened(value: Array, shape: Shape, rng: np.random.Generator) -> Array:
    if value.shape == shape:
        return value
    value = value[..., _sources(value.shape[-1], shape[-1])]
    if value.ndim == 1 or value.shape[-2] == shape[-2]:
        return value
    read = _sources(value.shape[-2], shape[-2])
    drawn = rng.uniform(size=(len(read), shape[-1]))
    sums = np.add.reduceat(drawn, np.flatnonzero(np.diff(read, prepend=-1)))
    return (value[..., read, :] * (drawn / sums[read])).astype(np.float32)


def _sources(old: int, new: int) -> npt.NDArray[np.int64]:
    """The old channel that each new one is a copy of."""
    return np.arange(new) * old // new
