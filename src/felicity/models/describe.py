"""The structure of a network: layers, output shapes, parameters, multiply-adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from felicity.models.graph import plan


@dataclass(frozen=True)
class LayerFacts:
    """One layer. ``output``: shape without the batch. ``multiply_adds``: per face."""

    name: str
    kind: str
    output: tuple[int, ...]
    parameters: int
    multiply_adds: int
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Description:
    """A network: its layers in order of computation, and their sums."""

    name: str
    about: str
    layers: tuple[LayerFacts, ...]

    @property
    def parameters(self) -> int:
        """Return the number of all parameters, including moving statistics."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def multiply_adds(self) -> int:
        """Return the multiply-adds of convolutions and dense layers, per face."""
        return sum(layer.multiply_adds for layer in self.layers)


def describe(model: Any, about: str = "") -> Description:
    """Return the layers of a ``keras.Model`` in order of computation; its input stands first."""
    computed = plan(model)
    makers = {ref.number: input_name for ref, input_name in zip(computed.inputs, _input_names(model), strict=True)}
    facts = [LayerFacts(makers[ref.number], "Input", ref.shape, 0, 0) for ref in computed.inputs]
    seen: dict[str, int] = {}
    for call in computed.calls:
        seen[call.name] = seen.get(call.name, 0) + 1
        again = seen[call.name] > 1
        name = f"{call.name} ({seen[call.name]})" if again else call.name
        parameters = 0 if again or not hasattr(call.operation, "count_params") else call.operation.count_params()
        output = call.results[0].shape
        inputs = tuple(dict.fromkeys(makers[ref.number] for ref in call.inputs))
        facts.append(LayerFacts(name, call.kind, output, parameters, _multiply_adds(call.operation, output), inputs))
        makers |= {ref.number: name for ref in call.results}
    return Description(model.name, about, tuple(facts))


def _input_names(model: Any) -> list[str]:
    return [str(tensor._keras_history.operation.name) for tensor in model.inputs]


def _multiply_adds(layer: Any, output: tuple[int, ...]) -> int:
    """Count multiply-adds: each weight of a kernel is used once per output position."""
    kernels = [v for v in getattr(layer, "trainable_variables", ()) if v.path.endswith("kernel")]
    return sum(int(np.prod(kernel.shape)) for kernel in kernels) * int(np.prod(output[:-1]))
