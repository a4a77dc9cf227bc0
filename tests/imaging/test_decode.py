from __future__ import annotations

import io
import os
import resource
import struct
import threading
import warnings
import zlib
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from felicity.errors import ImageError
from felicity.imaging.decode import MAX_PIXELS, image_suffixes, photo_time, read_image

RGB = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
# Smooth, so that lossy formats keep it.
SMOOTH = np.dstack([*np.meshgrid(np.arange(32) * 8, np.arange(24) * 10), np.full((24, 32), 90)]).astype(np.uint8)


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def exif(**tags: object) -> Image.Exif:
    made = Image.Exif()
    made[0x0112] = tags.pop("orientation", 1)
    made.get_ifd(0x8769).update(
        {getattr(__import__("PIL.ExifTags").ExifTags.Base, k).value: v for k, v in tags.items()}
    )
    return made


@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF", "PPM"])
def test_lossless_formats_are_read_exactly(format: str) -> None:
    image = read_image(encoded(Image.fromarray(RGB), format))
    assert (image == RGB).all()
    assert image.dtype == np.uint8 and image.flags.c_contiguous and image.flags.writeable


@pytest.mark.parametrize("format", ["JPEG", "WEBP", "AVIF"])
def test_lossy_formats_are_read_closely(format: str) -> None:
    image = read_image(encoded(Image.fromarray(SMOOTH), format, quality=95))
    assert image.shape == SMOOTH.shape and image.flags.c_contiguous and image.flags.writeable
    assert np.abs(image.astype(int) - SMOOTH).mean() < 6


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA", "RGBA", "PA"])
def test_modes_become_rgb(mode: str) -> None:
    grey = Image.fromarray(np.repeat(np.repeat([[0, 255]], 4, 0), 4, 1).astype(np.uint8))
    rgb = Image.merge("RGB", [grey] * 3)
    made = rgb.convert("RGBA").convert("PA") if mode == "PA" else rgb.convert(mode)
    image = read_image(encoded(made, "TIFF" if mode == "PA" else "PNG"))
    assert image.shape == (4, 8, 3)
    assert (image[:, :4] == 0).all() and (image[:, 4:] == 255).all()


def test_grey_and_cmyk_jpeg() -> None:
    assert np.abs(read_image(encoded(Image.fromarray(SMOOTH).convert("L"), "JPEG")).astype(int).std(axis=2)).max() == 0
    image = read_image(encoded(Image.fromarray(SMOOTH).convert("CMYK"), "JPEG", quality=98))
    assert np.abs(image.astype(int) - SMOOTH).mean() < 6


def test_sixteen_bits_are_scaled() -> None:
    deep = np.array([[0, 257, 32768, 65535]], np.uint16)
    for format in ("PNG", "TIFF", "PPM"):
        assert read_image(encoded(Image.fromarray(deep), format))[0, :, 0].tolist() == [0, 1, 128, 255]


def test_transparent_parts_are_white() -> None:
    rgba = np.zeros((2, 3, 4), np.uint8)
    rgba[:, 0] = (10, 20, 30, 255)
    rgba[:, 1] = (0, 0, 0, 128)
    image = read_image(encoded(Image.fromarray(rgba), "PNG"))
    assert image[0].tolist() == [[10, 20, 30], [127, 127, 127], [255, 255, 255]]
    palette = Image.new("P", (2, 1))
    palette.putpalette([0, 0, 0, 200, 10, 10])
    palette.putpixel((1, 0), 1)
    assert read_image(encoded(palette, "PNG", transparency=0))[0].tolist() == [[255, 255, 255], [200, 10, 10]]


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP"])
def test_of_an_animation_the_first_frame(format: str) -> None:
    frames = [Image.new("RGB", (8, 6), colour) for colour in ("red", "blue")]
    options = {"lossless": True} if format == "WEBP" else {}
    image = read_image(encoded(frames[0], format, save_all=True, append_images=frames[1:], **options))
    assert (image == (255, 0, 0)).all()


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(format: str, orientation: int) -> None:
    # As viewers do it, by Pillow's own transposition.
    picture = Image.fromarray(SMOOTH)
    turn = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }.get(orientation)
    upright = np.asarray(picture.transpose(turn) if turn is not None else picture)
    data = encoded(picture, format, exif=exif(orientation=orientation), **({"quality": 95} if format != "TIFF" else {}))
    image = read_image(data)
    assert image.shape == upright.shape and image.flags.c_contiguous
    assert np.abs(image.astype(int) - upright).mean() < 6


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_nonsense_orientation_is_ignored(orientation: int) -> None:
    assert (
        read_image(encoded(Image.fromarray(SMOOTH), "JPEG", exif=exif(orientation=orientation))).shape == SMOOTH.shape
    )


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises so many pixels and holds almost none."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )


