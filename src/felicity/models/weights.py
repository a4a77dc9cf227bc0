"""Weights of a network by the names of its Keras variables, as one NumPy file from which a training can start.

Kernels are kept in half precision, vectors in full: biases and the statistics of normalisations are few, and may lie
beyond what half precision holds.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.array_files import read_arrays

Array = npt.NDArray[Any]
MOST_BYTES = 256 << 20
"""Largest size of a network's unpacked weights, in bytes."""


def pack_weights(weights: Mapping[str, Array]) -> bytes:
    """Return the file's content: the same bytes for the same weights."""
    kept = {path: value.astype(np.float16 if value.ndim > 1 else np.float32) for path, value in weights.items()}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **kept)
    return buffer.getvalue()


def unpack_weights(content: bytes) -> dict[str, npt.NDArray[np.float32]]:
    """Return float32 arrays by variable path. Raises ValueError if ``content`` is not such a file."""
    try:
        return {path: value.astype(np.float32) for path, value in read_arrays(content, MOST_BYTES).items()}
    except TypeError as error:
        raise ValueError(f"no weights ({error})") from error
