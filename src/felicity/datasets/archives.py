"""Files of a data set in a folder, alone, or in a zip or tar, read with bounds.

Nothing is ever unpacked to disk. Felicity refuses an archive that names a path outside itself, or that unpacks to far
more bytes than it holds.
"""

from __future__ import annotations

import os
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Protocol

from felicity.datasets.streams import BROKEN, MAX_BYTES, MAX_RATIO, RATIO_FROM_BYTES, bounded, bounded_file, read_whole
from felicity.errors import DatasetError
from felicity.zips import open_zip

MAX_FILES = 500_000
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.zst")


class Tree(Protocol):
    """The files of a data set, by names relative to its root with ``/`` between folders."""

    @property
    def path(self) -> Path:
        """Return the path of the tree."""
        ...

    @property
    def random_access(self) -> bool:
        """Return whether any file can be opened at any time without extra cost."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """Return all files, sorted by name, without hidden ones."""
        ...

    def read(self, name: str) -> bytes:
        """Return the content of a small file. Raises DatasetError."""
        ...

    def open(self, name: str) -> IO[bytes]:
        """Return a file as a stream, still compressed. Raises DatasetError."""
        ...


def open_tree(path: Path) -> Tree:
    """Return the tree at ``path``: a folder, an archive, or one file. Raises DatasetError."""
    if path.is_dir():
        return FolderTree(path)
    if not path.is_file():
        raise DatasetError(f"{path}: no such file or folder")
    if path.name.lower().endswith(".zip"):
        return ZipTree(path)
    if path.name.lower().endswith(ARCHIVES):
        return TarTree(path)
    return FileTree(path)


def _visible(name: str) -> bool:
    return not any(part.startswith((".", "__MACOSX")) for part in name.split("/"))


def _checked(name: str, path: Path) -> str:
    """Return the member's name with ``/`` between folders. Raises DatasetError if it leads out of the archive."""
    name = name.replace("\\", "/")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or (parts and parts[0].endswith(":")):
        raise DatasetError(f"{path}: refused, because its member {name!r} leads out of the archive")
    return "/".join(parts) or "."


def _files_below(root: Path, folder: str, above: tuple[tuple[int, int], ...]) -> Iterator[str]:
    """Yield names of the files below ``root/folder``; ``above``: device and number of each folder above them."""
    try:
        facts = os.stat(root / folder)
        entries = sorted(os.scandir(root / folder), key=lambda entry: entry.name)
    except OSError as error:
        raise DatasetError(
            f"{root / folder}: the folder cannot be read ({error.strerror}); make it readable, or move it elsewhere"
        ) from error
    here = (facts.st_dev, facts.st_ino)
    if here in above:
        raise DatasetError(f"{root / folder}: links to a folder that holds it; remove the link")
    for entry in entries:
        name = f"{folder}/{entry.name}" if folder else entry.name
        if not _visible(entry.name):
            continue
        if entry.is_dir():
            yield from _files_below(root, name, (*above, here))
        elif entry.is_file() or entry.is_symlink():
            yield name


@dataclass(frozen=True)
class FolderTree:
    """A folder and everything below it; it pickles as its path."""

    path: Path
    random_access = True

    def __reduce__(self) -> tuple[type[FolderTree], tuple[Path]]:
        return FolderTree, (self.path,)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return all files, sorted by name, without hidden ones but with those in linked folders.

        A link to a missing file is a file that cannot be read. Raises DatasetError for an unreadable folder, and for a
        link to a folder that contains the link.
        """
        return tuple(sorted(_files_below(self.path, "", ())))

    def read(self, name: str) -> bytes:
        """Return the content of a small file."""
        with self.open(name) as stream:
            return read_whole(stream, f"{self.path / name}")

    def open(self, name: str) -> IO[bytes]:
        """Return a file as a stream."""
        try:
            return (self.path / name).open("rb")
        except OSError as error:
            raise DatasetError(f"{self.path / name}: cannot be read ({error.strerror})") from error


@dataclass(frozen=True)
class FileTree:
    """A single file; ``names`` is its name."""

    path: Path
    random_access = True

    @property
    def names(self) -> tuple[str, ...]:
        """Return the file's name."""
        return (self.path.name,)

    def read(self, name: str) -> bytes:
        """Return the content of the file."""
        return FolderTree(self.path.parent).read(name)

    def open(self, name: str) -> IO[bytes]:
        """Return the file as a stream."""
        return FolderTree(self.path.parent).open(name)


