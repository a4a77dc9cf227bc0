"""Image files to pixels, with a bound that is checked before anything is decoded."""

from __future__ import annotations

import io
import stat
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import simplejpeg  # type: ignore[import-untyped]
from PIL import ExifTags, Image, UnidentifiedImageError

from felicity.errors import ImageError

MAX_PIXELS = 120_000_000
"""Largest picture: the largest common phone photographs (108 megapixels) pass; 360 MB as RGB."""

SLOW_PIXELS = 30_000_000
"""Largest picture other than plain JPEG: on the way to RGB, such decoders hold up to 25 bytes per pixel."""

MOST_SCANS = 60
"""Most scans of a progressive JPEG, each of which covers the whole picture; programs write a dozen."""

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF", "PPM")
"""Pillow's names of the accepted formats. Pillow knows more, some of which start other programs (EPS)."""

_UPRIGHT: dict[int, Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.uint8]]] = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a),
}


def read_image(source: str | Path | bytes, *, max_pixels: int = MAX_PIXELS) -> npt.NDArray[np.uint8]:
    """Decode an image file, or the bytes of one, into RGB.

    The picture is upright (Exif orientation applied). An animation gives its first frame, transparent parts become
    white, and 16 bits are scaled to 8. The function refuses a picture of more than ``max_pixels`` from its header
    alone, and one of more than ``SLOW_PIXELS`` that is not plain JPEG.

    Returns ``image_rgb_u8``: C-contiguous, writable uint8 ``(height, width, 3)``. Raises ImageError if there is no such
    file, or if it is not a complete image of a known format.
    """
    with _opened(source) as (file, name), _pillow_quiet():
        image = _header(file, name, max_pixels)
        try:
            pixels = _jpeg_pixels(image, file) if image.format in ("JPEG", "MPO") else _pixels(image)
        except _DamagedError as error:
            raise ImageError(f"{name} is damaged or was cut short ({error}); copy or export it again") from error
        except Exception as error:  # the plug-ins let out anything, from struct.error to KeyError
            raise ImageError(f"{name} cannot be decoded ({_reason(error)}); copy or export it again") from error
        turn = _UPRIGHT.get(_orientation(image))
        return np.require(turn(pixels) if turn else pixels, requirements=["C", "W"])


