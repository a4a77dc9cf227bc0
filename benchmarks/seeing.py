"""Who is found, and how well are they judged, in the dark and in noise? Limits of ``faces`` come from here.

    python benchmarks/seeing.py DATA [--detectors yunet,hog] [--faces 200]

DATA has ``news_faces`` and ``faces``, each with ``labels.csv``: press photographs and posed portraits, as many happy as
neutral ones. A face gets 64 pixels in a picture of 144, is darkened to a share of its light, and noise
is added, in grey levels. Printed are the share of happy and of neutral faces that are found, which differ where a
detector misses one expression more than another, and the share of right answers on those that are found clean (mean of
recall and specificity of "happy"), as they come and ``lifted``.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import cv2
import numpy as np

from felicity.faces import Detector
from felicity.faces.crop import crop_face, lifted
from felicity.faces.registry import open_detector
from felicity.imaging.decode import read_image
from felicity.labels import HAPPY_INDEX
from felicity.recognition.classifier import Classifier

STEPS = [(light, 0) for light in (1.0, 0.5, 0.25, 0.12, 0.09, 0.06, 0.04)] + [
    (1.0, 4), (1.0, 8), (1.0, 12), (1.0, 16), (1.0, 24), (1.0, 32),
    (0.5, 4), (0.25, 2), (0.12, 1), (0.25, 4), (0.12, 2), (0.12, 4),
]  # fmt: skip


def pictures(data: Path, many: int) -> list[tuple[np.ndarray, bool]]:
    """Pictures of 144 pixels and whether the face in it is happy."""
    rng, found = np.random.default_rng(1), []
    for folder, file, label in (("news_faces", "path", "label"), ("faces", "file", "expression")):
        with open(data / folder / "labels.csv", newline="") as stream:
            rows = list(csv.DictReader(stream))
        for name in ("happy", "neutral"):
            mine = [row for row in rows if row[label] == name]
            for i in rng.permutation(len(mine))[:many]:
                image = read_image(data / folder / mine[i][file])
                if folder == "news_faces":  # cut to the face
                    image = cv2.resize(image, (64, 64), interpolation=cv2.INTER_AREA)
                    image = cv2.copyMakeBorder(image, 40, 40, 40, 40, cv2.BORDER_REPLICATE)
                found.append((cv2.resize(image, (144, 144), interpolation=cv2.INTER_AREA), name == "happy"))
    return found


def spoilt(image: np.ndarray, light: float, noise: float, rng: np.random.Generator) -> np.ndarray:
    return (image * light + rng.normal(0, 1, image.shape) * noise).clip(0, 255).round().astype(np.uint8)


def right(said: np.ndarray, happy: np.ndarray) -> float:
    return float((said[happy].mean() + (~said[~happy]).mean()) / 2)


def table(detector: Detector, classifier: Classifier, shown: list[tuple[np.ndarray, bool]]) -> None:
    sure = [[found for found in detector.detect(image) if not found.doubtful][:1] for image, _ in shown]
    happy = np.array([label for _, label in shown])
    clean = np.array([bool(found) for found in sure])
    for light, noise in STEPS:
        rng = np.random.default_rng(2)
        images = [spoilt(image, light, noise, rng) for image, _ in shown]
        found = np.array([any(not one.doubtful for one in detector.detect(image)) for image in images])
        wanted = {"size": classifier.input.size, "colour": classifier.input.colour, "geometry": detector.geometry}
        crops = [crop_face(image, at[0], **wanted) for image, at in zip(images, sure, strict=True) if at]
        contrast = float(np.median([crop.std() for crop in crops]))
        plain, lit = (
            classifier.probabilities(np.stack(cut)).argmax(1) == HAPPY_INDEX
            for cut in (crops, [lifted(crop) for crop in crops])
        )
        print(
            f"{detector.name:>6} {light:>6.2f} {noise:>6} {contrast:>9.1f} {100 * found[happy].mean():>7.1f} "
            f"{100 * found[~happy].mean():>8.1f} {100 * right(plain, happy[clean]):>9.1f} "
            f"{100 * right(lit, happy[clean]):>7.1f}",
            flush=True,
        )


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("data", type=Path)
    asked.add_argument("--detectors", default="yunet,hog")
    asked.add_argument("--faces", type=int, default=200)
    flags = asked.parse_args()
    shown, classifier = pictures(flags.data, flags.faces), Classifier.open(None, threads=1)
    print(f"{len(shown)} faces, {classifier.bundle.id}; percent")
    print("  find  light  noise  contrast   happy  neutral  as it is  lifted")
    for name in flags.detectors.split(","):
        table(open_detector(name), classifier, shown)


if __name__ == "__main__":
    main()
