"""How much of two cores `felicity classify` uses: a folder of 720p photographs on one core and on all, in turns.

    python benchmarks/classify.py [--photographs N] [--rounds R] [--detector auto] [--json]

Each photograph has eight faces of different places, as JPEG. The command runs as users start it, in a process of its
own; starting it takes part in both times. ``gain``: median over rounds of the time on one core by that on all.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image

from felicity.system import cores


def photograph(rng: np.random.Generator) -> Image.Image:
    """Return a 1280x720 picture of eight faces, each moved by chance."""
    face = skimage.data.astronaut()[0:240, 120:340]
    canvas = np.clip(rng.normal(110, 6, (720, 1280, 3)), 0, 255).astype(np.uint8)
    for place in range(8):
        top, left = 60 + 340 * (place // 4) + int(rng.integers(40)), 40 + 310 * (place % 4) + int(rng.integers(50))
        canvas[top : top + 240, left : left + 220] = face
    return Image.fromarray(canvas)


def seconds(folder: Path, detector: str, allowed: set[int]) -> float:
    """Return how long the command takes on these cores."""
    words = [sys.executable, "-m", "felicity", "classify", str(folder), "--detector", detector, "--json"]
    began = time.perf_counter()
    subprocess.run(words, check=True, capture_output=True, preexec_fn=lambda: os.sched_setaffinity(0, allowed))
    return time.perf_counter() - began


def main() -> None:
    """Print both times and the gain."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photographs", type=int, default=120)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--detector", default="auto")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rng = np.random.default_rng(1)
    every = os.sched_getaffinity(0)
    with tempfile.TemporaryDirectory() as name:
        for number in range(options.photographs):
            photograph(rng).save(Path(name) / f"{number:04}.jpg", quality=90)
        folder, detector = Path(name), options.detector
        seconds(folder, detector, every)
        rounds = [
            (seconds(folder, detector, {min(every)}), seconds(folder, detector, every)) for _ in range(options.rounds)
        ]
    one, both = (statistics.median(column) for column in zip(*rounds, strict=True))
    gain = statistics.median(first / second for first, second in rounds)
    found = {"photographs": options.photographs, "cores": cores(), "one": one, "all": both, "gain": gain}
    if options.json:
        print(json.dumps(found))
    else:
        print(f"{options.photographs} photographs: {one:.1f} s on one core, {both:.1f} s on {cores()}: {gain:.2f} x")


if __name__ == "__main__":
    main()
