"""A Keras network as a plain list of calls: layers and operations in order, with nested networks expanded.

Code that computes with a network in another way than Keras, or writes it in another format, uses this list.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Ref:
    """A value between calls: its number, and its shape without the batch, channels last as in Keras."""

    number: int
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Call:
    """One use of a layer or operation. ``args`` and ``kwargs`` hold ``Ref`` where values go in."""

    operation: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    results: tuple[Ref, ...]

    @property
    def kind(self) -> str:
        """Return the name of the class of the layer or operation."""
        return type(self.operation).__name__

    @property
    def name(self) -> str:
        """Return the name of the layer or operation."""
        return str(self.operation.name)

    @property
    def inputs(self) -> list[Ref]:
        """Return the input values."""
        found: list[Ref] = []
        replaced((self.args, self.kwargs), lambda ref: found.append(ref))
        return found


@dataclass(frozen=True)
class Plan:
    """The calls of a network or function."""

    inputs: tuple[Ref, ...]
    calls: tuple[Call, ...] = field(repr=False)
    outputs: tuple[Ref, ...]


def plan(model: Any) -> Plan:
    """Return the calls of a functional or sequential ``keras.Model``, or of a ``keras.Function``."""
    made = _Plan()
    inputs = [made.ref(tensor) for tensor in model.inputs]
    outputs = made.open(model, inputs)
    return Plan(tuple(inputs), tuple(made.calls), tuple(outputs))


def traced(function: Callable[..., Any], inputs: Sequence[Ref], **options: Any) -> Plan:
    """Trace the layers and ``keras.ops`` that ``function`` calls on values of these shapes.

    Raises any error of the function, if it does something else.
    """
    import keras

    tensors = [keras.KerasTensor((None, *each.shape)) for each in inputs]
    return plan(keras.Function(tensors, function(*tensors, **options)))


def activation_of(layer: Any) -> str:
    """Return the name of a layer's activation in Keras; ``linear`` for none, empty for one of other code."""
    activation = getattr(layer, "activation", None)
    if activation is None:
        return "linear"
    ours = str(getattr(activation, "__module__", "")).split(".")[0] == "keras"
    return str(getattr(activation, "__name__", "")) if ours else ""


def is_keras(layer: Any) -> bool:
    """Return whether it is an operation, or one of Keras's own layers, not one of the same name in other code."""
    return hasattr(layer, "weights") and type(layer).__module__.split(".")[0] == "keras"


def replaced(tree: Any, change: Callable[[Ref], Any]) -> Any:
    """Return ``tree``, of tuples, lists and mappings, with every ``Ref`` replaced by its ``change``."""
    if isinstance(tree, Ref):
        return change(tree)
    if isinstance(tree, tuple | list):
        return type(tree)([replaced(each, change) for each in tree])
    if isinstance(tree, dict):
        return {key: replaced(value, change) for key, value in tree.items()}
    return tree


class _Plan:
    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._number = 0

    def ref(self, tensor: Any) -> Ref:
        self._number += 1
        return Ref(self._number - 1, tuple(tensor.shape[1:]))

    def open(self, model: Any, inputs: Sequence[Ref]) -> list[Ref]:
        """Add the calls of ``model``; return its results."""
        inner = getattr(model, "_functional", None) or model
        known: dict[int, Any] = {id(tensor): ref for tensor, ref in zip(inner.inputs, inputs, strict=True)}
        for depth in sorted(inner._nodes_by_depth, reverse=True):
            for node in inner._nodes_by_depth[depth]:
                if not node.is_input:
                    self._add(node, known)
        return [known[id(tensor)] for tensor in inner.outputs]

    def _add(self, node: Any, known: dict[int, Any]) -> None:
        args, kwargs = node.arguments.fill_in(known)
        if hasattr(node.operation, "_nodes_by_depth") or getattr(node.operation, "_functional", None) is not None:
            given: list[Ref] = []
            replaced((args, kwargs), lambda ref: given.append(ref))
            results = self.open(node.operation, given)
        else:
            results = [self.ref(tensor) for tensor in node.outputs]
            self.calls.append(Call(node.operation, args, kwargs, tuple(results)))
        known.update((id(tensor), ref) for tensor, ref in zip(node.outputs, results, strict=True))
