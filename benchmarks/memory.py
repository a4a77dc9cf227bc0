"""Peak memory of long jobs, and of jobs a tenth as long: constant memory means a ratio near 1.

    python benchmarks/memory.py [--images 100000] [--hours 10] [--json]

Images: a folder of links to one small face, ``felicity classify --crop``. Video: a small film of one frame
per second, ``felicity watch``. Peak resident memory of the whole process, as the kernel reports it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import av
import numpy as np
import skimage
from PIL import Image


def peak_megabytes(*arguments: object, home: Path) -> float:
    """Run ``felicity`` to its end; its peak resident memory."""
    environment = os.environ | {"FELICITY_HOME": str(home)}
    command = [sys.executable, "-m", "felicity", *map(str, arguments)]
    silent = os.open(os.devnull, os.O_WRONLY)
    child = os.posix_spawn(command[0], command, environment, file_actions=[(os.POSIX_SPAWN_DUP2, silent, 1)])
    os.close(silent)
    _, status, usage = os.wait4(child, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    return usage.ru_maxrss / 1024


def folder_of_faces(folder: Path, count: int) -> Path:
    """Links to one 48x48 face, a thousand to a folder."""
    folder.mkdir()
    face = Image.open(Path(skimage.__file__).parent / "data" / "astronaut.png").crop((170, 60, 280, 170))
    face.resize((48, 48)).save(folder / "face.png")
    for i in range(count - 1):
        inner = folder / f"{i // 1000:03d}"
        inner.mkdir(exist_ok=True)
        (inner / f"{i:06d}.png").symlink_to(folder / "face.png")
    return folder


def film(path: Path, seconds: int) -> Path:
    """One 128x96 frame per second."""
    frame = np.random.default_rng(0).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=1)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for i in range(seconds):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.roll(frame, i, axis=1), format="rgb24")))
        container.mux(stream.encode(None))
    return path


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--hours", type=float, default=10)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        for share in (0.1, 1):
            count, seconds = round(options.images * share), round(3600 * options.hours * share)
            faces = folder_of_faces(place / f"faces{count}", count)
            rows.append(("images", count, peak_megabytes("classify", faces, "--crop", "--json", home=place)))
            video = film(place / f"{seconds}.mp4", seconds)
            watch = ("watch", video, "--location", "Film", "--detector", "hog", "--start", "2026-05-04", "--json")
            rows.append(("seconds of video", seconds, peak_megabytes(*watch, home=place)))
    result = [{"what": what, "count": count, "peak_mb": round(peak, 1)} for what, count, peak in rows]
    for short, long in ((0, 2), (1, 3)):
        result[long]["ratio_to_a_tenth"] = round(rows[long][2] / rows[short][2], 3)
    print(json.dumps(result) if options.json else "\n".join(map(str, result)))


if __name__ == "__main__":
    main()
