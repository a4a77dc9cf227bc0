"""Differences between operating systems: processor cores, memory, file locks."""

from __future__ import annotations

import contextlib
import errno
import os
import shlex
import sys
from pathlib import Path
from typing import IO, Any

from felicity.errors import ConfigError
from felicity.redaction import redacted


def cores() -> int:
    """Return how many processor cores this process may use; on macOS and Windows, all of them."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def command_line() -> str | None:
    """Return the running ``felicity`` command without passwords; None in other programs, such as a notebook."""
    program = Path(sys.argv[0])
    ours = program.stem == "felicity" or program.parts[-2:] == ("felicity", "__main__.py")
    return redacted(shlex.join(["felicity", *sys.argv[1:]])) if ours else None


def available_memory() -> int | None:
    """Return how many bytes of memory are free for new work; None on macOS and Windows, where Felicity does not ask."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    return found[0] if found else None


def share_heaps() -> None:
    """Limit the memory heaps of this process to one per core, if the C library is glibc.

    glibc gives each thread up to eight heaps per core, and each keeps the memory of one picture (M_ARENA_MAX,
    mallopt(3)).
    """
    import ctypes

    arena_max = -8
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # other C libraries
            ctypes.CDLL("libc.so.6").mallopt(arena_max, cores())


def peak_memory() -> int:
    """Return the largest resident memory of this process so far, in bytes. Raises ConfigError on Windows."""
    try:
        import resource
    except ModuleNotFoundError:
        raise ConfigError("peak memory is measured on Linux and macOS only; run this there") from None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def lock(file: IO[Any]) -> None:
    """Wait until no other process has locked an open file, then hold the lock until the file is closed.

    Raises OSError if the file system has no locks.
    """
    if sys.platform == "win32":
        import msvcrt

        while True:
            file.seek(0)
            try:
                return msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
            except OSError as error:  # Windows gives up after ten seconds
                if error.errno != errno.EDEADLK:
                    raise
    import fcntl

    fcntl.flock(file, fcntl.LOCK_EX)
