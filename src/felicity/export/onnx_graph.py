"""A trained Keras network as ONNX, written call by call, so that every backend gives the same file.

Bundles are NCHW; Keras computes channels last. This module writes every image as NCHW, so no transposes stand between
convolutions, as they would if a framework's exporter translated the backend's operations. A layer without a rule is
expanded: the other layers and ``keras.ops`` in its ``call`` are written instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from felicity.export.onnx_writer import INPUT, OUTPUTS, Graph, Value
from felicity.export.rules import rule_of
from felicity.models.graph import plan

__all__ = ["INPUT", "OUTPUTS", "to_onnx"]


def to_onnx(model: Any, heads: Sequence[Sequence[int]]) -> bytes:
    """Return an ONNX file: ``faces`` float32 ``(batch, C, S, S)`` to ``(batch, 8)`` per head, ordered as EXPRESSIONS.

    ``model``: a ``keras.Model`` from ``(batch, S, S, C)`` to a logit per class, in blocks of ``heads``: the place of
    each class among the eight; the others get NEVER. The results are called OUTPUTS. Raises ConfigError for a layer
    that has no rule and is not made of layers with one.
    """
    graph = Graph(rule_of)
    computed = plan(model)
    *sides, channels = computed.inputs[0].shape
    (logits,) = graph.run(computed, [Value(INPUT, computed.inputs[0].shape)])
    return graph.serialise(model.name, (channels, *sides), logits.name, heads, OUTPUTS[: len(heads)])
