"""A further output of an 8-bit network: whether the lower face is covered, from features that it computes anyway.

The head is a 1x1 convolution in eight bits with a ReLU, and a sum over its places with a weight for each. The nodes
and the weights that were there stay as they are, and so do the answers on expressions, to the bit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.errors import BundleError, require

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]
OUTPUT, PREFIX = "covered_logit", "covered/"
LARGEST = 63
"""Largest weight in eight bits; see ``onnx_file.in_eight_bits`` for the bit left free."""


@dataclass(frozen=True)
class Features:
    """A tensor of an 8-bit network, uint8 (N, C, H, W): its name, scale and zero point, and the names of these two."""

    tensor: str
    scale: float
    zero_point: int
    scale_name: str
    zero_name: str


@dataclass(frozen=True)
class CoveredHead:
    """Weights in float32: ``mix`` (K, C) and ``mix_bias`` (K,) of the convolution, ``sum_up`` (K, H, W) and ``bias``.

    ``largest``: the largest value after the convolution that is told from larger ones.
    """

    mix: Floats = field(repr=False)
    mix_bias: Floats = field(repr=False)
    sum_up: Floats = field(repr=False)
    bias: float
    largest: float

    @property
    def multiply_adds(self) -> int:
        """Return the multiply-adds for a face."""
        return int(self.mix.size * np.prod(self.sum_up.shape[1:]) + self.sum_up.size)


def features_after(onnx: bytes, block: int) -> Features:
    """Return the features after a residual block of a network that ``felicity bundle export --precision int8`` wrote.

    Raises BundleError for any other network.
    """
    library = require("onnx", "export")
    graph = library.load_from_string(onnx).graph
    name = f"block{block}_add"
    found = next((n for n in graph.node if n.op_type == "QLinearAdd" and n.output[0].startswith(name)), None)
    if found is None:
        raise BundleError(f"the network has no block {block} in eight bits; export it with --precision int8")
    values = {each.name: library.numpy_helper.to_array(each) for each in graph.initializer}
    scale, zero = found.input[6], found.input[7]
    return Features(found.output[0], float(values[scale]), int(values[zero]), scale, zero)


def with_features(onnx: bytes, features: Features) -> bytes:
    """Return the network with the features as its only output."""
    library = require("onnx", "export")
    model = library.load_from_string(onnx)
    kind = library.TensorProto.UINT8
    del model.graph.output[:]
    model.graph.output.append(library.helper.make_tensor_value_info(features.tensor, kind, None))
    content: bytes = model.SerializeToString()
    return content


def without_covered_output(onnx: bytes) -> bytes:
    """Return the network without ``OUTPUT`` and what makes it, which ``with_covered_output`` added."""
    library = require("onnx", "export")
    model = library.load_from_string(onnx)
    graph = model.graph
    for kept in (graph.node, graph.initializer):
        for one in [each for each in kept if each.name.startswith(PREFIX)]:
            kept.remove(one)
    for output in [each for each in graph.output if each.name == OUTPUT]:
        graph.output.remove(output)
    content: bytes = model.SerializeToString()
    return content


def with_covered_output(onnx: bytes, features: Features, head: CoveredHead) -> bytes:
    """Return the network with ``OUTPUT`` (N, 1), the logit of a covered lower face, after the others.

    Raises BundleError if it has this output already.
    """
    library = require("onnx", "export")
    helper, tensor = library.helper, library.TensorProto
    model = library.load_from_string(onnx)
    graph = model.graph
    if any(output.name == OUTPUT for output in graph.output):
        raise BundleError("the network has an output for covered faces already; remove it first")
    scale = np.maximum(np.abs(head.mix).max(1), 1e-9).astype(np.float32) / LARGEST
    whole = np.rint(head.mix / scale[:, None]).astype(np.int8)[:, :, None, None]
    places = int(np.prod(head.sum_up.shape))
    out_scale = np.float32(head.largest / 255)
    constants: dict[str, Array] = {
        f"{PREFIX}kernel": whole,
        f"{PREFIX}kernel_scale": scale,
        f"{PREFIX}kernel_zero": np.zeros(len(scale), dtype=np.int8),
        f"{PREFIX}mix_bias": np.rint(head.mix_bias / (scale * features.scale)).astype(np.int32),
        f"{PREFIX}scale": np.asarray(out_scale),
        f"{PREFIX}zero": np.asarray(np.uint8(0)),
        f"{PREFIX}weights": head.sum_up.reshape(places, 1).astype(np.float32),
        f"{PREFIX}bias": np.array([head.bias], dtype=np.float32),
    }
    graph.initializer.extend(library.numpy_helper.from_array(value, name) for name, value in constants.items())
    mixed, seen, flat = f"{PREFIX}mixed_quantized", f"{PREFIX}mixed", f"{PREFIX}flat"
    convolution = [features.tensor, features.scale_name, features.zero_name, f"{PREFIX}kernel", f"{PREFIX}kernel_scale"]
    convolution += [f"{PREFIX}kernel_zero", f"{PREFIX}scale", f"{PREFIX}zero", f"{PREFIX}mix_bias"]
    # Unsigned results with a zero point of 0 end at 0: this is the ReLU.
    graph.node.extend(
        [
            helper.make_node("QLinearConv", convolution, [mixed], name=f"{PREFIX}conv", kernel_shape=[1, 1]),
            helper.make_node(
                "DequantizeLinear", [mixed, f"{PREFIX}scale", f"{PREFIX}zero"], [seen], name=f"{PREFIX}dq"
            ),
            helper.make_node("Flatten", [seen], [flat], name=f"{PREFIX}flatten"),
            helper.make_node("Gemm", [flat, f"{PREFIX}weights", f"{PREFIX}bias"], [OUTPUT], name=f"{PREFIX}sum"),
        ]
    )
    graph.output.append(helper.make_tensor_value_info(OUTPUT, tensor.FLOAT, ["batch", 1]))
    library.checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString()
    return content
