"""Cameras and streams over loopback: coming back, stalls, slow readers, stopping."""

from __future__ import annotations

import functools
import http.server
import os
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from datetime import datetime, tzinfo
from itertools import pairwise
from pathlib import Path
from time import monotonic, sleep

import cv2
import numpy as np
import pytest

import felicity
from felicity.errors import SourceError
from felicity.notes import Note
from felicity.redaction import redacted_address
from felicity.sources import Frame, SourceOptions, _live, open_source
from felicity.sources.registry import SourceKind
from tests.sources.test_contract import FakeCamera
from tests.support.media import number_in, numbered, write_images, write_video
from tests.support.mjpeg_server import MjpegServer, jpeg

JPEGS = [jpeg(numbered(number)) for number in range(30)]


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_live, "FIRST_RETRY_SECONDS", 0.1)
    monkeypatch.setattr(_live, "LONGEST_RETRY_SECONDS", 0.5)


def live(url: str | int, **options: object) -> SourceKind:
    source = open_source(url, options=SourceOptions(**options))  # type: ignore[arg-type]
    assert isinstance(source, SourceKind) and source.live
    return source


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    end = monotonic() + seconds
    while not condition():
        assert monotonic() < end, "it did not happen in time"
        sleep(0.02)


def no_capture_is_left(seconds: float = 10.0) -> None:
    until(lambda: not [t for t in threading.enumerate() if t.name.startswith("capture")], seconds)


@pytest.mark.usefixtures("quick_retries")
def test_comes_back_after_the_camera_was_off() -> None:
    heard: list[Note] = []
    with MjpegServer(JPEGS, fps=30) as server, live(server.url, on_note=heard.append) as source:
        frames: list[Frame] = []
        for frame in source:
            frames.append(frame)
            if len(frames) == 10:
                server.stop()
                threading.Timer(1.0, server.start).start()
            if len(frames) == 20:
                source.stop()
        assert source.stats.reconnects == 1
        assert len(frames) == 20 and source.stats.frames == 20
    numbers = [frame.number for frame in frames]
    assert numbers == sorted(set(numbers))
    assert all(before.time <= after.time for before, after in pairwise(frames))
    assert any("trying again" in note.text for note in heard) and "is back after" in heard[-1].text
    assert list(source.stats.notes) == heard
    no_capture_is_left()


@pytest.mark.usefixtures("quick_retries")
def test_a_stalled_stream_is_noticed_and_taken_up_again() -> None:
    with (
        MjpegServer(JPEGS, fps=50, stall_after=5) as server,
        live(server.url, stall_seconds=0.5) as source,
    ):
        numbers = []
        for frame in source:
            numbers.append(frame.number)
            if source.stats.reconnects == 2:
                source.stop()
        assert numbers[-1] >= 10
        assert any("nothing came for 0.5 s" in note.text for note in source.stats.notes)
    no_capture_is_left()


@pytest.mark.parametrize("protocol", ["http", "rtsp", "rtmp", "tcp"])
def test_a_camera_that_never_says_anything(protocol: str) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        live(f"{protocol}://127.0.0.1:{server.getsockname()[1]}/stream", stall_seconds=0.5) as source,
    ):
        with pytest.raises(SourceError, match=r"cannot be reached: nothing came for 0\.5 s"):
            list(source)
        assert list(source) == []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_first_connection_that_is_refused() -> None:
    for address, why in (
        (f"http://127.0.0.1:{free_port()}/stream", "connection refused"),
        (f"rtsp://127.0.0.1:{free_port()}/stream", "connection refused"),
        ("http://camera.invalid/stream", "no host of this name"),
    ):
        with live(address) as source, pytest.raises(SourceError, match=f"cannot be reached: .*{why}") as raised:
            list(source)
        assert address in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.usefixtures("quick_retries")
def test_patience_with_a_camera_that_starts_later() -> None:
    server = MjpegServer(JPEGS, port=free_port())
    threading.Timer(0.7, server.start).start()
    with live(server.url, connect_patience_seconds=20) as source:
        next(iter(source))
        assert source.stats.reconnects == 0 and len(source.stats.notes) >= 1
    server.stop()


@pytest.mark.usefixtures("quick_retries")
def test_patience_with_a_lost_camera_ends() -> None:
    with MjpegServer(JPEGS) as server, live(server.url, patience_seconds=0.5) as source:
        frames = iter(source)
        next(frames)
        server.stop()
        with pytest.raises(SourceError, match="is lost: "):
            for _ in frames:
                pass


