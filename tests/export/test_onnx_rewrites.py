"""Networks that are written otherwise answer as before."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from felicity.export.onnx_rewrites import with_grouped_stem, without_pools
from felicity.runtime import open_session

onnx = pytest.importorskip("onnx")
RNG = np.random.default_rng(5)


def network(nodes: list[Any], outputs: dict[str, int], shape: list[int], **constants: tuple[int, ...]) -> bytes:
    """From ``faces`` (n, *shape) to ``outputs``, each with so many channels; constants are drawn, of given shapes."""
    made = [
        onnx.numpy_helper.from_array(RNG.normal(size=of).astype(np.float32), name) for name, of in constants.items()
    ]
    kind, describe = onnx.TensorProto.FLOAT, onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        nodes, "network", [describe("faces", kind, ["n", *shape])],
        [describe(name, kind, ["n", channels, "h", "w"]) for name, channels in outputs.items()], made,
    )  # fmt: skip
    opset = [onnx.helper.make_opsetid("", 17)]
    content: bytes = onnx.helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()
    return content


def assert_same(before: bytes, after: bytes, shape: list[int]) -> None:
    x = RNG.normal(size=(5, *shape)).astype(np.float32)
    for a, b in zip(*(open_session(each).run(None, {"faces": x}) for each in (before, after)), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


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
        (BLOCKS, POINTS | {"pads": [1, 1, 1, 1]}, False, False),
    ],
)
def test_averages_over_blocks_go_into_the_convolution_after_them(
    pool: dict[str, Any], convolution: dict[str, Any], aside: bool, gone: bool
) -> None:
    side, shape = convolution["kernel_shape"][0], [3, 12, 12]
    nodes = [
        onnx.helper.make_node("AveragePool", ["faces"], ["pooled"], **pool),
        onnx.helper.make_node("Conv", ["pooled", "weights"], ["y"], **convolution),
        *([onnx.helper.make_node("Relu", ["pooled"], ["z"])] if aside else []),
    ]
    before = network(nodes, {"y": 4} | ({"z": 3} if aside else {}), shape, weights=(4, 3, side, side))
    after = without_pools(before)
    assert (b"AveragePool" not in after) == gone
    assert_same(before, after, shape)


@pytest.mark.parametrize("relu", [True, False])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    ("side", "kernel", "pads", "strides", "grouped"),
    [
        (48, 3, [0, 0, 1, 1], 2, True),
        (48, 3, [1, 1, 0, 0], 2, True),
        (20, 5, [1, 1, 2, 2], 2, True),
        (20, 7, [2, 2, 3, 3], 2, True),
        (20, 2, [0, 0, 0, 0], 2, True),
        (20, 3, [0, 0, 0, 0], 2, False),
        (20, 3, [1, 1, 1, 1], 1, False),
        (18, 3, [0, 0, 1, 1], 2, False),
    ],
)
def test_a_stem_over_grey_pixels_takes_columns_for_channels(
    side: int, kernel: int, pads: list[int], strides: int, grouped: bool, bias: bool, relu: bool
) -> None:
    how = {"kernel_shape": [kernel, kernel], "strides": [strides, strides], "pads": pads, "dilations": [1, 1]}
    inputs = ["faces", "weights", *(["bias"] if bias else [])]
    nodes = [onnx.helper.make_node("Conv", inputs, ["conv"], name="conv", **how)]
    nodes.append(onnx.helper.make_node("Relu" if relu else "Neg", ["conv"], ["y"], name="y"))
    constants = {"weights": (3, 1, kernel, kernel)} | ({"bias": (3,)} if bias else {})
    before = network(nodes, {"y": 3}, [1, side, side], **constants)
    after = with_grouped_stem(before)
    assert (after != before) == grouped
    assert_same(before, after, [1, side, side])


def test_a_stem_over_colours_stays() -> None:
    how = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [0, 0, 1, 1], "dilations": [1, 1]}
    nodes = [onnx.helper.make_node("Conv", ["faces", "weights"], ["y"], name="conv", **how)]
    before = network(nodes, {"y": 4}, [3, 16, 16], weights=(4, 3, 3, 3))
    assert with_grouped_stem(before) == before
