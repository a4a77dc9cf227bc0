"""The bootstrap: intervals by resampling, where the windows themselves are in memory.

The index uses ``interval.Intervals``, which needs sums only and covers better where people or windows are few
(``benchmarks/coverage.py`` shows both). The bootstrap checks it, and serves figures for which it has no formula.
"""

from __future__ import annotations

import numpy as np

from felicity.errors import EstimateError
from felicity.index.estimate import adjust
from felicity.index.soft_matrix import SoftMatrix
from felicity.windows.columns import Floats
from felicity.windows.sums import Sums


def bootstrap(windows: Sums, soft: SoftMatrix, *, draws: int = 2000, seed: int = 0) -> Floats:
    """Return (draws, 8): adjusted shares of one place, from resampled windows and a resampled soft matrix.

    ``windows``: one row per window. Windows are drawn whole, with replacement, because people in one window resemble
    each other (block bootstrap, Künsch 1989; Davison & Hinkley 1997, ch. 3.8). Percentiles 2.5 and 97.5 of a figure
    over the draws are its interval. Raises EstimateError with fewer than two windows with people: they do not show how
    windows differ.
    """
    people = windows.people > 0
    count = int(people.sum())
    if count < 2:
        raise EstimateError(f"a bootstrap needs two windows with people in them, not {count}")
    rng = np.random.default_rng(seed)
    times = rng.multinomial(count, np.full(count, 1 / count), size=draws)  # (draws, count)
    sums = times @ windows.prob_sums[people]
    return adjust(sums / sums.sum(axis=1, keepdims=True), soft.draw(rng, draws))
