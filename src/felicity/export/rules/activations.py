"""Activations: functions of single numbers, and softmax."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from felicity.export.onnx_writer import Graph, Value
from felicity.models.graph import activation_of

Activation = Callable[[Graph, str, Value], Value]


def single(operator: str, **attributes: Any) -> Activation:
    """Return the activation that is one operator of ONNX."""

    def write(graph: Graph, layer: str, x: Value) -> Value:
        return Value(graph.add(operator, layer, [x.name], **attributes), x.shape, x.last)

    return write


def combine(graph: Graph, operator: str, layer: str, x: Value, other: str | float) -> Value:
    """Return ``x`` combined with another value of its shape, or with a number."""
    name = other if isinstance(other, str) else graph.constant(f"{layer}/{operator}_by", other)
    return Value(graph.add(operator, layer, [x.name, name]), x.shape, x.last)


def clip(graph: Graph, layer: str, x: Value, low: float | None, high: float | None) -> Value:
    """Return ``x`` between two bounds."""
    bounds = [
        "" if bound is None else graph.constant(f"{layer}/{name}", bound)
        for name, bound in (("low", low), ("high", high))
    ]
    return Value(graph.add("Clip", layer, [x.name, *bounds]), x.shape, x.last)


def softmax(graph: Graph, layer: str, x: Value, axis: int = -1, operator: str = "Softmax") -> Value:
    """Write a softmax along ``axis`` of Keras, which counts the batch."""
    rank = len(x.shape) + 1
    place = axis % rank
    if x.image:
        place = {0: 0, 1: 2, 2: 3, 3: 1}[place]
    return Value(graph.add(operator, layer, [x.name], axis=place), x.shape, x.last)


def _times(inner: Activation) -> Activation:
    def write(graph: Graph, layer: str, x: Value) -> Value:
        return combine(graph, "Mul", layer, x, inner(graph, layer, x).name)

    return write


def _mish(graph: Graph, layer: str, x: Value) -> Value:
    return single("Tanh")(graph, layer, single("Softplus")(graph, layer, x))


def gelu(graph: Graph, layer: str, x: Value, approximate: bool = False) -> Value:
    """Write the exact function, with erf, or the one with tanh (Hendrycks & Gimpel 2016, arXiv:1606.08415)."""
    if approximate:
        cubed = combine(graph, "Mul", layer, combine(graph, "Mul", layer, x, x.name), x.name)
        inside = combine(graph, "Add", layer, x, combine(graph, "Mul", layer, cubed, 0.044715).name)
        part = single("Tanh")(graph, layer, combine(graph, "Mul", layer, inside, float(np.sqrt(2 / np.pi))))
    else:
        part = single("Erf")(graph, layer, combine(graph, "Mul", layer, x, float(1 / np.sqrt(2))))
    share = combine(graph, "Mul", layer, combine(graph, "Add", layer, part, 1.0), 0.5)
    return combine(graph, "Mul", layer, x, share.name)


def _hard(graph: Graph, layer: str, x: Value) -> Value:
    return Value(graph.add("HardSigmoid", layer, [x.name], alpha=1 / 6, beta=0.5), x.shape, x.last)


ACTIVATIONS: dict[str, Activation] = {
    "linear": lambda graph, layer, x: x,
    "relu": single("Relu"),
    "relu6": lambda graph, layer, x: clip(graph, layer, x, 0.0, 6.0),
    "leaky_relu": single("LeakyRelu", alpha=0.2),
    "elu": single("Elu", alpha=1.0),
    "celu": single("Celu", alpha=1.0),
    "selu": single("Selu"),
    "sigmoid": single("Sigmoid"),
    "hard_sigmoid": _hard,
    "hard_tanh": lambda graph, layer, x: clip(graph, layer, x, -1.0, 1.0),
    "tanh": single("Tanh"),
    "tanh_shrink": lambda graph, layer, x: combine(graph, "Sub", layer, x, single("Tanh")(graph, layer, x).name),
    "softplus": single("Softplus"),
    "softsign": single("Softsign"),
    "exponential": single("Exp"),
    "silu": _times(single("Sigmoid")),
    "hard_silu": _times(_hard),
    "mish": _times(_mish),
    "gelu": gelu,
    "softmax": softmax,
    "log_softmax": partial(softmax, operator="LogSoftmax"),
}
"""Activations by the name of Keras's function. Others are expanded."""


def activate(graph: Graph, layer: Any, x: Value) -> Value | None:
    """Return ``x`` after the activation of ``layer``; None if it is none of these."""
    write = ACTIVATIONS.get(activation_of(layer))
    return None if write is None else write(graph, layer.name, x)
