"""ONNX Runtime, the only engine that runs a network: a bundle's or a detector's."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


def open_session(weights: Path | bytes, *, threads: int | None = None) -> Any:
    """An ``InferenceSession`` on the CPU from an ONNX file or its content; raises ONNX Runtime's own errors.

    ``threads``: of one operation; None for all cores. Several threads may share the session. Its own threads leave
    their core to others while they wait: spinning ones would slow every other session and OpenCV down.
    """
    ort = _onnxruntime()
    options = ort.SessionOptions()
    options.log_severity_level = 3
    if threads is not None:
        options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(
        weights if isinstance(weights, bytes) else str(weights),
        sess_options=options,
        providers=["CPUExecutionProvider"],
    )


def _onnxruntime() -> Any:
    """Without its telemetry, which would write a device id and report runs to its maker."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read when the library is loaded, before any call could say so
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    return onnxruntime
