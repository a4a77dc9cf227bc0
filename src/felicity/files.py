"""Files that appear whole or not at all, and places for them that are looked at before the work."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from felicity import system
from felicity.errors import ConfigError


def write_whole(path: Path, content: bytes) -> None:
    """Write beside, then put in place. Raises ConfigError, and leaves an earlier file as it was."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(content)
        os.replace(beside, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise ConfigError(f"{path}: cannot be written ({error.strerror}); choose another place") from error


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait until no other process has the file ``path`` locked, then hold it; freed with the process, however it ends.

    Raises ConfigError where it cannot be.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("w")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror}); choose another place") from error
    with lock:
        with contextlib.suppress(OSError):  # where a network's file system has no locks, nobody waits
            system.lock(lock)
        yield


def check_place(path: Path, what: str = "", endings: Sequence[str] = ()) -> None:
    """Raise ConfigError now where ``path`` could not be written later, after long work, or has none of the ``endings``.

    ``what`` is written there, such as "a chart". Endings keep it from taking the place of what it is made from.
    """
    if endings and path.suffix.lower() not in endings and not path.is_dir():
        raise ConfigError(f"{path}: {what} is written as {', '.join(endings)}; give a name that ends so")
    folder = path.parent
    if not folder.is_dir():
        raise ConfigError(f"{path}: cannot be written, for there is no folder {folder}; make it, or choose another")
    if path.is_dir():
        raise ConfigError(f"{path}: is a folder; name a file in it")
    if not os.access(folder, os.W_OK):
        raise ConfigError(f"{path}: cannot be written, for {folder} may not be written to; choose another place")


def check_folder(folder: Path) -> None:
    """Raise ConfigError now where ``folder`` could not be made or written into later, after long work."""
    there = next((place for place in (folder, *folder.parents) if place.exists()), Path())
    if not there.is_dir():
        raise ConfigError(f"{folder}: cannot be made, for {there} is a file; choose another folder")
    if not os.access(there, os.W_OK):
        raise ConfigError(f"{folder}: cannot be written to, for {there} may not be; choose another folder")


def make_folder(folder: Path) -> None:
    """Make ``folder`` and those above it, where they are not there. Raises ConfigError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be made ({error.strerror}); choose another folder") from error
