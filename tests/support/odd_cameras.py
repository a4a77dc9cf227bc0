"""An HTTP camera that misbehaves as its path says; see ``OddCameras``."""

from __future__ import annotations

import io
import itertools
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import av
import numpy as np
from PIL import Image

from tests.support.mjpeg_server import BOUNDARY, jpeg

FPS = {"flood": 120.0}


def noise(number: int, width: int = 160, height: int = 120) -> bytes:
    """A frame without a face, unlike any other."""
    rng = np.random.default_rng(number)
    return jpeg(rng.integers(60, 200, (height // 8, width // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1))


def transport_stream(frames: list[bytes]) -> list[bytes]:
    """JPEG frames as H.264 in MPEG-TS, a piece for each; sent again and again, their clock jumps back each time."""
    memory, pieces = io.BytesIO(), []
    with av.open(memory, "w", format="mpegts") as container:
        stream = container.add_stream("libx264", rate=10, options={"preset": "ultrafast", "tune": "zerolatency"})
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_image(Image.open(io.BytesIO(frame)))))
            pieces.append(memory.getvalue())
            memory.seek(0)
            memory.truncate()
    return pieces


class OddCameras(ThreadingHTTPServer):
    """Serves ``/good``, and what is wrong with it by its name: ``/garbage``, ``/frozen``, ``/loop`` and others."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.off = threading.Event()
        self.noise = [noise(number) for number in range(20)]
        self.small = [noise(number, 96, 64) for number in range(20)]
        self.jumping = transport_stream(self.noise)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def url(self, path: str) -> str:
        """The address of a camera."""
        return f"http://127.0.0.1:{self.server_address[1]}/{path}"

    def __exit__(self, *_: object) -> None:
        self.off.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients leave when they like."""


class _Handler(BaseHTTPRequestHandler):
    server: OddCameras

    def do_GET(self) -> None:
        path = self.path.strip("/")
        if path == "loop":
            self.send_response(302)
            self.send_header("Location", "/loop")
            self.end_headers()
        elif path == "password":
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="camera"')
            self.end_headers()
        elif path == "jumps":
            self.send_response(200)
            self.send_header("Content-Type", "video/mp2t")
            self.end_headers()
            with suppress(OSError):
                for piece in itertools.cycle(self.server.jumping):
                    self.wfile.write(piece)
                    if self.server.off.wait(0.1):
                        return
        else:
            self.send_response(200)
            self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY}")
            self.end_headers()
            with suppress(OSError):
                self._stream(path)

    def _stream(self, path: str) -> None:
        for content in self._frames(path):
            head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(content)}\r\n\r\n"
            self.wfile.write(head.encode() + content + b"\r\n")
            if self.server.off.wait(1 / FPS.get(path, 10.0)):
                return

    def _frames(self, path: str) -> Iterator[bytes]:
        good, small = itertools.cycle(self.server.noise), itertools.cycle(self.server.small)
        if path == "garbage":
            rng = np.random.default_rng(1)
            yield from (rng.bytes(5000) for _ in itertools.count())
        elif path == "frozen":
            yield from itertools.repeat(self.server.noise[0])
        elif path == "black":
            yield from itertools.repeat(jpeg(np.zeros((120, 160, 3), np.uint8)))
        elif path == "resizes":
            for _ in itertools.count():
                yield from itertools.islice(good, 5)
                yield from itertools.islice(small, 5)
        else:
            yield from good

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""
