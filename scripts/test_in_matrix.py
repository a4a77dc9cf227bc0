"""Make the soft matrix of a bundle of the test set of its data, too, where it was exported without.

    python scripts/test_in_matrix.py BUNDLE DATA

What comes out is what ``felicity bundle export --test-in-matrix`` makes of the run. DATA is the data set that the
bundle was trained on, with the parts that it had then: a folder made by ``felicity data prepare`` where the parts would
be drawn otherwise today. The digest in the bundle decides. All else that the bundle says stays as it is.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import numpy as np

from felicity.errors import FelicityError, TrainingError
from felicity.export.facts import matrix_words
from felicity.export.matrix_faces import matrix_faces
from felicity.index.soft_matrix import SoftMatrix
from felicity.models.bundle import Bundle, open_bundle, write_bundle
from felicity.recognition.classifier import Classifier
from felicity.training.config import make_config
from felicity.training.data import load_training_set

KEPT = {"format", "weights", "weights_sha256", "facts_sha256", "training_weights"}


def with_test(bundle: Bundle, data: str) -> dict[str, Any]:
    """Return the facts of the bundle with the new matrix. Raises TrainingError where ``data`` are others."""
    trained = bundle.facts.training
    if trained is None:
        raise TrainingError(f"{bundle.folder}: does not say what it was trained on; export its run again")
    config = make_config(trained["config"], {"data": {"path": data}})
    held = load_training_set(config.data, soft=config.soft_labels)
    if held.digest != trained["data"]["digest"]:
        raise TrainingError(f"{data}: holds other images, labels or parts than {bundle.id} was trained on")
    classifier, parts = Classifier(bundle), {"validation": held.validation, "test": held.test}
    places = np.array(bundle.classes.places)
    faces = matrix_faces(held, with_test=True)
    matrices = {}
    for name, of in faces.items():
        part = parts[name].take(np.flatnonzero(parts[name].labels >= 0)).take(of.rows)
        p = classifier.probabilities(part.images)
        matrices[name] = SoftMatrix.from_probabilities(p, places[part.labels], of.weights).rounded()
    apart = np.abs(matrices["validation"].matrix - bundle.soft_matrix.matrix).max()
    if apart > 1e-3:
        raise TrainingError(f"{bundle.folder}: its soft matrix is not of the validation set of {data} ({apart:.1e})")
    matrices["validation"] = bundle.soft_matrix
    first, _, rest = bundle.facts.calibrated_on.partition("; in the soft matrix")
    return bundle.facts.model_dump(exclude=KEPT) | {
        "soft_matrix": SoftMatrix.combine([*matrices.values()]).rounded().to_json(),
        "soft_matrix_parts": {name: matrix.to_json() for name, matrix in matrices.items()},
        "calibrated_on": f"{first}; {matrix_words(faces)}" + (f"; in the soft matrix{rest}" if rest else ""),
    }


def main() -> None:
    """Write the bundle in its place."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("bundle")
    asked.add_argument("data")
    flags = asked.parse_args()
    try:
        bundle = open_bundle(flags.bundle)
        kept = bundle.facts.training_weights
        facts, weights = with_test(bundle, flags.data), bundle.training_weights()
        more = {"trained": weights, "origin": kept.origin} if kept else {}
        made = write_bundle(bundle.folder, bundle.weights.read_bytes(), facts, **more)
    except FelicityError as error:
        sys.exit(f"error: {error}")
    before, after = (100 * (each.soft_matrix.happy_error(0.3) or 0) for each in (bundle, made))
    print(f"{bundle.id} is {made.id} now; error by the soft matrix {before:.2f}, now {after:.2f} points")


if __name__ == "__main__":
    main()
