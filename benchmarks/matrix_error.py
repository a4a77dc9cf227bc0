"""What a bundle's soft matrix is worth on faces that it was not made of: error of the index, and what intervals hold.

    python benchmarks/matrix_error.py BUNDLE DATA [--more DATA ...] [--days 300] [--halves 12]

DATA is the data set that the bundle was trained on, whose validation and test set made the matrix. *Halves*: all of
these faces are divided in two, again and again; one half makes a matrix, and people are drawn from the other. *Parts*:
one part makes the matrix, the other gives the people. *More*: the bundle's own matrix, people from the test set of
other data sets. Days of 2,000 people, happy shares uniform from 5 to 95 %: mean absolute error and bias in points, and
in how many days the 95 % interval of this one matrix holds the truth.
"""

from __future__ import annotations

import argparse

import numpy as np

from felicity.index import SoftMatrix
from felicity.models.bundle import open_bundle
from felicity.recognition.classifier import Classifier
from felicity.simulation.check import HIGHEST, LOWEST
from felicity.simulation.days import estimated_share, simulated_days
from felicity.simulation.labelled import AnsweredFaces
from felicity.training.config import DataConfig
from felicity.training.data import load_training_set
from felicity.training.labelled_images import LabelledImages

PEOPLE = 2000


def measure(soft: SoftMatrix, faces: AnsweredFaces, days: int, seed: int = 1) -> np.ndarray:
    """Return mean absolute error, bias (points) and coverage (%) of days of people drawn from ``faces``."""
    rng = np.random.default_rng(seed)
    happy = rng.uniform(LOWEST, HIGHEST, days)
    middle, low, high = estimated_share(simulated_days(happy, PEOPLE, faces, rng, correlated=False), soft)
    wrong, truth = middle - 100 * happy, 100 * happy
    return np.array([np.abs(wrong).mean(), wrong.mean(), 100 * ((low <= truth) & (truth <= high)).mean()])


def matrix(faces: AnsweredFaces) -> SoftMatrix:
    """Return the soft matrix of these faces, all alike."""
    return SoftMatrix.from_probabilities(faces.probabilities, faces.labels)


def main() -> None:
    """Print a line for each matrix and its people."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle")
    parser.add_argument("data")
    parser.add_argument("--more", nargs="*", default=[])
    parser.add_argument("--days", type=int, default=300)
    parser.add_argument("--halves", type=int, default=12)
    flags = parser.parse_args()
    bundle = open_bundle(flags.bundle)
    classifier = Classifier(bundle, threads=1)

    def answered(part: LabelledImages) -> AnsweredFaces:
        return AnsweredFaces(part.labels, classifier.probabilities(part.images))

    def show(what: str, found: np.ndarray) -> None:
        print(f"{what}: mean error {found[0]:.2f}, bias {found[1]:+.2f}, coverage {found[2]:.1f} %", flush=True)

    own = load_training_set(DataConfig(path=flags.data, format="ferplus", size=bundle.input.size))
    parts = {"validation": answered(own.validation), "test": answered(own.test)}
    labels = np.concatenate([faces.labels for faces in parts.values()])
    p = np.concatenate([faces.probabilities for faces in parts.values()])
    found = []
    for seed in range(flags.halves):
        rows = np.array_split(np.random.default_rng(seed).permutation(len(labels)), 2)
        one, other = (AnsweredFaces(labels[half], p[half]) for half in rows)
        found.append(measure(matrix(one), other, flags.days, seed))
    if found:
        spread = np.abs(np.array(found)[:, 1]).mean()
        show(
            f"halves of {len(labels):,} faces, {flags.halves} times (mean size of the bias {spread:.2f})",
            np.mean(found, 0),
        )
    for name, other in (("validation", "test"), ("test", "validation")):
        show(
            f"matrix of the {name} part, people of the {other} part",
            measure(matrix(parts[name]), parts[other], flags.days),
        )
    for path in flags.more:
        faces = answered(load_training_set(DataConfig(path=path, size=bundle.input.size)).test)
        show(f"the bundle's matrix, people of {path}", measure(bundle.soft_matrix, faces, flags.days))
        show(f"no adjustment, people of {path}", measure(perfect(), faces, flags.days))


def perfect() -> SoftMatrix:
    """Return the matrix of a classifier that is always right and sure, which changes nothing."""
    return SoftMatrix.from_probabilities(np.eye(8).repeat(1000, 0), np.arange(8).repeat(1000))


if __name__ == "__main__":
    main()
