"""The writer of an ONNX graph, call by call, by the rule of each; see ``onnx_graph``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.errors import ConfigError, require
from felicity.labels import EXPRESSIONS
from felicity.models.graph import Call, Plan, Ref, replaced, traced
from felicity.training.engines.base import to_numpy

OPSET, IR_VERSION = 17, 8
"""Versions that every ONNX Runtime supported by Felicity reads."""
INPUT, OUTPUTS = "faces", ("logits", "second_logits")
NEVER = -1e4
"""Logit of an expression in none of the network's classes: its probability is 0 at any temperature."""
TO_LAST, TO_FIRST = (0, 2, 3, 1), (0, 3, 1, 2)
Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Value:
    """A result by its name. ``shape``: without the batch, as in Keras, channels last.

    Values of three axes are images, NCHW in ONNX unless ``last``; all others are as in Keras.
    """

    name: str
    shape: tuple[int, ...]
    last: bool = False

    @property
    def image(self) -> bool:
        """Return whether the value is NCHW in ONNX."""
        return len(self.shape) == 3 and not self.last


Rule = Callable[["Graph", Call, list[Value]], Value]


class Graph:
    """Nodes and constants, named ``layer/operator`` and ``layer/constant``."""

    def __init__(self, rule_of: Callable[[Call], Rule | None]) -> None:
        self._onnx = require("onnx", "export")
        self._rule_of = rule_of
        self._nodes: list[Any] = []
        self._constants: dict[str, Array] = {}
        self._names: set[str] = set()

    def constant(self, name: str, value: Any, kind: type = np.float32) -> str:
        """Add a constant; return its name. A constant that exists under that name is used again."""
        array: Array = np.array(value, dtype=kind, order="C")
        if (there := self._constants.get(name)) is not None and not np.array_equal(there, array):
            name = self._unused(name)
        self._constants[name] = array
        self._names.add(name)
        return name

    def add(self, operator: str, layer: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Add a node; return the name of its result."""
        return self._append(operator, self._unused(f"{layer}/{operator}"), inputs, attributes)

    def last(self, value: Value, layer: str) -> Value:
        """Return the value laid out as in Keras, channels last."""
        if not value.image:
            return value
        return Value(self.add("Transpose", layer, [value.name], perm=TO_LAST), value.shape, last=True)

    def first(self, value: Value, layer: str) -> Value:
        """Return the value in ONNX's layout: images NCHW."""
        if not value.last or len(value.shape) != 3:
            return Value(value.name, value.shape)
        return Value(self.add("Transpose", layer, [value.name], perm=TO_FIRST), value.shape)

    def serialise(
        self, name: str, input_shape: Sequence[int], last: str, heads: Sequence[Sequence[int]], outputs: Sequence[str]
    ) -> bytes:
        """Move the classes of each block of ``last`` to their places among the eight; return a checked ONNX file."""
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
            [self._onnx.numpy_helper.from_array(array, name) for name, array in self._constants.items()],
        )  # fmt: skip
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="felicity"
        )
        self._onnx.checker.check_model(model, full_check=True)
        content: bytes = model.SerializeToString()
        return content

    def run(self, computed: Plan, inputs: Sequence[Value]) -> list[Value]:
        """Write the calls of a plan; return its results."""
        values: dict[int, Value] = {ref.number: value for ref, value in zip(computed.inputs, inputs, strict=True)}
        for call in computed.calls:
            for ref, value in zip(call.results, self._call(call, values), strict=True):
                values[ref.number] = value
        return [values[ref.number] for ref in computed.outputs]

    def _call(self, call: Call, values: dict[int, Value]) -> list[Value]:
        if (rule := self._rule_of(call)) is not None:
            given = [values[ref.number] for ref in call.inputs]
            return [self.first(rule(self, call, given), call.name)]
        refs = list(dict.fromkeys(call.inputs))
        return self.run(_opened(call, refs), [values[ref.number] for ref in refs])

    def _unused(self, name: str) -> str:
        number, wanted = 1, name
        while wanted in self._names:
            number += 1
            wanted = f"{name}_{number}"
        self._names.add(wanted)
        return wanted

    def _append(self, operator: str, result: str, inputs: Sequence[str], attributes: dict[str, Any]) -> str:
        self._nodes.append(self._onnx.helper.make_node(operator, inputs, [result], name=result, **attributes))
        return result


def numbers_of(value: Any) -> Array | None:
    """Return the numbers of a constant or of a weight; None if ``value`` is neither."""
    if hasattr(value, "assign") and hasattr(value, "path"):
        return to_numpy(value)
    if isinstance(value, Ref) or value is None or isinstance(value, str):
        return None
    array = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
    return array if array.dtype.kind in "fiub" else None


def unknown(call: Call, what: str) -> ConfigError:
    """Return the error for a call that cannot be written."""
    return ConfigError(
        f"layer {call.name}: a bundle cannot hold {call.kind} {what}; see docs/networks.md for what it can hold"
    )


def _opened(call: Call, refs: Sequence[Ref]) -> Plan:
    """Write the operations of a layer without a rule on ``refs``. Raises ConfigError for an unknown operation."""
    import inspect

    layer = call.operation
    numbers = {ref.number: place for place, ref in enumerate(refs)}
    function = layer.activation if call.kind == "Activation" else layer.call
    options: dict[str, Any] = {}
    if hasattr(layer, "weights") and "training" in inspect.signature(layer.call).parameters:
        options["training"] = False
    if not hasattr(layer, "weights"):
        raise unknown(call, "as an operation")

    def asked(*tensors: Any) -> Any:
        args, kwargs = replaced((call.args, call.kwargs), lambda ref: tensors[numbers[ref.number]])
        return function(*args, **(kwargs | options if function is layer.call else kwargs))

    try:
        found = traced(asked, refs)
    except Exception as error:
        raise unknown(call, f"(opening it up failed: {str(error).strip().partition(chr(10))[0]})") from error
    if any(inner.operation is layer for inner in found.calls):
        raise unknown(call, "as it is")
    return found
