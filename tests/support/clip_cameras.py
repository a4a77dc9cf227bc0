"""Six clips as six cameras on this machine, by RTSP and HTTP, that can be switched off and on."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np

from tests.conftest import absent
from tests.support.mjpeg_server import MjpegServer, jpeg

CLIPS = {
    "classroom": 4,
    "face-demographics-walking-and-pause": 3,
    "face-demographics-walking": 2,
    "head-pose-face-detection-female-and-male": 2,
    "head-pose-face-detection-female": 1,
    "head-pose-face-detection-male": 1,
}
"""The clips, and how many people each shows."""
LOOP_SECONDS = 8
"""The longest clip lasts 5.2 s; then the picture is empty for longer than a tracker waits for anybody."""
FPS = 12
SYSTEM_PYTHON = "/usr/bin/python3"
PACKAGES = "gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly python3-gi"


def check_rtsp_server() -> None:
    """Skip, or fail where everything must be there, without GStreamer's RTSP server."""
    asked = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
    try:
        subprocess.run([SYSTEM_PYTHON, "-c", asked], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        absent(f"GStreamer's RTSP server is not there; apt-get install {PACKAGES}")


def looped(clip: Path) -> list[av.VideoFrame]:
    """The pictures of one loop, at ``FPS``: the clip, then nobody, with a sensor's noise, lest it be called frozen."""
    with av.open(str(clip)) as container:
        timed = [(float(frame.time or 0), frame.reformat(format="rgb24")) for frame in container.decode(video=0)]
    times = [at for at, _ in timed]
    end = times[-1] + times[1] - times[0]
    rng, shape = np.random.default_rng(1), timed[0][1].to_ndarray().shape

    def nobody() -> av.VideoFrame:
        return av.VideoFrame.from_ndarray(rng.integers(100, 121, shape, dtype=np.uint8), format="rgb24")

    moments = [number / FPS for number in range(LOOP_SECONDS * FPS)]
    return [timed[np.searchsorted(times, at + 1e-6) - 1][1] if at < end else nobody() for at in moments]


class ClipCamera:
    """A clip as a camera; ``sent_at``: when it sent frames, seconds since the epoch."""

    url: str

    def start(self) -> None:
        """Switch it on."""
        raise NotImplementedError

    def stop(self) -> None:
        """Cut its power."""
        raise NotImplementedError

    def sent_at(self) -> list[float]:
        """Return the times in order."""
        raise NotImplementedError


class RtspCamera(ClipCamera):
    """A process of GStreamer's RTSP server."""

    def __init__(self, frames: Sequence[av.VideoFrame], folder: Path, name: str) -> None:
        pictures, self._sent = folder / f"{name}.i420", folder / f"{name}.sent"
        pictures.write_bytes(b"".join(f.reformat(format="yuv420p").to_ndarray().tobytes() for f in frames))
        self._sent.touch()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"rtsp://127.0.0.1:{port}/clip"
        script = Path(__file__).with_name("rtsp_clip.py")
        size = (frames[0].width, frames[0].height)
        self._command = [SYSTEM_PYTHON, *map(str, (script, pictures, *size, FPS, port, self._sent))]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def sent_at(self) -> list[float]:
        lines = self._sent.read_text().split("\n")[:-1]
        return sorted(float(line) for line in lines)


class HttpCamera(ClipCamera):
    """Motion JPEG over HTTP."""

    def __init__(self, frames: Sequence[av.VideoFrame]) -> None:
        self._server = MjpegServer([jpeg(frame.to_ndarray()) for frame in frames], fps=FPS, on_clock=True)
        self._server.start()
        self.url = self._server.url
        self._server.stop()

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def sent_at(self) -> list[float]:
        return sorted(self._server.sent_at)


@contextmanager
def clip_cameras(media: Path, folder: Path) -> Iterator[dict[str, ClipCamera]]:
    """The clips of a folder as cameras by their names, switched on; every third by HTTP."""
    cameras: dict[str, ClipCamera] = {}
    for number, name in enumerate(CLIPS):
        frames = looped(media / f"{name}.gif")
        cameras[name] = HttpCamera(frames) if number % 3 == 2 else RtspCamera(frames, folder, name)
    try:
        for camera in cameras.values():
            camera.start()
        yield cameras
    finally:
        for camera in cameras.values():
            camera.stop()


def sent(camera: ClipCamera, begin: float, end: float) -> int:
    """How many frames a camera sent in begin … end."""
    return sum(begin <= at < end for at in camera.sent_at())
