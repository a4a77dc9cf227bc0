"""Shares of people whose answers are at hand: two corrections that agree where the classifier is calibrated."""

from __future__ import annotations

import numpy as np
import pytest

from felicity.index import SoftMatrix
from felicity.index.people_share import happy_share
from tests.support.windows import shares

PRIOR = np.full(8, 1 / 8)
CENTRES = np.random.default_rng(1).normal(size=(8, 6)) * 1.5


def answers(rng: np.random.Generator, labels: np.ndarray) -> np.ndarray:
    """A classifier that is calibrated by construction: Bayes' rule for normal features."""
    x = CENTRES[labels] + rng.normal(size=(len(labels), 6))
    odds = np.exp(-0.5 * ((x[:, None] - CENTRES) ** 2).sum(axis=2)) * PRIOR
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("happy", [0.1, 0.5, 0.9])
def test_both_find_the_truth_where_counting_does_not(happy: float) -> None:
    rng = np.random.default_rng(3)
    known = np.repeat(np.arange(8), 2000)
    soft = SoftMatrix.from_probabilities(answers(rng, known), known)
    shown = rng.choice(8, 4000, p=shares(happy))
    truth = 100 * float((shown == 1).mean())
    found = happy_share(list(answers(rng, shown)), soft, PRIOR)
    assert found is not None and found.people == 4000
    assert found.low - 1 < truth < found.high + 1
    assert found.emq == pytest.approx(truth, abs=2.5) and found.adjusted == pytest.approx(truth, abs=4)
    if happy > 0.4:
        assert truth - found.counted > 2 * abs(truth - found.emq), "happy people are missed by counting"


def test_nobody_and_unknown_have_no_share() -> None:
    rng = np.random.default_rng(3)
    known = np.repeat([0, 2, 3], 50)
    assert happy_share([], SoftMatrix.from_probabilities(answers(rng, known), known), PRIOR) is None
    assert happy_share([PRIOR], SoftMatrix.from_probabilities(answers(rng, known), known), PRIOR) is None
