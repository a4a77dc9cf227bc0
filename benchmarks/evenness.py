"""For which shares of the expressions should answers be made? The default of the shipped bundles comes from here.

    python benchmarks/evenness.py BUNDLE DATA/fer2013 [--faces FACES] [--detector yunet] [--json]

``felicity bundle export --evenness`` goes from the shares of training (0) to equal ones (1). For each step: what the
answers are worth on the validation set, by FER+'s majority, and on posed faces (a folder with ``labels.csv``), where
happy or not is all that is known. The row ``both`` is of the mean of both heads, each for equal shares.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import numpy as np

from felicity.faces.registry import open_detector
from felicity.labels import EXPRESSIONS, HAPPY_INDEX, INDEX, Expression
from felicity.metrics.classification import Scores
from felicity.models.bundle import open_bundle
from felicity.models.prior import prior_shift, towards_even
from felicity.recognition.classifier import Classifier
from felicity.recognition.photographs import read_photographs
from felicity.training.config import DataConfig
from felicity.training.data import load_training_set

STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)
RARE = [INDEX[Expression(name)] for name in ("fear", "disgust", "contempt")]


def posed(classifier: Classifier, folder: Path, detector: str) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of faces found alone in their picture, and whether they were asked to smile."""
    with open(folder / "labels.csv", newline="") as stream:
        asked = {row["file"]: row["expression"] == "happy" for row in csv.DictReader(stream)}
    files = [folder / file for file in asked]
    readings = [reading for reading, _ in read_photographs(files, classifier, open_detector(detector))]
    alone = [reading for reading in readings if len(reading.faces) == 1]
    return (
        np.stack([reading.faces[0].probabilities for reading in alone]),
        np.array([asked[Path(reading.path).name] for reading in alone]),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle")
    parser.add_argument("data", type=Path)
    parser.add_argument("--faces", type=Path)
    parser.add_argument("--detector", default="yunet")
    parser.add_argument("--json", action="store_true")
    flags = parser.parse_args()
    bundle = open_bundle(flags.bundle)
    classifier = Classifier(bundle, shares="natural")
    held_out = load_training_set(DataConfig(path=str(flags.data), format="ferplus", size=bundle.input.size)).validation
    p, labels = classifier.probabilities(held_out.images), held_out.labels
    portraits = posed(classifier, flags.faces, flags.detector) if flags.faces else None
    rows = []
    even = Classifier(bundle, shares="equal")
    for step in (*STEPS, None):
        changed = (
            1.0 if step is None else np.exp(prior_shift(bundle.facts.prior, towards_even(bundle.facts.prior, step)))
        )
        answers = even.probabilities(held_out.images) if step is None else p * changed
        scores = Scores.of(labels, answers, EXPRESSIONS)
        assert scores.happy is not None
        row = {
            "evenness": "both" if step is None else f"{step:.2f}",
            "accuracy": float(scores.accuracy),
            "balanced": float(scores.balanced_accuracy),
            "rare recall": float(np.mean([scores.recall[i] for i in RARE])),
            "happy F1": float(scores.happy.f1[0]),
        }
        if portraits:
            found = posed(even, flags.faces, flags.detector)[0] if step is None else portraits[0] * changed
            smiles = found.argmax(1) == HAPPY_INDEX
            row["posed right"] = int((smiles == portraits[1]).sum())
            row["false smiles"] = int((smiles & ~portraits[1]).sum())
        rows.append(row)
    if flags.json:
        print(json.dumps(rows))
        return
    print(" ".join(f"{name:>13}" for name in rows[0]))
    for row in rows:
        cells = (f"{v:.1%}" if isinstance(v, float) else v for v in row.values())
        print(" ".join(f"{cell:>13}" for cell in cells))


if __name__ == "__main__":
    main()
