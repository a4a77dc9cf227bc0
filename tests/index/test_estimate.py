"""Adjusted shares and EMQ: exact where truth is known, and equal to what others' code says."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from felicity.index import SoftMatrix
from felicity.index.estimate import adjust, emq, shares
from tests.support.windows import VALIDATION, answers, soft_matrix
from tests.support.windows import shares as mix


def test_a_known_mix_is_found_exactly() -> None:
    rng = np.random.default_rng(1)
    soft = soft_matrix(rng)
    truth = rng.dirichlet(np.ones(8), 500)
    assert np.abs(adjust(truth @ soft.matrix.T, soft.matrix) - truth).max() < 1e-9


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32), spread=st.sampled_from([0.05, 0.3, 2.0]), sharp=st.sampled_from([0.1, 0.5, 3.0]))
def test_solutions_are_optimal_for_any_matrix(seed: int, spread: float, sharp: float) -> None:
    rng = np.random.default_rng(seed)
    means = rng.dirichlet(np.full(8, spread), 20)
    matrices = rng.dirichlet(np.full(8, sharp), (20, 8)).transpose(0, 2, 1)
    q = adjust(means, matrices)
    assert q.min() >= 0 and np.abs(q.sum(axis=1) - 1).max() < 1e-12
    # The optimality conditions (Boyd & Vandenberghe, 5.5.3): slope equal where q > 0, not lower elsewhere.
    slope = np.einsum("rij,ri->rj", matrices, np.einsum("rij,rj->ri", matrices, q) - means)
    lowest = (slope * q).sum(axis=1, keepdims=True)
    assert (slope - lowest).min() > -1e-9
    same = np.stack([adjust(mean, matrix)[0] for mean, matrix in zip(means, matrices, strict=True)])
    assert np.abs(same - q).max() < 1e-7, "one matrix for all or one for each row: the same"


def test_agrees_with_scipy() -> None:
    rng = np.random.default_rng(1)
    soft = soft_matrix(rng)
    means = rng.dirichlet(np.full(8, 0.5), 50)
    # Non-negative least squares with a heavy row for the sum.
    heavy = 1e5
    tall = np.concatenate([soft.matrix, np.full((1, 8), heavy)])
    theirs = np.stack([nnls(tall, np.append(mean, heavy))[0] for mean in means])
    assert np.abs(adjust(means, soft.matrix) - theirs).max() < 1e-6


def test_agrees_with_quapy() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        aggregative = pytest.importorskip("quapy.method.aggregative")
    rng = np.random.default_rng(1)
    labels = np.repeat(np.arange(8), VALIDATION)
    validation = answers(rng, labels)
    soft = SoftMatrix.from_probabilities(validation, labels)
    theirs = aggregative.PACC.getPteCondEstim(np.arange(8), labels, validation)
    assert np.abs(soft.matrix - theirs).max() < 1e-12
    for happy in (0.05, 0.3, 0.6, 0.95):
        p = answers(rng, rng.choice(8, 400, p=mix(happy)))
        solved = aggregative.ACC.solve_adjustment(
            class_conditional_rates=soft.matrix, unadjusted_counts=p.mean(axis=0), solver="minimize", method="inversion"
        )
        assert np.abs(adjust(p.mean(axis=0), soft.matrix)[0] - solved).max() < 2e-3  # SLSQP's own tolerance
        prior = VALIDATION / VALIDATION.sum()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs, _ = aggregative.EMQ.EM(prior, p, epsilon=1e-10)
        assert np.abs(emq(p, prior, tolerance=1e-12) - theirs).max() < 1e-3


def test_emq_finds_the_mix_of_a_calibrated_classifier() -> None:
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(8, 4)) * 2
    prior = np.full(8, 1 / 8)

    def posterior(x: np.ndarray) -> np.ndarray:
        odds = np.exp(-0.5 * ((x[:, None] - centres) ** 2).sum(axis=2)) * prior
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))

    truth = mix(0.7)
    labels = rng.choice(8, 20_000, p=truth)
    assert np.abs(emq(posterior(centres[labels] + rng.normal(size=(20_000, 4))), prior) - truth).max() < 0.02


def test_emq_of_one_person_and_of_certain_answers() -> None:
    prior = np.full(8, 1 / 8)
    assert np.allclose(emq(np.eye(8)[[1, 1, 2, 3]], prior), [0, 0.5, 0.25, 0.25, 0, 0, 0, 0])
    with pytest.raises(ValueError, match="prior"):
        emq(np.zeros((0, 8)), prior)


def test_nobody_gives_no_share() -> None:
    soft = soft_matrix(np.random.default_rng(1))
    means = shares(np.zeros((2, 8)), [0, 0])
    assert np.isnan(means).all() and np.isnan(adjust(means, soft.matrix)).all()


def test_labels_without_validation_faces_get_no_share() -> None:
    rng = np.random.default_rng(1)
    counts = VALIDATION.copy()
    counts[[5, 7]] = 0
    soft = soft_matrix(rng, counts)
    assert np.flatnonzero(~soft.known).tolist() == [5, 7]
    q = adjust(rng.dirichlet(np.ones(8), 100), soft.matrix)
    assert (q[:, [5, 7]] == 0).all() and np.abs(q.sum(axis=1) - 1).max() < 1e-12


def test_labels_that_look_alike_share_what_they_have() -> None:
    rng = np.random.default_rng(1)
    matrix = np.array(soft_matrix(rng).matrix)
    matrix[:, 7] = matrix[:, 0]
    q = adjust(mix(0.4) @ matrix.T, matrix)[0]
    assert abs(q[1] - 0.4) < 1e-4 and abs(q[0] + q[7] - mix(0.4)[[0, 7]].sum()) < 1e-4
