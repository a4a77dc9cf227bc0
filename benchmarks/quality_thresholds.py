"""At which size, blur and turn of the head do answers go wrong? The thresholds of ``faces.quality`` come from here.

    python benchmarks/quality_thresholds.py DATA/fer2013 [--bundle NAME|FOLDER] [--json] [--picture FILE.png]

DATA/fer2013 has ``fer2013.csv.gz`` and ``fer2013new.csv``. Labelled faces that the network has not been fitted
to (the validation set) are shrunk and enlarged again, blurred, and sorted by the turn that YuNet
sees; each time the share of right answers is taken: of eight expressions, and of happy against not happy, the
mean of recall and specificity. Sharpness is that of the median face and the 10th percentile.
"""

from __future__ import annotations

import argparse
import itertools
import json
from pathlib import Path

import cv2
import numpy as np

from felicity.datasets.samples import as_inputs
from felicity.faces.detection import Detection
from felicity.faces.quality import sharpness, yaw
from felicity.faces.registry import open_detector
from felicity.labels import HAPPY_INDEX
from felicity.recognition.classifier import Classifier
from felicity.style.charts import new_canvas, to_png
from felicity.training.config import DataConfig
from felicity.training.data import load_training_set

SIDES = (48, 40, 32, 28, 24, 20, 18, 16, 14, 12, 10, 8)
BLURS = (0.0, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0)  # standard deviations in pixels of a 48-pixel face
YAWS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 9.0)


def shrunk(face: np.ndarray, side: int) -> np.ndarray:
    """As a camera that gives the face only ``side`` pixels would see it, enlarged as ``crop_face`` does."""
    small = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (48, 48), interpolation=cv2.INTER_LINEAR)


def blurred(face: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(face, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE) if sigma else face


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--bundle")
    parser.add_argument("--faces", type=int, default=1500)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--picture", type=Path, help="draw them, too")
    options = parser.parse_args()
    held_out = load_training_set(DataConfig(path=str(options.data), format="ferplus")).validation
    images, labels = held_out.images[: options.faces], held_out.labels[: options.faces]
    classifier = Classifier.open(options.bundle, threads=1)

    def row(crops: np.ndarray, truth: np.ndarray, **what: float) -> dict[str, float]:
        p = classifier.probabilities(as_inputs(crops, classifier.input.size, "gray"))
        said, happy = p.argmax(1) == HAPPY_INDEX, truth == HAPPY_INDEX
        full = Detection((0, 0, 48, 48), 1.0)
        sharp = [sharpness(cv2.cvtColor(c, cv2.COLOR_GRAY2RGB), full) for c in crops[::4]]
        return what | {
            "faces": len(crops),
            "eight": float((p.argmax(1) == truth).mean()),
            "happy": float((said[happy].mean() + (~said[~happy]).mean()) / 2),
            "sharpness": float(np.median(sharp)),
            "sharpness_p10": float(np.percentile(sharp, 10)),
        }

    def show(rows: list[dict[str, float]]) -> None:
        if options.json:
            print(json.dumps(rows), flush=True)
            return
        for line in [list(rows[0]), *(row.values() for row in rows)]:
            print(" ".join(f"{v:>13.3f}" if isinstance(v, float) else f"{v:>13}" for v in line))
        print(flush=True)

    sizes = [row(np.stack([shrunk(f, s) for f in images]), labels, side=s) for s in SIDES]
    blurs = [row(np.stack([blurred(f, s) for f in images]), labels, sigma=s) for s in BLURS]
    show(sizes)
    show(blurs)
    detector = open_detector("yunet")
    turns = np.array([turn(detector, f) for f in images])
    bins = [(low, (turns >= low) & (turns < high)) for low, high in itertools.pairwise(YAWS)]
    turned = [row(images[part], labels[part], yaw_from=low) for low, part in bins if part.sum() >= 30]
    show(turned)
    if options.picture:
        options.picture.write_bytes(drawn(sizes, blurs, turned))


def drawn(*tables: list[dict[str, float]]) -> bytes:
    """The shares of right answers by what was changed, a panel each; the bars of few faces are left to the table."""
    canvas = new_canvas(3.4, 10)
    names = {
        "side": "face's side in pixels",
        "sigma": "blur, pixels of a 48-pixel face",
        "yaw_from": "turn of the head",
    }
    for axes, table in zip(canvas.figure.subplots(1, 3, sharey=True), tables, strict=True):
        what = next(iter(table[0]))
        for figure, colour, label in (
            ("eight", "#0072b2", "of eight expressions"),
            ("happy", "#d55e00", "happy or not"),
        ):
            shares = [100 * line[figure] for line in table]
            axes.plot([line[what] for line in table], shares, "o-", color=colour, markersize=3, label=label)
        axes.set(xlabel=names[what], ylim=(0, 100))
        axes.grid(color="#e6e6e6", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        if what == "side":
            axes.set_ylabel("right answers, %")
            axes.legend(frameon=False, fontsize=8)
    return to_png(canvas)


def turn(detector: object, face: np.ndarray) -> float:
    large = cv2.copyMakeBorder(cv2.resize(face, (144, 144)), *[48] * 4, cv2.BORDER_REPLICATE)
    found = detector.detect(cv2.cvtColor(large, cv2.COLOR_GRAY2RGB))
    return abs(yaw(found[0])) if len(found) == 1 else -1.0


if __name__ == "__main__":
    main()
