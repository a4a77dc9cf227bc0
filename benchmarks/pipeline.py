"""Where the time of a watch goes: 720p frames with several faces, stage by stage.

    python benchmarks/pipeline.py [--detector NAME] [--frames N] [--json]

Frames are a collage of the photograph that scikit-image ships. The whole pipeline and the bare
detector run in one process; ``share_of_detector`` near 1 says that our own code costs little.
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import skimage.data

from felicity.faces.quality import QualityGate
from felicity.faces.registry import open_detector
from felicity.faces.tracking import Tracker
from felicity.recognition.classifier import Classifier
from felicity.recognition.people import PeopleReader


def collage() -> np.ndarray:
    """1280x720 with eight faces of about 90 pixels."""
    face = skimage.data.astronaut()[0:240, 120:340]
    canvas = np.full((720, 1280, 3), 90, np.uint8)
    for row in range(2):
        for column in range(4):
            canvas[60 + 330 * row : 300 + 330 * row, 50 + 310 * column : 270 + 310 * column] = face
    return canvas


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--detector", default="auto")
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    detector = open_detector(options.detector)
    classifier = Classifier.open()
    picture = collage()
    frames = [np.roll(picture, 2 * i, axis=1) for i in range(10)]
    reader = PeopleReader(classifier, detector, QualityGate(), Tracker())
    start = datetime(2026, 5, 1, tzinfo=UTC)
    whole, bare, faces = [], [], 0
    for i in range(options.frames):
        frame = frames[i % len(frames)]
        began = time.perf_counter()
        reader.see(frame, start + timedelta(seconds=i / 10))
        middle = time.perf_counter()
        faces += len(detector.detect(frame))
        whole.append(middle - began)
        bare.append(time.perf_counter() - middle)
    result = {
        "detector": detector.name,
        "faces_per_frame": faces / options.frames,
        "pipeline_ms": round(1e3 * float(np.median(whole[3:])), 1),
        "detector_ms": round(1e3 * float(np.median(bare[3:])), 1),
        "share_of_detector": round(float(np.median(np.array(bare[3:]) / np.array(whole[3:]))), 3),
    }
    print(json.dumps(result) if options.json else "\n".join(f"{k:>18}: {v}" for k, v in result.items()))


if __name__ == "__main__":
    main()
