"""Recordings at addresses (``s3://``, ``gs://``, ``https://`` and others of fsspec), read as a decoder asks for them.

A file is read in blocks, so that no machine copies what it does not watch. Where a server sends whole files only, the
file is fetched into a file without a name, which only this user may read, and which is gone with the process however it
ends. Credentials come from the environment or from fsspec's configuration, never from an address.
"""

from __future__ import annotations

import glob
import io
import re
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import IO, Any

from felicity.errors import ExtraMissingError, FelicityError, SourceError, require
from felicity.redaction import redacted_address

EXTRA = "remote"
_ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.:-]*://")
BLOCK, BLOCKS = 4 << 20, 8
"""Bytes of a block, and blocks of a file in memory."""


def is_address(name: str) -> bool:
    """Return whether a name begins with a protocol: ``s3://…``."""
    return _ADDRESS.match(name) is not None


def find_files(address: str, endings: Collection[str]) -> list[str]:
    """Return the addresses of a file, of all files of a pattern (``*``, ``**``), or of those of a folder with endings.

    Raises SourceError if none is there or the server cannot be reached, ExtraMissingError without its package.
    """
    with _told(address):
        system, path = _system(address)
        if glob.has_magic(path):
            found = system.glob(path)
        elif PurePosixPath(path).suffix.lower() in endings or not system.isdir(path):  # a listing may read a whole file
            system.info(path)
            found = [path]
        else:
            found = [name for name in system.find(path) if PurePosixPath(name).suffix.lower() in endings]
        return sorted(system.unstrip_protocol(name) for name in found)


class RemoteFile(io.RawIOBase):
    """A file at an address, to read from anywhere. Methods raise SourceError where the server fails."""

    def __init__(self, address: str) -> None:
        """Open the file. Raises SourceError in one sentence, ExtraMissingError without the package of its protocol."""
        super().__init__()
        self.address = address
        with _told(address):
            self._system, self._path = _system(address)
            how = {"block_size": BLOCK, "cache_type": "blockcache", "cache_options": {"maxblocks": BLOCKS}}
            self._file = _seekable(self._system.open(self._path, "rb", **how))

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return up to ``size`` bytes."""
        with _told(self.address):
            return self._file.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place, and return it."""
        with _told(self.address):
            return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the place."""
        return self._file.tell()

    def close(self) -> None:
        """Close the file."""
        if not self.closed:
            self._file.close()
        super().close()

    def changed(self) -> datetime:
        """Return when the file was last changed. Raises SourceError if the server does not say."""
        try:
            found: datetime = self._system.modified(self._path)
        except Exception as error:
            raise SourceError(
                f"{self.address}: neither the file nor its server says when it was recorded; give its start in the "
                "table, or by the pattern"
            ) from error
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def _seekable(file: IO[bytes]) -> IO[bytes]:
    """Return a file, or all of it in a nameless one that only this user may read, where it cannot be entered."""
    try:
        file.seek(0, io.SEEK_END)
        file.seek(0)
    except (OSError, ValueError):  # some say that they are seekable, and are not
        pass
    else:
        return file
    whole: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - is closed with the file that reads it
    with file:
        shutil.copyfileobj(file, whole, BLOCK)
    whole.seek(0)
    return whole


def _system(address: str) -> tuple[Any, str]:
    """Return fsspec's file system and the path in it. Raises SourceError for an address that names secrets."""
    if "::" in address:
        raise SourceError(f"{redacted_address(address)}: an address of one protocol expected, a chain of them found")
    if redacted_address(address) != address:
        raise SourceError(
            f"{redacted_address(address)}: an address without user, password or key expected; put them into the "
            "environment, or into the configuration of fsspec"
        )
    system, path = require("fsspec.core", EXTRA).url_to_fs(address)
    return system, str(path)


@contextmanager
def _told(address: str) -> Iterator[None]:
    """Raise every error of a server and of its package as one sentence."""
    try:
        yield
    except FelicityError:
        raise
    except ImportError as error:
        protocol = address.partition("://")[0]
        raise ExtraMissingError(f"{protocol}:// needs another package: {_reason(error)}") from error
    except Exception as error:  # each protocol raises its own
        cause = _cause(error)
        if isinstance(cause, FileNotFoundError):
            raise SourceError(f"{address}: there is no such file or folder") from error
        raise SourceError(f"{address}: cannot be read ({_reason(cause)}); check the address and its server") from error


def _cause(error: BaseException) -> BaseException:
    """Return the reason why something is not found; fsspec reports an unreachable server alike."""
    while isinstance(error, FileNotFoundError) and error.__cause__ is not None:
        error = error.__cause__
    return error


def _reason(error: BaseException) -> str:
    return (" ".join(str(error).split()) or type(error).__name__)[:200]