def test_wrong_pages_and_passwords() -> None:
    with MjpegServer(JPEGS, credentials=("watcher", "s3cret")) as server:
        with live(server.url.replace("/stream", "/other")) as source, pytest.raises(SourceError, match="404 not found"):
            list(source)
        with live(server.url) as source, pytest.raises(SourceError, match="401 unauthorized"):
            list(source)
        for password, right in (("s3cret", True), ("s3cret-and-wrong", False)):
            with live(server.url.replace("//", f"//watcher:{password}@")) as source:
                assert source.source_id == server.url
                if right:
                    assert next(iter(source)).source_id == server.url
                else:
                    with pytest.raises(SourceError) as raised:
                        list(source)
                    told = "".join(traceback.format_exception(raised.value))
                    assert "s3cret" not in told and "watcher" not in told
            assert "s3cret" not in "".join(map(str, source.stats.notes))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://user:pass@cam:554/a?x=1", "rtsp://cam:554/a?x=1"),
        ("rtsp://user@cam/a", "rtsp://cam/a"),
        ("rtsp://cam/a@b", "rtsp://cam/a@b"),
        ("rtsp://user:p@ss@cam/a@1", "rtsp://cam/a@1"),
        ("rtsp://user:p/ss@cam/a", "rtsp://cam/a"),
        ("rtsp://user:p?ss@cam/a", "rtsp://cam/a"),
        ("http://cam/video?user=me&pwd=secret&channel=2", "http://cam/video?user=…&pwd=…&channel=2"),
        ("http://cam/video?Access_Token=secret", "http://cam/video?Access_Token=…"),
        ("http://[::1]:80/x@2", "http://[::1]:80/x@2"),
        ("udp://@:1234", "udp://:1234"),
    ],
)
def test_passwords_are_left_out(url: str, shown: str) -> None:
    assert redacted_address(url) == shown


def test_unknown_protocol() -> None:
    with pytest.raises(SourceError, match="gopher is not a known protocol; known are rtsp, "):
        open_source("gopher://me:secret@host/film")


def test_a_clock_set_back_neither_stops_time_nor_turns_it(monkeypatch: pytest.MonkeyPatch) -> None:
    passed, back = 0.0, 0.0

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Clock:
            return cls.fromtimestamp(1_000_000_000 + passed - back, tz)

    monkeypatch.setattr(_live, "datetime", Clock)
    monkeypatch.setattr(_live, "monotonic", lambda: passed)
    times = []
    with live("http://127.0.0.1:9/camera") as source:
        assert isinstance(source, _live.LiveSource)
        for passed in range(1, 31):
            back = 10.0 if passed >= 10 else 0.0
            source._put(lambda: numbered(1))
            times.append(source._waiting[-1].time.timestamp() - 1_000_000_000)
    assert times[:9] == list(range(1, 10)), "by the clock"
    assert times[9:28] == [9 + i / 2 for i in range(1, 20)], "at half its pace"
    assert times[28:] == [19, 20], "until it has caught up"


def test_newest_frames_win_over_a_slow_reader() -> None:
    with MjpegServer(JPEGS, fps=50) as server, live(server.url, queue_frames=2) as source:
        frames = []
        for frame in source:
            frames.append(frame)
            sleep(0.2)
            if len(frames) == 8:
                source.stop()
        numbers = [frame.number for frame in frames]
        # Numbers and pictures belong together, and most were left out.
        assert [number_in(frame.image_rgb_u8) for frame in frames] == [number % 30 for number in numbers]
        assert numbers[-1] > 3 * len(numbers)
        assert source.stats.dropped >= numbers[-1] - len(numbers) - 2
        assert source.stats.frames == 8
        assert len(source._waiting) <= 2  # type: ignore[attr-defined]


def test_fewer_frames_per_second_on_request() -> None:
    with MjpegServer(JPEGS, fps=50) as server, live(server.url, fps=10) as source:
        frames = []
        for frame in source:
            frames.append(frame)
            if len(frames) == 10:
                source.stop()
        assert source.stats.thinned >= 9
    spans = [(after.time - before.time).total_seconds() for before, after in pairwise(frames)]
    assert 0.05 < np.median(spans) < 0.4


@pytest.mark.parametrize("when", ["running", "stalled", "connecting", "retrying"])
def test_stop_from_another_thread_ends_it_soon(when: str) -> None:
    silent = {"stalled": {"stall_after": 5}, "connecting": {"silent": True}}.get(when, {})
    with MjpegServer(JPEGS, **silent) as server:  # type: ignore[arg-type]
        if when == "retrying":
            server.stop()
        source = live(server.url, connect_patience_seconds=60, stall_seconds=3)
        threading.Timer(0.5, source.stop).start()
        list(source)
        before_close = monotonic()
        source.close()
        # Far less than the pauses between attempts and the time a stall takes to be noticed.
        assert monotonic() - before_close < 2.5
    no_capture_is_left()