@dataclass(frozen=True)
class ZipTree:
    """A zip, read in place; it pickles as its path."""

    path: Path
    random_access = True

    def __reduce__(self) -> tuple[type[ZipTree], tuple[Path]]:
        return ZipTree, (self.path,)

    @cached_property
    def _zip(self) -> zipfile.ZipFile:
        try:
            opened = open_zip(self.path, MAX_FILES)
        except ValueError as error:
            raise DatasetError(f"{self.path}: refused, for {error}") from error
        except BROKEN as error:
            raise DatasetError(f"{self.path}: is not a zip that can be read ({error})") from error
        members = opened.infolist()
        total, packed = sum(m.file_size for m in members), sum(m.compress_size for m in members)
        if total > MAX_BYTES or (total > RATIO_FROM_BYTES and total > MAX_RATIO * max(packed, 1)):
            raise DatasetError(
                f"{self.path}: refused as a zip bomb, for {packed} bytes say they unpack to {total}; "
                f"if that is meant, unpack it yourself and name the folder"
            )
        return opened

    @cached_property
    def _members(self) -> dict[str, zipfile.ZipInfo]:
        return {_checked(m.filename, self.path): m for m in self._zip.infolist() if not m.filename.endswith("/")}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return all members, sorted by name, without hidden ones."""
        return tuple(sorted(filter(_visible, self._members)))

    def read(self, name: str) -> bytes:
        """Return the content of a small member."""
        with self.open(name) as stream:
            return read_whole(stream, f"{self.path}: {name}")

    def open(self, name: str) -> IO[bytes]:
        """Return a member as a stream."""
        try:
            return self._zip.open(self._members[name])
        except KeyError as error:
            raise DatasetError(f"{self.path}: has no member {name!r}") from error
        except BROKEN as error:
            raise DatasetError(f"{self.path}: {name} cannot be read ({error})") from error


@dataclass(frozen=True)
class TarTree:
    """A tar, plain or compressed: suitable for a table in it, too slow for thousands of images."""

    path: Path
    random_access = False

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return all regular members, sorted by name, without hidden ones."""
        with self._walk() as members:
            return tuple(sorted(name for name, _ in members if _visible(name)))

    def read(self, name: str) -> bytes:
        """Return the content of a small member."""
        with self.open(name) as stream:
            return read_whole(stream, f"{self.path}: {name}")

    def open(self, name: str) -> IO[bytes]:
        """Return a member as a stream."""
        raw = bounded_file(self.path)
        try:
            archive = tarfile.open(fileobj=raw, mode="r|")  # noqa: SIM115 - lives as long as the stream
            for member in archive:
                if _checked(member.name, self.path) == name and (stream := archive.extractfile(member)):
                    return stream
        except BROKEN as error:
            raise DatasetError(f"{self.path}: is not a tar that can be read ({error})") from error
        raise DatasetError(f"{self.path}: has no member {name!r}")

    @contextmanager
    def _walk(self) -> Iterator[Iterator[tuple[str, tarfile.TarInfo]]]:
        try:
            with bounded_file(self.path) as raw, tarfile.open(fileobj=raw, mode="r|") as archive:
                yield ((_checked(m.name, self.path), m) for m in archive if m.isfile())
        except BROKEN as error:
            raise DatasetError(f"{self.path}: is not a tar that can be read ({error})") from error


def unpacked(tree: Tree, name: str) -> IO[bytes]:
    """Return the file ``name`` of ``tree`` as a decompressed stream (``.gz``, ``.zst``, or as it is).

    Reading raises DatasetError if the stream is damaged or exceeds the bounds.
    """
    where = str(tree.path) if tree.path.name == name else f"{tree.path}: {name}"
    return bounded(tree.open(name), where)
