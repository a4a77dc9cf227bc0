"""Answers for other shares of the expressions than those of the training data.

A network that has seen few faces of an expression rightly rarely answers it. To find rare expressions, its answers are
converted as if they were more frequent: by Bayes' rule, p(y | x) grows with the share of y.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def towards_even(prior: Sequence[float], evenness: float) -> Floats:
    """Return shares between ``prior`` (K,), at ``evenness`` 0, and equal ones, at 1; in between, powers of the prior.

    A share of 0 stays 0.
    """
    shares = np.asarray(prior, dtype=np.float64)
    there = shares > 0
    powers = np.where(there, np.where(there, shares, 1.0) ** (1 - evenness), 0.0)
    return np.asarray(powers / powers.sum())


def prior_shift(prior: Sequence[float], wanted: Sequence[float] | Floats) -> Floats:
    """Return the addend to log-probabilities (K,) made under ``prior`` that makes them valid under ``wanted``.

    It is 0 if either has no share. Saerens, Latinne & Decaestecker 2002, equation 2.4.
    """
    was, will = np.asarray(prior, dtype=np.float64), np.asarray(wanted, dtype=np.float64)
    both = (was > 0) & (will > 0)
    return np.log(np.where(both, will, 1.0)) - np.log(np.where(both, was, 1.0))
