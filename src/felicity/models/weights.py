"""Weights of a network by the names of its Keras variables, as one NumPy file that a training can begin with.

Kernels are kept in half precision, vectors in full: biases and the statistics of normalisations are few, and may lie
beyond what half precision holds.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def pack_weights(weights: Mapping[str, Array]) -> bytes:
    """Return the file's content: the same bytes for the same weights."""
    kept = {path: value.astype(np.float16 if value.ndim > 1 else np.float32) for path, value in weights.items()}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **kept)
    return buffer.getvalue()


def unpack_weights(content: bytes) -> dict[str, npt.NDArray[np.float32]]:
    """Return float32 arrays by variable path. Raises ValueError where ``content`` is no such file."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            return {path: stored[path].astype(np.float32) for path in stored.files}
    except (OSError, EOFError, KeyError, AttributeError, zipfile.BadZipFile) as error:
        raise ValueError(f"no NumPy archive ({error})") from error
