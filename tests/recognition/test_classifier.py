import numpy as np
import pytest

from felicity.recognition.classifier import BATCH, Classifier


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.open(threads=1)


def crops(n: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (n, 48, 48), dtype=np.uint8)


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
