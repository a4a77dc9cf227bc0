"""Streams read with bounds: decompressed and counted on the way, and refused if they are bombs."""

from __future__ import annotations

import io
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import IO

from felicity.errors import DatasetError, require

MAX_BYTES = 16 << 30
"""Largest number of bytes of a decompressed stream: far above any published expression data set."""
MAX_MEMBER_BYTES = 64 << 20
"""Largest number of bytes of a file that is read at once (an image or a small table)."""
MAX_RATIO, RATIO_FROM_BYTES = 200, 64 << 20
"""Largest ratio of unpacked to packed size, checked once this many bytes were unpacked."""

BROKEN: tuple[type[Exception], ...] = (
    EOFError, OSError, ValueError, NotImplementedError, RuntimeError, zlib.error, zipfile.BadZipFile, tarfile.TarError,
)  # fmt: skip
"""Errors that the standard library raises for a damaged archive or stream."""


class Bounded(io.RawIOBase):
    """The decompressed content of ``packed``, counted against the bounds; raises DatasetError beyond them."""

    def __init__(self, packed: IO[bytes], name: str) -> None:
        self._name, self._packed, self._out = name, _Counting(packed), 0
        suffix = name.lower()
        self._stream: IO[bytes] = self._packed  # type: ignore[assignment]
        self._errors: tuple[type[Exception], ...] = BROKEN
        if suffix.endswith((".gz", ".tgz")):
            isal = require("isal.igzip", "data")
            self._stream = isal.IGzipFile(fileobj=self._packed)
            self._errors = (*BROKEN, isal.isal_zlib.error)
        elif suffix.endswith(".zst"):
            zstandard = require("zstandard", "data")
            self._stream = zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(self._packed)
            self._errors = (*BROKEN, zstandard.ZstdError)

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Decompress into ``buffer``."""
        try:
            block = self._stream.read(len(buffer))
        except self._errors as error:
            raise DatasetError(f"{self._name}: is damaged or cut short ({error})") from error
        buffer[: len(block)] = block
        self._out += len(block)
        packed = max(self._packed.count, 1)
        if self._out > MAX_BYTES or (self._out > RATIO_FROM_BYTES and self._out > MAX_RATIO * packed):
            raise DatasetError(
                f"{self._name}: refused, because its first {packed} bytes unpack to more than {self._out}; "
                f"if that is meant, unpack it yourself and name the file"
            )
        return len(block)

    def close(self) -> None:
        """Close the file."""
        if not self.closed:
            self._packed.close()
        super().close()


class _Counting(io.RawIOBase):
    """A stream that counts the bytes read from it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self.count = stream, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        block = self._stream.read(len(buffer))
        buffer[: len(block)] = block
        self.count += len(block)
        return len(block)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()


def bounded(packed: IO[bytes], name: str) -> IO[bytes]:
    """Return ``packed`` decompressed by the suffix of ``name`` (``.gz``, ``.zst``, or none), within the bounds.

    Reading raises DatasetError if the stream is damaged or exceeds them.
    """
    return io.BufferedReader(Bounded(packed, name), 1 << 20)


def bounded_file(path: Path) -> IO[bytes]:
    """Return the file at ``path`` as ``bounded`` does."""
    return bounded(path.open("rb"), str(path))


def read_whole(stream: IO[bytes], where: str) -> bytes:
    """Return all of a small stream. Raises DatasetError if it is damaged or larger than MAX_MEMBER_BYTES."""
    try:
        content = stream.read(MAX_MEMBER_BYTES + 1)
    except BROKEN as error:
        raise DatasetError(f"{where}: is damaged or cut short ({error})") from error
    if len(content) > MAX_MEMBER_BYTES:
        raise DatasetError(f"{where}: refused, because it is larger than {MAX_MEMBER_BYTES >> 20} MB")
    return content
