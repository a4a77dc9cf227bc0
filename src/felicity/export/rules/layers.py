"""Keras's layers of convolutional networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from felicity.export.onnx_writer import Array, Graph, Rule, Value, unknown
from felicity.export.rules.activations import activate, clip, single, softmax
from felicity.export.rules.normalisations import NORMALISATIONS
from felicity.export.rules.operations import binary, concatenated, einsum, reduced, reshaped, transposed
from felicity.models.graph import Call, Ref, traced
from felicity.training.engines.base import to_numpy


def _activated(graph: Graph, layer: Any, x: Value) -> Value:
    """Return ``x`` after the layer's activation, which is expanded if it is none of Keras's own."""
    done = activate(graph, layer, x)
    if done is None:
        (done,) = graph.run(traced(layer.activation, [Ref(0, x.shape)]), [graph.first(x, layer.name)])
    return done


def _same(graph: Graph, call: Call, given: list[Value]) -> Value:
    return given[0]


def _activation(graph: Graph, call: Call, given: list[Value]) -> Value:
    return _activated(graph, call.operation, given[0])


def window(sides: Sequence[int], layer: Any, kernel: Sequence[int], dilation: Sequence[int] = (1, 1)) -> dict[str, Any]:
    """Return kernel, strides and pads for ONNX; "same" as in Keras, with the odd pixel at the end."""
    before, after = [], []
    for length, extent, stride, spread in zip(sides, kernel, layer.strides, dilation, strict=True):
        reach = (extent - 1) * spread + 1
        total = max((-(-length // stride) - 1) * stride + reach - length, 0) if layer.padding == "same" else 0
        before.append(total // 2)
        after.append(total - total // 2)
    return {"kernel_shape": list(kernel), "strides": list(layer.strides), "pads": before + after}


def _operands(graph: Graph, layer: Any, x: Value, kernel: Array, bias: bool, name: str = "kernel") -> list[str]:
    """Return input, kernel and bias."""
    operands = [x.name, graph.constant(f"{layer.name}/{name}", kernel)]
    return [*operands, graph.constant(f"{layer.name}/bias", to_numpy(layer.bias))] if bias else operands


def _convolution(graph: Graph, call: Call, given: list[Value]) -> Value:
    layer, (x,) = call.operation, given
    operands = _operands(graph, layer, x, to_numpy(layer.kernel).transpose(3, 2, 0, 1), layer.use_bias)
    result = graph.add("Conv", layer.name, operands, **_window_of(layer, x), group=layer.groups)
    return _activated(graph, layer, Value(result, call.results[0].shape))


def _window_of(layer: Any, x: Value) -> dict[str, Any]:
    spread = tuple(layer.dilation_rate)
    return window(x.shape[:2], layer, layer.kernel_size, spread) | {"dilations": list(spread)}


def _by_channel(kernel: Array) -> Array:
    """Return a kernel ``(h, w, C, times)`` of single channels in ONNX's form: ``(C * times, 1, h, w)``."""
    tall, wide, channels, times = kernel.shape
    return kernel.transpose(2, 3, 0, 1).reshape(channels * times, 1, tall, wide)


def _depthwise(graph: Graph, call: Call, given: list[Value]) -> Value:
    layer, (x,) = call.operation, given
    operands = _operands(graph, layer, x, _by_channel(to_numpy(layer.kernel)), layer.use_bias)
    result = graph.add("Conv", layer.name, operands, **_window_of(layer, x), group=x.shape[-1])
    return _activated(graph, layer, Value(result, call.results[0].shape))


def _separable(graph: Graph, call: Call, given: list[Value]) -> Value:
    layer, (x,) = call.operation, given
    kernel = _by_channel(to_numpy(layer.depthwise_kernel))
    operands = _operands(graph, layer, x, kernel, False, "depthwise_kernel")
    alone = Value(graph.add("Conv", layer.name, operands, **_window_of(layer, x), group=x.shape[-1]), x.shape)
    mixing = to_numpy(layer.pointwise_kernel).transpose(3, 2, 0, 1)
    result = graph.add("Conv", layer.name, _operands(graph, layer, alone, mixing, layer.use_bias, "pointwise_kernel"))
    return _activated(graph, layer, Value(result, call.results[0].shape))


