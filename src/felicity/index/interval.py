"""95 % intervals for shares, with people who resemble each other and a soft matrix from finitely many faces."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from felicity.index.estimate import adjust, shares
from felicity.index.polynomials import bisect, furthest, product, summed_product
from felicity.index.soft_matrix import SoftMatrix
from felicity.labels import EXPRESSIONS, MOODS, Mood
from felicity.windows.columns import CLASSES, Floats
from felicity.windows.sums import Sums

IS_HAPPY = np.array([float(MOODS[e] is Mood.HAPPY) for e in EXPRESSIONS])
"""(8,): 1 where an expression counts as happy."""
IS_UNHAPPY = np.array([float(MOODS[e] is Mood.UNHAPPY) for e in EXPRESSIONS])
"""(8,): 1 where an expression counts as unhappy."""

_LIKENESS = 0.08
"""Expected correlation of people in one window, before any window is compared …"""
_EVIDENCE = 2.5
"""… with the weight of this many comparisons between windows, and less where they differ more than expected.

It is chosen, like the other constants, by coverage (``benchmarks/coverage.py`` and ``felicity simulate --check``).
"""
_FREEDOM, _GUESSED = 6.0, 2.3
"""Least degrees of freedom of this expectation, and those of the likeness, a small part of few people's effect."""
_STRONG = 0.2
"""Correlation for which the reliability of the scatter of a few windows is computed."""
_CALM, _SURE = 1.3, 4.0
"""Below this design effect, windows differ as strangers do, and there is little excess to misjudge.

Per unit below it, the degrees of freedom grow by this factor.
"""
_LEAST_EFFECT = 0.7
"""Least design effect: people in one window differ no more than strangers do; a lower value is mostly chance."""
_NORMAL = 1.959963984540054
_MANY = 20.0
_PRESENT = 0.01
"""Share from which an expression counts as present; below it, the bound at 0 matters more than the data."""


class Linear(NamedTuple):
    """A figure of R rows, (R,) each: adjusted, the ends of its interval, and the two parts of its error.

    ``people_error`` and ``matrix_error`` are standard errors. The error of people is independent from row to row. The
    error of the matrix is common to all rows of one matrix, so a mean over rows does not shrink it.
    """

    adjusted: Floats
    low: Floats
    high: Floats
    people_error: Floats
    matrix_error: Floats


