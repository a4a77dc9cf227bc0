"""How many 720p cameras one box watches: H.264 at 5 frames per second over HTTP, decoding included.

    python benchmarks/cameras.py [--cameras N ...] [--scenes street busy] [--seconds S] [--chart FILE]

Every camera shows the same loop, encoded once, each from another point on: ``street`` has three walkers in 30 % of the
time, ``busy`` eight faces all the time. ``felicity cameras run`` watches them in processes of its own, whose processor
time and memory (PSS) are read from /proc; this process only sends. A line of JSON per number of cameras.
``cameras_per_core``: what processor time pays for, by that of a decoder per second and that of a frame looked at. All
figures tell of a machine at rest.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import numpy as np
import skimage.data

from felicity.cameras.status import read_status
from felicity.style.charts import new_canvas, save, style
from felicity.style.marks import grid, whole_ticks
from felicity.style.palette import SERIES

FPS = 5
LOOP_SECONDS = 20
KEY_FRAMES = 10  # one of so many frames can be begun with
STATUS_SECONDS = 10.0  # frames per second in a status are of so long
BUSY = {"street": 0.3, "busy": 1.0}
FACES = {"street": 3, "busy": 8}


def scene(kind: str) -> list[bytes]:
    """The loop as MPEG-TS, a piece for each frame."""
    rng = np.random.default_rng(1)
    face = skimage.data.astronaut()[0:240, 120:340]
    wall = np.clip(np.full((720, 1280, 3), 110) + rng.normal(0, 6, (720, 1280, 1)), 0, 255)
    frames = FPS * LOOP_SECONDS
    memory, pieces = io.BytesIO(), []
    with av.open(memory, "w", format="mpegts") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "tune": "zerolatency"})
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        stream.gop_size = KEY_FRAMES
        for number in range(frames):
            picture = wall.copy()
            if number < BUSY[kind] * frames:
                for place in range(FACES[kind]):
                    left = (50 + 310 * (place % 4) + 6 * number) % (1280 - 220)
                    top = 60 + 330 * (place // 4)
                    picture[top : top + 240, left : left + 220] = face
            picture += rng.normal(0, 2, (720, 1280, 1))
            shown = av.VideoFrame.from_ndarray(picture.clip(0, 255).astype(np.uint8), format="rgb24")
            container.mux(stream.encode(shown))
            pieces.append(memory.getvalue())
            memory.seek(0)
            memory.truncate()
    return pieces


class Sender(ThreadingHTTPServer):
    """Sends a loop to whoever asks, a frame as its time comes."""

    daemon_threads = True

    def __init__(self, pieces: list[bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pieces = pieces
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients leave when they like."""


class _Handler(BaseHTTPRequestHandler):
    server: Sender

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "video/mp2t")
        self.end_headers()
        pieces, number, began = self.server.pieces, 0, time.monotonic()
        begins = int(self.path[1:]) * 7 * KEY_FRAMES
        while True:
            self.wfile.write(pieces[(begins + number) % len(pieces)])
            number += 1
            time.sleep(max(0.0, began + number / FPS - time.monotonic()))

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def family(pid: int) -> list[int]:
    """A process and those below it."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def processor_seconds(pids: list[int]) -> float:
    """Processor time of processes so far."""
    ticks = 0
    for pid in pids:
        columns = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(columns[11]) + int(columns[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def megabytes(pids: list[int]) -> float:
    """Memory of processes; pages that several share count once."""
    lines = [line for pid in pids for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def measure(kind: str, cameras: int, seconds: float, sender: Sender) -> dict[str, object]:
    """Watch so many cameras."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = f'detector = "yunet"\nstore = "{folder}/store.db"\nstatus = "{folder}/status.json"\n'
        for number in range(cameras):
            url = f"http://127.0.0.1:{sender.server_address[1]}/{number}"
            text += f'[[camera]]\nname = "{number}"\nlocation = "Square"\nsource = "{url}"\nfps = {FPS}\n'
        (folder / "cameras.toml").write_text(text)
        command = [sys.executable, "-m", "felicity", "cameras", "run", str(folder / "cameras.toml")]
        group = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            told = None
            while told is None or any(camera.state != "watching" for camera in told.cameras):
                time.sleep(0.5)
                told = read_status(folder / "status.json")
            time.sleep(5)
            pids = family(group.pid)
            before, began = read_status(folder / "status.json"), time.monotonic()
            decoding, looking = processor_seconds(pids[1:]), processor_seconds(pids[:1])
            time.sleep(max(seconds, STATUS_SECONDS))
            after, lasted = read_status(folder / "status.json"), time.monotonic() - began
            decoding = (processor_seconds(pids[1:]) - decoding) / lasted
            looking = (processor_seconds(pids[:1]) - looking) / lasted
            memory = megabytes(pids)
        finally:
            group.send_signal(signal.SIGTERM)
            group.wait(60)
    assert before is not None and after is not None
    looked_at = sum(camera.fps for camera in after.cameras)
    dropped = sum(camera.dropped for camera in after.cameras) - sum(camera.dropped for camera in before.cameras)
    per_camera = decoding / cameras + FPS * looking / looked_at
    return {
        "scene": kind,
        "cameras": cameras,
        "frames_per_second": round(looked_at, 1),
        "dropped_percent": round(100 * dropped / max(dropped + looked_at * lasted, 1), 1),
        "cores_used": round(decoding + looking, 2),
        "decoding_percent_of_core": round(100 * decoding / cameras, 1),
        "looking_ms_per_frame": round(1000 * looking / looked_at, 1),
        "cameras_per_core": round(1 / per_camera, 1),
        "megabytes": round(memory),
    }


@style()
def draw(rows: list[dict[str, object]], file: Path) -> None:
    """Draw frames per second against cameras, beside what the cameras send."""
    canvas = new_canvas(3.6)
    axes = canvas.subplots()
    most = max(int(str(row["cameras"])) for row in rows)
    axes.plot([0, most], [0, FPS * most], color="grey", linestyle=":", label="sent")
    for kind, colour in zip(BUSY, SERIES, strict=False):
        mine = [row for row in rows if row["scene"] == kind]
        label = {"street": "people in 30 % of the time", "busy": "eight faces all the time"}[kind]
        axes.plot(
            [row["cameras"] for row in mine],
            [row["frames_per_second"] for row in mine],
            "o-",
            color=colour,
            label=label,
        )
    axes.set_xlabel("cameras, 720p at 5 frames per second")
    axes.set_ylabel("frames looked at per second")
    axes.set_ylim(0)
    axes.set_xlim(0)
    whole_ticks(axes.xaxis)
    grid(axes, "y")
    axes.legend()
    save(canvas, file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cameras", type=int, nargs="+", default=[1, 2, 4, 6, 8, 12, 16])
    parser.add_argument("--scenes", nargs="+", choices=list(BUSY), default=list(BUSY))
    parser.add_argument("--seconds", type=float, default=40.0, help="two loops")
    parser.add_argument("--chart", type=Path)
    options = parser.parse_args()
    rows = []
    for kind in options.scenes:
        sender = Sender(scene(kind))
        for cameras in options.cameras:
            rows.append(measure(kind, cameras, options.seconds, sender))
            print(json.dumps(rows[-1]), flush=True)
    if options.chart:
        draw(rows, options.chart)


if __name__ == "__main__":
    main()
