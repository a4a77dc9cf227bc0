"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from felicity.errors import DatasetError


def write_whole(path: Path, content: bytes) -> None:
    """Write beside, then put in place. Raises DatasetError, and leaves an earlier file as it was."""
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_bytes(content)
        os.replace(beside, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise DatasetError(f"{path}: cannot be written ({error.strerror}); choose another place") from error


def check_place(path: Path) -> None:
    """Raise DatasetError now where ``path`` could not be written later, after long work."""
    folder = path.parent
    if not folder.is_dir():
        raise DatasetError(f"{path}: cannot be written, for there is no folder {folder}; make it, or choose another")
    if path.is_dir():
        raise DatasetError(f"{path}: is a folder; name a file in it")
    if not os.access(folder, os.W_OK):
        raise DatasetError(f"{path}: cannot be written, for {folder} may not be written to; choose another place")