class Intervals:
    """Shares and their intervals for R groups of windows and one soft matrix.

    Score intervals (Wilson 1927) hold the values that the data do not contradict. Their variance is taken *at the value
    in question*, so that it neither vanishes at 0 or 100 % nor leaves the possible range. The variance has two parts.

    - People: the variance that the second moments of the validation faces imply for such a mix of expressions, times a
      design effect. The design effect compares the scatter of whole windows (cluster-robust variance, Liang & Zeger
      1986) with that of independent people.
    - Matrix: the variance of M's columns, each from ``counts[j]`` faces, weighted by the squared shares.

    A single window does not show how alike its people are; its design effect is the expected one. Several windows move
    the design effect towards their own. They move it more the more they are, and less the rarer the figure is: where
    hardly anybody is happy, few windows look alike whether or not their people do.

    The quantile is Student's t. Few windows have few degrees of freedom (cf. Bell & McCaffrey 2002), more if they
    scatter no more than strangers do. The two parts are joined after Satterthwaite (1946).

    ``estimate`` (R, 8): adjusted shares. Rows without people are NaN throughout.
    """

    def __init__(self, sums: Sums, soft: SoftMatrix) -> None:
        self.soft = soft
        self.means = shares(sums.prob_sums, sums.people)
        self.estimate = adjust(self.means, soft.matrix)
        self._n = np.where(sums.people > 0, sums.people, np.nan).astype(np.float64)
        self._sums = sums
        self._inverses: dict[bytes, Floats] = {}
        self._cross = soft.cross
        self._spread = soft.spread() / np.maximum(soft.counts, 1)[:, None, None]

    def linear(self, weights: npt.ArrayLike) -> Linear:
        """Return the figure ``weights · q`` of each row; ``weights`` (8,)."""
        c = np.asarray(weights, dtype=np.float64)
        supports, of_row = self._supports(c > 0)
        rows = np.stack([c @ self._inverse(support) for support in supports])  # few, so that moments cost little
        a = rows[of_row].T  # (8, R)
        point = self.estimate @ c
        u, m, w = (moment[:, of_row] for moment in self._moments(rows.T))
        effect, freedom = self._scatter(a, u, m)
        q = self.estimate

        def variance(start: Floats, step: Floats) -> tuple[Floats, Floats, Floats]:
            """Return the variance of people and matrix at start + λ step: coefficients of 1, λ, λ²."""
            people = effect / self._n
            along, across = _dot(start, m), _dot(step, m)
            return (
                people * (_dot(start, u) - along**2) + _dot(start**2, w),
                people * (_dot(step, u) - 2 * along * across) + 2 * _dot(start * step, w),
                people * -(across**2) + _dot(step**2, w),
            )

        squared = self._quantile(effect, freedom, q, u, m, w) ** 2
        ends = []
        for sign in (-1.0, 1.0):
            step = self._towards(sign * c) - q
            rise = step @ c
            v0, v1, v2 = variance(q, step)
            far = furthest(
                -squared * v0,
                -squared * v1,
                rise**2 - squared * v2,
            )
            ends.append(point + far * rise)
        along = _dot(q, m)
        return Linear(
            point,
            np.minimum(ends[0], point),
            np.maximum(ends[1], point),
            np.sqrt(effect / self._n * np.maximum(_dot(q, u) - along**2, 0)),
            np.sqrt(np.maximum(_dot(q**2, w), 0)),
        )

    def ratio(self, numerator: npt.ArrayLike, denominator: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
        """Return estimate, low and high end, (R,) each, of ``numerator · q / (numerator + denominator) · q``.

        Both are disjoint masks (8,). After Fieller (1954): the interval holds the values r at which numerator - r ·
        both is compatible with 0. NaN if nobody belongs to either.
        """
        c, d = np.asarray(numerator, dtype=np.float64), np.asarray(denominator, dtype=np.float64)
        both = c + d
        q = self.estimate
        top, whole = q @ c, q @ both
        with np.errstate(invalid="ignore", divide="ignore"):
            point = np.where(whole > 1e-9, top / np.where(whole > 1e-9, whole, 1), np.nan)
            inner = np.where(whole[:, None] > 1e-9, q * both, 0.0)
        # That nobody unhappy was seen does not show that nobody could be.
        figure = (c > 0) | (np.arange(CLASSES) == self._commonest(d > 0))
        # If the ratio is r, people show `still + r move`, and the figure that is then 0 is p̄ (top - r below).
        share_c, share_d = _normalised(inner * c, c), _normalised(inner * d, d)
        still, move = q - inner + whole[:, None] * share_d, whole[:, None] * (share_c - share_d)
        above, below = (self._rows(np.broadcast_to(v, q.shape), figure) for v in (c, both))  # (8, R)
        a = above - below * np.where(np.isfinite(point), point, 0.5)
        u, m, w = self._moments(a)
        effect, freedom = self._scatter(a, u, m)
        squared = self._quantile(effect, freedom, q, u, m, w) ** 2

        # The following are polynomials in r, lowest power first.
        u, w = (
            np.stack([_form(f, above, above), -2 * _form(f, above, below), _form(f, below, below)])
            for f in (self._cross, self._spread)
        )
        m = np.stack([self.soft.matrix.T @ above, -self.soft.matrix.T @ below])
        value = np.stack([top, -whole])
        mean = summed_product([still, move], m)
        people = summed_product([still, move], u) - product(mean, mean)[:4]
        matrix = summed_product([still**2, 2 * still * move, move**2], w)
        excess = -squared * matrix
        excess[:3] += product(value, value)
        excess[:4] -= squared * effect / self._n * people
        low, high = (bisect(excess, point, end) for end in (0.0, 1.0))
        return point, low, high

    def matrix_part(self, weights: npt.ArrayLike) -> Floats:
        """Return (R, 8, 8): the change of the figure ``weights · q`` of each row with M, by label and answer.

        Parts of rows of one matrix add up like the figures themselves; ``matrix_variance`` is then that of their sum.
        """
        return np.asarray(self.estimate[:, :, None] * self._row(np.asarray(weights, dtype=np.float64)).T[:, None, :])

    def matrix_variance(self, part: Floats) -> float:
        """Return the variance of a figure that changes with M by ``part`` (8, 8), from the finite number of faces."""
        return float(np.einsum("ja,jab,jb->", part, self._spread, part))

    def effective_people(self) -> Floats:
        """Return (R,): the number of independent people who would give the happy share the same sampling precision."""
        a = self._row(IS_HAPPY)
        effect, _ = self._scatter(a, *self._moments(a)[:2])
        return np.asarray(self._n / np.maximum(effect, 1))

    def _row(self, weights: Floats) -> Floats:
        """Return (8, R): the ``a`` for which a · p̄ changes as the figure ``weights · q`` does, ``weights`` (8,)."""
        return self._rows(np.broadcast_to(weights, self.means.shape), weights > 0)

    def _rows(self, weights: Floats, figure: npt.NDArray[np.bool_]) -> Floats:
        """Return (8, R), as ``_row``, for ``weights`` (R, 8) of a ``figure`` (8,).

        The map is linear around the estimate: absent expressions stay absent, except those in the figure. Without the
        bounds, expressions that the classifier hardly distinguishes would trade against each other, and every figure
        would be as vague as they are.
        """
        a = np.zeros(self.means.shape)
        supports, of_row = self._supports(figure)
        for i, support in enumerate(supports):
            members = np.flatnonzero(of_row == i)
            a[members] = weights[members] @ self._inverse(support)
        return a.T

    def _supports(self, figure: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.intp]]:
        """Return the possible sets of expressions, (P, 8), and the set of each row, (R,)."""
        supports = ((self.estimate > _PRESENT) | figure) & self.soft.known
        # A single expression would be certain, so there is always another that these people might have shown.
        supports[~(supports & ~figure).any(axis=1), self._commonest(~figure)] = True
        _, first, of_row = np.unique(supports @ (1 << np.arange(CLASSES)), return_index=True, return_inverse=True)
        return supports[first], of_row

    def _commonest(self, among: npt.NDArray[np.bool_]) -> int:
        """Return the expression with the most validation faces."""
        return int(np.where(among, self.soft.counts, -1).argmax())

    def _inverse(self, support: npt.NDArray[np.bool_]) -> Floats:
        """Return (8, 8): the map from p̄ to the least-squares shares on a support that sum to 1; other rows are 0."""
        code = support.tobytes()
        if code not in self._inverses:
            self._inverses[code] = _inverse(self.soft.matrix, support)
        return self._inverses[code]

    def _moments(self, a: Floats) -> tuple[Floats, Floats, Floats]:
        """Return by label the means of (a·p)² and a·p, and the variance of the column's mean; ``a`` (8,) or (8, R)."""
        return _form(self._cross, a, a), self.soft.matrix.T @ a, _form(self._spread, a, a)

    def _scatter(self, a: Floats, u: Floats, m: Floats) -> tuple[Floats, Floats]:
        """Return design effect and degrees of freedom (R,) of ``a``·p̄; ``a`` (8, R) and its first two moments."""
        sums, n, rows = self._sums, self._n, a.T
        alone = np.maximum(_dot(self.estimate, u) - _dot(self.estimate, m) ** 2, 1e-12)
        mean = (self.means * rows).sum(axis=1)
        blocks = sums.blocks.astype(np.float64)
        weighed = np.einsum("rij,rj->ri", sums.block_cross, rows)  # (R, 8)
        ones = sums.block_cross.sum(axis=(1, 2))  # sum of squared sizes of windows
        squares = (weighed * rows).sum(axis=1) - 2 * weighed.sum(axis=1) * mean + ones * mean**2
        gathered = ones / n  # people in the window of a person
        windows = squares / n * blocks / np.maximum(blocks - 1, 1)
        freedom = np.where(blocks > 1, np.clip(n / gathered - 1, 0, None), 0.0) / self._doubt(m, blocks, gathered)
        expected = 1 + _LIKENESS * (gathered - 1)
        found = windows / alone
        weight = _EVIDENCE * np.minimum(expected / np.maximum(found, 1e-12), 1)
        effect = np.maximum((freedom * found + weight * expected) / (freedom + weight), _LEAST_EFFECT)
        guessed = np.maximum(effect, expected)
        more = np.maximum(_GUESSED * (guessed / np.maximum(guessed - 1, 1e-3)) ** 2 - _FREEDOM, 0)
        freedom += _FREEDOM + more * _EVIDENCE / (freedom + _EVIDENCE)
        return effect, freedom * (1 + _SURE * np.maximum(_CALM - effect, 0))

    def _doubt(self, m: Floats, blocks: Floats, gathered: Floats) -> Floats:
        """Return (R,), from 1: the variance of the windows' scatter relative to that of normal windows.

        It follows from the kurtosis of windows whose people correlate by ``_STRONG``. The shares are drawn slightly
        towards equal ones, because a few windows without a label do not show that there is none.
        """
        known = self.soft.known
        q = (self.estimate * blocks[:, None] + known / known.sum()) / (blocks + 1)[:, None]
        means = np.broadcast_to(m.T, q.shape)
        apart = means - (q * means).sum(axis=1, keepdims=True)
        spread = np.maximum((q * apart**2).sum(axis=1), 1e-12)
        excess = np.maximum((q * apart**4).sum(axis=1) / spread**2 - 3, 0)
        common = _STRONG * gathered / (1 + _STRONG * (gathered - 1))  # part of a window's variance
        return np.asarray(1 + excess / 2 * (common**2 + (1 - common) ** 2 / gathered))

    def _quantile(self, effect: Floats, freedom: Floats, q: Floats, u: Floats, m: Floats, w: Floats) -> Floats:
        people = effect / self._n * np.maximum(_dot(q, u) - _dot(q, m) ** 2, 1e-15)
        both = people + _dot(q**2, w)
        return _student(freedom * (both / people) ** 2)

    def _towards(self, c: Floats) -> Floats:
        """Return (R, 8): the shares if all people moved to the expressions of greatest ``c``, in proportion."""
        known = self.soft.known
        target = known & (c == c[known].max())
        return _normalised(np.where(target, self.estimate, 0.0), target.astype(np.float64))


