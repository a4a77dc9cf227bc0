"""An ONNX file made smaller, without changing what it computes with."""

from __future__ import annotations

from typing import Any

import numpy as np

from felicity.errors import require

SMALLEST = 256
"""Constants of fewer numbers stay as they are."""


def in_half_precision(onnx: bytes) -> bytes:
    """The same network with its float32 weights kept as float16: half the size, and rounded to 11 binary digits.

    Each is cast back to float32 by a node of its own, which ONNX Runtime carries out once, when it loads the file; the
    arithmetic is float32 as before, and as fast.
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
