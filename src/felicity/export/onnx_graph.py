"""A trained Keras network as ONNX: layer by layer, so that it comes out the same whatever backend it runs on.

Bundles are NCHW; Keras computes channels last. Written anew, every layer is NCHW, and no transpose stands between
convolutions, as one would if a framework's exporter translated what the backend does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.errors import ConfigError, require
from felicity.labels import EXPRESSIONS
from felicity.training.engines.base import to_numpy

OPSET, IR_VERSION = 17, 8
"""Old enough for every ONNX Runtime that Felicity runs with."""
INPUT, OUTPUTS = "faces", ("logits", "second_logits")
NEVER = -1e4
"""Logit of an expression that is none of the network's classes: its probability is 0 at any temperature."""

Rule = Callable[["Graph", Any, list[str]], str]


class Graph:
    """Nodes and constants, named ``layer/operator`` and ``layer/constant``."""

    def __init__(self) -> None:
        self._onnx = require("onnx", "export")
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def constant(self, name: str, value: npt.NDArray[Any]) -> str:
        """Add a float32 constant; returns its name."""
        array = np.ascontiguousarray(value, dtype=np.float32)
        self._constants.append(self._onnx.numpy_helper.from_array(array, name))
        return name

    def add(self, operator: str, layer: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Add a node; returns the name of its result."""
        return self._append(operator, f"{layer}/{operator}", inputs, attributes)

    def serialise(
        self, name: str, input_shape: Sequence[int], last: str, heads: Sequence[Sequence[int]], outputs: Sequence[str]
    ) -> bytes:
        """Put the classes of each block of ``last`` in their places among the eight; an ONNX file, checked."""
        first, total = 0, sum(map(len, heads))
        for places, output in zip(heads, outputs, strict=True):
            pick = np.zeros((total, len(EXPRESSIONS)))
            pick[first + np.arange(len(places)), places] = 1
            never = np.where(pick.any(0), 0, NEVER)
            inputs = [last, self.constant(f"{output}/pick", pick), self.constant(f"{output}/never", never)]
            self._append("Gemm", output, inputs, {})
            first += len(places)
        helper, kind = self._onnx.helper, self._onnx.TensorProto.FLOAT
        graph = helper.make_graph(
            self._nodes, name,
            [helper.make_tensor_value_info(INPUT, kind, ["batch", *input_shape])],
            [helper.make_tensor_value_info(output, kind, ["batch", len(EXPRESSIONS)]) for output in outputs],
            self._constants,
        )  # fmt: skip
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="felicity"
        )
        self._onnx.checker.check_model(model, full_check=True)
        content: bytes = model.SerializeToString()
        return content

    def _append(self, operator: str, result: str, inputs: Sequence[str], attributes: dict[str, Any]) -> str:
        self._nodes.append(self._onnx.helper.make_node(operator, inputs, [result], name=result, **attributes))
        return result


def to_onnx(model: Any, heads: Sequence[Sequence[int]]) -> bytes:
    """An ONNX file: ``faces`` float32 ``(batch, C, S, S)`` to ``(batch, 8)`` for each head, ordered as EXPRESSIONS.

    ``model``: a functional ``keras.Model`` from ``(batch, S, S, C)`` to a logit per class, in blocks of ``heads``: the
    place of each class among the eight; the others get NEVER. The results are called OUTPUTS. Raises ConfigError
    for a layer without a rule.
    """
    graph = Graph()
    results: dict[str, str] = {}
    for layer in model.layers:
        rule = RULES.get(type(layer).__name__)
        if rule is None or len(layer._inbound_nodes) != 1:
            raise _unknown(layer, "of this kind" if rule is None else "that is used more than once")
        inputs = [results[node.operation.name] for node in layer._inbound_nodes[0].parent_nodes]
        results[layer.name] = rule(graph, layer, inputs)
    *sides, channels = model.input_shape[1:]
    last = results[model.layers[-1].name]
    return graph.serialise(model.name, (channels, *sides), last, heads, OUTPUTS[: len(heads)])


def _input(graph: Graph, layer: Any, inputs: list[str]) -> str:
    return INPUT


def _same(graph: Graph, layer: Any, inputs: list[str]) -> str:
    return inputs[0]


def _convolution(graph: Graph, layer: Any, inputs: list[str]) -> str:
    operands = [*inputs, graph.constant(f"{layer.name}/kernel", to_numpy(layer.kernel).transpose(3, 2, 0, 1))]
    if layer.use_bias:
        operands.append(graph.constant(f"{layer.name}/bias", to_numpy(layer.bias)))
    how = {"dilations": list(layer.dilation_rate), "group": layer.groups}
    result = graph.add("Conv", layer.name, operands, **window(layer, layer.kernel_size, layer.dilation_rate), **how)
    return _activate(graph, layer, result)


def _dense(graph: Graph, layer: Any, inputs: list[str]) -> str:
    if len(layer.input.shape) != 2:
        raise _unknown(layer, f"on an input of shape {tuple(layer.input.shape[1:])}")
    operands = [*inputs, graph.constant(f"{layer.name}/kernel", to_numpy(layer.kernel))]
    if layer.use_bias:
        operands.append(graph.constant(f"{layer.name}/bias", to_numpy(layer.bias)))
    return _activate(graph, layer, graph.add("Gemm", layer.name, operands))


def _normalisation(graph: Graph, layer: Any, inputs: list[str]) -> str:
    mean, variance = to_numpy(layer.moving_mean), to_numpy(layer.moving_variance)
    values = {
        "gamma": to_numpy(layer.gamma) if layer.scale else np.ones_like(mean),
        "beta": to_numpy(layer.beta) if layer.center else np.zeros_like(mean),
        "moving_mean": mean,
        "moving_variance": variance,
    }
    constants = [graph.constant(f"{layer.name}/{name}", value) for name, value in values.items()]
    return graph.add("BatchNormalization", layer.name, [*inputs, *constants], epsilon=layer.epsilon)


def _pooling(operator: str) -> Rule:
    def rule(graph: Graph, layer: Any, inputs: list[str]) -> str:
        return graph.add(operator, layer.name, inputs, **window(layer, layer.pool_size))

    return rule


def _global_average(graph: Graph, layer: Any, inputs: list[str]) -> str:
    if layer.keepdims:
        raise _unknown(layer, "with keepdims")
    return graph.add("Flatten", layer.name, [graph.add("GlobalAveragePool", layer.name, inputs)])


def _flatten(graph: Graph, layer: Any, inputs: list[str]) -> str:
    """In Keras's order, channels last: the dense layer after it was trained on that."""
    if len(layer.input.shape) == 4:
        inputs = [graph.add("Transpose", layer.name, inputs, perm=[0, 2, 3, 1])]
    return graph.add("Flatten", layer.name, inputs)


def _relu(graph: Graph, layer: Any, inputs: list[str]) -> str:
    if layer.max_value is not None or layer.negative_slope or layer.threshold:
        raise _unknown(layer, "with a slope or a bound")
    return graph.add("Relu", layer.name, inputs)


def _activation(graph: Graph, layer: Any, inputs: list[str]) -> str:
    return _activate(graph, layer, inputs[0])


def _add(graph: Graph, layer: Any, inputs: list[str]) -> str:
    result = inputs[0]
    for number, other in enumerate(inputs[1:], 1):
        result = graph.add("Add", f"{layer.name}/{number}", [result, other])
    return result


RULES: dict[str, Rule] = {
    "InputLayer": _input,
    "Conv2D": _convolution,
    "Dense": _dense,
    "BatchNormalization": _normalisation,
    "MaxPooling2D": _pooling("MaxPool"),
    "AveragePooling2D": _pooling("AveragePool"),
    "GlobalAveragePooling2D": _global_average,
    "Flatten": _flatten,
    "ReLU": _relu,
    "Activation": _activation,
    "Add": _add,
    "Dropout": _same,
}
"""A rule for each kind of layer; one more is a function here."""
ACTIVATIONS = {"relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh"}


def _activate(graph: Graph, layer: Any, result: str) -> str:
    name = layer.activation.__name__
    if name == "linear":
        return result
    if name not in ACTIVATIONS:
        raise _unknown(layer, f"with activation {name}")
    return graph.add(ACTIVATIONS[name], layer.name, [result])


def window(layer: Any, kernel: Sequence[int], dilation: Sequence[int] = (1, 1)) -> dict[str, list[int]]:
    """Kernel, strides and pads as ONNX has them; "same" as Keras means it, with the odd pixel at the end."""
    before, after = [], []
    sides = layer.input.shape[1:3]
    for length, extent, stride, spread in zip(sides, kernel, layer.strides, dilation, strict=True):
        reach = (extent - 1) * spread + 1
        total = max((-(-length // stride) - 1) * stride + reach - length, 0) if layer.padding == "same" else 0
        before.append(total // 2)
        after.append(total - total // 2)
    return {"kernel_shape": list(kernel), "strides": list(layer.strides), "pads": before + after}


def _unknown(layer: Any, what: str) -> ConfigError:
    return ConfigError(
        f"layer {layer.name}: export knows no {type(layer).__name__} {what}; it knows {', '.join(sorted(RULES))}"
    )
