"""Felicity as a rival: a bundle through ``Classifier``, photographs through the reader of ``felicity classify``.

Started by run.py: python worker_felicity.py BUNDLE THREADS DETECTOR
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from protocol import rate, serve

import felicity
from felicity.datasets.samples import as_input
from felicity.faces.registry import open_detector
from felicity.labels import FER2013, INDEX
from felicity.recognition.classifier import BATCH, Classifier
from felicity.recognition.photographs import read_photographs

COLUMNS = [INDEX[expression] for expression in FER2013]


def probabilities(classifier: Classifier, crops: np.ndarray, labels: str) -> np.ndarray:
    """Of the eight expressions, by the head that learnt ``labels`` (FER2013 or FER+), whose convention is asked for."""
    second = classifier.bundle.facts.second
    if second is not None and second.labels_of == labels:
        return classifier.second_probabilities(crops)
    return classifier.probabilities(crops)


class Felicity:
    def __init__(self, bundle: str, threads: int, detector: str) -> None:
        self.classifier = Classifier.open(bundle, threads=threads)
        self.detector = open_detector(detector)
        self.greeting = {
            "threads": threads,
            "versions": {"felicity": felicity.__version__, "bundle": self.classifier.bundle.id},
            "detector": self.detector.name,
            "way": "Classifier, uint8 crops to probabilities, on ONNX Runtime",
        }

    def answer(self, crops: np.ndarray, labels: str) -> list[int]:
        spec = self.classifier.input
        ready = [as_input(crop, spec.size, spec.colour) for crop in crops]
        parts = [
            probabilities(self.classifier, np.stack(ready[i : i + BATCH]), labels) for i in range(0, len(ready), BATCH)
        ]
        return [int(i) for i in np.concatenate(parts)[:, COLUMNS].argmax(1)]

    def time(self, batch: int, seconds: float) -> float:
        spec = self.classifier.input
        shape = (batch, spec.size, spec.size, *(3,) * (spec.colour == "rgb"))
        crops = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        return rate(lambda: self.classifier.probabilities(crops), batch, seconds)

    def pictures(self, files: list[str]) -> list[list[dict[str, Any]]]:
        found = []
        for reading, _ in read_photographs(map(Path, files), self.classifier, self.detector):
            if reading.error:
                raise ValueError(reading.error)
            boxes = [face.detection for face in reading.faces]
            found.append(
                [
                    {"area": box.width * box.height, "expression": str(face.expression)}
                    for face, box in zip(reading.faces, boxes, strict=True)
                    if box is not None
                ]
            )
        return found


if __name__ == "__main__":
    serve(lambda: Felicity(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
