"""Every detector on collages of posed faces: faces found, false boxes, time per picture against the first detector's.

    python benchmarks/detectors.py DATA/faces [--json]

DATA/faces holds portraits of one person each. They are pasted side by side into pictures as cameras give them;
the smallest faces are about 45 pixels wide. Times are the median of five, in one process.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from felicity.faces import Detection
from felicity.faces.registry import available, open_detector
from felicity.imaging.decode import read_image

SIZES = {(640, 480): (9, 4, 16), (1280, 720): (12, 4, 22)}


def collage(
    portraits: Iterator[np.ndarray], width: int, height: int, people: int
) -> tuple[np.ndarray, list[Detection]]:
    """A picture and the cell of each portrait in it."""
    columns = math.ceil(math.sqrt(people * width / height))
    rows = math.ceil(people / columns)
    side = min(width // columns, height // rows)
    picture, cells = np.full((height, width, 3), 128, np.uint8), []
    for i in range(people):
        row, column = divmod(i, columns)
        x, y = column * (width // columns), row * (height // rows)
        picture[y : y + side, x : x + side] = cv2.resize(next(portraits), (side, side), interpolation=cv2.INTER_AREA)
        cells.append(Detection((x, y, x + side, y + side), 1))
    return picture, cells


def found(faces: list[Detection], cells: list[Detection]) -> int:
    """Cells that have a face in their middle half, of a plausible size."""

    def inside(face: Detection, cell: Detection) -> bool:
        away = max(abs(a - b) for a, b in zip(face.centre_xy, cell.centre_xy, strict=True))
        return away < cell.side / 4 and 0.2 < face.side / cell.side < 0.8

    return sum(any(inside(face, cell) for face in faces) for cell in cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("portraits", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    portraits = itertools.cycle([read_image(p) for p in sorted(options.portraits.glob("*.jpg"))])
    pictures = {size: [collage(portraits, *size, people=n) for n in counts] for size, counts in SIZES.items()}
    rows: list[dict[str, object]] = []
    for name in [line.name for line in available() if line.available]:
        detector = open_detector(name)
        for (width, height), collages in pictures.items():
            hits, boxes, times = 0, 0, []
            for picture, cells in collages:
                detector.detect(picture)
                for _ in range(5):
                    began = time.perf_counter()
                    faces = detector.detect(picture)
                    times.append(time.perf_counter() - began)
                hits, boxes = hits + found(faces, cells), boxes + len(faces)
            milliseconds = 1000 * statistics.median(times)
            first = next((r for r in rows if r["size"] == f"{width}x{height}"), None)
            rows.append(
                {
                    "detector": name,
                    "size": f"{width}x{height}",
                    "people": sum(len(cells) for _, cells in collages),
                    "found": hits,
                    "false": boxes - hits,
                    "ms": round(milliseconds, 1),
                    "times_first": round(milliseconds / first["ms"], 2) if first else 1.0,
                }
            )
    if options.json:
        print(json.dumps(rows))
        return
    for line in [list(rows[0]), *(row.values() for row in rows)]:
        print(" ".join(f"{cell!s:>11}" for cell in line))


if __name__ == "__main__":
    main()
