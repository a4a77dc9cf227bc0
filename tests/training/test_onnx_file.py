"""An ONNX file made smaller or faster answers as before."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from felicity.models.runtime import open_session
from felicity.training.onnx_file import without_pools

onnx = pytest.importorskip("onnx")
RNG = np.random.default_rng(5)


def network(pool: dict[str, Any], convolution: dict[str, Any], *, aside: bool = False) -> bytes:
    """A pool over (N, 3, 12, 12), then a convolution to 4 channels; ``aside``: whose results are used elsewhere too."""
    side = convolution["kernel_shape"][0]
    weights = onnx.numpy_helper.from_array(RNG.normal(size=(4, 3, side, side)).astype(np.float32), "weights")
    nodes = [
        onnx.helper.make_node("AveragePool", ["x"], ["pooled"], **pool),
        onnx.helper.make_node("Conv", ["pooled", "weights"], ["y"], **convolution),
    ]
    outputs = ["y"]
    if aside:
        nodes.append(onnx.helper.make_node("Relu", ["pooled"], ["z"]))
        outputs.append("z")
    kind = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        nodes, "network", [onnx.helper.make_tensor_value_info("x", kind, ["n", 3, 12, 12])],
        [onnx.helper.make_tensor_value_info(name, kind, ["n", "c", "h", "w"]) for name in outputs], [weights],
    )  # fmt: skip
    opset = [onnx.helper.make_opsetid("", 17)]
    made: bytes = onnx.helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()
    return made


BLOCKS = {"kernel_shape": [2, 2], "strides": [2, 2], "pads": [0, 0, 0, 0]}
POINTS = {"kernel_shape": [1, 1], "strides": [1, 1], "pads": [0, 0, 0, 0], "dilations": [1, 1], "group": 1}


@pytest.mark.parametrize(
    ("pool", "convolution", "aside", "gone"),
    [
        (BLOCKS, POINTS, False, True),
        (BLOCKS | {"kernel_shape": [3, 2], "strides": [3, 2]}, POINTS, False, True),
        (BLOCKS, POINTS, True, False),
        (BLOCKS | {"strides": [1, 1]}, POINTS, False, False),
        (BLOCKS | {"pads": [0, 0, 1, 1]}, POINTS, False, False),
        (BLOCKS, POINTS | {"kernel_shape": [3, 3]}, False, False),
        (BLOCKS, POINTS | {"strides": [2, 2]}, False, False),
    ],
)
def test_averages_over_blocks_go_into_the_convolution_after_them(
    pool: dict[str, Any], convolution: dict[str, Any], aside: bool, gone: bool
) -> None:
    before = network(pool, convolution, aside=aside)
    after = without_pools(before)
    assert (b"AveragePool" not in after) == gone
    x = RNG.normal(size=(5, 3, 12, 12)).astype(np.float32)
    for a, b in zip(*(open_session(each).run(None, {"x": x}) for each in (before, after)), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
