"""Every metric of a confusion matrix is scikit-learn's, by its defaults, also where classes are empty."""

from __future__ import annotations

import warnings

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
    """Labels and answers of four classes, some of which may be absent in labels, in answers, or in both."""
    n = draw(st.integers(1, 60))

    def numbers() -> st.SearchStrategy[np.ndarray]:
        some = draw(st.sets(st.integers(0, 3), min_size=1))
        return arrays(np.int64, n, elements=st.sampled_from(sorted(some)))

    return draw(numbers()), draw(numbers())


def reference_metrics(labels: np.ndarray, answers: np.ndarray) -> dict[str, list[float]]:
    """scikit-learn's figures, its warnings about empty classes silenced."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        each = reference.precision_recall_fscore_support(labels, answers, labels=range(4))
        macro = reference.precision_recall_fscore_support(labels, answers, average="macro")
        weighted = reference.precision_recall_fscore_support(labels, answers, average="weighted")
        happy = reference.precision_recall_fscore_support(labels == 1, answers == 1, average="binary")
        return {
            "accuracy": [reference.accuracy_score(labels, answers)],
            "balanced_accuracy": [reference.balanced_accuracy_score(labels, answers)],
            "precision": each[0].tolist(), "recall": each[1].tolist(), "f1": each[2].tolist(),
            "support": each[3].tolist(),
            "macro_precision": [macro[0]], "macro_f1": [macro[2]],
            "weighted_precision": [weighted[0]], "weighted_f1": [weighted[2]],
            "kappa": [reference.cohen_kappa_score(labels, answers)],
            "happy": list(happy[:3]),
        }  # fmt: skip


def own_metrics(scores: Scores, at: tuple[int, ...] = ()) -> dict[str, list[float]]:
    """The same figures of the matrix ``at`` among those of ``scores``."""
    names = (
        "accuracy", "balanced_accuracy", "precision", "recall", "f1", "support", "macro_precision", "macro_f1",
        "weighted_precision", "weighted_f1", "kappa",
    )  # fmt: skip
    found = {name: np.atleast_1d(getattr(scores, name)[at]).tolist() for name in names}
    happy = scores.happy
    assert happy is not None and happy.classes == ("happy", "not happy")
    return found | {"happy": [float(part[(*at, 0)]) for part in (happy.precision, happy.recall, happy.f1)]}


@settings(max_examples=100, deadline=None)
@given(judged())
def test_every_metric_is_scikit_learns_empty_classes_included(pair: tuple[np.ndarray, np.ndarray]) -> None:
    labels, answers = pair
    scores = Scores.of(labels, np.eye(4)[answers], CLASSES)
    assert (scores.confusion == reference.confusion_matrix(labels, answers, labels=range(4))).all()
    expected = reference_metrics(labels, answers)
    assert own_metrics(scores) == {name: pytest.approx(value, nan_ok=True) for name, value in expected.items()}
    assert scores.happy is not None
    assert float(scores.happy.accuracy) == pytest.approx(((labels == 1) == (answers == 1)).mean())


def test_stacked_matrices_are_scored_as_scikit_learn_scores_each() -> None:
    rng = np.random.default_rng(1)
    matrices = rng.integers(0, 9, (4, 3, 4, 4)) * (rng.random((4, 3, 4, 4)) < 0.4)  # many empty rows and columns
    assert (matrices.sum((-1, -2)) > 0).all() and not matrices.sum(-1).all()
    together = Scores(CLASSES, matrices)
    for at in np.ndindex(4, 3):
        labels, answers = (np.repeat(side.ravel(), matrices[at].ravel()) for side in np.indices((4, 4)))
        assert (confusion(labels, answers, 4) == matrices[at]).all()
        expected = reference_metrics(labels, answers)
        assert own_metrics(together, at) == {
            name: pytest.approx(value, nan_ok=True) for name, value in expected.items()
        }


def test_a_class_that_is_absent_but_answered_counts_in_macro_f1_and_not_in_balanced_accuracy() -> None:
    sad, happy, anger = 0, 1, 2
    labels = np.array([sad] * 4 + [anger] * 4)
    answers = np.array([sad, sad, sad, happy, anger, anger, anger, happy])
    scores = Scores(("sad", "happy", "anger", "fear"), confusion(labels, answers, 4))
    assert scores.macro_f1 == pytest.approx((6 / 7 + 6 / 7 + 0) / 3), "0.571"
    assert scores.balanced_accuracy == pytest.approx(0.75)
    assert scores.happy is not None and scores.happy.f1[0] == 0
    assert scores.f1[3] == scores.recall[3] == scores.precision[3] == 0, "fear neither occurs nor is answered"


def test_metrics_of_no_images_are_not_defined() -> None:
    scores = Scores(CLASSES, np.zeros((4, 4)))
    assert np.isnan([scores.accuracy, scores.balanced_accuracy, scores.macro_f1, scores.weighted_f1]).all()


def test_happy_needs_its_class() -> None:
    assert Scores(("sad", "fear"), np.eye(2)).happy is None
    assert Scores(("happy",), np.eye(1)).happy is None
