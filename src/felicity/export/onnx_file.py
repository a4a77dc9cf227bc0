"""ONNX files made smaller or faster: weights in half precision, or arithmetic in eight bits."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.errors import require
from felicity.export.onnx_graph import INPUT, OUTPUTS
from felicity.export.onnx_rewrites import with_grouped_stem, without_pools
from felicity.runtime import load

SMALLEST = 256
"""Constants of fewer numbers keep their precision."""
AT_ONCE = 64
QUANTISED = ["Conv", "Relu", "Add", "AveragePool", "MaxPool", "GlobalAveragePool", "Transpose", "Reshape"]
"""Operators that compute in eight bits, or pass eight-bit values on."""


def in_half_precision(onnx: bytes) -> bytes:
    """Return the same network with its float32 weights as float16: half the size, and rounded to 11 binary digits.

    A node of its own casts each back to float32, once, when ONNX Runtime loads the file; the arithmetic is float32 as
    before, and as fast.
    """
    library = require("onnx", "export")
    helper, tensor = library.helper, library.TensorProto
    model = library.load_from_string(onnx)
    graph, casts, kept = model.graph, [], []
    for constant in graph.initializer:
        values: Any = library.numpy_helper.to_array(constant)
        if values.dtype != np.float32 or values.size < SMALLEST:
            kept.append(constant)
            continue
        half = f"{constant.name}/half"
        kept.append(library.numpy_helper.from_array(values.astype(np.float16), half))
        casts.append(helper.make_node("Cast", [half], [constant.name], name=f"{constant.name}/cast", to=tensor.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)
    library.checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString()
    return content


def in_eight_bits(onnx: bytes, faces: npt.NDArray[np.float32]) -> bytes:
    """Return the network with convolutions and sums in 8-bit integers; the heads stay in float32.

    ``faces``: normalised ``(N, C, S, S)``, from which the ranges of activations come. Activations are unsigned, weights
    signed and scaled by channel (Jacob et al. 2018, arXiv:1712.05877), which processors multiply fastest. Weights use
    seven of the bits, because processors without VNNI add pairs of products in 16 bits.
    """
    library = require("onnx", "export")
    load()
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Faces(quantization.CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._batches = iter([{INPUT: faces[i : i + AT_ONCE]} for i in range(0, len(faces), AT_ONCE)])

        def get_next(self) -> dict[str, Any] | None:
            return next(self._batches, None)

    level = logging.getLogger().level
    logging.getLogger().setLevel(logging.ERROR)  # the library gives advice through the root logger
    try:
        with tempfile.TemporaryDirectory() as folder:
            whole, folded, small = (str(Path(folder) / name) for name in ("whole.onnx", "folded.onnx", "small.onnx"))
            Path(whole).write_bytes(without_pools(onnx))
            quant_pre_process(whole, folded)
            Path(folded).write_bytes(with_grouped_stem(Path(folded).read_bytes()))
            quantization.quantize_static(
                folded,
                small,
                Faces(),
                quant_format=quantization.QuantFormat.QOperator,
                op_types_to_quantize=QUANTISED,
                activation_type=quantization.QuantType.QUInt8,
                weight_type=quantization.QuantType.QInt8,
                per_channel=True,
                reduce_range=True,
                nodes_to_exclude=_heads(library.load(folded), OUTPUTS),
            )
            return Path(small).read_bytes()
    finally:
        logging.getLogger().setLevel(level)


def _heads(model: Any, outputs: Sequence[str]) -> list[str]:
    """Return names of the nodes that make the outputs, and of the dense layer before them."""
    by_result = {result: node for node in model.graph.node for result in node.output}
    last = [by_result[name] for name in outputs if name in by_result]
    return [node.name for node in last] + [by_result[node.input[0]].name for node in last if node.input[0] in by_result]
