"""How much of a bad camera's bias does ``felicity calibrate`` find and take out, by the number of labelled faces?

    python benchmarks/calibrating.py FER2013 [--samples 100]

FER2013: the csv, FER+ votes beside it. Its unseen faces are shown as a bad camera shows them (half as large, blurred,
darker), so that the bundle's matrix misleads the index by a bias that is known from all of them. Samples of them are
labelled; printed are, at true shares of 20, 50 and 80 %, the true bias, in how many samples its interval holds it, what
is left of it after calibrating, what the interval after says, and how many faces are said to be lacking for 1 point.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from felicity.datasets.samples import as_input
from felicity.index.bias import SHARES
from felicity.index.calibration import calibrate
from felicity.index.estimate import adjust
from felicity.labels import HAPPY_INDEX
from felicity.recognition.classifier import Classifier
from felicity.simulation.labelled import AnsweredFaces, read_labelled

FACES = (200, 500, 1000, 2500)


def dull(image: np.ndarray) -> np.ndarray:
    """Return a face as a bad camera shows it."""
    small = cv2.resize(cv2.GaussianBlur(image, (0, 0), 1.2), (20, 20), interpolation=cv2.INTER_AREA)
    return (cv2.resize(small, image.shape[::-1], interpolation=cv2.INTER_LINEAR) * 0.5 + 40).astype(np.uint8)


def true_bias(faces: AnsweredFaces, matrix: np.ndarray, share: float) -> float:
    """Return the points by which a share adjusted by ``matrix`` is too high."""
    mix = (1 - share / 100) * faces.others
    mix[HAPPY_INDEX] = share / 100
    means = np.array([faces.probabilities[faces.labels == j].mean(axis=0) for j in range(8)]).T
    return 100 * float(adjust(means @ mix, matrix)[0, HAPPY_INDEX]) - share


def main() -> None:
    """Print the table."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("fer2013", type=Path)
    asked.add_argument("--samples", type=int, default=100)
    flags = asked.parse_args()
    classifier, samples = Classifier.open(None, threads=1), read_labelled(flags.fer2013).samples
    images = [dull(as_input(image, classifier.input.size, "gray")) for image in samples.images]
    p = np.concatenate([classifier.probabilities(np.stack(images[i : i + 64])) for i in range(0, len(images), 64)])
    faces, bundle = AnsweredFaces(samples.labels, p), classifier.bundle.soft_matrix
    print("| faces labelled | true share | bias before | interval holds, % | left after | said after | lacking |")
    print("|---" * 7 + "|")
    for number in FACES:
        rng = np.random.default_rng(number)
        runs = []
        for _ in range(flags.samples):
            rows = rng.integers(0, len(faces), number)
            runs.append(calibrate(faces.probabilities[rows], faces.labels[rows], bundle))
        lacking = np.median([sum(run.biases.lacking) for run in runs])
        for place, share in enumerate(SHARES):
            known = true_bias(faces, bundle.matrix, share)
            before = [run.biases.before[place] for run in runs]
            held = np.mean([bias.low <= known <= bias.high for bias in before])
            left = np.sqrt(np.mean([true_bias(faces, run.soft.matrix, share) ** 2 for run in runs]))
            said = np.median([run.biases.after[place].width for run in runs])
            print(
                f"| {number:,} | {share:.0f} % | {known:+.1f} | {100 * held:.0f} | {left:.1f} | ± {said:.1f} "
                f"| {lacking:,.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
