"""Initial weights drawn here and not by the framework, so that a seed gives the same network on every backend."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def initial_weights(shapes: list[tuple[str, tuple[int, ...]]], seed: int) -> list[npt.NDArray[np.float32]]:
    """A float32 array for each named shape.

    Kernels are Glorot uniform (Glorot & Bengio 2010), as Keras has them; biases, shifts and moving means 0; scales
    and moving variances 1. Raises ValueError for a name that it does not know.
    """
    arrays = []
    for number, (path, shape) in enumerate(shapes):
        kind = path.rsplit("/", 1)[-1]
        if kind == "kernel":
            field = int(np.prod(shape[:-2]))
            limit = np.sqrt(6 / (field * shape[-2] + field * shape[-1]))
            arrays.append(np.random.default_rng([seed, number]).uniform(-limit, limit, shape).astype(np.float32))
        elif kind in ("gamma", "moving_variance"):
            arrays.append(np.ones(shape, dtype=np.float32))
        elif kind in ("beta", "bias", "moving_mean"):
            arrays.append(np.zeros(shape, dtype=np.float32))
        else:
            raise ValueError(f"{path}: no rule for its initial value")
    return arrays


def initialise(model: Any, seed: int) -> None:
    """Set all weights of a ``keras.Model`` to those of ``seed``."""
    weights = list(model.weights)
    for variable, array in zip(
        weights, initial_weights([(v.path, tuple(v.shape)) for v in weights], seed), strict=True
    ):
        variable.assign(array)
