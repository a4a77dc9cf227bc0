"""Weights of a bundle's ONNX file by the names of the Keras network that it was made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.errors import TrainingError, require
from felicity.export.onnx_graph import window
from felicity.export.onnx_rewrites import ungrouped, unspread
from felicity.training.checkpoint import State

Array = npt.NDArray[Any]


def read_weights(file: Path, model: Any) -> tuple[State, list[Any]]:
    """Weights of every layer of ``model``, a functional ``keras.Model``, and its normalisations that are folded.

    The last layer's are those of the file, whatever classes ``model`` has.

    Of those, the convolution before them has taken the scale, and the weights here make them add the shift and nothing
    else. Eight-bit weights come back rounded. Raises TrainingError where the file is of another network.
    """
    held = _read(file)
    weights: State = {}
    folded: list[Any] = []
    for layer in model.layers:
        kind, own = type(layer).__name__, held.get(layer.name, {})
        if kind == "BatchNormalization" and not own:
            folded.append(layer)
            before = held.get(layer._inbound_nodes[0].parent_nodes[0].operation.name, {})
            ones = np.ones(layer.gamma.shape, np.float32)
            own = {"gamma": ones, "moving_mean": 0 * ones, "moving_variance": ones - layer.epsilon}
            own |= {"beta": before["bias"]} if "bias" in before else {}
        for variable in layer.weights:
            name = variable.path.rsplit("/", 1)[-1]
            value = own.get(name)
            if value is None:
                raise TrainingError(f"{file}: has no {variable.path}; it is of another network")
            if kind == "Conv2D" and name == "kernel":
                value = _kernel(value, layer)
            elif kind in ("Conv2D", "BatchNormalization") and name in ("bias", "beta"):
                value = value[: variable.shape[0]]  # a grouped convolution has it twice
            weights[variable.path] = value.astype(np.float32)
    return weights, folded


def _kernel(value: Array, layer: Any) -> Array:
    """As Keras has it, (height, width, in, out)."""
    *sides, _, outputs = layer.kernel.shape
    if value.shape[0] == 2 * outputs:
        value = ungrouped(value, sides[1], window(layer, sides)["pads"][1])
    if sides == [1, 1]:
        value = unspread(value)
    return value.transpose(2, 3, 1, 0)


def _read(file: Path) -> dict[str, dict[str, Array]]:
    """Constants of convolutions, normalisations and dense layers, by layer and name."""
    library = require("onnx", "export")
    graph = library.load(str(file)).graph
    constants = {each.name: library.numpy_helper.to_array(each) for each in graph.initializer}
    casts = [node for node in graph.node if node.op_type == "Cast" and node.input[0] in constants]
    constants |= {node.output[0]: constants[node.input[0]] for node in casts}
    held: dict[str, dict[str, Array]] = {}
    for node in graph.node:
        layer = node.name.split("/")[0]
        if node.op_type == "QLinearConv":
            scale = constants[node.input[4]].reshape(-1, 1, 1, 1)
            centred = constants[node.input[3]].astype(np.float32) - constants[node.input[5]].reshape(-1, 1, 1, 1)
            held[layer] = {"kernel": centred * scale}
            if len(node.input) > 8:
                held[layer]["bias"] = constants[node.input[8]] * (constants[node.input[1]] * scale.reshape(-1))
        elif node.op_type in ("Conv", "Gemm") and node.name == f"{layer}/{node.op_type}":
            held[layer] = dict(zip(("kernel", "bias"), (constants[name] for name in node.input[1:]), strict=False))
        elif node.op_type == "BatchNormalization":
            names = ("gamma", "beta", "moving_mean", "moving_variance")
            held[layer] = dict(zip(names, (constants[name] for name in node.input[1:]), strict=True))
    return held
