"""Files that are written whole or not at all, and checks of output paths before long work."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from felicity import paths, system
from felicity.errors import ConfigError

_FLAGS = os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
OWN_FILE, OWN_FOLDER = 0o600, 0o700
"""Permissions of private files and folders: stores, annotated pictures, the data folder."""


class NewFile:
    """A new file that ``keep`` puts in its place: whole, or not at all.

    Until then the file has no name, so that nothing stays behind however the process ends. Where the file system has no
    nameless files, it has a random name beside its place. It never follows a link, and nobody can foretell or replace
    it. ``stream``: the stream to write to. ``own``: only the user may read the file. Every method raises OSError.
    """

    def __init__(self, path: Path, *, own: bool = False) -> None:
        self.path = path
        mode = OWN_FILE if own else 0o666
        self._beside: Path | None = None
        descriptor = _nameless(path.parent, mode)
        if descriptor is None:
            self._beside = self._random()
            descriptor = os.open(self._beside, os.O_RDWR | os.O_EXCL | _FLAGS, mode)
        self.stream: BinaryIO = os.fdopen(descriptor, "w+b")

    def keep(self, *, sync: bool = False) -> None:
        """Put the file in its place in one step; ``sync``: flush it to disk, so that it survives a loss of power."""
        try:
            self.stream.flush()
            if sync:
                os.fsync(self.stream.fileno())
            if self._beside is None:
                beside = self._random()
                # With the folder's descriptor, the call follows the link in /proc to the file itself.
                here = os.open(self.path.parent, os.O_RDONLY)
                try:
                    source = f"/proc/self/fd/{self.stream.fileno()}"
                    os.link(source, beside, src_dir_fd=here, follow_symlinks=True)
                finally:
                    os.close(here)
                self._beside = beside
            self.stream.close()  # Windows cannot replace an open file
            os.replace(self._beside, self.path)
            self._beside = None
        finally:
            self.drop()

    def drop(self) -> None:
        """Discard the file; do nothing once it is in its place."""
        self.stream.close()
        if self._beside is not None:
            with contextlib.suppress(OSError):
                self._beside.unlink(missing_ok=True)

    def _random(self) -> Path:
        return self.path.with_name(f".{secrets.token_hex(16)}.part")


def _nameless(folder: Path, mode: int) -> int | None:
    """Return the descriptor of a new nameless file in ``folder``; None where the system has no such files."""
    if not hasattr(os, "O_TMPFILE"):
        return None
    try:
        descriptor = os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, mode)
    except OSError:
        return None
    if os.path.exists(f"/proc/self/fd/{descriptor}"):
        return descriptor
    os.close(descriptor)
    return None


def put(path: Path, content: bytes, *, own: bool = False, sync: bool = False) -> None:
    """Write a file, whole or not at all; OSError leaves an earlier file as it was.

    ``own`` and ``sync``: see ``NewFile``.
    """
    new = NewFile(path, own=own)
    try:
        new.stream.write(content)
        new.keep(sync=sync)
    finally:
        new.drop()


def write_whole(path: Path, content: bytes, *, own: bool = False) -> None:
    """Write a file beside ``path``, then replace it.

    Raises ConfigError, which leaves an earlier file as it was; never replaces a store.
    """
    if _is_store(path):
        raise ConfigError(f"{path}: is a store (SQLite), which would be replaced; choose another file to write")
    try:
        put(path, content, own=own)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror}); choose another place") from error


def _is_store(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(16) == b"SQLite format 3\0"
    except OSError:
        return False


def make_own(path: Path) -> bool:
    """Create an empty file at ``path``, or at the target of its link, that only the user may read.

    Returns whether the file was created; an existing file stays. Raises OSError.
    """
    try:
        os.close(os.open(os.path.realpath(path), os.O_WRONLY | os.O_EXCL | _FLAGS, OWN_FILE))
    except FileExistsError:
        return False
    return True


def remove_empty(path: Path) -> None:
    """Remove the file at ``path``, or at the target of its link, if it is empty and removable."""
    with contextlib.suppress(OSError):
        target = Path(os.path.realpath(path))
        if target.stat().st_size == 0:
            target.unlink()


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait until no other process has locked the file ``path``, then hold the lock; the end of the process frees it.

    Raises ConfigError if the file cannot be opened.
    """
    make_folder(path.parent)
    try:
        lock = os.fdopen(os.open(path, os.O_RDWR | _FLAGS, OWN_FILE), "r+b")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror}); choose another place") from error
    with lock:
        with contextlib.suppress(OSError):  # network file systems without locks: nobody waits
            system.lock(lock)
        yield


