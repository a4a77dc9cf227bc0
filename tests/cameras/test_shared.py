"""One classifier for the faces of all cameras."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pytest

from felicity.cameras.shared import SharedClassifier
from felicity.models.bundle import open_bundle
from felicity.recognition.classifier import Answers, Classifier

Crops = npt.NDArray[np.uint8]


@pytest.fixture
def frames() -> list[Crops]:
    """Faces of six frames: one, two, … of each."""
    rng, side = np.random.default_rng(3), open_bundle().input.size
    return [rng.integers(0, 256, (faces, side, side), dtype=np.uint8) for faces in range(1, 7)]


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many faces each call of the network had; the first call waits until all frames have asked."""
    made: list[int] = []
    plainly = Classifier.answers

    def answers(classifier: Classifier, crops: Crops) -> Answers:
        made.append(len(crops))
        if isinstance(classifier, SharedClassifier) and len(made) == 1:
            time.sleep(0.3)
        return plainly(classifier, crops)

    monkeypatch.setattr(Classifier, "answers", answers)
    return made


def test_what_comes_during_a_call_shares_the_next_one(frames: list[Crops], sizes: list[int]) -> None:
    shared = SharedClassifier(open_bundle(), threads=1)
    started = threading.Barrier(len(frames))

    def ask(crops: Crops) -> npt.NDArray[np.float64]:
        started.wait()
        return shared.probabilities(crops)

    with ThreadPoolExecutor(len(frames)) as pool:
        answers = list(pool.map(ask, frames))
    assert len(sizes) == 2 and sum(sizes) == sum(map(len, frames))
    alone = Classifier(open_bundle(), threads=1)
    for crops, answer in zip(frames, answers, strict=True):
        np.testing.assert_allclose(answer, alone.probabilities(crops), atol=1e-6)


def test_a_call_that_fails_is_told_to_all_who_asked_and_the_next_goes_on(frames: list[Crops]) -> None:
    shared = SharedClassifier(open_bundle(), threads=1)
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(shared.probabilities, np.zeros((1, 3, 3, 3, 3), np.uint8)) for _ in "12"]
        assert all(future.exception() is not None for future in asked)
    assert shared.probabilities(frames[1]).shape == (2, 8)
