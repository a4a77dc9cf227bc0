"""Preparing a folder of 30,000 JPEG files: seconds with one and with two processes, and memory at most.

    python benchmarks/prepare_folder.py [--images 30000] [--side 96] [--json]

The files are made up (smooth random patterns), of AffectNet's 96x96 in colour, eight classes. Memory is
the sum of the resident sets of the process and its children, sampled ten times a second.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from felicity.labels import EXPRESSIONS


def write_files(folder: Path, images: int, side: int) -> None:
    rng = np.random.default_rng(0)
    for expression in EXPRESSIONS:
        (folder / expression).mkdir(parents=True)
    for number in range(images):
        patch = cv2.resize(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8), (side, side), interpolation=cv2.INTER_CUBIC)
        patch = cv2.add(patch, rng.integers(0, 12, patch.shape, dtype=np.uint8))
        cv2.imwrite(str(folder / EXPRESSIONS[number % 8] / f"{number:06}.jpg"), patch)


def resident_bytes(root: int) -> int:
    """Of a process and all its descendants."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(fields[1]), int(fields[21])
    total, level = 0, {root}
    while level:
        total += sum(parents[pid][1] for pid in level if pid in parents)
        level = {pid for pid, (parent, _) in parents.items() if parent in level}
    return total * os.sysconf("SC_PAGE_SIZE")


def prepare(folder: Path, out: Path, workers: int) -> dict[str, float]:
    arguments = ["data", "prepare", str(folder), "-o", str(out), "--size", "48", "-j", str(workers), "--json"]
    began, peak = time.perf_counter(), 0
    with subprocess.Popen([sys.executable, "-m", "felicity", *arguments], stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = max(peak, resident_bytes(process.pid))
            time.sleep(0.1)
    if process.returncode:
        raise SystemExit(process.returncode)
    return {"workers": workers, "seconds": round(time.perf_counter() - began, 1), "peak_mb": round(peak / 1e6)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=30_000)
    parser.add_argument("--side", type=int, default=96)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "faces")
        write_files(folder, options.images, options.side)
        for workers in (1, 2):
            row = prepare(folder, Path(temporary, f"out{workers}"), workers)
            print(json.dumps(row) if options.json else "  ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
