"""Operations of ``keras.ops`` and of Python's operators, and parts that layers share with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from felicity.export.onnx_writer import TO_FIRST, Array, Graph, Rule, Value, numbers_of, unknown
from felicity.export.rules.activations import ACTIVATIONS, Activation, clip, gelu, single, softmax
from felicity.models.graph import Call, Ref


def binary(
    graph: Graph, layer: str, operator: str, operands: Sequence[Value | Array], shape: tuple[int, ...] | None
) -> Value:
    """Write an operation on values, or a value and numbers, broadcast as in Keras. ``shape``: None for the larger."""
    values = [each for each in operands if isinstance(each, Value)]
    images = all(value.image for value in values)
    if not images:
        operands = [graph.last(each, layer) if isinstance(each, Value) else each for each in operands]
    names = []
    for each in operands:
        if isinstance(each, Value):
            names.append(each.name)
            continue
        if images and each.ndim:  # as NCHW
            each = each.reshape((1,) * (4 - each.ndim) + each.shape).transpose(TO_FIRST)
        names.append(graph.constant(f"{layer}/{operator}_by", each))
    if shape is None:
        shape = np.broadcast_shapes(*(value.shape for value in values))
    return Value(graph.add(operator, layer, names), shape, last=not images)


def reshaped(graph: Graph, layer: str, x: Value, shape: tuple[int, ...]) -> Value:
    """Return ``x`` in another shape, in Keras's order."""
    x = graph.last(x, layer)
    wanted = graph.constant(f"{layer}/shape", [-1, *shape], np.int64)
    return Value(graph.add("Reshape", layer, [x.name, wanted]), shape, last=True)


def transposed(graph: Graph, layer: str, x: Value, axes: Sequence[int]) -> Value:
    """Return ``x`` with its axes, including the batch, in another order."""
    x = graph.last(x, layer)
    whole = (0, *x.shape)
    shape = tuple(whole[axis] for axis in axes[1:])
    return Value(graph.add("Transpose", layer, [x.name], perm=list(axes)), shape, last=True)


def concatenated(graph: Graph, layer: str, values: Sequence[Value], axis: int, shape: tuple[int, ...]) -> Value:
    """Return values one after the other along ``axis``, which counts the batch."""
    place, image = axis % (len(shape) + 1), all(value.image for value in values)
    if image:
        place = {0: 0, 1: 2, 2: 3, 3: 1}[place]
    else:
        values = [graph.last(value, layer) for value in values]
    return Value(graph.add("Concat", layer, [value.name for value in values], axis=place), shape, last=not image)


def reduced(
    graph: Graph, layer: str, operator: str, x: Value, axes: Sequence[int], keep: bool, shape: tuple[int, ...]
) -> Value:
    """Return a mean, sum or maximum over ``axes``, which count the batch. ``shape``: of the result."""
    x = graph.last(x, layer)
    places = [axis % (len(x.shape) + 1) for axis in axes]
    inputs, how = [x.name], {"keepdims": int(keep)}
    if operator == "ReduceSum":  # takes its axes as an input, unlike the others in this version
        inputs.append(graph.constant(f"{layer}/axes", places, np.int64))
        return Value(graph.add(operator, layer, inputs, **how), shape, last=True)
    return Value(graph.add(operator, layer, inputs, axes=places, **how), shape, last=True)


def einsum(graph: Graph, layer: str, equation: str, values: Sequence[Value], shape: tuple[int, ...]) -> Value:
    """Write sums of products by Einstein's convention; an ellipsis stands for the batch and the axes after it."""
    values = [graph.last(value, layer) for value in values]
    return Value(graph.add("Einsum", layer, [value.name for value in values], equation=equation), shape, last=True)


def _operands(graph: Graph, call: Call, given: list[Value]) -> list[Value | Array]:
    """Return the operands: values, and numbers of weights or constants. Raises ConfigError for anything else."""
    found: list[Value | Array] = []
    values = iter(given)
    for each in (*call.args, *call.kwargs.values()):
        numbers = numbers_of(each)
        if isinstance(each, Ref):
            found.append(next(values))
        elif numbers is not None:
            found.append(numbers)
        else:
            raise unknown(call, f"of {each!r}")
    return found


def _two(operator: str) -> Rule:
    def rule(graph: Graph, call: Call, given: list[Value]) -> Value:
        return binary(graph, call.name, operator, _operands(graph, call, given), call.results[0].shape)

    return rule


def _one(write: Activation) -> Rule:
    return lambda graph, call, given: write(graph, call.name, given[0])


def _reducing(operator: str) -> Rule:
    def rule(graph: Graph, call: Call, given: list[Value]) -> Value:
        axis, x = call.operation.axis, given[0]
        axes = range(1, len(x.shape) + 1) if axis is None else [axis] if isinstance(axis, int) else list(axis)
        if axis is None or 0 in [each % (len(x.shape) + 1) for each in axes]:
            raise unknown(call, "over the batch")
        keep = bool(call.operation.keepdims)
        return reduced(graph, call.name, operator, x, axes, keep, call.results[0].shape)

    return rule


def _reshape(graph: Graph, call: Call, given: list[Value]) -> Value:
    return reshaped(graph, call.name, given[0], call.results[0].shape)


def _transpose(graph: Graph, call: Call, given: list[Value]) -> Value:
    rank = len(given[0].shape) + 1
    axes = call.operation.axes or tuple(reversed(range(rank)))
    if axes[0] % rank != 0:
        raise unknown(call, "that moves the batch")
    return transposed(graph, call.name, given[0], [axis % rank for axis in axes])


