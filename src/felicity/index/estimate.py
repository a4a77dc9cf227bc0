"""Shares of the eight expressions from a classifier's answers: raw, adjusted, and by EMQ."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from felicity.windows.columns import Floats

_ROUNDS = 60
_TINY = 1e-12


def shares(counts: npt.ArrayLike, people: npt.ArrayLike) -> Floats:
    """Divide counts or sums ``(R, 8)`` by people ``(R,)``; rows without people are NaN."""
    n = np.asarray(people, dtype=np.float64)[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.asarray(counts, dtype=np.float64) / np.where(n > 0, n, np.nan))


def adjust(means: npt.ArrayLike, matrix: npt.ArrayLike) -> Floats:
    """Compute the probabilistic adjusted count: argmin over the simplex of ‖M q - p̄‖².

    ``means`` (R, 8): mean probabilities p̄, NaN rows give NaN. ``matrix`` (8, 8), or (R, 8, 8) with one M
    per row; labels whose column is zero (no validation face) get share 0. Returns (R, 8), exact to
    rounding. Bella et al. 2010; the constraint as in Hopkins & King 2010.

    Solved by block principal pivoting (Júdice & Pires 1994; Kim & Park 2011) on the KKT system,
    all rows at once; rows of one M that share a support share one factorisation.
    """
    p = np.atleast_2d(np.asarray(means, dtype=np.float64))
    m = np.asarray(matrix, dtype=np.float64)
    rows, classes = p.shape
    usable = np.asarray(np.isfinite(p).all(axis=1))
    allowed = np.broadcast_to(np.asarray(m.any(axis=-2)), (rows, classes))
    # Two labels with equal columns are indistinguishable: a minimal push towards the centre decides.
    gram = np.swapaxes(m, -1, -2) @ m + _TINY * np.eye(classes)
    goal = np.where(usable[:, None], np.einsum("...ij,...i->...j", m, np.nan_to_num(p)), 0.0)

    support = allowed.copy()
    q = np.zeros((rows, classes))
    fewest = np.full(rows, classes + 1)
    patience = np.full(rows, 3)
    todo = np.flatnonzero(usable)
    for _ in range(_ROUNDS):
        if not len(todo):
            break
        s = support[todo]
        solution, price = _solve(gram if gram.ndim == 2 else gram[todo], goal[todo], s)
        wrong = np.where(s, solution < -_TINY, (price < -_TINY) & allowed[todo])
        q[todo] = solution
        bad = wrong.sum(axis=1)
        # Swap all violations while that helps, else only the last one: this cannot cycle.
        better = bad < fewest[todo]
        patience[todo] = np.where(better, 3, patience[todo] - 1)
        fewest[todo] = np.minimum(fewest[todo], bad)
        last = classes - 1 - wrong[:, ::-1].argmax(axis=1)
        only_last = np.zeros_like(wrong)
        only_last[np.arange(len(todo)), last] = True
        flip = np.where((patience[todo] >= 0)[:, None], wrong, only_last & wrong)
        s = s ^ flip
        # The simplex has no empty support.
        lost = np.asarray(~s.any(axis=1))
        s[lost, np.where(allowed[todo], goal[todo], -np.inf).argmax(axis=1)[lost]] = True
        support[todo] = s
        todo = todo[bad > 0]
    q = np.clip(q, 0.0, 1.0)
    q /= np.maximum(q.sum(axis=1, keepdims=True), _TINY)
    return np.asarray(np.where(usable[:, None], q, np.nan))


def _solve(gram: Floats, goal: Floats, support: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Minimise on given supports, with free signs; return solution and multipliers, (R, 8) each."""
    rows, classes = goal.shape
    right = np.concatenate([np.where(support, goal, 0.0), np.ones((rows, 1))], axis=1)
    if gram.ndim == 2:
        code = support @ (1 << np.arange(classes))
        solved = np.empty((rows, classes + 1))
        for pattern in np.unique(code):
            chosen = np.flatnonzero(code == pattern)
            kkt = _kkt(gram[None], support[chosen[:1]])[0]
            solved[chosen] = right[chosen] @ np.linalg.inv(kkt).T
    else:
        solved = np.linalg.solve(_kkt(gram, support), right[..., None])[..., 0]
    solution = np.where(support, solved[:, :classes], 0.0)
    price = np.einsum("...ij,...j->...i", gram, solution) - goal + solved[:, classes:]
    return solution, price


def _kkt(gram: Floats, support: npt.NDArray[np.bool_]) -> Floats:
    rows, classes = support.shape
    kkt = np.zeros((rows, classes + 1, classes + 1))
    both = support[:, :, None] & support[:, None, :]
    kkt[:, :classes, :classes] = np.where(both, gram, np.eye(classes))
    kkt[:, :classes, classes] = kkt[:, classes, :classes] = support
    return kkt


def emq(probabilities: npt.ArrayLike, prior: npt.ArrayLike, *, tolerance: float = 1e-8, rounds: int = 10_000) -> Floats:
    """Estimate shares (8,) by expectation maximisation from the probabilities (N, 8) of one group's people.

    ``prior`` (8,): shares under which the classifier is calibrated (its training or validation shares). For
    people-level probabilities of a calibrated model. Saerens, Latinne & Decaestecker 2002, "Adjusting the outputs of a
    classifier to new a priori probabilities".
    """
    p = np.asarray(probabilities, dtype=np.float64)
    was = np.asarray(prior, dtype=np.float64)
    if p.ndim != 2 or not len(p) or was.shape != p.shape[1:] or was.min() < 0 or abs(was.sum() - 1) > 1e-6:
        raise ValueError(f"probabilities are (N, K), N above 0, and the prior K shares, not {p.shape} and {was.shape}")
    ratio = np.divide(p, was, out=np.zeros_like(p), where=was > 0)
    q = was.copy()
    for _ in range(rounds):
        joint = ratio * q
        new = (joint / np.maximum(joint.sum(axis=1, keepdims=True), _TINY)).mean(axis=0)
        new /= new.sum()
        if np.abs(new - q).max() < tolerance:
            return np.asarray(new)
        q = new
    return q
