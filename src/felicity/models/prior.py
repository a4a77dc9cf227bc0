"""Answers for other shares of the expressions than those of the training data.

A network that has seen few faces of an expression rightly doubts that it sees one. Where its answers are to find rare
expressions, it is asked as if they were more frequent: by Bayes' rule, p(y | x) grows with the share of y.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def towards_even(prior: Sequence[float], evenness: float) -> Floats:
    """Shares between ``prior`` (K,), at ``evenness`` 0, and equal ones, at 1; on the way, powers of them.

    What has a share of 0 keeps it.
    """
    shares = np.asarray(prior, dtype=np.float64)
    there = shares > 0
    powers = np.where(there, np.where(there, shares, 1.0) ** (1 - evenness), 0.0)
    return np.asarray(powers / powers.sum())


def prior_shift(prior: Sequence[float], wanted: Sequence[float] | Floats) -> Floats:
    """What to add to log-probabilities (K,) made under ``prior``, so that they hold under ``wanted``.

    0 where either has no share. Saerens, Latinne & Decaestecker 2002, equation 2.4.
    """
    was, will = np.asarray(prior, dtype=np.float64), np.asarray(wanted, dtype=np.float64)
    both = (was > 0) & (will > 0)
    return np.log(np.where(both, will, 1.0)) - np.log(np.where(both, was, 1.0))