def jpeg_header(width: int, height: int) -> bytes:
    data = bytearray(encoded(Image.fromarray(RGB), "JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


@pytest.mark.parametrize(
    "data",
    [png_header(50_000, 50_000), jpeg_header(50_000, 50_000), png_header(12_001, 10_000), jpeg_header(12_001, 10_000)],
)
def test_too_many_pixels_are_refused_from_the_header(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "huge.img"
    path.write_bytes(data)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ImageError, match=r"huge\.img has .*pixels"):
        read_image(path)
    # The picture would take 360 MB at least.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000
    assert MAX_PIXELS < 12_001 * 10_000


def test_the_bound_is_an_option() -> None:
    data = encoded(Image.fromarray(RGB), "PNG")
    assert read_image(data, max_pixels=54).shape == (6, 9, 3)
    with pytest.raises(ImageError, match="9 by 6 = 54 pixels, more than the 53 allowed"):
        read_image(data, max_pixels=53)


def test_what_is_not_a_readable_file(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"there is no file .*nothing\.jpg"):
        read_image(tmp_path / "nothing.jpg")
    with pytest.raises(ImageError, match="is a folder"):
        read_image(tmp_path)
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(ImageError, match=r"empty\.jpg is empty"):
        read_image(tmp_path / "empty.jpg")
    with pytest.raises(ImageError, match="0 bytes"):
        read_image(b"")
    (tmp_path / "text.jpg").write_text("not a picture")
    with pytest.raises(ImageError, match=r"text\.jpg is not a complete image of a known format"):
        read_image(tmp_path / "text.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(ImageError, match="not a regular file"):
        read_image(tmp_path / "pipe.jpg")
    with pytest.raises(ImageError, match="cannot be read"):
        read_image("nul\0byte.jpg")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "secret.jpg"
    path.write_bytes(encoded(Image.fromarray(RGB), "JPEG"))
    path.chmod(0)
    with pytest.raises(ImageError, match="may not be read"):
        read_image(path)


def test_formats_that_start_other_programs_are_refused() -> None:
    with pytest.raises(ImageError, match="not a complete image of a known format"):
        read_image(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n")


def test_floating_point_pixels_are_refused() -> None:
    with pytest.raises(ImageError, match="floating-point"):
        read_image(encoded(Image.fromarray(np.zeros((2, 2), np.float32)), "TIFF"))


LARGE = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "BMP", "TIFF", "WEBP", "PPM", "AVIF"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
def test_a_file_cut_short_is_an_error(format: str, share: float) -> None:
    data = encoded(Image.fromarray(LARGE), format)
    with pytest.raises(ImageError):
        read_image(data[: int(len(data) * share)])


def test_a_progressive_jpeg_cut_short_is_an_error() -> None:
    data = encoded(Image.fromarray(LARGE), "JPEG", progressive=True)
    assert read_image(data).shape == LARGE.shape
    with pytest.raises(ImageError, match="cut short"):
        read_image(data[: len(data) * 9 // 10])


def test_surplus_bytes_after_the_image_do_no_harm() -> None:
    for format in ("JPEG", "PNG"):
        data = encoded(Image.fromarray(LARGE), format)
        assert (read_image(data + b"\0" * 100) == read_image(data)).all()


def test_error_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "cut.jpg"
    path.write_bytes(encoded(Image.fromarray(LARGE), "JPEG")[:2000])
    with pytest.raises(ImageError) as raised:
        read_image(path)
    assert "\n" not in str(raised.value) and str(path) in str(raised.value)


SEEDS = [
    encoded(Image.fromarray(RGB), "JPEG", exif=exif(orientation=6, DateTimeOriginal="2024:05:01 12:00:00")),
    encoded(Image.fromarray(RGB), "JPEG", progressive=True),
    encoded(Image.fromarray(RGB).convert("CMYK"), "JPEG"),
    encoded(Image.fromarray(RGB), "PNG", exif=exif(orientation=3)),
    encoded(Image.fromarray(RGB), "PNG", save_all=True, append_images=[Image.new("RGB", (9, 6))]),
    encoded(Image.fromarray(RGB).convert("P"), "PNG", transparency=0),
    encoded(Image.fromarray(RGB).convert("P"), "GIF", save_all=True, append_images=[Image.new("P", (9, 6))]),
    encoded(Image.fromarray(RGB), "BMP"),
    encoded(Image.fromarray(RGB), "TIFF"),
    encoded(Image.fromarray(RGB), "TIFF", compression="tiff_lzw"),
    encoded(Image.fromarray(RGB), "WEBP", exif=exif(orientation=8)),
    encoded(Image.fromarray(RGB), "PPM"),
]


def survives(data: bytes) -> None:
    """It is decoded to what is promised, or refused by ImageError; any other exception fails the test."""
    try:
        image = read_image(data, max_pixels=1_000_000)
    except ImageError as error:
        assert "\n" not in str(error)
    else:
        assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3
        assert image.size > 0 and image.flags.c_contiguous and image.flags.writeable


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes(data: bytes) -> None:
    survives(data)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(SEEDS), st.binary(max_size=100))
def test_random_bytes_after_a_true_beginning(seed: bytes, data: bytes) -> None:
    survives(seed[:12] + data)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(SEEDS), st.data())
def test_cut_anywhere(seed: bytes, data: st.DataObject) -> None:
    survives(seed[: data.draw(st.integers(0, len(seed) - 1))])


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(SEEDS), st.data())
def test_changed_bytes(seed: bytes, data: st.DataObject) -> None:
    changed = bytearray(seed)
    for _ in range(data.draw(st.integers(1, 8))):
        changed[data.draw(st.integers(0, len(seed) - 1))] = data.draw(st.integers(0, 255))
    survives(bytes(changed))


def test_no_warning_leaks_and_filters_are_kept_with_many_threads() -> None:
    broken = encoded(Image.fromarray(RGB), "TIFF").replace(b"\x00\x01\x03\x00", b"\x00\x01\x03\x07", 1)[:-3]
    whole = encoded(Image.fromarray(RGB), "JPEG")
    failures: list[BaseException] = []

    def work() -> None:
        for _ in range(50):
            survives(broken)
            try:
                read_image(whole)
            except BaseException as error:
                failures.append(error)

    before = list(warnings.filters)
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert list(warnings.filters) == before


def test_suffixes() -> None:
    assert {".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff"} <= image_suffixes()
    assert not {".mp4", ".eps", ".pdf", ".txt"} & image_suffixes()


def test_photo_time(tmp_path: Path) -> None:
    def taken(**tags: str) -> datetime | None:
        path = tmp_path / "photo.jpg"
        Image.fromarray(RGB).save(path, exif=exif(**tags))
        return photo_time(path, timezone(timedelta(hours=5)))

    noon = "2024:05:01 12:00:00"
    assert taken(DateTimeOriginal=noon) == datetime(2024, 5, 1, 7, tzinfo=UTC)
    assert taken(DateTimeOriginal=noon, OffsetTimeOriginal="-03:30") == datetime(2024, 5, 1, 15, 30, tzinfo=UTC)
    assert taken(DateTimeOriginal=noon, SubsecTimeOriginal="25") == datetime(2024, 5, 1, 7, 0, 0, 250_000, tzinfo=UTC)
    for nonsense in ("0000:00:00 00:00:00", "    :  :     :  :  ", "yesterday", "0001:01:01 00:00:00"):
        assert taken(DateTimeOriginal=nonsense) is None
    assert taken() is None
    assert photo_time(tmp_path / "nothing.jpg") is None


@pytest.mark.shared_data
def test_real_photographs(shared: Path) -> None:
    paths = sorted((shared / "data" / "faces").glob("*.jpg"))
    assert len(paths) == 46
    for path in paths[:6]:
        expected: npt.NDArray[np.uint8] = np.asarray(Image.open(path).convert("RGB"))
        assert (read_image(path) == expected).all()
