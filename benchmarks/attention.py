"""What looking only where something moves costs in people and saves in time: simulated streets, searched both ways.

    python benchmarks/attention.py fer2013.csv.gz [--people N] [--fps N ...] [--json]

Every street is filmed twice at each frame rate, without and with unrest (a tree, a screen, light that changes at once,
rain), and seen by the same detector: every frame whole, and where ``faces.attention`` says. Times are processor
seconds of everything but the painting of the street, so other programs on the machine hardly change them.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from felicity.faces import Detection
from felicity.faces.detection import Box
from felicity.faces.registry import open_detector
from felicity.recognition.classifier import Classifier
from felicity.recognition.people import PeopleReader
from felicity.simulation.labelled import answer, read_labelled
from felicity.simulation.moving import Filming, film_scenes


class Measured:
    """A detector that says how much of the pictures it was asked to search; ``pixels`` of all, ``searched`` of them."""

    def __init__(self, name: str) -> None:
        self._detector = open_detector(name, threads=1)
        self.name, self.geometry = self._detector.name, self._detector.geometry
        self.searched = 0.0

    def detect(self, image_rgb_u8: np.ndarray, within: list[Box] | None = None) -> list[Detection]:
        height, width = image_rgb_u8.shape[:2]
        boxes = [(0, 0, width, height)] if within is None else within
        self.searched += sum((b[2] - b[0]) * (b[3] - b[1]) for b in boxes) / (width * height)
        return self._detector.detect(image_rgb_u8, within)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path)
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--fps", type=int, nargs="+", default=[5, 10, 25])
    parser.add_argument("--detector", default="yunet")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    classifier = Classifier.open(threads=1)
    samples = read_labelled(options.faces).samples.take(np.arange(1200))
    faces = answer(samples, classifier)
    detector = Measured(options.detector)
    see, spent = PeopleReader.see, [0.0]

    def timed(*arguments: object) -> object:
        began = time.process_time()
        try:
            return see(*arguments)  # type: ignore[arg-type]
        finally:
            spent[0] += time.process_time() - began

    PeopleReader.see = timed  # type: ignore[assignment,method-assign]
    rows: list[dict[str, object]] = []
    for fps in options.fps:
        for unrest in (False, True):
            for every_frame in (True, False):
                detector.searched = spent[0] = 0.0
                filming = Filming(fps=fps, unrest=unrest, every_frame=every_frame)
                sight = film_scenes(
                    samples, faces, classifier, detector, people=options.people // 5, filming=filming,
                    shares=(0.1, 0.3, 0.5, 0.7, 0.9),
                ).sight  # fmt: skip
                rows.append(
                    {
                        "fps": fps,
                        "unrest": "yes" if unrest else "no",
                        "searched": "all" if every_frame else "moving",
                        "people": sight.people,
                        "found": sight.found,
                        "again": sight.again,
                        "nobody": sight.nobody,
                        "mixed": sight.mixed,
                        "unjudged": sight.rejected,
                        "pixels_%": round(100 * detector.searched / sight.frames),
                        "ms": round(1000 * spent[0] / sight.frames, 1),
                    }
                )
                if not options.json:
                    if len(rows) == 1:
                        print(" ".join(f"{cell:>9}" for cell in rows[0]))
                    print(" ".join(f"{cell!s:>9}" for cell in rows[-1].values()), flush=True)
    if options.json:
        print(json.dumps(rows))


if __name__ == "__main__":
    main()
