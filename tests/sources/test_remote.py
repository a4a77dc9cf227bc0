"""Recordings at addresses: found, read in parts or fetched, and nothing of them left behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import av
import fsspec
import numpy as np
import pytest

from felicity.api import archive
from felicity.errors import ExtraMissingError, SourceError
from felicity.sources import remote
from felicity.sources.registry import SourceOptions
from felicity.sources.video import VideoSource
from felicity.store import open_store
from felicity.watching.footage import find_recordings
from felicity.work import Here
from tests.support.command import environment
from tests.support.file_server import file_server
from tests.support.media import number_in, write_video

BEGIN = datetime(2026, 5, 4, 9, tzinfo=UTC)
EVERY = list(range(30))


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of videos of thirty frames, one of them large, and a text."""
    folder = tmp_path_factory.mktemp("served") / "footage"
    (folder / "east").mkdir(parents=True)
    write_video(folder / "a.mp4", 30, fps=10, metadata={"title": "x" * 20_000})
    write_video(folder / "east" / "b.mp4", 30, fps=10, metadata={"title": "other"})
    noise = np.random.default_rng(1).integers(0, 255, (30, 96, 128, 3), dtype=np.uint8)
    with av.open(str(folder.parent / "large.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for pixels in noise:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    (folder / "notes.txt").write_text("no video")
    return folder


@pytest.fixture
def bucket(footage: Path) -> Iterator[str]:
    """The same in memory, as if in a bucket."""
    system = fsspec.filesystem("memory")
    for path in footage.rglob("*.*"):
        system.pipe(f"/bucket/{path.relative_to(footage).as_posix()}", path.read_bytes())
    yield "memory://bucket"
    system.rm("/bucket", recursive=True)


def frames(address: str, **how: object) -> list[int]:
    with VideoSource.open(address, SourceOptions(start=BEGIN, **how)) as source:  # type: ignore[arg-type]
        return [number_in(frame.image_rgb_u8) for frame in source]


def test_files_are_found_by_name_by_pattern_and_in_folders(bucket: str, footage: Path) -> None:
    a, b = "memory:///bucket/a.mp4", "memory:///bucket/east/b.mp4"
    assert find_recordings([bucket]) == [a, b]
    assert find_recordings([f"{bucket}/**/*.mp4"]) == find_recordings([f"{bucket}/a.mp4", b, a]) == [a, b]
    assert find_recordings([f"{bucket}/*.txt"]) == ["memory:///bucket/notes.txt"], "who names it means it"
    assert find_recordings([footage.as_uri()]) == [f"file://{footage}/a.mp4", f"file://{footage}/east/b.mp4"]
    with file_server(footage, parts=True) as server:
        assert find_recordings([f"{server.url}/*.mp4"]) == [f"{server.url}/a.mp4"]
        assert find_recordings([f"{server.url}/a.mp4"]) == [f"{server.url}/a.mp4"]
        assert server.sent == 0, "no file is read to be found"


@pytest.mark.parametrize("kind", ["memory", "file", "parts", "whole"])
def test_frames_are_those_of_the_file_whole_and_in_pieces(kind: str, bucket: str, footage: Path) -> None:
    with file_server(footage, parts=kind == "parts") as server:
        address = {"memory": bucket, "file": footage.as_uri()}.get(kind, server.url) + "/a.mp4"
        assert frames(address) == EVERY
        parts = [frames(address, span=span) for span in ((0.0, 0.95), (0.95, 2.05), (2.05, float("inf")))]
        assert [number for part in parts for number in part] == EVERY
        with (
            VideoSource.open(address, SourceOptions(start=BEGIN)) as there,
            VideoSource.open(str(footage / "a.mp4"), SourceOptions(start=BEGIN)) as here,
        ):
            assert (there.recording, there.duration) == (here.recording, here.duration)


def test_a_piece_reads_no_more_than_it_needs(footage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "BLOCK", 1 << 10)
    size = (footage / "a.mp4").stat().st_size
    with file_server(footage, parts=True) as server:
        with remote.RemoteFile(f"{server.url}/a.mp4") as file:
            file.seek(size - 100)
            assert file.read() == (footage / "a.mp4").read_bytes()[-100:]
        assert 0 < server.sent < size / 4


def test_an_archive_at_an_address_has_the_windows_of_the_file(
    bucket: str, footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("felicity.work.opening.Processes", lambda workers: Here())
    table = tmp_path / "where.csv"
    table.write_text("file,location,start\na.mp4,Harbour,2026-05-04T09:00Z\nmemory:///bucket/east/b.mp4,Market,\n")
    found = archive([bucket, f"{bucket}/a.mp4"], locations=table, store=tmp_path / "there.db", detector="hog", fps=2)
    assert [(file.path, file.location, file.state) for file in found.files] == [
        ("memory:///bucket/a.mp4", "Harbour", "stored"),
        ("memory:///bucket/east/b.mp4", "Market", "stored"),
    ]
    archive(footage / "a.mp4", locations=table, store=tmp_path / "here.db", detector="hog", fps=2)
    with open_store(tmp_path / "there.db") as there, open_store(tmp_path / "here.db") as here:
        (window,) = [window for window in there.windows() if window.key.location == "Harbour"]
        (same,) = here.windows()
        assert (window.key.start, window.frames_seen) == (same.key.start, same.frames_seen) == (BEGIN, 6)
    again = archive(f"{bucket}/*.mp4", locations=table, store=tmp_path / "there.db", detector="hog", fps=2)
    assert [file.state for file in again.files] == ["there"]


def test_a_server_that_fails_halfway_costs_the_file_and_says_so(footage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "BLOCK", 1 << 10)
    with file_server(footage.parent, parts=True) as server:
        with VideoSource.open(f"{server.url}/large.mp4", SourceOptions(start=BEGIN)) as source:
            server.fails = True
            with pytest.raises(SourceError, match=r"large\.mp4: cannot be read \(.*503") as caught:
                list(source)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("s3://key:very-secret@bucket/a.mp4", "without user, password or key expected"),
        ("https://host/a.mp4?token=very-secret", "without user, password or key expected"),
        ("simplecache::https://key:very-secret@host/a.mp4", "an address of one protocol expected"),
        ("nothing://bucket/a.mp4", "cannot be read"),
        ("memory://bucket/*.mp4", "no video is there"),
        ("memory://bucket/none.mp4", "there is no such file or folder"),
        ("http://127.0.0.1:9/a.mp4", "127.0.0.1:9/a.mp4: cannot be read (Cannot connect"),
    ],
)
def test_an_address_that_cannot_be_read_is_one_sentence_without_secrets(address: str, told: str) -> None:
    with pytest.raises(SourceError) as caught:
        find_recordings([address])
    said = str(caught.value)
    assert told in said and "very-secret" not in said and "\n" not in said


def test_a_missing_package_is_named() -> None:
    if any(name in sys.modules for name in ("s3fs", "gcsfs")):
        pytest.skip("it is installed here")
    with pytest.raises(ExtraMissingError, match=r"s3:// needs another package: Install s3fs"):
        find_recordings(["s3://bucket/a.mp4"])


def test_without_a_start_the_server_is_asked_and_else_the_user(bucket: str, footage: Path) -> None:
    with VideoSource.open(f"{bucket}/a.mp4", SourceOptions()) as source:
        assert [note.code for note in source.stats.notes] == ["start-guessed"]
    with file_server(footage, parts=True) as server, pytest.raises(SourceError, match="give its start in the table"):
        VideoSource.open(f"{server.url}/a.mp4", SourceOptions())


def test_a_fetched_file_is_gone_also_after_a_kill(footage: Path, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    program = (
        "import sys, time; from felicity.sources.remote import RemoteFile\n"
        "file = RemoteFile(sys.argv[1]); print(len(file.read()), flush=True); time.sleep(60)\n"
    )
    with file_server(footage, parts=False) as server:
        words = [sys.executable, "-c", program, f"{server.url}/a.mp4"]
        how = environment(tmp_path) | {"TMPDIR": str(temporary)}
        with subprocess.Popen(words, stdout=subprocess.PIPE, env=how) as process:
            assert process.stdout is not None
            assert int(process.stdout.readline()) == (footage / "a.mp4").stat().st_size
            held = [path.readlink() for path in Path(f"/proc/{process.pid}/fd").iterdir() if path.is_symlink()]
            assert [path for path in held if str(path).startswith(str(temporary))], "it lies there, without a name"
            assert not list(temporary.iterdir())
            process.send_signal(signal.SIGKILL)
    assert not list(temporary.iterdir())
