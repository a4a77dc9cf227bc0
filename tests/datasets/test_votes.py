"""FER+ votes become labels as the paper says."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from felicity.datasets.votes import VoteRule
from felicity.errors import ConfigError

VOTES = arrays(np.int64, (12, 10), elements=st.integers(0, 6))


def _probability_of_one(votes: list[int]) -> list[float]:
    """The paper's rule for one face, said as a loop: take the most voted until three quarters are explained."""
    left, total, taken = list(votes), sum(votes), [0.0] * 10
    while total and sum(taken) < 0.75 * total and sum(v > 0 for v in taken) < 3 and max(left) > 0:
        top = max(left)
        tied = [i for i, v in enumerate(left) if v == top]
        for i in tied:
            taken[i], left[i] = float(top), 0
        if any(i >= 8 for i in tied):
            break
    kept = taken[:8]
    if sum(kept) <= 0.5 * total or sum(v > 0 for v in kept) > 3:
        return [0.0] * 8
    return [v / sum(kept) for v in kept]


@given(VOTES)
@settings(max_examples=150, deadline=None)
def test_probability_is_the_papers_rule(votes: npt.NDArray[np.int64]) -> None:
    _, soft = VoteRule("probability", drop_single=False).apply(votes)
    np.testing.assert_allclose(soft, [_probability_of_one(row) for row in votes.tolist()], atol=1e-6)


@given(VOTES, st.sampled_from(["shares", "majority", "probability", "multi-target"]), st.booleans())
@settings(max_examples=150, deadline=None)
def test_soft_labels_are_distributions_or_nothing(votes: npt.NDArray[np.int64], mode: str, drop: bool) -> None:
    labels, soft = VoteRule(mode, drop).apply(votes)  # type: ignore[arg-type]
    total = soft.sum(1)
    assert np.all(np.isclose(total, 1, atol=1e-5) | (total == 0))
    assert np.all(soft >= 0)
    assert np.all(labels[total == 0] == -1)
    named = labels >= 0
    assert np.all(soft[named, labels[named]] == soft[named].max(1))


def test_a_single_vote_is_an_outlier() -> None:
    votes = np.array([[8, 1, 1, 0, 0, 0, 0, 0, 0, 0]])
    labels, soft = VoteRule("shares").apply(votes)
    assert labels.tolist() == [0]
    np.testing.assert_array_equal(soft, [[1, 0, 0, 0, 0, 0, 0, 0]])
    _, kept = VoteRule("shares", drop_single=False).apply(votes)
    np.testing.assert_allclose(kept[0, :3], [0.8, 0.1, 0.1])


def test_majority_needs_more_than_half() -> None:
    votes = np.array([[5, 5, 0, 0, 0, 0, 0, 0, 0, 0], [6, 4, 0, 0, 0, 0, 0, 0, 0, 0], [2, 2, 0, 0, 0, 0, 0, 0, 6, 0]])
    labels, soft = VoteRule("majority").apply(votes)
    assert labels.tolist() == [-1, 0, -1]
    np.testing.assert_array_equal(soft[1], [1, 0, 0, 0, 0, 0, 0, 0])


def test_multi_target_treats_thirty_percent_alike() -> None:
    votes = np.array([[5, 3, 2, 0, 0, 0, 0, 0, 0, 0], [2, 3, 0, 0, 0, 0, 0, 0, 5, 0]])
    _, soft = VoteRule("multi-target").apply(votes)
    np.testing.assert_allclose(soft[0], [0.5, 0.5, 0, 0, 0, 0, 0, 0])
    assert soft[1].sum() == 0


def test_shares_leave_out_faces_that_half_do_not_recognise() -> None:
    votes = np.array([[5, 0, 0, 0, 0, 0, 0, 0, 3, 2], [6, 0, 0, 0, 0, 0, 0, 0, 2, 2], [0] * 10])
    labels, soft = VoteRule("shares").apply(votes)
    assert labels.tolist() == [-1, 0, -1]
    assert soft.sum(1).tolist() == [0, 1, 0]


def test_an_unknown_mode_is_named() -> None:
    with pytest.raises(ConfigError, match="votes are read as shares, majority"):
        VoteRule("best")  # type: ignore[arg-type]
