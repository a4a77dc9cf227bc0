from __future__ import annotations

import os
import struct
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from felicity.errors import SourceError
from felicity.imaging.encode import VideoWriter
from felicity.sources import SourceOptions, open_source
from felicity.sources.frame import Frame, SourceStats
from tests.support.media import number_in, numbered, write_gif, write_video

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def read(path: Path, **options: object) -> tuple[list[Frame], SourceStats]:
    options.setdefault("start", NOON)
    with open_source(path, options=SourceOptions(**options)) as source:  # type: ignore[arg-type]
        return list(source), source.stats


def seconds(frames: list[Frame]) -> list[float]:
    return [round((frame.time - NOON).total_seconds(), 3) for frame in frames]


KINDS = {
    "mp4": ("h264.mp4", {}),
    "mpeg4": ("part2.mp4", {"codec": "mpeg4"}),
    "avi": ("part2.avi", {"codec": "mpeg4"}),
    "mjpeg": ("motion.avi", {"codec": "mjpeg", "pixel_format": "yuvj420p"}),
    "mkv": ("h264.mkv", {}),
    "ts": ("h264.ts", {}),
    "hevc": ("hevc.mp4", {"codec": "libx265", "options": {}}),
}


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_sound_may_last_longer_than_the_pictures(ending: str, tmp_path: Path) -> None:
    frames, stats = read(write_video(tmp_path / f"sound.{ending}", sound=4.0))
    assert len(frames) == 12 and not stats.notes


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("fps", [None, 5, 100])
def test_kinds_of_files(name: str, fps: float | None, tmp_path: Path) -> None:
    file, how = KINDS[name]
    frames, stats = read(write_video(tmp_path / file, 12, fps=10, **how), fps=fps)
    expected = list(range(0, 12, 2)) if fps == 5 else list(range(12))
    assert [frame.number for frame in frames] == expected
    assert [number_in(frame.image_rgb_u8) for frame in frames] == expected
    assert seconds(frames) == [number / 10 for number in expected]
    assert stats.thinned == 12 - len(expected) and stats.errors == 0 and not stats.notes


def test_animated_gif(tmp_path: Path) -> None:
    path = write_gif(tmp_path / "moving.gif", 12, milliseconds=70)
    frames, _ = read(path)
    assert seconds(frames) == [round(i * 0.07, 3) for i in range(12)]
    assert [number_in(frame.image_rgb_u8) for frame in frames] == list(range(12))


def test_uneven_times_are_thinned_by_time(tmp_path: Path) -> None:
    times = [0, 0.1, 0.2, 0.9, 1.0, 1.1, 2.0, 2.05, 2.1, 2.2, 5.0, 5.01]
    path = write_video(tmp_path / "uneven.mkv", 12, times=times)
    assert seconds(read(path)[0]) == times
    assert seconds(read(path, fps=1)[0]) == [0, 1.0, 2.0, 5.0]


def test_thinning_to_an_odd_rate_keeps_it_on_average(tmp_path: Path) -> None:
    path = write_video(tmp_path / "thirty.mkv", 90, fps=30)
    for fps in (7, 12, 24, 29, 30):
        frames, stats = read(path, fps=fps)
        assert abs(len(frames) - 3 * fps) <= 1, fps
        assert len(frames) + stats.thinned == 90


def test_start_is_the_files_own_time_or_its_change(tmp_path: Path) -> None:
    path = write_video(tmp_path / "dated.mp4", metadata={"creation_time": "2023-01-02T03:04:05Z"})
    assert read(path, start=None)[0][0].time == datetime(2023, 1, 2, 3, 4, 5, tzinfo=UTC)
    for name, metadata in (("plain.mp4", {}), ("unset.mkv", {"creation_time": "1904-01-01T00:00:00Z"})):
        path = write_video(tmp_path / name, metadata=metadata)
        os.utime(path, (NOON.timestamp(),) * 2)
        frames, _ = read(path, start=None)
        assert frames[0].time == NOON and frames[0].time.utcoffset() == timedelta(0)


