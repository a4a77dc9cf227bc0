"""Layers that shift and scale: normalisations, and rescaling by known numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from felicity.export.onnx_writer import Graph, Rule, Value, numbers_of, unknown
from felicity.export.rules.activations import combine, single
from felicity.export.rules.operations import binary, reduced
from felicity.models.graph import Call
from felicity.training.engines.base import to_numpy


def _channels(layer: Any, x: Value, call: Call) -> int:
    axis = layer.axis if isinstance(layer.axis, int) else layer.axis[0] if len(layer.axis) == 1 else 0
    if axis % (len(x.shape) + 1) != len(x.shape):
        raise unknown(call, f"along axis {layer.axis}")
    return x.shape[-1]


def _batch_norm(graph: Graph, call: Call, given: list[Value]) -> Value:
    layer, (x,) = call.operation, given
    size = _channels(layer, x, call)
    values = {
        "gamma": to_numpy(layer.gamma) if layer.scale else np.ones(size),
        "beta": to_numpy(layer.beta) if layer.center else np.zeros(size),
        "moving_mean": to_numpy(layer.moving_mean),
        "moving_variance": to_numpy(layer.moving_variance),
    }
    if not x.image and len(x.shape) > 1:  # ONNX takes the second axis for the channels
        scale = values["gamma"] / np.sqrt(values["moving_variance"] + layer.epsilon)
        x = binary(graph, layer.name, "Mul", [x, scale], x.shape)
        return binary(graph, layer.name, "Add", [x, values["beta"] - values["moving_mean"] * scale], x.shape)
    constants = [graph.constant(f"{layer.name}/{name}", value) for name, value in values.items()]
    return Value(graph.add("BatchNormalization", layer.name, [x.name, *constants], epsilon=layer.epsilon), x.shape)


def _layer_norm(graph: Graph, call: Call, given: list[Value]) -> Value:
    layer = call.operation
    size, x = _channels(layer, given[0], call), graph.last(given[0], call.name)
    gamma = to_numpy(layer.gamma) if layer.scale else np.ones(size)
    constants = [graph.constant(f"{layer.name}/gamma", gamma)]
    if layer.center:
        constants.append(graph.constant(f"{layer.name}/beta", to_numpy(layer.beta)))
    made = graph.add("LayerNormalization", layer.name, [x.name, *constants], axis=-1, epsilon=layer.epsilon)
    return Value(made, x.shape, last=True)


def _group_norm(graph: Graph, call: Call, given: list[Value]) -> Value:
    """Write each group as one channel of an instance normalisation; source: Wu & He 2018 (arXiv:1803.08494)."""
    layer, (x,) = call.operation, given
    size = _channels(layer, x, call)
    if not x.image:
        raise unknown(call, f"on values of shape {x.shape}")
    groups = size if layer.groups == -1 else layer.groups
    to_groups = graph.constant(f"{layer.name}/groups", [0, groups, -1], np.int64)
    back = graph.constant(f"{layer.name}/shape", [-1, size, *x.shape[:2]], np.int64)
    ones, zeros = (graph.constant(f"{layer.name}/{n}", np.full(groups, v)) for n, v in (("ones", 1), ("zeros", 0)))
    grouped = graph.add("Reshape", layer.name, [x.name, to_groups])
    normed = graph.add("InstanceNormalization", layer.name, [grouped, ones, zeros], epsilon=layer.epsilon)
    made = Value(graph.add("Reshape", layer.name, [normed, back]), x.shape)
    if layer.scale:
        made = binary(graph, layer.name, "Mul", [made, to_numpy(layer.gamma)], x.shape)
    return binary(graph, layer.name, "Add", [made, to_numpy(layer.beta)], x.shape) if layer.center else made


def _rescaling(graph: Graph, call: Call, given: list[Value]) -> Value:
    layer, (x,) = call.operation, given
    scaled = binary(graph, layer.name, "Mul", [x, np.asarray(layer.scale, np.float32)], x.shape)
    return binary(graph, layer.name, "Add", [scaled, np.asarray(layer.offset, np.float32)], x.shape)


def _normalization(graph: Graph, call: Call, given: list[Value]) -> Value:
    layer, (x,) = call.operation, given
    mean, variance = numbers_of(layer.mean), numbers_of(layer.variance)
    if mean is None or variance is None or layer.invert:
        raise unknown(call, "that was not adapted, or that inverts")
    deviation = np.maximum(np.sqrt(variance), 1e-7)
    scaled = binary(graph, layer.name, "Mul", [x, (1 / deviation).astype(np.float32)], x.shape)
    return binary(graph, layer.name, "Add", [scaled, (-mean / deviation).astype(np.float32)], x.shape)


def _rms_norm(graph: Graph, call: Call, given: list[Value]) -> Value:
    layer, x = call.operation, graph.last(given[0], call.name)
    _channels(layer, x, call)
    squares = Value(graph.add("Mul", layer.name, [x.name, x.name]), x.shape, last=True)
    mean = reduced(graph, layer.name, "ReduceMean", squares, [-1], True, (*x.shape[:-1], 1))
    length = single("Sqrt")(graph, layer.name, combine(graph, "Add", layer.name, mean, float(layer.epsilon)))
    made = binary(graph, layer.name, "Div", [x, length], x.shape)
    return binary(graph, layer.name, "Mul", [made, to_numpy(layer.scale)], x.shape)


def _unit_norm(graph: Graph, call: Call, given: list[Value]) -> Value:
    _channels(call.operation, given[0], call)
    x = graph.last(given[0], call.name)
    return Value(graph.add("LpNormalization", call.name, [x.name], axis=-1, p=2), x.shape, last=True)


NORMALISATIONS: dict[str, Rule] = {
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "GroupNormalization": _group_norm,
    "RMSNormalization": _rms_norm,
    "UnitNormalization": _unit_norm,
    "Normalization": _normalization,
    "Rescaling": _rescaling,
}
"""A rule for each kind of layer."""
