from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics as reference

from felicity.metrics.classification import Scores, confusion

CLASSES = ("neutral", "happy", "sad", "fear")


@st.composite
def judged(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Labels and answers of four classes; every class has an image, as scikit-learn's means suppose."""
    n = draw(st.integers(4, 60))
    numbers = arrays(np.int64, n, elements=st.integers(0, 3))
    labels, answers = draw(numbers), draw(numbers)
    labels[:4] = range(4)
    return labels, answers


@settings(max_examples=60, deadline=None)
@given(judged())
def test_every_figure_is_scikit_learns(pair: tuple[np.ndarray, np.ndarray]) -> None:
    labels, answers = pair
    scores = Scores.of(labels, np.eye(4)[answers], CLASSES)
    assert (scores.confusion == reference.confusion_matrix(labels, answers, labels=range(4))).all()
    assert float(scores.accuracy) == pytest.approx(reference.accuracy_score(labels, answers))
    assert float(scores.balanced_accuracy) == pytest.approx(reference.balanced_accuracy_score(labels, answers))
    for average in (None, "macro", "weighted"):
        precision, recall, f1, _ = reference.precision_recall_fscore_support(
            labels, answers, labels=range(4), average=average, zero_division=0
        )
        ours = {
            None: (scores.precision, scores.recall, scores.f1),
            "macro": (scores.macro_precision, scores.balanced_accuracy, scores.macro_f1),
            "weighted": (scores.weighted_precision, scores.accuracy, scores.weighted_f1),
        }[average]
        assert [np.asarray(x).tolist() for x in ours] == [pytest.approx(x) for x in (precision, recall, f1)]
    happy = scores.happy
    assert happy is not None and happy.classes == ("happy", "not happy")
    precision, recall, f1, _ = reference.precision_recall_fscore_support(
        labels == 1, answers == 1, average="binary", zero_division=0
    )
    assert [happy.precision[0], happy.recall[0], happy.f1[0]] == [pytest.approx(x) for x in (precision, recall, f1)]
    assert float(happy.accuracy) == pytest.approx(((labels == 1) == (answers == 1)).mean())


def test_many_matrices_are_scored_as_each_alone() -> None:
    matrices = np.random.default_rng(1).integers(0, 9, (5, 3, 4, 4))
    together = Scores(CLASSES, matrices)
    for where in np.ndindex(5, 3):
        alone = Scores(CLASSES, matrices[where])
        assert together.macro_f1[where] == alone.macro_f1
        assert together.precision[where].tolist() == alone.precision.tolist()
        assert together.happy.f1[where].tolist() == alone.happy.f1.tolist()  # type: ignore[union-attr]


def test_a_class_without_images_is_no_part_of_the_means() -> None:
    labels, answers = np.array([0, 0, 1, 1]), np.array([0, 3, 1, 1])
    scores = Scores(CLASSES, confusion(labels, answers, 4))
    assert scores.balanced_accuracy == pytest.approx(0.75), "recall of neutral and happy alone"
    assert scores.macro_f1 == pytest.approx((2 / 3 + 1) / 2)
    assert np.isnan(scores.recall[2]) and np.isnan(scores.f1[3]) and scores.precision[3] == 0


def test_happy_needs_its_class() -> None:
    assert Scores(("sad", "fear"), np.eye(2)).happy is None
    assert Scores(("happy",), np.eye(1)).happy is None
