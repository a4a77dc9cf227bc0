"""ONNX Runtime, the only engine that runs networks: those of bundles and those of detectors."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


def open_session(weights: Path | bytes, *, threads: int | None = None) -> Any:
    """Return an ``InferenceSession`` on the CPU from an ONNX file or its content; raises ONNX Runtime's own errors.

    ``threads``: threads per operation; None for all cores. Several threads may share the session. The session's threads
    sleep while they wait, because spinning threads slow down every other session and OpenCV. The session keeps no
    memory plan for each picture size: the plans of a detector take 30 MB and save no time.
    """
    ort = load()
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.enable_mem_pattern = False
    if threads is not None:
        options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(
        weights if isinstance(weights, bytes) else str(weights),
        sess_options=options,
        providers=["CPUExecutionProvider"],
    )


def load() -> Any:
    """Import ONNX Runtime without its telemetry, which would write a device id and report runs to its maker.

    Whoever needs another part of the library calls this first.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # the library reads it when it is loaded, before any call could set it
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    return onnxruntime
