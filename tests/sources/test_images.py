from __future__ import annotations

import os
import tracemalloc
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from felicity.errors import ConfigError, SourceError
from felicity.notes import Note
from felicity.sources import SourceOptions, open_source
from felicity.sources.frame import Frame
from tests.support.media import number_in, numbered, write_images

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def photograph(path: Path, number: int, taken: str | None = None) -> None:
    exif = Image.Exif()
    if taken:
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = taken
    Image.fromarray(numbered(number)).save(path, exif=exif, quality=95)


def read(source: Path, **options: object) -> list[Frame]:
    with open_source(source, options=SourceOptions(**options)) as opened:  # type: ignore[arg-type]
        return list(opened)


def test_in_the_order_of_names_with_numbers_as_numbers(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "sequence", range(12))
    frames = read(folder, start=NOON)
    assert [number_in(frame.image_rgb_u8) for frame in frames] == list(range(12))
    assert [frame.time for frame in frames] == [NOON + timedelta(seconds=i) for i in range(12)]


def test_a_sequence_at_a_rate(tmp_path: Path) -> None:
    frames = read(write_images(tmp_path / "sequence", range(5)), start=NOON, fps=10)
    assert [frame.time for frame in frames] == [NOON + timedelta(seconds=i / 10) for i in range(5)]


def test_photographs_stand_for_themselves_a_film_does_not(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "sequence", range(2))
    assert open_source(folder).stills and open_source(folder, start=NOON).stills
    assert not open_source(folder, fps=10).stills


def test_photographs_in_the_order_they_were_taken(tmp_path: Path) -> None:
    photograph(tmp_path / "a.jpg", 3, "2024:05:01 12:00:03")
    photograph(tmp_path / "b.jpg", 1, "2024:05:01 12:00:01")
    photograph(tmp_path / "c.jpg", 2, "2024:05:01 12:00:02")
    photograph(tmp_path / "undated.jpg", 0)
    os.utime(tmp_path / "undated.jpg", (NOON.timestamp() - 7200,) * 2)
    frames = read(tmp_path, zone=timezone(timedelta(hours=1)))
    assert [number_in(frame.image_rgb_u8) for frame in frames] == [0, 1, 2, 3]
    expected = [timedelta(hours=-2), *(timedelta(hours=-1, seconds=s) for s in (1, 2, 3))]
    assert [frame.time - NOON for frame in frames] == expected


def test_looks_below_and_ignores_the_rest(tmp_path: Path) -> None:
    write_images(tmp_path / "day2", [2])
    write_images(tmp_path / "day10", [10])
    write_images(tmp_path / ".hidden", [5])
    write_images(tmp_path, [11], ending=".PNG")
    (tmp_path / "notes.txt").write_text("not a picture")
    (tmp_path / "._frame3.png").write_bytes(b"left by another system")
    frames = read(tmp_path, start=NOON)
    assert [number_in(frame.image_rgb_u8) for frame in frames] == [2, 10, 11]


def test_a_bad_image_is_counted_and_passed_over(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "sequence", range(5))
    (folder / "frame2.png").write_bytes((folder / "frame2.png").read_bytes()[:60])
    heard: list[Note] = []
    with open_source(folder, options=SourceOptions(start=NOON, on_note=heard.append)) as source:
        frames = list(source)
    assert [frame.number for frame in frames] == [0, 1, 3, 4]
    assert frames[-1].time == NOON + timedelta(seconds=4)
    assert source.stats.errors == 1 and source.stats.frames == 4
    assert len(heard) == 1 and "frame2.png" in heard[0].text and list(source.stats.notes) == heard


def test_notes_are_bounded(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "sequence", [0])
    for i in range(150):
        (folder / f"bad{i}.jpg").write_text("not a picture")
    with open_source(folder) as source:
        assert len(list(source)) == 1
    assert source.stats.errors == 150 and len(source.stats.notes) == 100


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no image in the folder"):
        open_source(tmp_path)
    (tmp_path / "bad.jpg").write_text("not a picture")
    with pytest.raises(SourceError, match=r"none of the 1 images .*bad\.jpg is not"):
        read(tmp_path)
    with pytest.raises(SourceError, match=r"bad\.jpg is not a complete image"):
        read(tmp_path / "bad.jpg")
    with pytest.raises(SourceError, match=r"there is no '.*nowhere'; expected an image, a folder"):
        open_source(tmp_path / "nowhere")


def test_a_pipe_among_them_is_passed_over(tmp_path: Path) -> None:
    os.mkfifo(write_images(tmp_path / "photos", [1]) / "pipe.jpg")
    with open_source(tmp_path / "photos") as source:
        assert len(list(source)) == 1 and source.stats.errors == 1


def test_a_file_that_vanishes_is_passed_over(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "sequence", range(3))
    with open_source(folder) as source:
        (folder / "frame1.png").unlink()
        assert [number_in(frame.image_rgb_u8) for frame in source] in ([0, 2], [2, 0])
    assert source.stats.errors == 1


def test_memory_does_not_grow_with_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    large = folder / "0.png"
    Image.fromarray(np.zeros((500, 500, 3), np.uint8)).save(large)
    for i in range(1, 60):
        (folder / f"{i}.png").hardlink_to(large)
    tracemalloc.start()
    try:
        with open_source(folder) as source:
            assert sum(1 for _ in source) == 60
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10 * 500 * 500 * 3


def test_a_wide_bound_is_an_option(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "sequence", [0])
    with pytest.raises(SourceError, match="more than the 100 allowed"):
        read(folder, max_pixels=100)


@pytest.mark.parametrize(
    "options",
    [
        {"start": datetime(2024, 5, 1)},
        {"fps": 0},
        {"fps": float("nan")},
        {"max_pixels": 0},
        {"stall_seconds": 0},
        {"patience_seconds": -1},
        {"queue_frames": 0},
    ],
)
def test_impossible_options(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        SourceOptions(**options)  # type: ignore[arg-type]


def test_options_given_twice(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="twice"):
        open_source(tmp_path, fps=1, options=SourceOptions())


@pytest.mark.shared_data
def test_real_photographs(shared: Path) -> None:
    frames = read(shared / "data" / "faces")
    assert len(frames) == 46
    assert {frame.image_rgb_u8.shape for frame in frames} == {(600, 600, 3)}