def _dense(graph: Graph, call: Call, given: list[Value]) -> Value:
    layer, (x,) = call.operation, given
    kernel, shape = to_numpy(layer.kernel), call.results[0].shape
    if len(x.shape) == 1:
        result = graph.add("Gemm", layer.name, _operands(graph, layer, x, kernel, layer.use_bias))
    elif x.image:
        kernel = kernel.T[:, :, None, None]
        result = graph.add("Conv", layer.name, _operands(graph, layer, x, kernel, layer.use_bias))
    else:
        result = graph.add("MatMul", layer.name, _operands(graph, layer, x, kernel, False))
        if layer.use_bias:
            result = graph.add("Add", layer.name, [result, graph.constant(f"{layer.name}/bias", to_numpy(layer.bias))])
    return _activated(graph, layer, Value(result, shape))


def _einsum_dense(graph: Graph, call: Call, given: list[Value]) -> Value:
    layer, shape = call.operation, call.results[0].shape
    x = graph.last(given[0], layer.name)
    kernel = graph.constant(f"{layer.name}/kernel", to_numpy(layer.kernel))
    made = einsum(graph, layer.name, layer.equation, [x, Value(kernel, ())], shape)
    if layer.bias is not None:
        bias = graph.constant(f"{layer.name}/bias", to_numpy(layer.bias))
        made = Value(graph.add("Add", layer.name, [made.name, bias]), shape, last=True)
    return _activated(graph, layer, made)


def _pooling(operator: str) -> Rule:
    def rule(graph: Graph, call: Call, given: list[Value]) -> Value:
        layer, (x,) = call.operation, given
        how = window(x.shape[:2], layer, layer.pool_size)
        return Value(graph.add(operator, layer.name, [x.name], **how), call.results[0].shape)

    return rule


def _global(operator: str) -> Rule:
    def rule(graph: Graph, call: Call, given: list[Value]) -> Value:
        layer, (x,) = call.operation, given
        made = graph.add(operator, layer.name, [x.name])
        return Value(made if layer.keepdims else graph.add("Flatten", layer.name, [made]), call.results[0].shape)

    return rule


def _flatten(graph: Graph, call: Call, given: list[Value]) -> Value:
    """Flatten in Keras's order, channels last, because the next dense layer was trained on it."""
    x = graph.last(given[0], call.name)
    return Value(graph.add("Flatten", call.name, [x.name]), call.results[0].shape)


def _reshape(graph: Graph, call: Call, given: list[Value]) -> Value:
    return reshaped(graph, call.name, given[0], call.results[0].shape)


def _permute(graph: Graph, call: Call, given: list[Value]) -> Value:
    return transposed(graph, call.name, given[0], (0, *call.operation.dims))


def _relu(graph: Graph, call: Call, given: list[Value]) -> Value:
    layer, (x,) = call.operation, given
    if layer.threshold:
        raise unknown(call, "with a threshold")
    if layer.negative_slope:
        x = single("LeakyRelu", alpha=float(layer.negative_slope))(graph, layer.name, x)
        return x if layer.max_value is None else clip(graph, layer.name, x, None, layer.max_value)
    if layer.max_value is None:
        return single("Relu")(graph, layer.name, x)
    return clip(graph, layer.name, x, 0.0, float(layer.max_value))


def _prelu(graph: Graph, call: Call, given: list[Value]) -> Value:
    layer, (x,) = call.operation, given
    alpha = to_numpy(layer.alpha)
    slope = graph.constant(f"{layer.name}/alpha", alpha.transpose(2, 0, 1) if x.image else alpha)
    return Value(graph.add("PRelu", layer.name, [x.name, slope]), x.shape)


def _with_number(operator: str, name: str) -> Rule:
    def rule(graph: Graph, call: Call, given: list[Value]) -> Value:
        alpha = float(getattr(call.operation, name))
        return single(operator, alpha=alpha)(graph, call.name, given[0])

    return rule


