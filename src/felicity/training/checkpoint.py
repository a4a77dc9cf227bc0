"""Checkpoint files: arrays and facts as plain NumPy, without pickle, with a digest, written whole or not at all."""

from __future__ import annotations

import io
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.array_files import read_arrays
from felicity.errors import TrainingError
from felicity.files import put
from felicity.parsing import read_json

State = dict[str, npt.NDArray[Any]]
MOST_BYTES = 16 << 30
"""Largest size of a checkpoint in bytes, unpacked: far above any network that Felicity trains."""
_FACTS, _DIGEST = "__facts__", "__sha256__"


def save(path: Path, state: State, facts: dict[str, Any]) -> None:
    """Write ``state`` and ``facts`` (plain JSON values). Raises TrainingError; an earlier file then stays as it was."""
    arrays = dict(state)
    arrays[_FACTS] = np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8)
    arrays[_DIGEST] = np.frombuffer(bytes.fromhex(digest(arrays)), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    write(path, buffer.getvalue())


def load(path: Path) -> tuple[State, dict[str, Any]]:
    """Return the content that ``save`` wrote. Raises TrainingError if it is missing, damaged or changed."""
    try:
        with path.open("rb") as stream:
            arrays = read_arrays(stream, MOST_BYTES, packed=False)
        written = arrays.pop(_DIGEST).tobytes().hex()
        if written != digest(arrays):
            raise TrainingError(f"{path}: was changed after it was written (its SHA-256 does not match); do not use it")
        facts: dict[str, Any] = read_json(arrays.pop(_FACTS).tobytes(), finite=False)
        if not isinstance(facts, dict):
            raise ValueError(f"facts are a table, not {facts!r:.40}")
    except FileNotFoundError as error:
        raise TrainingError(f"{path}: is not there; the run has no such checkpoint yet") from error
    except (OSError, ValueError, KeyError) as error:
        raise TrainingError(f"{path}: is no checkpoint of Felicity, or is damaged ({error})") from error
    return arrays, facts


def write(path: Path, content: bytes) -> None:
    """Write a file beside ``path``, then replace it. Raises TrainingError, which leaves an earlier file as it was."""
    try:
        put(path, content, sync=True)
    except OSError as error:
        raise TrainingError(
            f"{path}: cannot be written ({error.strerror}); the run stands at its last checkpoint, "
            f"make room and resume it"
        ) from error


def digest(arrays: State) -> str:
    """Return the SHA-256 of names, types, shapes and values, hexadecimal."""
    seen = sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        seen.update(f"{name}:{array.dtype.str}:{array.shape};".encode())
        seen.update(array.data if array.size else b"")
    return seen.hexdigest()
