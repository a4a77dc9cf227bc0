"""Do smiles that a network misses depend on light, contrast or frame?

    python benchmarks/missed_smiles.py FACES [--bundles best,fast] [--json]

FACES is a folder of portraits with ``labels.csv``, as for ``posed_faces.py``. For each portrait asked to smile that a
bundle does not call happy: the probability of *happy*, and the lowest and the highest one over changes of its crop.
Changes are the mirror image, gammas of 0.5 to 1.4, 1.5 times the contrast, local equalisation of the histogram, and
frames of 0.85 to 1.2 times the size. YuNet finds the faces.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from felicity.faces.crop import crop_face, lifted
from felicity.faces.detection import CropGeometry, Detection
from felicity.faces.registry import open_detector
from felicity.imaging.decode import read_image
from felicity.labels import HAPPY_INDEX, Expression
from felicity.models.bundle import shipped
from felicity.recognition.classifier import Classifier

Crop = npt.NDArray[np.uint8]
GAMMAS, FRAMES = (0.5, 0.7, 1.4), (0.85, 0.9, 1.1, 1.2)


def changed(crop: Crop) -> Iterator[Crop]:
    """Yield the crop itself, and changes of its light and contrast."""
    yield crop
    yield np.ascontiguousarray(crop[:, ::-1])
    for gamma in GAMMAS:
        yield (255 * (crop / 255) ** gamma).round().astype(np.uint8)
    mean = float(crop.mean())
    yield ((crop - mean) * 1.5 + mean).clip(0, 255).round().astype(np.uint8)
    yield np.asarray(cv2.createCLAHE(2.0, (2, 2)).apply(crop), dtype=np.uint8)


def crops_of(image: npt.NDArray[np.uint8], face: Detection, geometry: CropGeometry, size: int) -> list[Crop]:
    """Return the crop of a face, and all changed ones."""

    def framed(times: float) -> Crop:
        wider = replace(geometry, scale=geometry.scale * times)
        return crop_face(image, face, size=size, colour="gray", geometry=wider)

    return [*changed(framed(1.0)), *map(framed, FRAMES)]


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("faces", type=Path)
    asked.add_argument("--bundles", default=",".join(shipped()))
    asked.add_argument("--json", action="store_true")
    flags = asked.parse_args()
    if not (table := flags.faces / "labels.csv").is_file():
        asked.error(f"{flags.faces} has no labels.csv; name a folder of portraits with it")
    with open(table, newline="") as stream:
        smiles = [row["file"] for row in csv.DictReader(stream) if row["expression"] == Expression.HAPPY]
    detector = open_detector("yunet")
    rows = []
    for bundle in flags.bundles.split(","):
        classifier = Classifier.open(bundle)
        for name in smiles:
            image = read_image(flags.faces / name)
            if not (faces := detector.detect(image)):
                print(f"{name}: no face found, left out", file=sys.stderr)
                continue
            face = max(faces, key=lambda detection: detection.side)
            crops = crops_of(image, face, detector.geometry, classifier.input.size)
            p = classifier.probabilities(np.stack([lifted(crop) for crop in crops]))
            if p[0].argmax() != HAPPY_INDEX:
                happy = p[:, HAPPY_INDEX]
                rows.append(
                    {
                        "bundle": bundle,
                        "portrait": name,
                        "happy": happy[0],
                        "lowest": happy.min(),
                        "highest": happy.max(),
                    }
                )
    if flags.json:
        print(
            json.dumps([{key: v if isinstance(v, str) else round(float(v), 4) for key, v in r.items()} for r in rows])
        )
        return
    for row in rows:
        print(
            f"{row['bundle']:<10}{row['portrait']:<20}{row['happy']:>7.2f}{row['lowest']:>7.2f}{row['highest']:>7.2f}"
        )


if __name__ == "__main__":
    main()