def _softmax(graph: Graph, call: Call, given: list[Value]) -> Value:
    layer = call.operation
    if not isinstance(layer.axis, int) or len(given) > 1:
        raise unknown(call, "of several axes or with a mask")
    return softmax(graph, layer.name, given[0], layer.axis)


def _merging(operator: str, average: bool = False) -> Rule:
    def rule(graph: Graph, call: Call, given: list[Value]) -> Value:
        result = given[0]
        for number, other in enumerate(given[1:], 1):
            result = binary(graph, f"{call.name}/{number}", operator, [result, other], None)
        return binary(graph, call.name, "Mul", [result, np.array(1 / len(given))], None) if average else result

    return rule


def _concatenate(graph: Graph, call: Call, given: list[Value]) -> Value:
    return concatenated(graph, call.name, given, call.operation.axis, call.results[0].shape)


def _padding(graph: Graph, call: Call, given: list[Value]) -> Value:
    layer, (x,) = call.operation, given
    (top, bottom), (left, right) = layer.padding
    pads = graph.constant(f"{layer.name}/pads", [0, 0, top, left, 0, 0, bottom, right], np.int64)
    return Value(graph.add("Pad", layer.name, [x.name, pads]), call.results[0].shape)


def _cropping(graph: Graph, call: Call, given: list[Value]) -> Value:
    layer, (x,) = call.operation, given
    (top, bottom), (left, right) = layer.cropping
    tall, wide = x.shape[:2]
    bounds = {"begin": [top, left], "end": [tall - bottom, wide - right], "axes": [2, 3]}
    names = [graph.constant(f"{layer.name}/{name}", value, np.int64) for name, value in bounds.items()]
    return Value(graph.add("Slice", layer.name, [x.name, *names]), call.results[0].shape)


def _enlarging(graph: Graph, call: Call, given: list[Value]) -> Value:
    layer, (x,) = call.operation, given
    if layer.interpolation not in ("nearest", "bilinear"):
        raise unknown(call, f"with interpolation {layer.interpolation}")
    scales = graph.constant(f"{layer.name}/scales", [1, 1, *layer.size])
    nearest = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    linear = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
    how = nearest if layer.interpolation == "nearest" else linear
    return Value(graph.add("Resize", layer.name, [x.name, "", scales], **how), call.results[0].shape)


def _means(graph: Graph, call: Call, given: list[Value]) -> Value:
    """Write means over the positions of a sequence ``(B, T, C)``."""
    kind = "ReduceMean" if "Average" in call.kind else "ReduceMax"
    return reduced(graph, call.name, kind, given[0], [1], bool(call.operation.keepdims), call.results[0].shape)


LAYERS: dict[str, Rule] = {
    **NORMALISATIONS,
    "Conv2D": _convolution,
    "DepthwiseConv2D": _depthwise,
    "SeparableConv2D": _separable,
    "Dense": _dense,
    "EinsumDense": _einsum_dense,
    "MaxPooling2D": _pooling("MaxPool"),
    "AveragePooling2D": _pooling("AveragePool"),
    "GlobalAveragePooling2D": _global("GlobalAveragePool"),
    "GlobalMaxPooling2D": _global("GlobalMaxPool"),
    "GlobalAveragePooling1D": _means,
    "GlobalMaxPooling1D": _means,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Permute": _permute,
    "ReLU": _relu,
    "LeakyReLU": _with_number("LeakyRelu", "negative_slope"),
    "ELU": _with_number("Elu", "alpha"),
    "PReLU": _prelu,
    "Softmax": _softmax,
    "Activation": _activation,
    "Add": _merging("Add"),
    "Subtract": _merging("Sub"),
    "Multiply": _merging("Mul"),
    "Average": _merging("Add", average=True),
    "Maximum": _merging("Max"),
    "Minimum": _merging("Min"),
    "Concatenate": _concatenate,
    "ZeroPadding2D": _padding,
    "Cropping2D": _cropping,
    "UpSampling2D": _enlarging,
    **dict.fromkeys(
        ("Dropout", "SpatialDropout2D", "GaussianDropout", "GaussianNoise", "AlphaDropout", "Identity",
         "ActivityRegularization"),
        _same,
    ),
}  # fmt: skip
"""A rule for each kind of layer; layers that act in training alone are skipped."""
