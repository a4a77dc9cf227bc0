"""Initial weights, drawn by Felicity and not by the framework, so that a seed gives equal networks on all backends."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.models.registry import ModelOptions, build, check_network


def initial_weights(shapes: list[tuple[str, tuple[int, ...]]], seed: int) -> list[npt.NDArray[np.float32]]:
    """Return a float32 array for each named shape.

    Kernels, also ``depthwise_kernel`` and ``pointwise_kernel``, are Glorot uniform (Glorot & Bengio 2010), as in Keras;
    biases, shifts and moving means are 0; scales and moving variances are 1. Raises ValueError for an unknown name.
    """
    arrays = []
    for number, (path, shape) in enumerate(shapes):
        kind = path.rsplit("/", 1)[-1]
        if kind.endswith("kernel"):
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


def begin(name: str, options: ModelOptions, seed: int) -> Any:
    """Build the network ``name`` with its first weights, as a ``keras.Model``; see ``registry.build`` for errors.

    Networks of other packages keep the weights that they are built with, so that they may load their own. Their random
    weights are then Keras's, seeded, and differ between backends.
    """
    network = check_network(name)
    if not network.ours:
        import keras

        keras.utils.set_random_seed(seed % 2**32)
    model = build(name, options)
    if network.ours:
        initialise(model, seed)
    return model
