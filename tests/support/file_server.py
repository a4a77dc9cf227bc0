"""An HTTP server of a folder, which lists it, and sends parts of files or only whole ones, or fails."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Served:
    """``parts``: the server sends parts of files. ``fails``: it answers no more. ``sent``: bytes of files so far."""

    def __init__(self, parts: bool) -> None:
        self.parts, self.fails, self.sent, self.url = parts, False, 0, ""


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *arguments: Any, served: Served, **how: Any) -> None:
        self._served = served
        super().__init__(*arguments, **how)

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if self._served.fails:
            return self.send_error(503)
        if not path.is_file():
            return super().do_GET()
        content = path.read_bytes()
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        begin, end = 0, len(content)
        if wanted and self._served.parts:
            begin, end = int(wanted[1]), min(end, int(wanted[2] or end - 1) + 1)
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {begin}-{end - 1}/{len(content)}")
        else:
            self.send_response(200)
        self._end(end - begin)
        self._served.sent += end - begin
        self.wfile.write(content[begin:end])
        return None

    def do_HEAD(self) -> None:
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            return super().do_HEAD()
        self.send_response(200)
        self._end(path.stat().st_size)
        return None

    def _end(self, length: int) -> None:
        self.send_header("Content-Length", str(length))
        self.send_header("Content-Type", "video/mp4")
        self.send_header("Accept-Ranges", "bytes" if self._served.parts else "none")
        self.end_headers()


@contextmanager
def file_server(folder: Path, *, parts: bool) -> Iterator[Served]:
    """Serve a folder at ``Served.url``."""
    served = Served(parts)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, served=served, directory=str(folder)))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