def test_stop_from_a_signal_handler() -> None:
    with MjpegServer(JPEGS) as server, live(server.url) as source:
        before = signal.signal(signal.SIGUSR1, lambda *_: source.stop())
        try:
            for frame in source:
                if frame.number == 3:
                    signal.raise_signal(signal.SIGUSR1)
        finally:
            signal.signal(signal.SIGUSR1, before)
        assert source.stats.frames == 4 or source.stats.dropped


def test_an_exception_in_the_thread_reaches_the_reader() -> None:
    class Broken(_live.LiveSource):
        @classmethod
        def claims(cls, source: str) -> bool:
            return False

        @classmethod
        def open(cls, source: str, options: SourceOptions) -> Broken:
            return cls(source, options)

        def _pictures(self) -> Iterator[_live.Picture | None]:
            yield lambda: numbered(0)
            raise ZeroDivisionError("a mistake of ours")

    with Broken("broken", SourceOptions()) as source:
        with pytest.raises(SourceError, match=r"capturing failed .*a mistake of ours"):
            list(source)
        assert source.stats.frames == 1


def test_a_note_taker_that_fails_is_not_swallowed() -> None:
    def complain(note: Note) -> None:
        raise RuntimeError("cannot write this down")

    with (
        live(f"http://127.0.0.1:{free_port()}/", connect_patience_seconds=60, on_note=complain) as source,
        pytest.raises(SourceError, match="cannot write this down"),
    ):
        list(source)


def test_a_recording_on_a_server_is_refused(tmp_path: Path) -> None:
    write_video(tmp_path / "film.mp4")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=tmp_path)) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/film.mp4"
        with live(address) as source, pytest.raises(SourceError, match="a recording of 1 s, not a live stream"):
            list(source)
        server.shutdown()


def test_coded_video_over_a_plain_connection(tmp_path: Path) -> None:
    """MPEG-TS with H.264, whose frames lean on each other, as encoders send it."""
    data = write_video(tmp_path / "film.ts", 30).read_bytes()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def send() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(data)

        threading.Thread(target=send, daemon=True).start()
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        with live(address, queue_frames=100, patience_seconds=0) as source:
            frames = []
            with pytest.raises(SourceError, match="is lost: the other side ended it"):
                for frame in source:
                    frames.append(number_in(frame.image_rgb_u8))
    assert frames == list(range(30))


def test_webcam_that_is_not_there() -> None:
    with live(97) as source, pytest.raises(SourceError, match="camera 97 cannot be reached: there is no such camera"):
        list(source)


@pytest.mark.usefixtures("quick_retries")
def test_webcam_that_is_pulled_out_and_put_in_again(monkeypatch: pytest.MonkeyPatch) -> None:
    class Loose(FakeCamera):
        def grab(self) -> bool:
            return super().grab() and self.number < 5

    monkeypatch.setattr(cv2, "VideoCapture", Loose)
    with live(0) as source:
        for _ in source:
            if source.stats.reconnects == 2:
                source.stop()
        assert any("gives no more pictures" in note.text for note in source.stats.notes)


def test_a_file_may_be_called_like_a_camera(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_images(Path("0"), range(3))
    with open_source("0") as source:
        assert not source.live and len(list(source)) == 3


def test_a_process_that_ends_with_a_stalled_stream_ends_cleanly() -> None:
    program = (
        "import sys; from felicity.sources import SourceOptions, open_source\n"
        "source = open_source(sys.argv[1], options=SourceOptions(stall_seconds=60))\n"
        "print(next(iter(source)).number)\n"
    )
    with MjpegServer(JPEGS, stall_after=5) as server:
        done = subprocess.run(
            [sys.executable, "-c", program, server.url],
            env={**os.environ, "PYTHONPATH": str(Path(felicity.__file__).parents[1])},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout in ("0\n", "1\n", "2\n", "3\n")


def test_the_server_as_a_process(tmp_path: Path) -> None:
    """Other tests start it like this."""
    import tests.support.mjpeg_server as module

    arguments = [sys.executable, module.__file__, str(write_images(tmp_path / "frames")), "--fps", "30"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            with live(process.stdout.readline().strip()) as source:
                frame = next(iter(source))
                assert number_in(frame.image_rgb_u8) == frame.number
        finally:
            process.terminate()