def check_apart(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Raise ConfigError if an output file is one of the input files, or two output files are the same file.

    The check compares the files themselves, whatever names and links lead to them.
    """
    read, written = list(inputs), list[Path]()
    for output in outputs:
        if any(same(output, one) for one in read):
            raise ConfigError(f"{output}: is read by this command, and would be replaced; choose another file to write")
        if any(same(output, one) or os.path.abspath(output) == os.path.abspath(one) for one in written):
            raise ConfigError(f"{output}: is named twice, for two files to write; choose another file for one of them")
        written.append(output)


def is_own_folder(folder: Path) -> bool:
    """Return whether a path is a folder of this user and not a link."""
    facts = folder.lstat()
    return stat.S_ISDIR(facts.st_mode) and (not hasattr(os, "geteuid") or facts.st_uid == os.geteuid())


def same(one: Path, other: Path) -> bool:
    """Return whether two paths name the same existing file or folder."""
    try:
        return os.path.samefile(one, other)
    except (OSError, ValueError):
        return False


def check_place(path: Path, what: str = "", endings: Sequence[str] = ()) -> None:
    """Raise ConfigError early if ``path`` cannot be written after long work, or has none of the ``endings``.

    ``what`` names the content, such as "a chart". The endings keep an output from replacing its own input.
    """
    if endings and path.suffix.lower() not in endings and not path.is_dir():
        raise ConfigError(f"{path}: {what} is written as {', '.join(endings)}; give a name with such an ending")
    folder = path.parent
    if not folder.is_dir():
        raise ConfigError(f"{path}: cannot be written, because there is no folder {folder}; make it, or choose another")
    if path.is_dir():
        raise ConfigError(f"{path}: is a folder; name a file in it")
    if not os.access(folder, os.W_OK):
        raise ConfigError(f"{path}: cannot be written, for {folder} may not be written to; choose another place")


def check_folder(folder: Path) -> None:
    """Raise ConfigError early if ``folder`` cannot be created or written after long work."""
    there = next((place for place in (folder, *folder.parents) if place.exists()), Path())
    if not there.is_dir():
        raise ConfigError(f"{folder}: cannot be made, for {there} is a file; choose another folder")
    if not os.access(there, os.W_OK):
        raise ConfigError(f"{folder}: cannot be written to, because {there} is not writable; choose another folder")


def make_folder(folder: Path) -> None:
    """Create ``folder`` and its missing parents; in the user's data folder, only the user may read them.

    Raises ConfigError.
    """
    home = paths.home()
    try:
        if folder == home or home in folder.parents:
            home.parent.mkdir(parents=True, exist_ok=True)
            for place in (*reversed(folder.parents), folder):
                if place == home or home in place.parents:
                    place.mkdir(mode=OWN_FOLDER, exist_ok=True)
        else:
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be made ({error.strerror}); choose another folder") from error


def swap_folders(new: Path, folder: Path) -> None:
    """Put ``new`` in place of ``folder``, which stays beside it until the swap is done; both must be on one disk."""
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
    try:
        os.replace(folder, old)
    except OSError:
        old.rmdir()
        raise
    try:
        os.replace(new, folder)
    except BaseException:
        os.replace(old, folder)
        raise
    shutil.rmtree(old)
