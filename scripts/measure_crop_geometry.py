"""Measure where FER2013's 48x48 crop lies relative to each detector's box, for ``CropGeometry``.

    python scripts/measure_crop_geometry.py DATA/fer2013/fer2013.csv.gz [--faces 1500]

FER2013's faces are crops already, so each is enlarged and surrounded by its repeated edge pixels; each
detector then finds its box in it, and the crop is read off in units of the box's longer side. Medians
over the faces found, with quartiles to show how firm they are. Only rows of the Training fold are used.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import itertools
from pathlib import Path

import cv2
import numpy as np

from felicity.faces.detection import Detection
from felicity.faces.registry import available, open_detector

SIDE, PAD = 192, 96


def faces(path: Path, wanted: int) -> list[np.ndarray]:
    """Every so many Training faces as RGB pictures of ``SIDE + 2 PAD`` pixels."""
    with gzip.open(path, "rt", newline="") as stream:
        rows = [r["pixels"] for r in csv.DictReader(stream) if r["Usage"] == "Training"]
    pictures = []
    for pixels in itertools.islice(rows, 0, None, max(1, len(rows) // wanted)):
        grey = np.array(pixels.split(), dtype=np.uint8).reshape(48, 48)
        large = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        pictures.append(cv2.cvtColor(cv2.copyMakeBorder(large, *[PAD] * 4, cv2.BORDER_REPLICATE), cv2.COLOR_GRAY2RGB))
    return pictures


def geometry(face: Detection) -> tuple[float, float, float]:
    """Scale, right and down of the crop (see ``CropGeometry``), along the levelled face."""
    middle = PAD + SIDE / 2
    right, down = (middle - c for c in face.centre_xy)
    if face.eyes_xy is not None:
        (lx, ly), (rx, ry) = face.eyes_xy
        angle = np.arctan2(ry - ly, rx - lx)
        right, down = right * np.cos(angle) + down * np.sin(angle), down * np.cos(angle) - right * np.sin(angle)
    return SIDE / face.side, right / face.side, down / face.side


def main() -> None:
    """Print a line of medians and quartiles per detector."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv", type=Path)
    parser.add_argument("--faces", type=int, default=1500)
    options = parser.parse_args()
    pictures = faces(options.csv, options.faces)
    for name, works, reason in available():
        if not works:
            print(f"{name}: left out, {reason}")
            continue
        detector = open_detector(name)
        found = [d for d in map(detector.detect, pictures) if len(d) == 1]
        quartiles = np.percentile([geometry(d[0]) for d in found], [25, 50, 75], axis=0).T
        figures = (f"{what} {q[1]:.3f} ({q[0]:.3f} to {q[2]:.3f})" for what, q in zip(("scale", "right", "down"), quartiles, strict=True))
        print(f"{name}: {len(found)} of {len(pictures)} faces; {', '.join(figures)}", flush=True)


if __name__ == "__main__":
    main()
