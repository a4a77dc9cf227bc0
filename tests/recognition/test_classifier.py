from pathlib import Path

import numpy as np
import pytest

from felicity.api import verify_bundle
from felicity.errors import BundleError
from felicity.export.covered_output import without_covered_output
from felicity.models.bundle import open_bundle, write_bundle
from felicity.recognition.classifier import BATCH, Classifier
from felicity.recognition.photograph import readings_of


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.open(threads=1)


def crops(n: int, of: str = "best") -> np.ndarray:
    side = open_bundle(of).input.size
    return np.random.default_rng(1).integers(0, 256, (n, side, side), dtype=np.uint8)


def test_probabilities_are_probabilities(classifier: Classifier) -> None:
    p = classifier.probabilities(crops(5))
    assert p.shape == (5, 8) and p.dtype == np.float64
    assert p.sum(1) == pytest.approx(np.ones(5)) and p.min() >= 0


def test_no_face_no_answer(classifier: Classifier) -> None:
    assert classifier.probabilities(crops(0)).shape == (0, 8)


def test_an_answer_does_not_depend_on_its_neighbours(classifier: Classifier) -> None:
    many = crops(BATCH + 7)
    together = classifier.probabilities(many)
    assert together[:3] == pytest.approx(classifier.probabilities(many[:3]), abs=1e-6)
    assert together[-1:] == pytest.approx(classifier.probabilities(many[-1:]), abs=1e-6)


def test_bundles_without_an_output_for_covered_faces_are_read_and_say_nothing_of_them(tmp_path: Path) -> None:
    bundle = open_bundle("fast")
    facts = bundle.facts.model_dump(exclude={"format", "weights", "weights_sha256", "facts_sha256", "covered"})
    del facts["training_weights"]
    old = write_bundle(tmp_path / "old", without_covered_output(bundle.weights.read_bytes()), facts)
    assert old.facts.covered is None and verify_bundle(old.folder).id == old.id
    given, now = (Classifier(one, threads=1).answers(crops(3, "fast")) for one in (old, bundle))
    assert given.covered is None and now.covered is not None and now.covered.shape == (3,)
    np.testing.assert_array_equal(given.probabilities, now.probabilities)
    assert [face.covered for face in readings_of([None] * 3, given, bundle.classes)] == [None] * 3


def test_a_bundle_that_lacks_the_output_it_tells_of_is_refused(tmp_path: Path) -> None:
    bundle = open_bundle("fast")
    facts = bundle.facts.model_dump(exclude={"format", "weights", "weights_sha256", "facts_sha256", "training_weights"})
    wrong = write_bundle(tmp_path / "wrong", without_covered_output(bundle.weights.read_bytes()), facts)
    with pytest.raises(BundleError, match=r"and covered_logit \(N, 1\) expected, found"):
        Classifier(wrong)
