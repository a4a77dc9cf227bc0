"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
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


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait until no other process has the file ``path`` locked, then hold it; freed with the process, however it ends.

    Raises DatasetError where it cannot be.
    """
    import fcntl

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("w")
    except OSError as error:
        raise DatasetError(f"{path}: cannot be written ({error.strerror}); choose another place") from error
    with lock:
        with contextlib.suppress(OSError):  # where a network's file system has no locks, nobody waits
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def check_place(path: Path) -> None:
    """Raise DatasetError now where ``path`` could not be written later, after long work."""
    folder = path.parent
    if not folder.is_dir():
        raise DatasetError(f"{path}: cannot be written, for there is no folder {folder}; make it, or choose another")
    if path.is_dir():
        raise DatasetError(f"{path}: is a folder; name a file in it")
    if not os.access(folder, os.W_OK):
        raise DatasetError(f"{path}: cannot be written, for {folder} may not be written to; choose another place")


def check_folder(folder: Path) -> None:
    """Make ``folder``. Raise DatasetError now where nothing could be written into it later, after long work."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatasetError(f"{folder}: cannot be made ({error.strerror}); choose another folder") from error
    if not os.access(folder, os.W_OK):
        raise DatasetError(f"{folder}: may not be written to; choose another folder")
