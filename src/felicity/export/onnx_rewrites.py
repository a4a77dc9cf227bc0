"""Rewrites of an ONNX network with the same answers, for faster 8-bit arithmetic in ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.errors import require
from felicity.export.onnx_graph import INPUT

GROUP = 4
"""Number of channels that 8-bit convolutions multiply at once; with fewer they take a slow path."""


def without_pools(onnx: bytes) -> bytes:
    """Return the same network with each average over blocks of pixels replaced by the 1x1 convolution that follows it.

    The convolution's weights, spread over the block, give the same sums; an average in 8-bit integers takes several
    times as long as the saved products.
    """
    net = _Net(onnx)
    for pool in net.nodes("AveragePool"):
        users, block = net.users(pool.output[0]), net.attributes(pool)
        points = [net.attributes(node) for node in users if node.op_type == "Conv" and node.input[1] in net.constants]
        plain = [
            (how["kernel_shape"], how["strides"], how["group"], any(how["pads"])) == ([1, 1], [1, 1], 1, False)
            for how in points
        ]
        sides = block["kernel_shape"]
        if not users or len(plain) < len(users) or not all(plain) or block["strides"] != sides or any(block["pads"]):
            continue
        for node in users:
            weights = net.array(node.input[1])
            net.replace(node.input[1], np.tile(weights / np.prod(sides).astype(weights.dtype), (1, 1, *sides)))
            node.input[0] = pool.input[0]
            net.set_attributes(node, kernel_shape=sides, strides=sides)
        net.graph.node.remove(pool)
    return net.serialise()


def with_grouped_stem(onnx: bytes) -> bytes:
    """Return the network with its first convolution, stride 2 over one channel, reading four columns as channels.

    Memory stays as it is: channels last, four neighbours in a row of grey pixels are four channels of one position,
    and two results of C channels are one of 2 C. Networks that begin otherwise are left alone.
    """
    net = _Net(onnx)
    users = net.users(INPUT)
    stem = users[0] if len(users) == 1 and users[0].op_type == "Conv" else None
    _, channels, height, width = net.input_shape()
    if stem is None or channels != 1 or width % GROUP or not all(name in net.constants for name in stem.input[1:]):
        return onnx
    how, weights = net.attributes(stem), net.array(stem.input[1])
    (top, left, bottom, right), (outputs, _, tall, wide) = how["pads"], weights.shape
    halved = how["strides"] == [2, 2] and left + right == wide - 2 and top + bottom == tall - 2
    if not halved or how["dilations"] != [1, 1]:
        return onnx
    first, last = -left // GROUP, (1 + wide - left) // GROUP  # groups that windows of the 0th group's results reach
    groups = last - first + 1
    spread = np.zeros((2, outputs, tall, groups * GROUP), weights.dtype)
    for place in (0, 1):
        begin = 2 * place - left - first * GROUP
        spread[place, :, :, begin : begin + wide] = weights[:, 0]
    grouped = spread.reshape(2 * outputs, tall, groups, GROUP).transpose(0, 3, 1, 2)
    net.replace(stem.input[1], grouped)
    if len(stem.input) > 2:
        net.replace(stem.input[2], np.tile(net.array(stem.input[2]), 2))
    net.set_attributes(stem, kernel_shape=[tall, groups], strides=[2, 1], pads=[top, -first, bottom, last])
    end = stem
    if len(after := net.users(stem.output[0])) == 1 and after[0].op_type == "Relu":
        end = after[0]
    result, end.output[0] = end.output[0], "stem/grouped"
    stem.input[0] = "stem/columns"
    net.insert_before(
        stem,
        net.node("Reshape", [INPUT, net.constant("stem/rows_shape", [-1, height, width // GROUP, GROUP])], "stem/rows"),
        net.node("Transpose", ["stem/rows"], "stem/columns", perm=[0, 3, 1, 2]),
    )
    shape = net.constant("stem/shape", [-1, height // 2, width // 2, outputs])
    net.insert_after(
        end,
        net.node("Transpose", ["stem/grouped"], "stem/grouped_last", perm=[0, 2, 3, 1]),
        net.node("Reshape", ["stem/grouped_last", shape], "stem/last"),
        net.node("Transpose", ["stem/last"], result, perm=[0, 3, 1, 2]),
    )
    return net.serialise()


class _Net:
    """A network during its rewriting."""

    def __init__(self, onnx: bytes) -> None:
        self._onnx = require("onnx", "export")
        self._model = self._onnx.load_from_string(onnx)
        self.graph = self._model.graph
        del self.graph.value_info[:]
        self.constants = {constant.name: constant for constant in self.graph.initializer}

    def nodes(self, operator: str) -> list[Any]:
        return [node for node in self.graph.node if node.op_type == operator]

    def users(self, name: str) -> list[Any]:
        return [node for node in self.graph.node if name in node.input]

    def input_shape(self) -> list[int]:
        """Return a size of the input's shape; 0 if it is free."""
        return [each.dim_value for each in self.graph.input[0].type.tensor_type.shape.dim]

    def attributes(self, node: Any) -> dict[str, Any]:
        return {each.name: self._onnx.helper.get_attribute_value(each) for each in node.attribute}

    def set_attributes(self, node: Any, **values: Any) -> None:
        del node.attribute[:]
        node.attribute.extend(self._onnx.helper.make_attribute(name, value) for name, value in values.items())

    def array(self, name: str) -> npt.NDArray[Any]:
        values: npt.NDArray[Any] = self._onnx.numpy_helper.to_array(self.constants[name])
        return values

    def replace(self, name: str, values: npt.NDArray[Any]) -> None:
        self.constants[name].CopyFrom(self._onnx.numpy_helper.from_array(np.ascontiguousarray(values), name))

    def constant(self, name: str, values: list[int]) -> str:
        self.graph.initializer.append(self._onnx.numpy_helper.from_array(np.array(values, dtype=np.int64), name))
        return name

    def node(self, operator: str, inputs: list[str], result: str, **attributes: Any) -> Any:
        return self._onnx.helper.make_node(operator, inputs, [result], name=f"{result}/{operator}", **attributes)

    def insert_before(self, node: Any, *others: Any) -> None:
        self._insert(self._place(node), others)

    def insert_after(self, node: Any, *others: Any) -> None:
        self._insert(self._place(node) + 1, others)

    def serialise(self) -> bytes:
        self._onnx.checker.check_model(self._model, full_check=True)
        content: bytes = self._model.SerializeToString()
        return content

    def _place(self, node: Any) -> int:
        return next(i for i, each in enumerate(self.graph.node) if each.output[0] == node.output[0])

    def _insert(self, place: int, others: tuple[Any, ...]) -> None:
        for offset, other in enumerate(others):
            self.graph.node.insert(place + offset, other)
