"""Arrays and facts in one file: plain NumPy, no pickle, with a digest, written whole or not at all."""

from __future__ import annotations

import io
import json
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.errors import TrainingError
from felicity.files import put

State = dict[str, npt.NDArray[Any]]
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
    """What ``save`` wrote. Raises TrainingError where it is missing, damaged or was changed."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        written = arrays.pop(_DIGEST).tobytes().hex()
        if written != digest(arrays):
            raise TrainingError(f"{path}: was changed after it was written (its SHA-256 does not match); do not use it")
        facts: dict[str, Any] = json.loads(arrays.pop(_FACTS).tobytes())
    except FileNotFoundError as error:
        raise TrainingError(f"{path}: is not there; the run has no such checkpoint yet") from error
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise TrainingError(f"{path}: is no checkpoint of Felicity, or is damaged ({error})") from error
    return arrays, facts


def write(path: Path, content: bytes) -> None:
    """Write beside, then put in place. Raises TrainingError, and leaves an earlier file as it was."""
    try:
        put(path, content, sync=True)
    except OSError as error:
        raise TrainingError(
            f"{path}: cannot be written ({error.strerror}); the run stands at its last checkpoint, "
            f"make room and resume it"
        ) from error


def digest(arrays: State) -> str:
    """SHA-256 of names, types, shapes and values, hexadecimal."""
    seen = sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        seen.update(f"{name}:{array.dtype.str}:{array.shape};".encode())
        seen.update(array.data if array.size else b"")
    return seen.hexdigest()
