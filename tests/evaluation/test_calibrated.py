"""What calibration changes in measured answers is said with figures."""

from __future__ import annotations

import numpy as np

from felicity.evaluation.calibrated import note_on_answers
from felicity.evaluation.judge import Judge
from felicity.evaluation.selection import Chosen


def chosen(bias: list[float] | None) -> Chosen:
    """Four images of happy and sad, one sad, of a bundle that knows a third class."""
    judge = Judge(
        "bundle b", ("happy", "fear", "sad"), 8, "gray", lambda images: np.empty(0), bias=bias and np.array(bias)
    )
    rows = np.arange(4)
    flags = np.zeros(4, dtype=np.bool_)
    return Chosen(
        "",
        ("happy", "sad"),
        np.array(["a", "b", "c", "d"]),
        np.zeros((4, 8, 8), np.uint8),
        np.array([0, 0, 0, 1]),
        rows,
        flags,
        (),
        judge,
    )


def test_a_bias_that_changes_answers_is_said_with_both_accuracies() -> None:
    given = np.array([[0.6, 0.4], [0.7, 0.3], [0.9, 0.1], [0.2, 0.8]])
    note = note_on_answers(chosen([1.0, 0.0, 0.0]), given)  # without it: 0.36, 0.46, 0.77, 0.08 happy
    assert note is not None and note.code == "way-of-answering"
    assert "changes 2 of 4: accuracy 100.0 % with it, 50.0 % without, as the run answers" in note.text
    assert note_on_answers(chosen([0.0, 1.0, 0.0]), given) is None, "of a class that is not measured"
    assert note_on_answers(chosen(None), given) is None