def _student(freedom: Floats) -> Floats:
    """Return the two-sided 95 % quantile of Student's t; by Abramowitz & Stegun 26.7.5 where that is exact to 1e-5."""
    z, v = _NORMAL, np.where(freedom > _MANY, freedom, np.inf)
    quantile = z + (z**3 + z) / (4 * v) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
    quantile += (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
    few = freedom <= _MANY
    if few.any():
        from scipy.special import stdtrit

        quantile[few] = stdtrit(freedom[few], 0.975)
    return np.asarray(quantile)


def _dot(q: Floats, v: Floats) -> Floats:
    """Return rows of ``q`` (R, 8) times ``v`` (8,), or times the columns of ``v`` (8, R)."""
    return np.asarray(q @ v if v.ndim == 1 else np.einsum("rj,jr->r", q, v))


def _normalised(parts: Floats, fallback: Floats) -> Floats:
    mass = parts.sum(axis=1, keepdims=True)
    return np.asarray(np.where(mass > 1e-9, parts / np.where(mass > 1e-9, mass, 1), fallback / fallback.sum()))


def _inverse(matrix: Floats, support: npt.NDArray[np.bool_]) -> Floats:
    m = matrix[:, support]
    k = m.shape[1]
    inverse = np.zeros((CLASSES, CLASSES))
    if k:
        kkt = np.ones((k + 1, k + 1))
        kkt[:k, :k] = m.T @ m + 1e-12 * np.eye(k)
        kkt[k, k] = 0
        # p̄ sums to 1, so the constraint's constant is 1ᵀ p̄ and the map is linear.
        right = np.concatenate([m.T, np.ones((1, CLASSES))])
        inverse[support] = np.linalg.solve(kkt, right)[:k]
    return inverse


def _form(forms: Floats, left: Floats, right: Floats) -> Floats:
    """Return (8,) or (8, R): by label, left · form · right, with ``forms`` (8, 8, 8) and both sides (8,) or (8, R)."""
    return np.asarray((left * (forms @ right)).sum(axis=1))
