"""What a network is made of: layers, output shapes, parameters, multiply-adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


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
        """All of them, moving statistics included."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def multiply_adds(self) -> int:
        """Of convolutions and dense layers, per face."""
        return sum(layer.multiply_adds for layer in self.layers)


def describe(model: Any, about: str = "") -> Description:
    """The layers of a functional ``keras.Model``."""
    facts = []
    for layer in model.layers:
        inputs = layer._inbound_nodes[0].parent_nodes if layer._inbound_nodes else ()
        facts.append(
            LayerFacts(
                layer.name,
                type(layer).__name__.removesuffix("Layer"),
                tuple(layer.output.shape[1:]),
                layer.count_params(),
                _multiply_adds(layer),
                tuple(node.operation.name for node in inputs),
            )
        )
    return Description(model.name, about, tuple(facts))


def _multiply_adds(layer: Any) -> int:
    """Every weight of a kernel is used once per output position."""
    kernel = getattr(layer, "kernel", None)
    if kernel is None:
        return 0
    return int(np.prod(kernel.shape)) * int(np.prod(layer.output.shape[1:-1]))
