"""The rules that write each kind of layer and operation in ONNX; a new rule is a function in its module's table."""

from __future__ import annotations

from felicity.export.onnx_writer import Rule
from felicity.models.graph import Call, activation_of, is_keras


def rule_of(call: Call) -> Rule | None:
    """Return the rule for a call; None if there is none."""
    from felicity.export.rules.activations import ACTIVATIONS
    from felicity.export.rules.layers import LAYERS
    from felicity.export.rules.operations import OPERATIONS

    if not hasattr(call.operation, "weights"):
        return OPERATIONS.get(call.kind)
    if not is_keras(call.operation):
        return None
    if call.kind == "Activation" and activation_of(call.operation) not in ACTIVATIONS:
        return None
    return LAYERS.get(call.kind)
