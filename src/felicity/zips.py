"""Zip files from untrusted sources, whose number of members is checked before they are listed."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path
from typing import IO

_END, _END_SIZE, _ZIP64, _HEADER = b"PK\x05\x06", 22, 76, 46
_COMMENT = 1 << 16
_PIECE = 1 << 20


def open_zip(file: Path | IO[bytes], most: int) -> zipfile.ZipFile:
    """Open a zip to read. Raises ValueError if it has more than ``most`` members, and the errors of ``ZipFile``.

    ``zipfile`` creates an object per member before it can tell how many there are.
    """
    if isinstance(file, Path):
        with file.open("rb") as stream:
            _check_number(stream, most)
    else:
        _check_number(file, most)
    return zipfile.ZipFile(file)


def _check_number(stream: IO[bytes], most: int) -> None:
    """Count the headers of the directory piece by piece; stop where they are damaged, as ``zipfile`` does."""
    at, size = _directory(stream)
    stream.seek(at)
    held, number = b"", 0
    while size >= _HEADER:
        if len(held) < _HEADER:
            held += stream.read(_PIECE)
        if len(held) < _HEADER or held[:4] != b"PK\x01\x02":
            break
        length = _HEADER + sum(struct.unpack_from("<3H", held, 28))
        while len(held) < length and (more := stream.read(_PIECE)):
            held += more
        held, size, number = held[length:], size - length, number + 1
        if number > most:
            raise ValueError(f"it has more than {most:,} members")
    stream.seek(0)


def _directory(stream: IO[bytes]) -> tuple[int, int]:
    """Return offset and claimed size in bytes of the directory, as ``zipfile`` finds it; None if there is none."""
    length = stream.seek(0, 2)
    stream.seek(max(0, length - _COMMENT - _END_SIZE - _ZIP64))
    tail = stream.read()
    end = len(tail) - _END_SIZE
    if end < 0 or tail[end : end + 4] != _END or tail[-2:] != b"\0\0":
        end = tail.rfind(_END)
    if end < 0 or len(tail) < end + _END_SIZE:
        return 0, 0
    (size,) = struct.unpack_from("<L", tail, end + 12)
    large = end >= _ZIP64 and tail[end - 20 : end - 16] == b"PK\x06\x07" and tail[end - 76 : end - 72] == b"PK\x06\x06"
    if large:
        (size,) = struct.unpack_from("<Q", tail, end - _ZIP64 + 40)
    at = length - len(tail) + end - size - (_ZIP64 if large else 0)
    return (at, size) if at >= 0 else (0, 0)
