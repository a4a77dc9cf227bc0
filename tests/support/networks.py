"""ONNX networks that tests write by hand, with the bundles around them; honest and hostile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from felicity.models.bundle import Bundle, open_bundle, write_bundle

SIDE = 48


def facts_of_shipped() -> dict[str, Any]:
    """Return the facts of the shipped bundle, for one with another network."""
    return open_bundle().facts.model_dump(
        exclude={"format", "weights", "weights_sha256", "facts_sha256", "training_weights", "second", "covered"}
    )


def bundle_of(network: bytes, folder: Path, **changes: Any) -> Bundle:
    """Write a bundle of a network for grey images of 48 pixels, as somebody else would: its network is not trusted."""
    facts = facts_of_shipped() | {"input": {"size": SIDE, "colour": "gray", "mean": 0.5, "std": 0.5}} | changes
    return write_bundle(folder, network, facts)


def network_of(nodes: list[Any], constants: dict[str, np.ndarray]) -> bytes:
    """Return a network from ``x`` (N, 1, 48, 48) to ``y`` (N, 8)."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1, SIDE, SIDE])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 8])
    given = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "network", [x], [y], given)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content


def dense(**more: Any) -> bytes:
    """Return one that looks at each pixel once."""
    weights = np.random.default_rng(1).normal(size=(SIDE * SIDE, 8)).astype(np.float32)
    nodes = [helper.make_node("Flatten", ["x"], ["flat"]), helper.make_node("MatMul", ["flat", "w"], ["y"])]
    return network_of(nodes, {"w": weights})


def with_weights_beside(folder: Path) -> bytes:
    """Return one whose weights lie in ``w.bin`` of ``folder``."""
    model = onnx.load_from_string(dense())
    onnx.external_data_helper.convert_model_to_external_data(model, location="w.bin", size_threshold=0)
    onnx.save_model(model, str(folder / "beside.onnx"))
    return (folder / "beside.onnx").read_bytes()


def with_large_constant(side: int) -> bytes:
    """Return one that fills ``side`` by ``side`` numbers before it answers."""
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["much"]),
        helper.make_node("ReduceSum", ["much"], ["sum"], keepdims=0),
        helper.make_node("Flatten", ["x"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["dense"]),
        helper.make_node("Add", ["dense", "sum"], ["y"]),
    ]
    return network_of(nodes, {"shape": np.array([side, side], np.int64), "w": np.zeros((SIDE * SIDE, 8), np.float32)})


def with_long_product(side: int, times: int) -> bytes:
    """Return one that multiplies matrices of ``side`` by ``side`` for a long time; each depends on the faces."""
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["mean"], keepdims=0),
        helper.make_node("Expand", ["mean", "shape"], ["m0"]),
        *(helper.make_node("MatMul", [f"m{i}", f"m{i}"], [f"m{i + 1}"]) for i in range(times)),
        helper.make_node("ReduceMean", [f"m{times}"], ["sum"], keepdims=0),
        helper.make_node("Flatten", ["x"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["dense"]),
        helper.make_node("Add", ["dense", "sum"], ["y"]),
    ]
    return network_of(nodes, {"shape": np.array([side, side], np.int64), "w": np.zeros((SIDE * SIDE, 8), np.float32)})


def with_loop(count: int) -> bytes:
    """Return one that goes round ``count`` times."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["go_on"]), helper.make_node("Identity", ["v"], ["w_out"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("w_out", TensorProto.FLOAT, None),
        ],
    )
    nodes = [
        helper.make_node("Flatten", ["x"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["dense"]),
        helper.make_node("Loop", ["count", "yes", "dense"], ["y"], body=body),
    ]
    constants = {"count": np.array(count), "yes": np.array(True), "w": np.zeros((SIDE * SIDE, 8), np.float32)}
    return network_of(nodes, constants)
