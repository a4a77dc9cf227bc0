"""Measure where a face's crop should lie relative to each detector's box, for ``CropGeometry``.

    python scripts/measure_crop_geometry.py DATA/fer2013/fer2013.csv.gz [--faces 1500] [--bundles best,fast]

FER2013's faces are crops already, so each is enlarged and surrounded by its repeated edge pixels; each
detector then finds its box in it. First, the crop is read off in units of the box's longer side: medians
over the faces found, with quartiles to show how firm they are. Then the faces of the validation set of
the shipped networks' recipes are cut out so, and smaller, larger, higher and lower, and each bundle
answers. Only rows of the Training fold are used.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import itertools
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from felicity.faces.crop import crop_face
from felicity.faces.detection import CropGeometry, Detection, Detector
from felicity.faces.registry import available, open_detector
from felicity.labels import EXPRESSIONS
from felicity.metrics.calibration import log_loss
from felicity.metrics.classification import Scores
from felicity.models.bundle import open_bundle
from felicity.recognition.classifier import Classifier
from felicity.training.config import DataConfig
from felicity.training.data import load_training_set

SIDES = np.geomspace(160, 240, 13).astype(int)  # many sizes, since HOG knows steps of a fifth only


SCALES, SHIFTS = (0.85, 0.9, 0.95, 1.0, 1.05), (-0.06, -0.04, -0.02, 0.0, 0.02)
"""What bundles are asked about: times the median side of the crop, and down from its median place."""


def faces(path: Path, wanted: int) -> list[np.ndarray]:
    """Every so many Training faces."""
    with gzip.open(path, "rt", newline="") as stream:
        rows = [r["pixels"] for r in csv.DictReader(stream) if r["Usage"] == "Training"]
    chosen = rows[:: max(1, len(rows) // wanted)]
    return [np.array(pixels.split(), dtype=np.uint8).reshape(48, 48) for pixels in chosen]


def enlarged(crops: Iterable[np.ndarray]) -> list[np.ndarray]:
    """RGB pictures of twice the side of each grey crop, which is in the middle."""
    pictures = []
    for grey, side in zip(crops, itertools.cycle(SIDES), strict=False):
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


def accuracies(detector: Detector, around: CropGeometry, bundles: list[str], folder: Path) -> None:
    """Print what bundles' answers in use are worth on faces that are found again, by crops near ``around``."""
    held = load_training_set(DataConfig(path=str(folder), format="ferplus")).validation
    found = [(detector.detect(picture), picture) for picture in enlarged(held.images)]
    rows = [row for row, (boxes, _) in enumerate(found) if len(boxes) == 1 and held.labels[row] >= 0]
    classifiers = {name: Classifier(open_bundle(name)) for name in bundles}
    print(f"  {len(rows)} of {len(held)} faces of the validation set are found again")
    for times, shift in itertools.product(SCALES, SHIFTS):
        geometry = CropGeometry(around.scale * times, down=around.down + shift)
        for name, classifier in classifiers.items():
            form = {"size": classifier.input.size, "colour": classifier.input.colour, "geometry": geometry}
            crops = np.stack([crop_face(found[row][1], found[row][0][0], **form) for row in rows])
            p, labels = classifier.probabilities(crops), held.labels[rows]
            scores = Scores.of(labels, p, EXPRESSIONS)
            assert scores.happy is not None
            loss = float(log_loss(labels, p))
            print(
                f"  side {geometry.scale:.2f}, down {geometry.down:+.2f}  {name:5} "
                f"accuracy {scores.accuracy:.2%}, loss {loss:.4f}, happy F1 {float(scores.happy.f1[0]):.2%}",
                flush=True,
            )


def main() -> None:
    """Print a line of medians and quartiles per detector, and a table of accuracies."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv", type=Path)
    parser.add_argument("--faces", type=int, default=1500)
    parser.add_argument("--bundles", default="best,fast")
    options = parser.parse_args()
    pictures = enlarged(faces(options.csv, options.faces))
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
        median = CropGeometry(quartiles[0][1], down=quartiles[2][1])
        accuracies(detector, median, options.bundles.split(","), options.csv.parent)


if __name__ == "__main__":
    main()
