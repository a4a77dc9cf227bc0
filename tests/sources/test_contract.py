"""What every kind of source promises, whatever it reads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from felicity.sources import Frame, Source, SourceOptions, open_source
from felicity.sources.registry import kinds
from tests.support.media import number_in, numbered, write_gif, write_images, write_video
from tests.support.mjpeg_server import MjpegServer, jpeg

Opened = Callable[[], Source]


class FakeCamera:
    """Stands in for ``cv2.VideoCapture``: a camera of 50 numbered pictures per second."""

    def __init__(self, device: int | str) -> None:
        self.number = -1
        self.wait = threading.Event().wait

    def isOpened(self) -> bool:
        return True

    def set(self, prop: int, value: float) -> bool:
        return True

    def grab(self) -> bool:
        self.wait(0.02)
        self.number += 1
        return True

    def retrieve(self) -> tuple[bool, Any]:
        return True, np.ascontiguousarray(numbered(self.number % 12)[:, :, ::-1])

    def release(self) -> None: ...


@contextmanager
def _source(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    if kind == "images":
        yield lambda: open_source(write_images(tmp_path / "folder"))
    elif kind == "image":
        yield lambda: open_source(write_images(tmp_path / "folder", [0]) / "frame0.png")
    elif kind == "video":
        yield lambda: open_source(write_video(tmp_path / "video.mp4"))
    elif kind == "clip":
        yield lambda: open_source(f"clip:{write_video(tmp_path / 'clip.mp4')}")
    elif kind == "thinned video":
        yield lambda: open_source(write_video(tmp_path / "video.mp4", fps=25), fps=10)
    elif kind == "mjpeg video":
        yield lambda: open_source(write_video(tmp_path / "v.avi", codec="mjpeg", pixel_format="yuvj420p"), fps=5)
    elif kind == "gif":
        yield lambda: open_source(write_gif(tmp_path / "moving.gif"))
    elif kind == "webcam":
        monkeypatch.setattr(cv2, "VideoCapture", FakeCamera)
        yield lambda: open_source(0)
    elif kind == "stream":
        with MjpegServer([jpeg(numbered(n)) for n in range(12)], fps=50) as server:
            yield lambda: open_source(server.url)
    else:
        raise AssertionError(f"the contract does not know how to make a {kind}")


VARIANTS = ["image", "thinned video", "mjpeg video", "gif"]


@pytest.fixture(params=[kind.kind for kind in kinds()] + VARIANTS)
def opened(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    with _source(request.param, tmp_path, monkeypatch) as make:
        yield make


def take(source: Source, most: int = 8) -> list[Frame]:
    frames = []
    for frame in source:
        frames.append(frame)
        if len(frames) == most:
            source.stop()
    return frames


def test_yields_valid_frames_in_the_order_of_time(opened: Opened) -> None:
    with opened() as source:
        frames = take(source)
    assert frames
    for frame in frames:
        assert frame.image_rgb_u8.shape == (48, 64, 3)
        assert frame.image_rgb_u8.flags.c_contiguous
        assert frame.time.utcoffset() == timedelta(0)
        assert frame.source_id == source.source_id
        # RGB, not BGR: the right half is blue
        assert frame.image_rgb_u8[:, 40:, 2].mean() > 60 > frame.image_rgb_u8[:, 40:, 0].mean()
    assert [frame.time for frame in frames] == sorted(frame.time for frame in frames)
    numbers = [frame.number for frame in frames]
    assert numbers[0] >= 0 and numbers == sorted(set(numbers))


def test_numbers_belong_to_the_pictures(opened: Opened) -> None:
    with opened() as source:
        for frame in take(source):
            assert number_in(frame.image_rgb_u8) == frame.number % 12


def test_counts_what_it_yields(opened: Opened) -> None:
    with opened() as source:
        frames = take(source)
        assert source.stats.frames == len(frames)
        assert source.stats.errors == 0
        left_out = source.stats.thinned + source.stats.dropped
        assert frames[-1].number < len(frames) + left_out


def test_stop_within_the_loop_ends_it(opened: Opened) -> None:
    with opened() as source:
        for _ in source:
            source.stop()
        assert source.stats.frames == 1
        assert list(source) == []


def test_stop_before_the_first_frame(opened: Opened) -> None:
    with opened() as source:
        source.stop()
        assert list(source) == []


def test_a_second_loop_goes_on(opened: Opened) -> None:
    with opened() as source:
        first = next(iter(source))
        rest = take(source, 3)
        assert [frame.number for frame in (first, *rest)] == sorted({frame.number for frame in (first, *rest)})


def test_close_twice_and_read_after(opened: Opened) -> None:
    source = opened()
    next(iter(source))
    source.close()
    source.close()
    assert list(source) == []


def test_close_without_reading(opened: Opened) -> None:
    opened().close()


def test_is_a_source(opened: Opened) -> None:
    with opened() as source:
        assert isinstance(source, Source)


def test_no_thread_is_left(opened: Opened) -> None:
    with opened() as source:
        take(source, 2)
    assert not [t for t in threading.enumerate() if t.name.startswith("capture")]


def test_start_is_the_first_frames_time(tmp_path: Path) -> None:
    from datetime import UTC, datetime, timezone

    start = datetime(2024, 5, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    for made in (write_images(tmp_path / "folder"), write_video(tmp_path / "video.mp4"), write_gif(tmp_path / "a.gif")):
        with open_source(made, options=SourceOptions(start=start)) as source:
            frame = next(iter(source))
        assert frame.time == start and frame.time.tzinfo is UTC
