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

SIDES = np.geomspace(160, 240, 13).astype(int)  # many sizes, since HOG knows steps of a fifth only


def faces(path: Path, wanted: int) -> list[np.ndarray]:
    """Every so many Training faces as RGB pictures of twice the crop's side, the crop in the middle."""
    with gzip.open(path, "rt", newline="") as stream:
        rows = [r["pixels"] for r in csv.DictReader(stream) if r["Usage"] == "Training"]
    pictures = []
    chosen = rows[:: max(1, len(rows) // wanted)]
    for pixels, side in zip(chosen, itertools.cycle(SIDES)):
        grey = np.array(pixels.split(), dtype=np.uint8).reshape(48, 48)
        side += side % 2
        large = cv2.resize(grey, (side, side), interpolation=cv2.INTER_CUBIC)
        padded = cv2.copyMakeBorder(large, *[side // 2] * 4, cv2.BORDER_REPLICATE)
        pictures.append(cv2.cvtColor(padded, cv2.COLOR_GRAY2RGB))
    return pictures


def geometry(face: Detection, picture: np.ndarray) -> tuple[float, float, float]:
    """Scale, right and down of the crop (see ``CropGeometry``), along the levelled face."""
    side = len(picture) / 2
    right, down = (side - c for c in face.centre_xy)
    if face.eyes_xy is not None:
        (lx, ly), (rx, ry) = face.eyes_xy
        angle = np.arctan2(ry - ly, rx - lx)
        right, down = right * np.cos(angle) + down * np.sin(angle), down * np.cos(angle) - right * np.sin(angle)
    return side / face.side, right / face.side, down / face.side


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
        found = [(d[0], p) for p in pictures if len(d := detector.detect(p)) == 1]
        quartiles = np.percentile([geometry(*f) for f in found], [25, 50, 75], axis=0).T
        named = zip(("scale", "right", "down"), quartiles, strict=True)
        figures = (f"{what} {q[1]:.3f} ({q[0]:.3f} to {q[2]:.3f})" for what, q in named)
        print(f"{name}: {len(found)} of {len(pictures)} faces; {', '.join(figures)}", flush=True)


if __name__ == "__main__":
    main()