def checked(image_rgb_u8: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return the picture if it is uint8 ``(height, width, 3)``; raises ValueError otherwise."""
    shape, dtype = image_rgb_u8.shape, image_rgb_u8.dtype
    if dtype != np.uint8 or len(shape) != 3 or shape[2] != 3 or 0 in shape:
        raise ValueError(f"a picture is uint8 (height, width, 3), not {dtype} {shape}")
    return image_rgb_u8


def photo_time(path: str | Path, zone: tzinfo | None = None) -> datetime | None:
    """Return when a photograph was taken, in UTC (Exif ``DateTimeOriginal``); None if it has no entry.

    ``zone``: time zone of the camera, for files without one (None: this machine's).
    """
    if not Path(path).is_file():  # opening a pipe would wait for its writer
        return None
    try:
        with _pillow_quiet(), Image.open(path, formats=FORMATS) as image:
            exif = image.getexif().get_ifd(ExifTags.IFD.Exif)
        taken = datetime.strptime(str(exif[ExifTags.Base.DateTimeOriginal]).strip("\0 "), "%Y:%m:%d %H:%M:%S")
        part = str(exif.get(ExifTags.Base.SubsecTimeOriginal, "")).strip("\0 ")
        offset = str(exif.get(ExifTags.Base.OffsetTimeOriginal, "")).strip("\0 ")
    except Exception:  # faults of a file's metadata need no message here
        return None
    if part.isdecimal():
        taken += timedelta(seconds=float(f"0.{part}"))
    with suppress(ValueError):
        taken = taken.replace(tzinfo=datetime.strptime(offset, "%z").tzinfo)
    try:
        return (taken if taken.tzinfo else taken.replace(tzinfo=zone)).astimezone(UTC)
    except (OverflowError, OSError, ValueError):  # the year 1, or beyond the range of the system's time
        return None


def image_suffixes() -> frozenset[str]:
    """Return the file name endings of the accepted formats: ``.jpg``, ``.png``, … in lower case."""
    return frozenset(end for end, name in Image.registered_extensions().items() if name in FORMATS)


class _DamagedError(Exception):
    """The data end too early, or are invalid."""


@contextmanager
def _opened(source: str | Path | bytes) -> Iterator[tuple[BinaryIO, str]]:
    """Yield the file, and its name for messages."""
    if isinstance(source, bytes):
        if not source:
            raise ImageError("an image of 0 bytes cannot be decoded")
        yield io.BytesIO(source), "the image"
        return
    try:
        # Checked first, because opening a pipe would wait for its writer.
        facts = Path(source).stat()
        if stat.S_ISDIR(facts.st_mode):
            raise ImageError(f"{source} is a folder, expected an image file")
        if not stat.S_ISREG(facts.st_mode):
            raise ImageError(f"{source} is not a regular file, expected an image file")
        if facts.st_size == 0:
            raise ImageError(f"{source} is empty (0 bytes); copy or export it again")
        with open(source, "rb") as file:
            yield file, str(source)
    except FileNotFoundError as error:
        raise ImageError(f"there is no file {source}") from error
    except PermissionError as error:
        raise ImageError(f"{source} may not be read; check its permissions") from error
    except (OSError, ValueError) as error:
        raise ImageError(f"{source} cannot be read ({_reason(error)})") from error


def _header(file: BinaryIO, name: str, max_pixels: int) -> Image.Image:
    """Read the header only, and refuse the picture if its size is too large."""
    try:
        image = Image.open(file, formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise ImageError(f"{name} has more pixels than Pillow ever decodes; make it smaller first") from error
    except UnidentifiedImageError as error:
        raise ImageError(f"{name} is not a complete image of a known format ({_known_formats()})") from error
    except Exception as error:  # as above
        raise ImageError(f"{name} cannot be decoded ({_reason(error)}); copy or export it again") from error
    width, height = image.size
    most = max_pixels if _is_plain(image) else min(max_pixels, SLOW_PIXELS)
    if width * height > most:
        raise ImageError(
            f"{name} has {width} by {height} = {width * height:,} pixels, more than the {most:,} allowed"
            f"{'' if _is_plain(image) else f' as {image.format}'}; make it smaller first"
        )
    if width * height == 0:
        raise ImageError(f"{name} is {width} by {height} and has no pixels")
    return image


def _is_plain(image: Image.Image) -> bool:
    """Return whether it is a JPEG in colours that the fast decoder supports."""
    return image.format in ("JPEG", "MPO") and image.mode in ("RGB", "L")


def _jpeg_pixels(image: Image.Image, file: BinaryIO) -> npt.NDArray[np.uint8]:
    """Decode a JPEG the fast way, which also detects missing data; other colour spaces go the slow way."""
    file.seek(0)
    content = file.read()
    if content.count(b"\xff\xda") > MOST_SCANS:
        raise _DamagedError(f"it has more than {MOST_SCANS} scans")
    if not _is_plain(image):
        return _pixels(image)
    try:
        pixels: npt.NDArray[np.uint8] = simplejpeg.decode_jpeg(content, "RGB", strict=True)
    except ValueError as error:
        # Some cameras write harmless surplus bytes; a truncated file would become a half grey picture.
        if "premature end" in str(error).lower() or image.width * image.height > SLOW_PIXELS:
            raise _DamagedError(_reason(error)) from error
        return _pixels(image)
    return pixels


def _pixels(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Decode by Pillow and bring any mode to 8-bit RGB."""
    try:
        image.load()
    except OSError as error:
        raise _DamagedError(_reason(error)) from error
    if image.mode == "F":
        raise ValueError("its pixels are floating-point numbers")
    if image.mode.startswith("I"):
        deep = np.clip(np.asarray(image), 0, 65535).astype(np.uint32)
        grey = ((deep * 255 + 32767) // 65535).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if image.has_transparency_data:
        cut_out = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(cut_out, mask=cut_out.getchannel("A"))
        return np.asarray(white)
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def _orientation(image: Image.Image) -> int:
    """Return the Exif orientation, 1 to 8; 1 (upright) if it is missing or invalid. Pillow turns TIFF itself."""
    if image.format == "TIFF":
        return 1
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # broken metadata do not spoil the picture
        return 1


def _known_formats() -> str:
    return ", ".join(FORMATS)


def _reason(error: BaseException) -> str:
    """Return a library's message as part of a sentence."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()).rstrip(".") or type(error).__name__


_quiet_lock = threading.Lock()
_quiet_depth = 0
_quiet_filters = warnings.catch_warnings()


@contextmanager
def _pillow_quiet() -> Iterator[None]:
    """Silence Pillow's warnings on odd files, which would be printed between a user's results.

    ``warnings.catch_warnings`` alone would lose the filters when threads decode side by side.
    """
    global _quiet_depth, _quiet_filters
    with _quiet_lock:
        if _quiet_depth == 0:
            _quiet_filters = warnings.catch_warnings()
            _quiet_filters.__enter__()
            warnings.filterwarnings("ignore", module=r"PIL\.")
        _quiet_depth += 1
    try:
        yield
    finally:
        with _quiet_lock:
            _quiet_depth -= 1
            if _quiet_depth == 0:
                _quiet_filters.__exit__(None, None, None)
