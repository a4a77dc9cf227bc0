"""How much Felicity's reading costs beside the bare libraries: ratios within one run, best of several.

``python benchmarks/decode.py [FOLDER_OF_JPEGS]``; without a folder, pictures are made up.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import process_time

import av
import cv2
import numpy as np
import simplejpeg
from PIL import Image

from felicity.imaging.decode import read_image
from felicity.sources import open_source

ROUNDS = 7


def best(*ways: Callable[[], object]) -> list[float]:
    """CPU seconds of each way, the best of ROUNDS, taken in turn so that a busy machine harms all alike."""
    seconds = [float("inf")] * len(ways)
    for _ in range(ROUNDS):
        for i, way in enumerate(ways):
            began = process_time()
            way()
            seconds[i] = min(seconds[i], process_time() - began)
    return seconds


def report(title: str, names: list[str], seconds: list[float], count: int) -> None:
    ours = seconds[0]
    print(title)
    for name, value in zip(names, seconds, strict=True):
        print(f"  {name:<46} {1000 * value / count:8.3f} ms each   ours / this = {ours / value:.2f}")


def made_up_jpegs(folder: Path, count: int, width: int, height: int) -> None:
    rng = np.random.default_rng(0)
    for i in range(count):
        coarse = rng.integers(0, 256, (height // 20, width // 20, 3), dtype=np.uint8)
        Image.fromarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)).save(
            folder / f"{i}.jpg", quality=90
        )


def images(paths: list[Path], title: str) -> None:
    def each(read: Callable[[Path], object]) -> Callable[[], object]:
        def loop() -> None:
            for path in paths:
                read(path)

        return loop

    seconds = best(
        each(read_image),
        each(lambda path: simplejpeg.decode_jpeg(path.read_bytes(), "RGB")),
        each(lambda path: cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)),
        each(lambda path: np.asarray(Image.open(io.BytesIO(path.read_bytes())).convert("RGB"))),
    )
    names = ["read_image", "simplejpeg (reads only, no checks)", "cv2.imread + cvtColor", "Pillow to array"]
    report(title, names, seconds, len(paths))


def bare(path: Path, every: int = 1) -> int:
    """A plain loop over the decoder, converting each ``every``-th frame."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        return sum(
            frame.to_ndarray(format="rgb24").shape[0] > 0
            for number, frame in enumerate(container.decode(stream))
            if number % every == 0
        )


def ours(path: Path, fps: float | None = None) -> int:
    with open_source(path, fps=fps) as source:
        return sum(1 for _ in source)


def video(folder: Path, codec: str, ending: str, pixels: str) -> None:
    path = folder / f"video{ending}"
    rng = np.random.default_rng(0)
    picture = cv2.resize(rng.integers(0, 256, (36, 64, 3), dtype=np.uint8), (1280, 720))
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=30)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, pixels
        for i in range(120):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.roll(picture, 4 * i, 1), format="rgb24")))
        container.mux(stream.encode(None))
    assert ours(path) == bare(path) == 120 and ours(path, 3) == bare(path, 10) == 12
    seconds = best(lambda: ours(path), lambda: bare(path), lambda: ours(path, 3), lambda: bare(path, 10))
    report(f"{codec}, 1280 by 720, all 120 frames", ["VideoSource", "bare PyAV loop"], seconds[:2], 120)
    report(f"{codec}, 3 of 30 frames per second", ["VideoSource(fps=3)", "bare PyAV loop, each 10th"], seconds[2:], 120)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if len(sys.argv) > 1:
            images(sorted(Path(sys.argv[1]).glob("*.jpg")), f"JPEGs in {sys.argv[1]}")
        for count, width, height in ((40, 600, 600), (3, 4000, 3000)):
            part = folder / f"{width}"
            part.mkdir()
            made_up_jpegs(part, count, width, height)
            images(sorted(part.iterdir()), f"JPEGs of {width} by {height}")
        video(folder, "libx264", ".mp4", "yuv420p")
        video(folder, "mjpeg", ".avi", "yuvj420p")


if __name__ == "__main__":
    main()
