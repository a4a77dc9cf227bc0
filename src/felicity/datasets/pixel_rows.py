"""FER2013's form of images, 2,304 numbers as text in a column of a CSV, read fast and strictly.

Turn text into pixels, a block of rows at a time. The three bytes before each separator index a table of 2^24
entries that holds the number they spell. Any other form than the plain one (one space between numbers, no leading
zeros, no quotes) goes through a slow reader, which either accepts it or names the row and its fault.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import IO

import numpy as np
import numpy.typing as npt

from felicity.errors import DatasetError

SIDE = 48
PIXELS = SIDE * SIDE
BLOCK_BYTES = 1 << 18  # stays in a core's cache while it is parsed
BLOCKS_AHEAD = 8
LONGEST_ROW = 1 << 20
LONGEST_TEXT = 256  # of the other columns on either side; the slow reader takes rows with more
NEWLINE, SPACE, COMMA = 10, 32, 44


@dataclass(frozen=True)
class PixelTable:
    """Rows of a CSV whose column ``pixels`` holds images.

    ``images``: uint8 ``(N, 48, 48)``. ``columns``: the other columns, N texts each, by their name in lower case without
    surrounding space.
    """

    images: npt.NDArray[np.uint8]
    columns: dict[str, list[str]]


def read_pixel_rows(stream: IO[bytes], where: str) -> PixelTable:
    """Read a CSV with a header line and a column ``pixels``.

    Raises DatasetError naming the line (the header is line 1) for rows with another number of columns or pixels, for
    values that are not whole numbers from 0 to 255, and for an empty file.
    """
    header = stream.readline(LONGEST_ROW).removeprefix(b"\xef\xbb\xbf")
    names = [name.strip().strip('"').strip().lower() for name in header.decode("latin-1").split(",")]
    if names.count("pixels") != 1:
        shown = header[:60].decode("latin-1").strip()
        raise DatasetError(f"{where}: the first line should name one column 'pixels', but reads {shown!r}")
    if len(set(names)) < len(names):
        raise DatasetError(f"{where}: the first line names a column twice ({', '.join(names)})")
    at, fields = names.index("pixels"), len(names)
    images: list[npt.NDArray[np.uint8]] = []
    others: list[list[str]] = []
    for pixels, texts in _parsed(stream, at, fields, where):
        images.append(pixels)
        others.extend(texts)
    if not others:
        raise DatasetError(f"{where}: has a header but no rows")
    names.remove("pixels")
    columns = {name: list(values) for name, values in zip(names, zip(*others, strict=True), strict=True)}
    return PixelTable(np.concatenate(images).reshape(-1, SIDE, SIDE), columns)


def _parsed(stream: IO[bytes], at: int, fields: int, where: str) -> Iterator[Rows]:
    """Yield the rows of the stream, block by block, in order."""
    _numbers()  # computed once, before two threads need it
    under_way: deque[Future[Rows]] = deque()
    line = 2
    # NumPy releases the lock: this thread decompresses while two others parse.
    with ThreadPoolExecutor(2) as pool:
        for block in _blocks(stream, where):
            under_way.append(pool.submit(_parse, block, at, fields, line, where))
            line += block.count(b"\n")
            if len(under_way) == BLOCKS_AHEAD:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()


def _blocks(stream: IO[bytes], where: str) -> Iterator[bytes]:
    """Yield whole lines, about BLOCK_BYTES at a time, without quotes and carriage returns."""
    rest = b""
    while block := stream.read(BLOCK_BYTES):
        if b'"' in block or b"\r" in block:
            block = block.translate(None, b'"\r')
        cut = block.rfind(b"\n") + 1
        if cut == 0:
            rest += block
            if len(rest) > LONGEST_ROW:
                raise DatasetError(f"{where}: has a line of more than {LONGEST_ROW} bytes, so it is no csv of faces")
            continue
        yield rest + block[:cut]
        rest = block[cut:]
    if rest:
        yield rest + b"\n"


@cache
def _numbers() -> npt.NDArray[np.int16]:
    """Return, for three bytes (the last one highest), the number that ends there, -1 if there is none."""
    table = np.full(1 << 24, -1, dtype=np.int16)
    anything = np.arange(256)
    for before in (NEWLINE, SPACE, COMMA):
        for value in range(10):
            table[anything | before << 8 | (48 + value) << 16] = value
        for value in range(10, 100):
            table[before | (48 + value // 10) << 8 | (48 + value % 10) << 16] = value
    for value in range(100, 256):
        table[(48 + value // 100) | (48 + value // 10 % 10) << 8 | (48 + value % 10) << 16] = value
    return table


Rows = tuple[npt.NDArray[np.uint8], list[list[str]]]  # pixels (n, PIXELS) and the other fields of each row


def _parse(block: bytes, at: int, fields: int, line: int, where: str) -> Rows:
    """Return pixels and texts of the rows in ``block``, whose first is line ``line``; raises DatasetError."""
    return _fast(block, at, fields) or _slow(block, at, fields, line, where)


def _fast(block: bytes, at: int, fields: int) -> Rows | None:
    """Parse rows in the plain form; return None if any row of the block is in another form."""
    padded = b",,," + block
    codes = np.frombuffer(padded, np.uint8)
    # Four bytes up to and with each separator; all other characters of the plain form lie above the comma.
    words = np.ndarray((len(block),), dtype="<u4", buffer=padded, strides=(1,))[codes[3:] <= COMMA]
    per_row = PIXELS + fields - 1
    if len(words) % per_row:
        return None
    ends = (words >> 24).reshape(-1, per_row)
    expected = np.full(per_row, COMMA, dtype=words.dtype)
    expected[at : at + PIXELS - 1] = SPACE
    expected[-1] = NEWLINE
    if not (ends == expected).all():
        return None
    words &= 0xFFFFFF
    values = _numbers().take(words, mode="clip").reshape(-1, per_row)[:, at : at + PIXELS]
    if values.min() < 0:
        return None
    pixels = values.astype(np.uint8)
    others = []
    text_bytes = 0
    for row in block.split(b"\n")[:-1]:
        before, after = row[:LONGEST_TEXT].split(b",", at)[:at], row[-LONGEST_TEXT:].rsplit(b",", fields - 1 - at)[1:]
        others.append([field.decode("latin-1").strip() for field in (*before, *after)])
        text_bytes += sum(map(len, before)) + sum(map(len, after))
    # Only the last three digits of a number were read: more digits than the numbers need means a longer number.
    digits = pixels.size + np.count_nonzero(pixels >= 10) + np.count_nonzero(pixels >= 100)
    if len(block) != text_bytes + digits + ends.size:
        return None
    return pixels, others


def _slow(block: bytes, at: int, fields: int, line: int, where: str) -> Rows:
    """Parse rows one by one; raises DatasetError for the first invalid one."""
    pixels, others = [], []
    for number, row in enumerate(block.split(b"\n")[:-1], start=line):
        if not row.strip():
            continue
        cells = row.decode("latin-1").split(",")
        if len(cells) != fields:
            raise DatasetError(f"{where}: line {number} has {len(cells)} columns, but the first line names {fields}")
        values = cells.pop(at).split()
        others.append([cell.strip() for cell in cells])
        if wrong := next(
            (v for v in values if not (v.isascii() and v.isdigit() and int(v.lstrip("0")[:4] or 0) <= 255)), None
        ):
            raise DatasetError(f"{where}: line {number} has the pixel value {wrong[:20]!r}, not a number from 0 to 255")
        if len(values) != PIXELS:
            raise DatasetError(
                f"{where}: line {number} has {len(values)} pixels, but a face of {SIDE}x{SIDE} has {PIXELS}"
            )
        pixels.append(np.array(values, dtype=np.int64).astype(np.uint8))
    return np.stack(pixels) if pixels else np.empty((0, PIXELS), np.uint8), others