@pytest.mark.parametrize(("clockwise", "matrix"), [(90, (0, 1, -1, 0)), (180, (-1, 0, 0, -1)), (270, (0, -1, 1, 0))])
def test_turned_recordings_are_upright(clockwise: int, matrix: tuple[int, ...], tmp_path: Path) -> None:
    path = write_video(tmp_path / "telephone.mp4")
    data = bytearray(path.read_bytes())
    # The track's matrix (ISO 14496-12, 8.3.2), as a telephone held upright writes it.
    at = data.index(struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000), data.index(b"tkhd"))
    a, b, c, d = (value * 0x10000 for value in matrix)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 0x40000000)
    path.write_bytes(data)
    upright = np.rot90(numbered(5), -clockwise // 90)
    image = read(path)[0][5].image_rgb_u8
    assert image.shape == upright.shape and image.flags.c_contiguous
    assert np.abs(image.astype(int) - upright).mean() < 8


def noisy_video(path: Path, frames: int = 40, **options: str) -> Path:
    """Frames that do not compress to nothing, so that there is something to cut."""
    rng = np.random.default_rng(0)
    codec, pixels = ("mjpeg", "yuvj420p") if path.suffix == ".avi" else ("libx264", "yuv420p")
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=5, options={"g": "4"} if codec == "libx264" else {})
        stream.width, stream.height, stream.pix_fmt = 64, 48, pixels
        for _ in range(frames):
            noise = rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(noise, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("name", ["a.mp4", "a.avi", "a.mkv"])
def test_a_file_cut_short_gives_what_is_good(name: str, tmp_path: Path) -> None:
    path = noisy_video(tmp_path / name, **({"movflags": "faststart"} if name.endswith("mp4") else {}))
    data = path.read_bytes()
    whole, stats = read(path)
    assert len(whole) == 40 and not stats.notes
    with av.open(str(path)) as container:
        ends = [
            packet.pos + packet.size for packet in container.demux(video=0) if packet.pos is not None and packet.size
        ]
    for share in (0.3, 0.55, 0.9):
        kept = int(len(data) * share)
        path.write_bytes(data[:kept])
        complete = sum(end <= kept for end in ends)
        assert complete > 0
        for fps in (None, 2.5):
            frames, stats = read(path, fps=fps)
            # A frame that leans on a missing one may go too.
            assert complete - 3 <= frames[-1].number + 1 <= complete
            assert any("cut short" in note.text for note in stats.notes)
            for frame in frames:
                assert frame.time == whole[frame.number].time
                assert (frame.image_rgb_u8 == whole[frame.number].image_rgb_u8).all()


def test_damage_in_the_middle_is_passed_over(tmp_path: Path) -> None:
    path = noisy_video(tmp_path / "a.avi")
    data = bytearray(path.read_bytes())
    one = data.index(b"\xff\xd8\xff", len(data) // 2)
    following = data.index(b"\xff\xd8\xff", one + 1)
    data[one : following - 8] = bytes(following - 8 - one)  # 8: the next frame's place in the file
    path.write_bytes(data)
    frames, stats = read(path)
    assert len(frames) == 39 and stats.errors == 1
    assert stats.notes[0].text.endswith("damaged frames left out: 1")


def test_joined_recordings_go_on_in_time(tmp_path: Path) -> None:
    part = write_video(tmp_path / "part.ts").read_bytes()
    (tmp_path / "joined.ts").write_bytes(part + part)
    frames, _ = read(tmp_path / "joined.ts")
    assert [number_in(frame.image_rgb_u8) for frame in frames] == [*range(12), *range(12)]
    assert np.allclose(np.diff(seconds(frames)), 0.1)


def test_what_is_not_a_video(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.txt").write_text("many words\n" * 100)
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(5000))
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        stream.layout = "mono"
        for _ in range(10):
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            silence.rate = 16000
            container.mux(stream.encode(silence))
        container.mux(stream.encode(None))
    for name in ("empty.mp4", "text.txt", "noise.mp4", "sound.mp4"):
        with pytest.raises(SourceError, match=name) as raised:
            open_source(tmp_path / name)
        assert "\n" not in str(raised.value)


def test_only_headers_and_no_frame(tmp_path: Path) -> None:
    path = noisy_video(tmp_path / "a.mp4", movflags="faststart")
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"mdat") + 20])
    with pytest.raises(SourceError, match="no frame that can be decoded"):
        read(path)


def test_a_name_that_looks_like_a_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_video(tmp_path / "video.mp4").rename(tmp_path / "12:30.mp4")
    monkeypatch.chdir(tmp_path)
    assert len(read(Path("12:30.mp4"))[0]) == 12


def test_too_many_pixels(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="64 by 48 pixels, more than the 1,000 allowed"):
        read(write_video(tmp_path / "video.mp4"), max_pixels=1000)


def test_a_gif_of_one_picture(tmp_path: Path) -> None:
    Image.fromarray(numbered(3)).save(tmp_path / "still.gif")
    frames, _ = read(tmp_path / "still.gif")
    assert [number_in(frame.image_rgb_u8) for frame in frames] == [3]


def test_memory_does_not_grow_with_the_video(tmp_path: Path) -> None:
    path = write_video(tmp_path / "long.mp4", 300)
    tracemalloc.start()
    try:
        with open_source(path) as source:
            assert sum(1 for _ in source) == 300
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 60 * 64 * 48 * 3


@pytest.mark.shared_data
def test_real_clips_are_read_whole(shared: Path) -> None:
    paths = sorted((shared / "data" / "media").glob("*.gif"))
    assert len(paths) == 6
    for path in paths[:3]:
        with Image.open(path) as reference:
            delays = []
            for number in range(reference.n_frames):  # type: ignore[attr-defined]
                reference.seek(number)
                delays.append(reference.info["duration"])
        frames, stats = read(path)
        assert seconds(frames) == [round(float(t), 3) for t in np.cumsum([0, *delays[:-1]]) / 1000]
        assert not stats.notes


def test_frames_of_damaged_h264_are_left_out_and_counted(tmp_path: Path) -> None:
    whole, damaged = tmp_path / "whole.mp4", tmp_path / "damaged.mp4"
    rng = np.random.default_rng(1)
    texture = rng.integers(0, 256, (30, 40, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    with VideoWriter(whole) as video:
        for i in range(60):
            video.write(np.roll(texture, 3 * i, axis=1), i / 10)
    spoilt = 0
    with av.open(str(whole)) as source, av.open(str(damaged), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                data = bytearray(bytes(packet))
                if not packet.is_keyframe and spoilt < 6 and len(data) > 300:
                    spoilt += 1
                    data[len(data) // 4 : len(data) // 4 + 60] = rng.bytes(60)
                copy = av.Packet(bytes(data))
                copy.pts, copy.dts, copy.duration = packet.pts, packet.dts, packet.duration
                copy.time_base, copy.is_keyframe, copy.stream = packet.time_base, packet.is_keyframe, stream
                target.mux(copy)
    frames, stats = read(damaged)
    assert spoilt == 6 and len(read(whole)[0]) == 60
    assert 3 <= stats.errors <= 6 and len(frames) == 60 - stats.errors
    assert stats.notes[-1].text.endswith(f"damaged frames left out: {stats.errors}")
