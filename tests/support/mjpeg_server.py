"""An HTTP camera for tests: serves frames as motion JPEG (``multipart/x-mixed-replace``).

In a test: ``with MjpegServer(jpegs, fps=20) as server: server.url``. As a process:
``python tests/support/mjpeg_server.py VIDEO_OR_FOLDER --port 8090 --fps 5``; it prints its address on
one line and serves until it is terminated, the frames over and over again.
"""

from __future__ import annotations

import argparse
import io
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from PIL import Image

BOUNDARY = "felicityframe"


def jpeg(image_rgb_u8: npt.NDArray[np.uint8]) -> bytes:
    """JPEG bytes of one picture."""
    buffer = io.BytesIO()
    Image.fromarray(image_rgb_u8).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def jpegs_of(source: Path) -> list[bytes]:
    """The frames of a video, or the images of a folder in the order of names."""
    if source.is_dir():
        paths = sorted(path for path in source.iterdir() if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
        return [jpeg(np.asarray(Image.open(path).convert("RGB"))) for path in paths]
    with av.open(str(source)) as container:
        return [jpeg(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]


class MjpegServer:
    """Serves ``frames`` in a loop at ``fps`` to any number of clients, at ``/stream``.

    ``silent``: answer nothing at all. ``stall_after``: send so many frames, then nothing more, with the
    connection left open. ``user`` and ``password``: ask for them (HTTP Basic). ``port`` 0 is any free one.
    ``on_clock``: the loop goes by the wall clock, whenever a client comes. ``sent_at``: when frames were sent.
    Other paths are answered 404. ``start`` after ``stop`` serves at the same address again.
    """

    def __init__(
        self,
        frames: Sequence[bytes],
        *,
        fps: float = 20.0,
        port: int = 0,
        silent: bool = False,
        stall_after: int | None = None,
        credentials: tuple[str, str] | None = None,
        on_clock: bool = False,
    ) -> None:
        self.frames = list(frames)
        self.fps = fps
        self.port = port
        self.silent = silent
        self.stall_after = stall_after
        self.credentials = credentials
        self.on_clock = on_clock
        self.sent = 0
        self.sent_at: list[float] = []
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        """The stream's address."""
        return f"http://127.0.0.1:{self.port}/stream"

    def start(self) -> MjpegServer:
        """Listen, and serve in threads."""
        self._server = _Server(("127.0.0.1", self.port), self)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def stop(self) -> None:
        """Cut all connections and listen no more, as if the camera had lost its power."""
        if self._server is not None:
            self._server.cut()
            self._server = None

    def __enter__(self) -> MjpegServer:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], camera: MjpegServer) -> None:
        self.camera = camera
        self.off = threading.Event()
        self.connections: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def cut(self) -> None:
        self.off.set()
        for connection in list(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients leave when they like."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        camera, off = self.server.camera, self.server.off
        self.server.connections.add(self.connection)
        if camera.silent:
            off.wait()
            return
        if self.path.split("?")[0] != "/stream":
            self.send_error(404)
            return
        if camera.credentials is not None and not self._authorized(camera.credentials):
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="camera"')
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY}")
        self.end_headers()
        number = int(time.time() * camera.fps) if camera.on_clock else 0
        began = time.monotonic() - number / camera.fps
        while not off.is_set():
            if number == camera.stall_after:
                off.wait()
                return
            frame = camera.frames[number % len(camera.frames)]
            head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(frame)}\r\n\r\n"
            at = time.time()
            self.wfile.write(head.encode() + frame + b"\r\n")
            number += 1
            camera.sent += 1
            camera.sent_at.append(at)
            off.wait(max(0.0, began + number / camera.fps - time.monotonic()))

    def _authorized(self, credentials: tuple[str, str]) -> bool:
        import base64

        expected = base64.b64encode(":".join(credentials).encode()).decode()
        return self.headers.get("Authorization") == f"Basic {expected}"

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, help="a video, or a folder of JPEG or PNG files")
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--fps", type=float, default=10.0)
    parser.add_argument("--stall-after", type=int, default=None, help="frames per connection before silence")
    parser.add_argument("--silent", action="store_true", help="accept connections and say nothing")
    arguments = parser.parse_args()
    server = MjpegServer(
        jpegs_of(arguments.source),
        fps=arguments.fps,
        port=arguments.port,
        silent=arguments.silent,
        stall_after=arguments.stall_after,
    )
    with server:
        print(server.url, flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
