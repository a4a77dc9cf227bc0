"""Names of images by the million: read from lists, kept on disk, counted, and cut into shards."""

from __future__ import annotations

import csv
import hashlib
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

from felicity.errors import ConfigError, require

COLUMNS = ("image", "path", "file")
"""Names of the column of paths; the first that a table has."""
LARGEST_SHARD, SMALLEST_SHARD, SHARDS = 1000, 8, 256
"""Most and fewest images of a shard; between these, they are divided into ``SHARDS`` shards."""
ROWS = 10_000
"""Rows of a Parquet list in memory at a time."""
CHUNK = 1 << 16
END = b"\0"
"""The end of a name; no path holds it."""


@dataclass(frozen=True)
class Shard:
    """Neighbouring images of a listing. ``digest``: of their names."""

    number: int
    images: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Return a digest of the names."""
        return hashlib.sha256(b"".join(os.fsencode(name) + END for name in self.images)).hexdigest()


class Listing:
    """All images of a command, in a nameless file, which is gone with the process however it ends.

    ``images``: their number. ``digest``: of their names in order.
    """

    def __init__(self, names: Iterable[str | Path], file: IO[bytes]) -> None:
        """Draw all names into an empty file. Raises ConfigError for one that no file can have."""
        self._file = file
        self.images, seen = 0, hashlib.sha256()
        for name in names:
            raw = os.fsencode(name)
            if END in raw:
                raise ConfigError(f"{str(name)!r}: a path expected, without a zero byte")
            seen.update(raw + END)
            self._file.write(raw + END)
            self.images += 1
        self.digest = seen.hexdigest()

    @classmethod
    @contextmanager
    def of(cls, names: Iterable[str | Path]) -> Iterator[Listing]:
        """Yield the listing of ``names``. Raises ConfigError for one that no file can have."""
        with tempfile.TemporaryFile() as file:
            yield cls(names, file)

    @property
    def per_shard(self) -> int:
        """Return the number of images of a shard, which depends on the number of images alone."""
        return max(SMALLEST_SHARD, min(LARGEST_SHARD, -(-self.images // SHARDS)))

    def shards(self) -> Iterator[Shard]:
        """Yield the images in shards, in order; few are in memory."""
        names, number = self._names(), 0
        while images := tuple(islice(names, self.per_shard)):
            yield Shard(number, images)
            number += 1

    def _names(self) -> Iterator[str]:
        self._file.seek(0)
        rest = b""
        while chunk := self._file.read(CHUNK):
            *whole, rest = (rest + chunk).split(END)
            yield from map(os.fsdecode, whole)


def listed(path: str) -> Iterator[str]:
    """Yield the paths of a list: a text file with one in each line, or a CSV or Parquet table with a column of them.

    ``path``: ``-`` for lines of standard input. The column is ``image``, ``path`` or ``file``. Paths are as on a
    command line: relative to the current folder. Empty lines are skipped. Raises ConfigError in one sentence for a list
    that cannot be read or names no image.
    """
    read = {".csv": _of_csv, ".parquet": _of_parquet, ".pq": _of_parquet}.get(Path(path).suffix.lower(), _of_text)
    there = False
    try:
        for name in read(path):
            if name.strip():
                there = True
                yield name
    except OSError as error:
        raise ConfigError(f"--list {path}: cannot be read ({error.strerror or error})") from error
    except csv.Error as error:
        raise ConfigError(f"--list {path}: is no CSV file ({error})") from error
    if not there:
        raise ConfigError(f"--list {path}: a list of images expected, none found")


@contextmanager
def _opened(path: str) -> Iterator[IO[str]]:
    # Names of files may not be valid UTF-8.
    how: dict[str, Any] = {"encoding": "utf-8-sig", "errors": "surrogateescape", "newline": ""}
    with open(sys.stdin.fileno() if path == "-" else path, closefd=path != "-", **how) as stream:
        yield stream


def _of_text(path: str) -> Iterator[str]:
    with _opened(path) as stream:
        for line in stream:
            if "\0" in line:
                raise ConfigError(f"--list {path}: a text file with a path in each line expected, a binary file found")
            yield line.rstrip("\r\n")


def _of_csv(path: str) -> Iterator[str]:
    with _opened(path) as stream:
        rows = csv.reader(stream, strict=True)
        place = _column(path, next(rows, []))
        for row in rows:
            if row and len(row) <= place:
                raise ConfigError(f"--list {path}, line {rows.line_num}: as many values as columns expected")
            yield row[place] if row else ""


def _of_parquet(path: str) -> Iterator[str]:
    arrow, parquet = require("pyarrow", "data"), require("pyarrow.parquet", "data")
    try:
        with parquet.ParquetFile(path) as file:
            name = file.schema_arrow.names[_column(path, file.schema_arrow.names)]
            for batch in file.iter_batches(ROWS, columns=[name]):
                for value in batch.column(0).to_pylist():
                    if not isinstance(value, str):
                        raise ConfigError(f"--list {path}: column {name}: paths expected, {value!r} found")
                    yield value
    except arrow.ArrowException as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"--list {path}: is no Parquet file that can be read ({reason})") from error


def _column(path: str, columns: list[str]) -> int:
    """Return the place of the column of paths. Raises ConfigError."""
    names = [name.strip().lower() for name in columns]
    for name in COLUMNS:
        if name in names:
            return names.index(name)
    raise ConfigError(
        f"--list {path}: a column {', '.join(COLUMNS[:-1])} or {COLUMNS[-1]} expected, "
        f"found {', '.join(columns)[:200] or 'no columns'}"
    )