def _swapped(graph: Graph, call: Call, given: list[Value]) -> Value:
    axes = list(range(len(given[0].shape) + 1))
    first, second = call.operation.axis1, call.operation.axis2
    axes[first], axes[second] = axes[second], axes[first]
    if axes[0]:
        raise unknown(call, "that moves the batch")
    return transposed(graph, call.name, given[0], axes)


def _matmul(graph: Graph, call: Call, given: list[Value]) -> Value:
    names = []
    for number, each in enumerate(_operands(graph, call, given)):
        if isinstance(each, Value):
            names.append(graph.last(each, call.name).name)
        else:
            names.append(graph.constant(f"{call.name}/{number}", each))
    return Value(graph.add("MatMul", call.name, names), call.results[0].shape, last=True)


def _concatenate(graph: Graph, call: Call, given: list[Value]) -> Value:
    return concatenated(graph, call.name, given, call.operation.axis, call.results[0].shape)


def _einsum(graph: Graph, call: Call, given: list[Value]) -> Value:
    values = []
    for number, each in enumerate(_operands(graph, call, given)):
        if not isinstance(each, Value):
            each = Value(graph.constant(f"{call.name}/{number}", each), each.shape[1:], last=True)
        values.append(each)
    return einsum(graph, call.name, call.operation.subscripts, values, call.results[0].shape)


def _attention(graph: Graph, call: Call, given: list[Value]) -> Value:
    """Write a softmax of scaled products, of ``(B, T, heads, size)``; source: Vaswani et al.

    2017 (arXiv:1706.03762).
    """
    asked = dict(zip(("query", "key", "value", "bias", "mask", "scale"), call.args, strict=False)) | call.kwargs
    others = [name for name in ("bias", "mask") if asked.get(name) is not None]
    if others or call.operation.is_causal or len(given) != 3:
        raise unknown(call, f"with {', '.join(others) or 'a causal mask'}")
    query, key, value = given
    places, heads, size = query.shape
    scale = asked.get("scale") or 1 / np.sqrt(size)
    products = einsum(graph, call.name, "bthd,bshd->bhts", [query, key], (heads, places, key.shape[0]))
    scaled = binary(graph, call.name, "Mul", [products, np.float32(scale) * np.ones(1, np.float32)], products.shape)
    shares = softmax(graph, call.name, scaled)
    return einsum(graph, call.name, "bhts,bshd->bthd", [shares, value], (places, heads, value.shape[-1]))


def _power(graph: Graph, call: Call, given: list[Value]) -> Value:
    return binary(graph, call.name, "Pow", _operands(graph, call, given), call.results[0].shape)


def _square(graph: Graph, layer: str, x: Value) -> Value:
    return Value(graph.add("Mul", layer, [x.name, x.name]), x.shape, x.last)


def _rsqrt(graph: Graph, layer: str, x: Value) -> Value:
    return single("Reciprocal")(graph, layer, single("Sqrt")(graph, layer, x))


def _same(graph: Graph, call: Call, given: list[Value]) -> Value:
    return given[0]


def _with(write: Callable[[Graph, Call, Value], Value]) -> Rule:
    return lambda graph, call, given: write(graph, call, given[0])


def _number(call: Call, name: str) -> float:
    return float(getattr(call.operation, name))


OPERATIONS: dict[str, Rule] = {
    "Add": _two("Add"),
    "Subtract": _two("Sub"),
    "Multiply": _two("Mul"),
    "Divide": _two("Div"),
    "TrueDivide": _two("Div"),
    "Power": _power,
    "Maximum": _two("Max"),
    "Minimum": _two("Min"),
    "Mean": _reducing("ReduceMean"),
    "Sum": _reducing("ReduceSum"),
    "Max": _reducing("ReduceMax"),
    "Min": _reducing("ReduceMin"),
    "Amax": _reducing("ReduceMax"),
    "Reshape": _reshape,
    "ExpandDims": _reshape,
    "Squeeze": _reshape,
    "Transpose": _transpose,
    "Swapaxes": _swapped,
    "Matmul": _matmul,
    "Concatenate": _concatenate,
    "Einsum": _einsum,
    "DotProductAttention": _attention,
    "Cast": _same,
    "StopGradient": _same,
    "Square": _one(_square),
    "Rsqrt": _one(_rsqrt),
    "Gelu": _with(lambda graph, call, x: gelu(graph, call.name, x, call.operation.approximate)),
    "LeakyRelu": _with(
        lambda graph, call, x: single("LeakyRelu", alpha=_number(call, "negative_slope"))(graph, call.name, x)
    ),
    "Elu": _with(lambda graph, call, x: single("Elu", alpha=_number(call, "alpha"))(graph, call.name, x)),
    "Softmax": _with(lambda graph, call, x: softmax(graph, call.name, x, call.operation.axis)),
    "LogSoftmax": _with(lambda graph, call, x: softmax(graph, call.name, x, call.operation.axis, "LogSoftmax")),
    "Clip": _with(
        lambda graph, call, x: clip(graph, call.name, x, _number(call, "x_min"), _number(call, "x_max"))
    ),
    **{
        name: _one(single(operator))
        for name, operator in {
            "Exp": "Exp", "Log": "Log", "Sqrt": "Sqrt", "Absolute": "Abs", "Abs": "Abs", "Negative": "Neg",
            "Erf": "Erf", "Reciprocal": "Reciprocal", "Tanh": "Tanh", "Sigmoid": "Sigmoid", "Relu": "Relu",
            "Softplus": "Softplus", "Softsign": "Softsign", "Selu": "Selu",
        }.items()
    },
    **{
        name: _one(ACTIVATIONS[known])
        for name, known in {
            "Relu6": "relu6", "Silu": "silu", "HardSigmoid": "hard_sigmoid", "HardSilu": "hard_silu",
        }.items()
    },
}  # fmt: skip
"""A rule for each kind of operation."""
