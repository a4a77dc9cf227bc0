"""Weights for a network of the same shape with more channels, which answers like the original.

Every new channel is a copy of an old one. Copies stand side by side, so that flattened images keep them, too. A layer
that reads both copies divides the old weight between them at random, so that the copies diverge once they are trained.

Source: Net2WiderNet, Chen T. et al. 2016 (arXiv:1511.05641), there with equal shares and noise.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Shape = tuple[int, ...]


def narrower(shapes: Mapping[str, Shape], than: Mapping[str, Shape]) -> bool:
    """Return whether a layer of ``shapes`` has fewer channels than the layer of the same name in ``than``."""
    return any(new < old for name in than for new, old in zip(shapes[name], than[name], strict=True))


def widened(weights: Mapping[str, Array], shapes: Mapping[str, Shape], rng: np.random.Generator) -> dict[str, Array]:
    """Return every one of ``weights`` in its shape of ``shapes``, by name; the last axis is the layer's output."""
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
    """Return the old channel from which each new one is copied."""
    return np.arange(new) * old // new
